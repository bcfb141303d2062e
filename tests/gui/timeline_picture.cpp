// Renders the timeline of a hand-made run to PNG files: two sizes, both themes, four zoom depths. For looking at.
//   timeline_picture FOLDER
#include <QApplication>
#include <QDir>
#include <QTest>

#include "app/gui/timeline/timeline_widget.h"
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

}  // namespace

int main(int argc, char** argv) {
    QApplication app(argc, argv);
    QApplication::setStyle(QStringLiteral("Fusion"));
    if (argc != 2) {
        qWarning("usage: timeline_picture FOLDER");
        return 2;
    }
    const QDir folder(QString::fromLocal8Bit(argv[1]));
    SampleRun run;
    const TracePtr trace = run.whole(24, 26);
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
            const TimeRange token = timeline.index().tokens()[6].range;
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
                if (depth.range.durationNs() < 1'000'000) {
                    const Lane& lane = timeline.index().rows()[4]->lanes.lanes()[0];
                    const uint32_t row = lane[lane.firstStartingAt(depth.range.startNs + 20'000)].row;
                    session.select({.kind = Selection::Kind::DeviceOp,
                                    .range = {trace->deviceOps().startNs[row], trace->deviceOps().endNs[row]},
                                    .row = row});
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
