// What the timeline draws and says: pixels, cost, a growing run, words; on the offscreen platform.
#include <QHelpEvent>
#include <QScrollBar>
#include <QTest>
#include <QToolButton>
#include <QToolTip>

#include "tests/gui/timeline_window.h"

using namespace gapscope;

namespace {

using Window = TimelineWindow;

}  // namespace

class TimelineTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Pixels

    void kernelsAndGapsHaveTheirColours_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void kernelsAndGapsHaveTheirColours() {
        QFETCH(bool, dark);
        Window w;
        const Theme& theme = dark ? Theme::darkTheme() : Theme::light();
        QPalette palette = w.timeline.palette();
        palette.setColor(QPalette::Window, theme.headerBackground);
        w.timeline.setPalette(palette);
        const size_t op = 400;
        w.lookAt({w.opRange(op).startNs - 40'000, w.opRange(op + 4).endNs + 10'000});
        const QImage picture = w.picture();
        int seen = 0;
        int gaps = 0;
        for (size_t row = op; row <= op + 4; ++row) {
            const TimeRange range = w.opRange(row);
            const QPoint inside = w.at(RowKind::Stream, range.endNs) - QPoint(3, 9);  // right of any label, above it
            QVERIFY(nearColour(picture.pixelColor(inside), theme.category(w.trace->deviceOps().category[row])));
            ++seen;
            // The gap before it: host until the call, then the call, then the device.
            const int64_t callNs = range.startNs - 2'500 - SampleRun::kLaunchNs;
            const int up = 6;
            if (w.opRange(row - 1).endNs > callNs - 1'000) continue;  // the call began while the one before still ran
            ++gaps;
            const QColor host = picture.pixelColor(w.at(RowKind::Gap, callNs) - QPoint(3, up));
            QVERIFY2(nearColour(host, theme.gapCause(GapCause::HostOutside)), qPrintable(host.name()));
            QVERIFY(nearColour(picture.pixelColor(w.at(RowKind::Gap, callNs + 2'000) - QPoint(0, up)),
                               theme.gapCause(GapCause::LaunchCall)));
            QVERIFY(nearColour(picture.pixelColor(w.at(RowKind::Gap, range.startNs - 1'200) - QPoint(0, up)),
                               theme.gapCause(GapCause::DeviceLatency)));
            // No gap while it works.
            QVERIFY(nearColour(picture.pixelColor(w.at(RowKind::Gap, range.startNs + range.durationNs() / 2)),
                               theme.background));
        }
        QCOMPARE(seen, 5);
        QVERIFY(gaps >= 2);
        QVERIFY(nearColour(picture.pixelColor(w.timeline.parts().headers.left() + 3, w.rowY(RowKind::Stream) + 4),
                           theme.headerBackground));
    }

    void mergedStretchesShowHowBusyTheyAre() {
        Window w(60, 26);
        w.lookAt(w.trace->extent());
        const QImage picture = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const TimelineFrame& frame = w.timeline.frame();
        int checked = 0;
        for (const FrameLane& lane : frame.lanes) {
            if (w.timeline.index().rows()[lane.row]->kind != RowKind::Stream) continue;
            for (const LaneSpan& span : lane.spans) {
                if (span.count < 2 || span.x1 - span.x0 < 2) continue;
                const int x = w.timeline.parts().rows.left() + static_cast<int>(std::round(span.x0)) + 1;
                const int bottom = w.timeline.parts().rows.top() + lane.y + lane.height - 1;
                int bar = 0;
                // The bar is in full colours; above it only a pale ground.
                while (bar < lane.height && picture.pixelColor(x, bottom - bar).hslSaturationF() > 0.35F &&
                       picture.pixelColor(x, bottom - bar).lightnessF() < 0.8F)
                    ++bar;
                QVERIFY2(std::abs(bar -
                                  std::clamp(std::lround(lane.height * double(span.busy)), 2L, long(lane.height))) <= 1,
                         qPrintable(QStringLiteral("bar %1 busy %2").arg(bar).arg(double(span.busy))));
                QVERIFY(nearColour(picture.pixelColor(x, bottom), theme.categories[span.tint]));
                ++checked;
            }
        }
        QVERIFY(checked > 100);
    }

    void anAllBusyStretchIsFullAndAnIdleOneIsEmpty() {
        Window w(4, 4);
        const TimeRange gemm = [&] {  // the one kernel of 61 µs
            for (size_t row = 0; row < w.trace->deviceOps().startNs.size(); ++row)
                if (w.opRange(row).durationNs() == 61'000) return w.opRange(row);
            return TimeRange{};
        }();
        w.lookAt({gemm.startNs - 50'000, gemm.endNs + 200'000});
        const QImage picture = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const int top = w.rowY(RowKind::Stream);
        for (int y = 1; y < kTrackHeight - 1; ++y)
            QVERIFY(nearColour(picture.pixelColor(w.at(RowKind::Stream, gemm.endNs).x() - 3, top + y),
                               theme.category(Category::Gemm)));
        QCOMPARE(picture.pixelColor(w.at(RowKind::Stream, gemm.endNs + 300).x(), top + 11), theme.backgroundBand);
    }

    void aSelectedCategoryDimsTheOthers() {
        Window w;
        w.lookAt({w.opRange(400).startNs - 10'000, w.opRange(406).endNs + 10'000});
        const QImage before = w.picture();
        w.session.select({.kind = Selection::Kind::Category, .category = Category::Gemm});
        const QImage after = w.picture();
        for (size_t row = 400; row <= 406; ++row) {
            const QPoint inside = w.at(RowKind::Stream, w.opRange(row).endNs) - QPoint(3, 9);
            const bool isGemm = w.trace->deviceOps().category[row] == Category::Gemm;
            QCOMPARE(before.pixelColor(inside) == after.pixelColor(inside), isGemm);
        }
    }

    void aSelectedKernelIsOutlinedAndLinkedToItsLaunch() {
        Window w;
        const size_t op = 400;
        w.lookAt({w.opRange(op).startNs - 40'000, w.opRange(op).endNs + 40'000});
        const QImage before = w.picture();
        w.session.select({.kind = Selection::Kind::DeviceOp, .range = w.opRange(op), .row = op});
        const QImage after = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const QPoint box = w.at(RowKind::Stream, w.opRange(op).startNs);
        QVERIFY(nearColour(after.pixelColor(box.x() + 4, w.rowY(RowKind::Stream) - 1), theme.accent));
        int linked = 0;
        const int from = w.rowY(RowKind::ApiCall) + kNarrowHeight + 2;
        for (int x = box.x() - 120; x < box.x() + 10; ++x)
            linked += nearColour(after.pixelColor(x, from), theme.launchLink, 40);
        QVERIFY(linked >= 1);
        QVERIFY(before != after);
    }

    void textIsBlackOrWhiteByContrast() {
        for (const Theme* theme : {&Theme::light(), &Theme::darkTheme()}) {
            QList<QColor> grounds(theme->categories.begin(), theme->categories.end());
            for (const QColor& color : theme->gapCauses)
                grounds << color;
            for (const QColor& color : theme->range)
                grounds << color;
            for (const QColor& color : theme->token)
                grounds << color;
            grounds << theme->apiLaunch << theme->apiCopy << theme->apiWait << theme->apiOther << theme->prefill
                    << theme->accent;
            for (const QColor& ground : grounds)
                QVERIFY(contrastRatio(ground, textOn(ground)) >= 4.5);
            for (const QColor& ground : {theme->background, theme->headerBackground, theme->backgroundBand}) {
                QVERIFY(contrastRatio(ground, theme->text) >= 7);
                QVERIFY(contrastRatio(ground, theme->mutedText) >= 4.5);
                QVERIFY(contrastRatio(ground, theme->accent) >= 3);
            }
        }
        QVERIFY(std::abs(contrastRatio(Qt::black, Qt::white) - 21) < 0.01);
        for (size_t i = 0; i < kCategoryCount; ++i) {
            const QColor& light = Theme::light().categories[i];
            const QColor& dark = Theme::darkTheme().categories[i];
            if (light.hslSaturationF() > 0.05F) QVERIFY(std::abs(light.hslHueF() - dark.hslHueF()) < 0.01F);
            QVERIFY(dark.lightnessF() <= light.lightnessF() + 0.01F);
        }
    }

    // Cost

    void aFrameCostsItsPixelsAndHoverCostsNone() {
        Window w(400, 26, {1200, 400});  // 75,000 kernels and as many calls
        QVERIFY(w.trace->eventCount() > 150'000);
        w.lookAt(w.trace->extent());
        const size_t lanes = w.timeline.frame().lanes.size();
        const auto width = static_cast<size_t>(w.timeline.parts().rows.width());
        QVERIFY(w.timeline.frame().spanCount() < lanes * width);
        QVERIFY(w.timeline.frame().spanCount() > width / 4);
        w.picture();
        const int frames = w.timeline.frameCount();
        for (int x = 200; x < 1000; x += 7) {
            w.moveTo({x, w.rowY(RowKind::Stream) + 5});
            w.picture();
        }
        QCOMPARE(w.timeline.frameCount(), frames);
    }

    // A growing run

    void followsUntilThePersonPansAndResumesOnTheButton() {
        SampleRun run;
        Session session;
        TimelineWidget timeline(session);
        timeline.setAnimated(false);
        timeline.resize(1000, 400);
        timeline.show();
        auto* button = timeline.findChild<QToolButton*>(QStringLiteral("timelineFollow"));
        QVERIFY(button);
        timeline.setLive(true);
        session.setFollowing(true);
        run.step(-1, 4, 4);
        session.setTrace(run.builder.snapshot());
        for (int token = 0; token < 20; ++token) {
            run.step(token, 4, 1);
            session.setTrace(run.builder.snapshot());
            QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        }
        QVERIFY(!button->isVisible());
        const int64_t span = session.visibleRange().durationNs();
        QTest::keyClick(&timeline, Qt::Key_W);
        QVERIFY(session.following());  // zooming does not stop it
        session.setTrace(run.builder.snapshot());
        QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        QCOMPARE(session.visibleRange().durationNs(), std::llround(static_cast<double>(span) * 0.8));
        QTest::keyClick(&timeline, Qt::Key_A);
        QVERIFY(!session.following());
        QVERIFY(button->isVisible());
        const TimeRange held = session.visibleRange();
        run.step(20, 4, 1);
        session.setTrace(run.builder.snapshot());
        QCOMPARE(session.visibleRange(), held);
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(session.following());
        QVERIFY(!button->isVisible());
        QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        timeline.setLive(false);
    }

    void anotherTraceBringsItsOwnGaps() {
        Window w;
        SampleRun other;
        other.hostNs += 7'000'000;
        const TracePtr second = other.whole(2, 3);
        SampleRun former;
        w.session.setTrace(former.whole(60, 12));
        QCoreApplication::processEvents();  // its gaps are being looked for now
        w.session.setTrace(second);
        const TimelineRow& gaps = *w.timeline.index().rows()[w.rowOf(RowKind::Gap)];
        QTRY_VERIFY(gaps.lanes.itemCount() > 0);
        QVERIFY(gaps.lanes.lanes()[0].startNs(0) >= second->extent().startNs);
    }

    // Words

    void tooltipsSayWhatItIs() {
        Window w;
        auto gaps = std::make_shared<TraceGaps>();
        gaps->tokens = tokenTable(*w.trace, w.trace->extent());
        const GapTable table = findGaps(*w.trace, w.trace->extent());
        gaps->gaps = PackedGaps(table.gaps);
        LabelCache cache(w11());
        const TimelineLabels labels(w.timeline.index(), gaps, cache);
        const size_t stream = w.rowOf(RowKind::Stream);
        FrameHit hit{.row = stream, .span = {.first = 300, .count = 1}, .item = 300, .tableRow = 300};
        const QString kernel = labels.tooltip(hit);
        QVERIFY(kernel.contains(QStringLiteral("category")));
        QVERIFY(kernel.contains(QStringLiteral("launch latency")));
        QVERIFY(kernel.contains(QStringLiteral("&lt;")) || !kernel.contains(QStringLiteral("functor<")));  // escaped
        hit.span.count = 40;
        QVERIFY(labels.tooltip(hit).contains(QStringLiteral("40 device operations")));
        const QString token = labels.tooltip({.row = w.rowOf(RowKind::Token), .span = {.count = 1}, .tableRow = 3});
        for (const char* figure : {"token 2", "device busy", "device idle", "kernels"})
            QVERIFY2(token.contains(QLatin1String(figure)), figure);

        const auto gap = std::ranges::find_if(table.gaps, [](const Gap& g) {
            return g.causes.hostNs() > 0 && g.causes[GapCause::LaunchCall] > 0 && g.causes[GapCause::DeviceLatency] > 0;
        });
        QVERIFY(gap != table.gaps.end());
        const QString sentence = gapSentence(*w.trace, *gap);
        QVERIFY2(sentence.contains(QStringLiteral(" idle: ")) && sentence.contains(QStringLiteral(" host")) &&
                     sentence.contains(QStringLiteral("4.00 µs launch call")) &&
                     sentence.contains(QStringLiteral("2.50 µs device")),
                 qPrintable(sentence));
    }

    // Another program's trace tells no tokens: what was found stands there, says so, and is chosen as a token is.
    void foundStepsAreARow() {
        Window w;
        TraceBuilder builder;
        const TrackId track = builder.internTrack({.streamId = 7});
        int64_t at = 100'000;
        for (int step = 0; step < 6; ++step, at += 30'000)
            for (const char* name : {"embed", "norm", "matmul", "softmax", "argmax"}) {
                builder.add(
                    DeviceOpRow{.startNs = at, .endNs = at + 8'000, .name = builder.intern(name), .track = track});
                at += 10'000;
            }
        w.session.setTrace(builder.snapshot());
        w.settle();
        const size_t row = w.rowOf(RowKind::Step);
        QVERIFY(row != SIZE_MAX);
        QVERIFY(w.timeline.index().rows()[row]->title.starts_with("Steps found, "));
        const StepSpan step = w.timeline.index().steps()[2];
        w.session.setVisibleRange({step.range.startNs - 10'000, step.range.endNs + 10'000});
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.at(RowKind::Step, step.range.startNs + 20'000));
        QVERIFY(w.session.selection().kind == Selection::Kind::Token);
        QCOMPARE(w.session.selection().range, step.range);
        const QPoint over = w.at(RowKind::Step, step.range.startNs + 20'000);
        QHelpEvent event(QEvent::ToolTip, over, w.viewport()->mapToGlobal(over));
        QApplication::sendEvent(w.viewport(), &event);
        for (const char* says : {"step 2", "Found from the kernel sequence", "kernels", "5"})
            QVERIFY2(QToolTip::text().contains(QLatin1String(says)), qPrintable(QToolTip::text()));
        QToolTip::hideText();
    }

    void hoveringShowsATooltip() {
        Window w;
        w.session.setVisibleRange({w.opRange(300).startNs - 10'000, w.opRange(300).endNs + 10'000});
        const QPoint over = w.at(RowKind::Stream, w.opRange(300).startNs + 1'000);
        QHelpEvent event(QEvent::ToolTip, over, w.viewport()->mapToGlobal(over));
        QApplication::sendEvent(w.viewport(), &event);
        QVERIFY(QToolTip::text().contains(QStringLiteral("launch latency")));
        const QPoint header(20, w.rowY(RowKind::Gap) + 4);
        QHelpEvent overHeader(QEvent::ToolTip, header, w.viewport()->mapToGlobal(header));
        QApplication::sendEvent(w.viewport(), &overHeader);
        QVERIFY(QToolTip::text().contains(QStringLiteral("NVIDIA H200")));
        QVERIFY(QToolTip::text().contains(QStringLiteral("of the visible time")));
        QToolTip::hideText();
    }

    void namesGiveUpTemplateArgumentsFirst() {
        LabelCache cache(w11());
        const std::string_view name = "void at::native::elementwise_mul<float, 4>(float*)";
        const double bare = cache.metrics().horizontalAdvance(QStringLiteral("elementwise_mul"));
        for (int time = 0; time < 2; ++time) {  // worked out, then remembered
            QCOMPARE(cache.fitting(name, bare + 1), QStringLiteral("elementwise_mul"));
            QCOMPARE(cache.fitting(name, 2000), QString::fromUtf8(name.data(), qsizetype(name.size())));
            const QString cut = cache.fitting(name, bare * 0.6);
            QVERIFY(cut.contains(QChar(0x2026)));
            QVERIFY(cache.metrics().horizontalAdvance(cut) <= bare * 0.6);
            QVERIFY(cache.fitting(name, 5).isEmpty());
            QVERIFY(cache.fitting("", 50).isEmpty());
        }
    }

    void aFullLabelCacheStartsAnew() {
        LabelCache cache(w11());
        for (int i = 0; i < 25'000; ++i) {
            const std::string name = "kernel_" + std::to_string(i);
            QCOMPARE(cache.fitting(name, 500), QString::fromStdString(name));
        }
        QCOMPARE(cache.fitting("kernel_7", 500), QStringLiteral("kernel_7"));
    }

    void canBeReachedByKeyboardAndNamed() {
        Window w;
        QVERIFY(!w.timeline.accessibleName().isEmpty());
        QVERIFY(w.timeline.focusPolicy() & Qt::TabFocus);
        w.timeline.activateWindow();
        w.timeline.setFocus();
        if (!w.timeline.hasFocus()) QSKIP("this platform gives no focus");
        const QImage focused = w.picture();
        QVERIFY(
            nearColour(focused.pixelColor(0, focused.height() / 2), w.timeline.palette().color(QPalette::Highlight)));
    }

    void anEmptyTraceSaysSo() {
        Session session;
        TimelineWidget timeline(session);
        timeline.resize(600, 300);
        timeline.show();
        const QImage picture = timeline.viewport()->grab().toImage();
        QVERIFY(!picture.isNull());
        for (const Qt::Key key : {Qt::Key_W, Qt::Key_F, Qt::Key_Home, Qt::Key_BracketLeft, Qt::Key_Period, Qt::Key_D})
            QTest::keyClick(&timeline, key);
        QTest::mouseClick(timeline.viewport(), Qt::LeftButton, {}, {300, 20});
        QTest::mouseDClick(timeline.viewport(), Qt::LeftButton, {}, {300, 200});
    }

private:
    static QFont w11() {
        QFont font;
        font.setPixelSize(11);
        return font;
    }
};

QTEST_MAIN(TimelineTest)
#include "timeline_test.moc"
