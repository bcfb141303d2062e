// Colour modes of the timeline as pictures: single items, merged stretches, legend, both themes.
#include <map>
#include <numeric>
#include <set>

#include "app/gui/timeline/legend.h"
#include "app/gui/timeline/timeline_labels.h"
#include "app/gui/window/export_view.h"
#include "tests/gui/timeline_window.h"

using namespace gapscope;

class TimelineColoursTest : public QObject {
    Q_OBJECT

private:
    static constexpr std::array kModes = {ColourBy::Category, ColourBy::Name, ColourBy::Stream,
                                          ColourBy::LaunchLatency};

    static QPalette dark() {
        QPalette palette;
        palette.setColor(QPalette::Window, Theme::darkTheme().headerBackground);
        return palette;
    }
    // The colour most seen in a box of the picture.
    static QColor mostSeen(const QImage& picture, const QRect& box) {
        std::map<QRgb, int> counts;
        for (int y = box.top(); y <= box.bottom(); ++y)
            for (int x = box.left(); x <= box.right(); ++x)
                ++counts[picture.pixel(x, y)];
        return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })->first;
    }

    static QFont legendFont(TimelineWindow& w) {
        QFont font = w.timeline.font();
        font.setPixelSize(11);
        return font;
    }

private Q_SLOTS:
    void eachModePaintsItsColoursInBothThemes() {
        for (const bool isDark : {false, true}) {
            TimelineWindow w(8, 18, {1000, 700});
            if (isDark) w.timeline.setPalette(dark());
            const Theme& theme = Theme::of(w.timeline.palette());
            QCOMPARE(theme.dark, isDark);
            for (const ColourBy mode : kModes) {
                w.timeline.setColourBy(mode);
                QCOMPARE(w.timeline.index().colourBy(), mode);
                QTRY_VERIFY(w.timeline.gapsSettled());
                w.lookAt({w.opRange(40).startNs - 1000, w.opRange(46).endNs + 1000});
                const QImage picture = w.picture();
                const size_t row = w.rowOf(RowKind::Stream);
                const Lane& lane = w.timeline.index().rows()[row]->lanes.lanes()[0];
                std::set<QRgb> colours;
                for (const FrameLane& shown : w.timeline.frame().lanes) {
                    if (shown.row != row) continue;
                    for (const LaneSpan& span : shown.spans) {
                        const bool isWhole = span.x0 >= 0 && span.x1 <= w.scale().width;
                        if (span.count > 1 || !isWhole || span.x1 - span.x0 < 12) continue;
                        const QRect box(w.timeline.parts().rows.left() + static_cast<int>(span.x0) + 2,
                                        w.timeline.parts().rows.top() + shown.y + 1,
                                        static_cast<int>(span.x1 - span.x0) - 4, shown.height - 2);
                        const QColor wanted = deviceColor(theme, lane[span.first].tint, mode);
                        QVERIFY2(nearColour(mostSeen(picture, box), wanted),
                                 qPrintable(mostSeen(picture, box).name() + wanted.name()));
                        colours.insert(wanted.rgb());
                    }
                }
                QVERIFY(mode == ColourBy::Stream ? colours.size() == 1
                                                 : colours.size() >= (mode == ColourBy::LaunchLatency ? 1u : 3u));
            }
        }
    }

    void mergedStretchesFollowTheMode() {
        TimelineWindow w(60, 26);
        for (const ColourBy mode : kModes) {
            w.timeline.setColourBy(mode);
            QTRY_VERIFY(w.timeline.gapsSettled());
            w.lookAt(w.trace->extent());
            const QImage picture = w.picture();
            const size_t row = w.rowOf(RowKind::Stream);
            const Theme& theme = Theme::of(w.timeline.palette());
            const Lane& lane = w.timeline.index().rows()[row]->lanes.lanes()[0];
            int checked = 0;
            for (const FrameLane& shown : w.timeline.frame().lanes) {
                if (shown.row != row) continue;
                for (const LaneSpan& span : shown.spans) {
                    if (span.count < 4 || span.x1 - span.x0 < 2.5 || span.x0 < 1) continue;
                    // Summed one by one, not from the lane's own sums.
                    std::array<int64_t, kTintCount> times{};
                    for (size_t i = span.first; i < span.first + span.count; ++i)
                        times[lane[i].tint] += lane[i].durationNs();
                    const auto most = std::ranges::max_element(times);
                    if (*most * 10 < 4 * std::accumulate(times.begin(), times.end(), int64_t{0})) continue;
                    const int x = w.timeline.parts().rows.left() + static_cast<int>(span.x0 + 1.2);
                    const int y = w.timeline.parts().rows.top() + shown.y + shown.height - 1;
                    const auto tint = static_cast<uint8_t>(most - times.begin());
                    QCOMPARE(span.tint, tint);
                    QVERIFY(nearColour(picture.pixelColor(x, y), deviceColor(theme, tint, mode)));
                    ++checked;
                }
            }
            QVERIFY2(checked > 20, qPrintable(QString::number(checked)));
        }
    }

    // A launch call and the kernel that it launched, as painted.
    void callsAreOfTheColourOfWhatTheyLaunch() {
        TimelineWindow w(8, 18, {1000, 700});
        for (const ColourBy mode : {ColourBy::Stream, ColourBy::LaunchLatency}) {
            w.timeline.setColourBy(mode);
            QTRY_VERIFY(w.timeline.gapsSettled());
            int checked = 0;
            for (const size_t op : {size_t{40}, size_t{60}, size_t{90}}) {
                const auto call = w.timeline.index().correlations().callOf(*w.trace, static_cast<uint32_t>(op));
                QVERIFY(call);
                const ApiCalls& calls = w.trace->apiCalls();
                w.lookAt({calls.startNs[*call] - 1000, w.opRange(op).endNs + 1000});
                const QImage picture = w.picture();
                const int64_t callNs = calls.endNs[*call] - calls.startNs[*call];
                const QColor ofCall =
                    picture.pixelColor(w.at(RowKind::ApiCall, calls.startNs[*call] + callNs / 2) + QPoint(0, -7));
                const TimeRange range = w.opRange(op);
                const QColor ofKernel =
                    picture.pixelColor(w.at(RowKind::Stream, range.startNs + range.durationNs() / 2) + QPoint(0, -9));
                QVERIFY2(nearColour(ofCall, ofKernel), qPrintable(ofCall.name() + ofKernel.name()));
                QVERIFY(!nearColour(ofCall, Theme::of(w.timeline.palette()).apiLaunch));
                ++checked;
            }
            QCOMPARE(checked, 3);
        }
    }

    void theLegendNamesTheColoursThatAreThere() {
        TimelineWindow w;
        const auto texts = [&] {
            QStringList all;
            for (const LegendEntry& entry : legendOf(w.timeline.index()))
                all.append(entry.text);
            return all;
        };
        QCOMPARE(texts().first(), QStringLiteral("gemm"));  // the most used first
        QVERIFY(texts().contains(QStringLiteral("rope")));
        QVERIFY(!texts().contains(QStringLiteral("communication")));
        w.timeline.setColourBy(ColourBy::Stream);
        QCOMPARE(texts().first(), QStringLiteral("stream 7"));
        QVERIFY(texts().size() <= 2);  // calls that launch nothing, if there are any
        w.timeline.setColourBy(ColourBy::Name);
        QVERIFY2(texts().join(QLatin1Char(' ')).contains(QStringLiteral("gemm_kernel")),
                 qPrintable(texts().join(QLatin1Char(' '))));
        QVERIFY2(texts().join(QLatin1Char(' ')).contains(QStringLiteral("LaunchKernel")),
                 qPrintable(texts().join(QLatin1Char(' '))));
        w.timeline.setColourBy(ColourBy::LaunchLatency);
        QVERIFY2(texts().join(QLatin1Char(' ')).contains(QChar(0x2265)) || texts().size() == 1,
                 qPrintable(texts().join(QLatin1Char(' '))));
        // On the picture, also the exported one.
        const QRect where = w.timeline.parts().legend;
        QVERIFY(!where.isEmpty());
        for (const ColourBy mode : kModes) {
            w.timeline.setColourBy(mode);
            w.lookAt(w.trace->extent());
            const QColor first =
                deviceColor(Theme::of(w.timeline.palette()), legendOf(w.timeline.index()).front().tint, mode);
            // Behind what it says that the colours tell.
            const int x = 11 + QFontMetrics(legendFont(w)).horizontalAdvance(legendTitle(mode)) + 14;
            const QPoint square = where.topLeft() + QPoint(x, where.height() / 2 + 1);
            QVERIFY(nearColour(w.picture().pixelColor(square), first));
            QVERIFY(nearColour(viewImage(w.timeline, QStringLiteral("x"), 1).pixelColor(square), first));
        }
    }

    void theLegendKeepsTheNumberOfNamesWhereTheyDoNotFit() {
        const QFontMetrics metrics{QFont()};
        const auto widthOf = [&](const char* text) { return metrics.horizontalAdvance(QLatin1String(text)); };
        const LegendEntry entry{.tint = 1, .text = QStringLiteral("a_kernel_of_a_long_name"), .others = 12};
        QCOMPARE(legendText(entry, metrics, 10000), QStringLiteral("a_kernel_of_a_long_name and 12 more"));
        QCOMPARE(legendText(entry, metrics, widthOf("a_kernel_of_a_long_name +12")),
                 QStringLiteral("a_kernel_of_a_long_name +12"));
        const QString narrow = legendText(entry, metrics, widthOf("a_kernel_ +12"));
        QVERIFY2(narrow.endsWith(QStringLiteral("e +12")) && narrow.startsWith(QStringLiteral("a_")),
                 qPrintable(narrow));
        QVERIFY(metrics.horizontalAdvance(narrow) <= widthOf("a_kernel_ +12"));
        QCOMPARE(legendText({.text = QStringLiteral("gemm")}, metrics, 10000), QStringLiteral("gemm"));
    }

    void aSelectedCategoryIsLeftInEveryMode() {
        TimelineWindow w;
        w.session.select({.kind = Selection::Kind::Category, .category = Category::Gemm});
        for (const ColourBy mode : {ColourBy::Category, ColourBy::Name}) {
            w.timeline.setColourBy(mode);
            w.lookAt({w.opRange(40).startNs - 1000, w.opRange(46).endNs + 1000});
            const QImage picture = w.picture();
            const size_t row = w.rowOf(RowKind::Stream);
            const Lane& lane = w.timeline.index().rows()[row]->lanes.lanes()[0];
            for (size_t i = 41; i < 46; ++i) {
                if (lane[i].durationNs() < 4000) continue;
                const QPoint at = w.at(RowKind::Stream, lane.startNs(i) + 400) + QPoint(0, -8);
                const bool isGemm = w.trace->deviceOps().category[lane[i].row] == Category::Gemm;
                QCOMPARE(nearColour(picture.pixelColor(at),
                                    deviceColor(Theme::of(w.timeline.palette()), lane[i].tint, mode)),
                         isGemm);
            }
        }
    }

    void aLargeTraceIsColouredOffTheUiThreadAndKeepsGapsAndRows() {
        TimelineWindow w(160, 26);
        QVERIFY(w.trace->eventCount() > 20'000);
        QTRY_VERIFY(w.timeline.gapsSettled());
        const size_t gaps = w.timeline.index().rows()[w.rowOf(RowKind::Gap)]->lanes.itemCount();
        QVERIFY(gaps > 0);
        w.timeline.actOnRow("thread generate/calls", TimelineWidget::RowAct::Hide);
        w.timeline.setColourBy(ColourBy::Name);
        QCOMPARE(w.timeline.index().colourBy(), ColourBy::Category);  // until it is done
        QVERIFY(!w.timeline.index().rows().empty());
        QTRY_COMPARE(w.timeline.index().colourBy(), ColourBy::Name);
        QCOMPARE(w.timeline.index().rows()[w.rowOf(RowKind::Gap)]->lanes.itemCount(), gaps);
        QCOMPARE(w.rowOf(RowKind::ApiCall), SIZE_MAX);
        QVERIFY(w.timeline.index().deviceBusy(0)->size() > 0);
    }

    // Neighbouring colours differ enough in lightness or hue, and every mode's text reads on them.
    void palettesAreToldApart() {
        for (const Theme* theme : {&Theme::light(), &Theme::darkTheme()}) {
            for (size_t a = 0; a < theme->names.size(); ++a)
                for (size_t b = a + 1; b < theme->names.size(); ++b)
                    QVERIFY2(!nearColour(theme->names[a], theme->names[b], 24),
                             qPrintable(theme->names[a].name() + theme->names[b].name()));
            // A scale: contrast to the ground grows step by step.
            for (size_t step = 1; step < theme->latencies.size(); ++step)
                QVERIFY(contrastRatio(theme->latencies[step], theme->background) >
                        contrastRatio(theme->latencies[step - 1], theme->background));
            for (const QColor& color : theme->names)
                QVERIFY(contrastRatio(color, textOn(color)) >= 4.5);
        }
    }
};

QTEST_MAIN(TimelineColoursTest)
#include "timeline_colours_test.moc"
