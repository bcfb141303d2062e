// Pictures of streams against their events, pixel by pixel: merged stretches, the long kernel among tiny ones, events
// that overlap, that have no length, that arrive out of order. What is expected is worked out of the events, not of
// what the layout made of them.
#include <QScrollBar>
#include <QTest>
#include <random>

#include "app/gui/timeline/timeline_widget.h"
#include "core/trace/trace_builder.h"

using namespace gapscope;

namespace {

struct Event {
    int64_t startNs;
    int64_t endNs;
    Category category = Category::Gemm;
};

TracePtr traceOf(const std::vector<Event>& events) {
    TraceBuilder builder;
    builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "made GPU"});
    const TrackId track = builder.internTrack({makeGlobalTid(7, 0), 0, 1, 7});
    const StringId name = builder.intern("kernel");
    for (const Event& event : events)
        builder.add(DeviceOpRow{
            .startNs = event.startNs, .endNs = event.endNs, .name = name, .track = track, .category = event.category});
    return builder.snapshot();
}

// A picture of the stream's lanes alone, at 1 device px a logical px.
struct Picture {
    Session session;
    TimelineWidget timeline{session};
    QImage image;
    TimeScale scale;
    size_t row = 0;

    explicit Picture(const std::vector<Event>& events, TimeRange range = {}) {
        timeline.setAnimated(false);
        timeline.resize(900, 300);
        timeline.show();
        session.setTrace(traceOf(events));
        [[maybe_unused]] const bool settled = QTest::qWaitFor([this] { return timeline.gapsSettled(); });
        if (!range.empty()) session.setVisibleRange(range);
        image = timeline.viewport()->grab().toImage();
        scale = timeline.frame().scale;
        const auto& rows = timeline.index().rows();
        while (row < rows.size() && rows[row]->kind != RowKind::Stream)
            ++row;
    }
    size_t laneCount() const { return timeline.index().rows()[row]->lanes.lanes().size(); }
    // Without the frame of the window that has the focus.
    QImage inside() const { return image.copy(image.rect().adjusted(4, 4, -4, -4)); }
    int width() const { return timeline.parts().rows.width(); }
    QColor at(int x, int y, size_t lane = 0) {
        const TimelineParts parts = timeline.parts();
        return image.pixelColor(parts.rows.left() + x, parts.rows.top() + timeline.frame().laneY(row, lane) + y);
    }
    int laneHeight() { return timeline.frame().places[row].laneHeight; }
    const Theme& theme() const { return Theme::of(timeline.palette()); }
    bool isGround(int x, int y, size_t lane = 0) { return at(x, y, lane) == theme().backgroundBand; }
    // Px of the column, from the bottom, in the full colour of one of the categories.
    int ink(int x, size_t lane, std::initializer_list<Category> categories) {
        int count = 0;
        for (int y = 0; y < laneHeight(); ++y)
            for (const Category category : categories)
                count += at(x, y, lane) == theme().category(category);
        return count;
    }
};

std::vector<Event> tinyOnes(int count, int64_t everyNs, int64_t durationNs) {
    std::vector<Event> events;
    for (int i = 0; i < count; ++i)
        events.push_back({i * everyNs, i * everyNs + durationNs, Category::Norm});
    return events;
}

}  // namespace

class TimelineImageTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theOneLongKernelAmongTenThousandTinyOnesIsABoxOfItsOwn() {
        std::vector<Event> events = tinyOnes(10'000, 100, 30);
        const Event longOne{500'040, 520'000, Category::Gemm};
        std::erase_if(events,
                      [&](const Event& e) { return e.startNs >= longOne.startNs && e.startNs < longOne.endNs; });
        events.push_back(longOne);
        for (const TimeRange range :
             {TimeRange{0, 1'000'000}, TimeRange{400'000, 700'000}, TimeRange{510'000, 1'400'000}}) {
            Picture picture(events, range);
            QCOMPARE(picture.laneCount(), size_t{1});
            const double x0 = picture.scale.xOf(longOne.startNs), x1 = picture.scale.xOf(longOne.endNs);
            const QColor colour = picture.theme().category(Category::Gemm);
            for (int x = std::max(0, static_cast<int>(x0) + 2); x + 1 < std::min<double>(x1, picture.width()); ++x)
                for (int y = 0; y < 3; ++y)  // above its label
                    QCOMPARE(picture.at(x, y), colour);
            // Beside it stretches that are 30 % busy: no solid lie.
            const int beside = static_cast<int>(x1) + 12;
            QVERIFY(picture.ink(beside, 0, {Category::Norm}) <= picture.laneHeight() / 2);
            QVERIFY(picture.ink(beside, 0, {Category::Norm}) >= 2);
            QCOMPARE(picture.ink(beside, 0, {Category::Gemm}), 0);
        }
    }

    // Ink of every dozen of columns against the time that is busy in them and the categories that it is spent on.
    void mergedStretchesHoldTheInkOfTheirEvents() {
        std::mt19937 random(5);
        const auto number = [&](int64_t below) {
            return static_cast<int64_t>(random() % static_cast<uint64_t>(below));
        };
        std::vector<Event> events;
        int64_t nowNs = 0;
        for (int i = 0; i < 30'000; ++i) {
            const bool isDense = i / 3000 % 2 == 0;
            nowNs += number(isDense ? 40 : 300);
            const int64_t durationNs = 20 + number(100);
            const Category category = i / 1000 % 3 == 0 ? Category::Norm
                                      : number(4) == 0  ? Category::Elementwise
                                                        : Category::Gemm;
            events.push_back({nowNs, nowNs + durationNs, category});
            nowNs += durationNs;
        }
        int checked = 0;
        for (const TimeRange range : {TimeRange{0, nowNs}, TimeRange{nowNs / 3, nowNs / 2}}) {
            Picture picture(events, range);
            constexpr int kWide = 40;
            for (int from = kWide; from + 2 * kWide < picture.width(); from += kWide) {
                double wanted[3] = {}, drawn[3] = {};
                const Category kinds[] = {Category::Norm, Category::Elementwise, Category::Gemm};
                for (const Event& event : events) {
                    const double x0 = std::max<double>(from, picture.scale.xOf(event.startNs));
                    const double x1 = std::min<double>(from + kWide, picture.scale.xOf(event.endNs));
                    for (int k = 0; k < 3; ++k)
                        if (event.category == kinds[k] && x1 > x0) wanted[k] += (x1 - x0) / kWide;
                }
                for (int x = from; x < from + kWide; ++x)
                    for (int k = 0; k < 3; ++k)
                        drawn[k] += static_cast<double>(picture.ink(x, 0, {kinds[k]})) / picture.laneHeight() / kWide;
                // Stretches of 3 px reach over the edges of the forty; heights are whole pixels.
                for (int k = 0; k < 3; ++k) {
                    QVERIFY2(std::abs(drawn[k] - wanted[k]) < 0.1,
                             qPrintable(QStringLiteral("column %1 kind %2: %3 drawn, %4 busy")
                                            .arg(from)
                                            .arg(k)
                                            .arg(drawn[k])
                                            .arg(wanted[k])));
                    ++checked;
                }
            }
        }
        QVERIFY(checked > 60);
    }

    void whatOverlapsIsSeenBesideEachOther() {
        // Programmatic dependent launch: the second begins before the first has ended, the third lies inside it.
        Picture picture(
            {{1000, 5000, Category::Gemm}, {4000, 9000, Category::Norm}, {5500, 7000, Category::Elementwise}},
            {0, 10'000});
        QCOMPARE(picture.laneCount(), size_t{3});  // what lies inside another one is drawn below it
        const auto colourAt = [&](int64_t timeNs, size_t lane) {
            return picture.at(static_cast<int>(picture.scale.xOf(timeNs)), 2, lane);
        };
        QCOMPARE(colourAt(4500, 0), picture.theme().category(Category::Gemm));
        QCOMPARE(colourAt(4500, 1), picture.theme().category(Category::Norm));
        QCOMPARE(colourAt(8500, 1), picture.theme().category(Category::Norm));
        QCOMPARE(colourAt(6000, 2), picture.theme().category(Category::Elementwise));
    }

    void whatHasNoLengthIsSeen() {
        std::vector<Event> events{{0, 10, Category::Norm}, {1'000'000, 1'000'010, Category::Norm}};
        for (int i = 1; i < 20; ++i)
            events.push_back({i * 50'000, i * 50'000, Category::Gemm});
        Picture picture(events, {0, 1'000'000});
        for (int i = 1; i < 20; ++i) {
            const int x = static_cast<int>(std::floor(picture.scale.xOf(i * 50'000) + 0.5));
            for (int y = 0; y < picture.laneHeight(); ++y)
                QVERIFY(!picture.isGround(x, y));
            QVERIFY(picture.isGround(x - 4, 5) && picture.isGround(x + 4, 5));
        }
    }

    // In whichever order the events came, the picture is the same to the pixel.
    void whatArrivesOutOfOrderMakesTheSamePicture() {
        std::mt19937 random(9);
        std::vector<Event> events;
        int64_t nowNs = 0;
        for (int i = 0; i < 4000; ++i) {
            const int64_t durationNs = i % 700 == 0 ? 60'000 : static_cast<int64_t>(random() % 700);
            nowNs += 1 + static_cast<int64_t>(random() % 900);
            events.push_back({nowNs, nowNs + durationNs, static_cast<Category>(random() % 5)});
            nowNs += i % 50 == 0 ? durationNs / 2 : durationNs;
        }
        std::vector<Event> shuffled = events;
        std::ranges::shuffle(shuffled, random);
        for (const TimeRange range : {TimeRange{0, nowNs}, TimeRange{nowNs / 3, nowNs / 3 + nowNs / 40}}) {
            Picture inOrder(events, range), outOfOrder(shuffled, range);
            QVERIFY(inOrder.laneCount() > 1);
            QCOMPARE(inOrder.inside(), outOfOrder.inside());
        }
    }
};

QTEST_MAIN(TimelineImageTest)
#include "timeline_image_test.moc"
