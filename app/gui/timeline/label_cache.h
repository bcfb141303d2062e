// Names as they fit a width, and as they are drawn. A frame has thousands of labels of few hundred names: shortening
// and shaping each anew would be most of the frame. UI thread only.
#pragma once

#include <QFont>
#include <QFontMetricsF>
#include <QHash>
#include <QPainter>
#include <QStaticText>
#include <QString>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gapscope {

class LabelCache {
public:
    explicit LabelCache(const QFont& font) : m_font(font), m_metrics(font) {}

    const QFont& font() const { return m_font; }
    const QFontMetricsF& metrics() const { return m_metrics; }

    // The fullest form of the name (core/layout/name_steps.h) that is at most `width` px wide and, where even the
    // shortest is too long, that cut in its middle; empty below three characters.
    QString fitting(std::string_view name, double width);

    // Draws one line from `x` on, in the middle of the height; the painter has the font and the pen.
    void draw(QPainter& painter, double x, double top, double height, const QString& text);

private:
    struct Name {
        std::vector<std::pair<QString, double>> forms;  // with their widths
        std::unordered_map<int, QString> cuts;          // of the shortest form, by whole px
    };
    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    Name& entryOf(std::string_view name);

    QFont m_font;
    QFontMetricsF m_metrics;
    std::unordered_map<std::string, Name, Hash, std::equal_to<>> m_names;
    size_t m_cutCount = 0;
    QHash<QString, QStaticText> m_drawn;
};

}  // namespace gapscope
