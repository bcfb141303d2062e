#include "app/gui/window/test_report.h"

#include <QSaveFile>
#include <QWidget>

#include "app/gui/views/banner.h"
#include "app/gui/views/prompt_panel.h"
#include "core/base/json_writer.h"

namespace gapscope {
namespace {

constexpr int kIntervalMs = 100;

}  // namespace

void writeSummary(JsonWriter& json, const Report& report) {
    const Summary& summary = report.analysis.summary;
    json.key("summary").beginObject();
    json.field("windowNs", report.window.durationNs())
        .field("selfGpuNs", summary.selfGpuNs)
        .field("selfCpuNs", summary.host.selfCpuNs)
        .field("gpuBusyNs", summary.gpuBusyNs)
        .field("gpuIdleNs", summary.gpuIdleNs)
        .field("cpuLaunchingNs", summary.host.cpuLaunchingNs)
        .field("kernelCount", summary.kernelCount)
        .field("launchCount", summary.host.launchCount)
        .field("gapCount", summary.gapCount);
    json.key("categoryNs").beginObject();
    for (int i = 0; i < kCategoryCount; ++i) {
        const auto category = static_cast<Category>(i);
        json.field(categoryName(category), summary.categories[category].ns);
    }
    json.endObject();
    json.key("gapCauseNs").beginObject();
    for (size_t i = 0; i < kGapCauseNames.size(); ++i)
        json.field(kGapCauseNames[i], summary.gapCauses.ns[i]);
    json.endObject();
    json.endObject();
}

namespace {

void writeWidgets(JsonWriter& json, const QWidget& window) {
    json.key("widgets").beginObject();
    for (const QWidget* widget : window.findChildren<QWidget*>()) {
        const QString name = widget->objectName();
        if (name.isEmpty() || name.startsWith(QStringLiteral("qt_")) || !widget->isVisible()) continue;
        const QPoint corner = widget->mapToGlobal(QPoint());
        json.key(name.toStdString()).beginArray();
        json.value(corner.x()).value(corner.y()).value(widget->width()).value(widget->height()).endArray();
    }
    json.endObject();
}

}  // namespace

TestReport::TestReport(MainWindow& window, const QString& path) : QObject(&window), m_window(window), m_path(path) {
    m_timer.setInterval(kIntervalMs);
    connect(&m_timer, &QTimer::timeout, this, &TestReport::write);
    m_timer.start();
}

void TestReport::write() {
    const Session& session = m_window.session();
    JsonWriter json;
    json.beginObject();
    json.field("settled", m_window.settled());
    json.field("running", m_window.runs().running());
    json.field("modified", m_window.document().isModified());
    json.field("path", m_window.document().path().toStdString());
    json.field("title", m_window.windowTitle().toStdString());
    json.field("output", m_window.promptPanel().output().toStdString());
    json.field("events", session.trace()->eventCount());
    json.field("deviceOps", session.trace()->deviceOps().startNs.size());
    json.field("tokens", session.trace()->tokens().index.size());
    json.field("selectionKind", static_cast<int>(session.selection().kind));
    json.key("visible")
        .beginArray()
        .value(session.visibleRange().startNs)
        .value(session.visibleRange().endNs)
        .endArray();
    json.key("banners").beginArray();
    for (const QString& sentence : m_window.banners().sentences())
        json.value(sentence.toStdString());
    json.endArray();
    if (const ReportPtr report = m_window.analyst().report()) writeSummary(json, *report);
    writeWidgets(json, m_window);
    json.endObject();
    const QByteArray text = QByteArray::fromStdString(json.text());
    if (text == m_last) return;
    QSaveFile file(m_path);
    if (file.open(QIODevice::WriteOnly) && file.write(text) == text.size() && file.commit()) m_last = text;
}

}  // namespace gapscope
