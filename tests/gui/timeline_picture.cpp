// Renders the timeline of a hand-made run to PNG files: two sizes, both themes, four zoom depths. For looking at.
//   timeline_picture FOLDER [TRACE]
#include <QApplication>
#include <QDir>
#include <QTest>

#include "app/gui/timeline/timeline_widget.h"
#include "core/import/open_trace.h"
#include "tests/gui/sample_run.h"

using namespace gapscope;

namespace {

QPalette darkPalette() {
    QPalette palette;
    const Theme& theme = Theme::darkTheme();
    palette.setColor(QPalette::Window, theme.headerBackground);
    palette.setColor(QPalette::Base, theme.background);
    palette.setColor(QPalette::Button, theme.headerBackground);
    palette.setColor(QPalette::WindowText, theme.text);
    palette.setColor(QPalette::Text, theme.text);
    palette.setColor(QPalette::ButtonText, theme.text);
    return palette;
}

std::optional<uint32_t> firstKernelAfter(const TimelineIndex& index, int64_t timeNs) {
    for (const TimelineRow* row : index.rows()) {
        if (row->kind != RowKind::Stream) continue;
        const Lane& lane = row->lanes.lanes()[0];
        if (const size_t item = lane.firstStartingAt(timeNs); item < lane.size()) return lane[item].row;
    }
    return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    QApplication::setStyle(QStringLiteral("Fusion"));
    if (argc != 2 && argc != 3) {
        qWarning("usage: timeline_picture FOLDER [TRACE]");
        return 2;
    }
    const QDir folder(QString::fromLocal8Bit(argv[1]));
    SampleRun run;
    TracePtr trace = run.whole(24, 26);
    if (argc == 3) {
        auto opened = openTrace(argv[2]);
        if (!opened) {
            qWarning("%s", opened.error().message.c_str());
            return 1;
        }
        trace = *opened;
    }
    const QPalette light = QApplication::palette();
    for (const bool dark : {false, true}) {
        QApplication::setPalette(dark ? darkPalette() : light);
        for (const QSize size : {QSize(1366, 768), QSize(2560, 1440)}) {
            Session session;
            session.setTrace(trace);
            TimelineWidget timeline(session);
            timeline.setAnimated(false);
            timeline.resize(size);
            timeline.show();
            if (!QTest::qWaitFor([&] { return timeline.gapsSettled(); })) return 1;
            QTest::qWait(50);
            const TimeRange whole = trace->extent();
            // A foreign trace has no tokens: look at its middle.
            const int64_t middleNs = whole.startNs + whole.durationNs() / 2;
            const TimeRange token = timeline.index().tokens().size() > 6
                                        ? timeline.index().tokens()[6].range
                                        : TimeRange{middleNs, middleNs + whole.durationNs() / 50};
            const struct {
                const char* name;
                TimeRange range;
            } depths[] = {{"whole", whole},
                          {"token", withMargin(token, 0.3)},
                          {"few", {token.startNs + 100'000, token.startNs + 160'000}},
                          {"kernels", {token.startNs, token.startNs + 420'000}}};
            for (const auto& depth : depths) {
                session.setVisibleRange(depth.range);
                session.clearSelection();
                const std::optional<uint32_t> kernel = firstKernelAfter(timeline.index(), depth.range.startNs + 20'000);
                if (depth.range.durationNs() < 1'000'000 && kernel) {
                    session.select({.kind = Selection::Kind::DeviceOp,
                                    .range = {trace->deviceOps().startNs[*kernel], trace->deviceOps().endNs[*kernel]},
                                    .row = *kernel});
                } else if (depth.range != whole) {
                    session.select({.kind = Selection::Kind::Token, .range = token});
                }
                const QString file =
                    QStringLiteral("timeline-%1-%2-%3.png")
                        .arg(QString::number(size.width()), dark ? QStringLiteral("dark") : QStringLiteral("light"),
                             QString::fromLatin1(depth.name));
                if (!timeline.grab().save(folder.filePath(file))) return 1;
            }
        }
    }
    return 0;
}
