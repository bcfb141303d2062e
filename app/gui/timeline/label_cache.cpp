#include "app/gui/timeline/label_cache.h"

#include "core/layout/name_steps.h"

namespace gapscope {

namespace {

// Emptied when full: a view shows some thousand labels, and the next frame brings back what it needs.
constexpr size_t kMostNames = 20'000;
constexpr size_t kMostCuts = 100'000;
constexpr qsizetype kMostDrawn = 20'000;
constexpr qsizetype kLongestCut = 256;  // characters that are measured of a name of any length

}  // namespace

LabelCache::Name& LabelCache::entryOf(std::string_view name) {
    if (const auto found = m_names.find(name); found != m_names.end()) return found->second;
    if (m_names.size() >= kMostNames || m_cutCount >= kMostCuts) {
        m_names.clear();
        m_cutCount = 0;
    }
    Name& entry = m_names[std::string(name)];
    for (const std::string& step : nameSteps(name)) {
        const QString text = QString::fromStdString(step);
        // A text that no screen is wide enough for need not be measured.
        const bool isEndless = text.size() > 4096;
        entry.forms.emplace_back(text, isEndless ? 1e9 : m_metrics.horizontalAdvance(text));
    }
    return entry;
}

QString LabelCache::fitting(std::string_view name, double width) {
    if (width < m_metrics.horizontalAdvance(QLatin1Char('0'))) return {};
    Name& entry = entryOf(name);
    for (const auto& [text, wide] : entry.forms)
        if (wide <= width) return text;
    if (entry.forms.empty()) return {};
    const int px = static_cast<int>(width);
    const auto [cut, isNew] = entry.cuts.try_emplace(px);
    if (isNew) {
        ++m_cutCount;
        const QString text = m_metrics.elidedText(entry.forms.back().first.left(kLongestCut), Qt::ElideMiddle, px);
        if (text.size() >= 4) cut->second = text;
    }
    return cut->second;
}

void LabelCache::draw(QPainter& painter, double x, double top, double height, const QString& text) {
    auto found = m_drawn.find(text);
    if (found == m_drawn.end()) {
        if (m_drawn.size() >= kMostDrawn) m_drawn.clear();
        QStaticText drawn(text);
        drawn.setTextFormat(Qt::PlainText);
        drawn.setPerformanceHint(QStaticText::AggressiveCaching);
        drawn.prepare(painter.transform(), m_font);
        found = m_drawn.insert(text, drawn);
    }
    painter.drawStaticText(QPointF(x, top + (height - m_metrics.height()) / 2), *found);
}

}  // namespace gapscope
