// Run by hand: what the timeline costs with ten million events, painted in software at 1920x1080.
//   QT_QPA_PLATFORM=offscreen timeline_bench [EVENTS] [--live-seconds S]      prints one JSON object
// Twenty tracks: ten streams of two devices, two of them with overlaps, and ten launching threads; kernels, copies,
// launch calls, nested ranges and counters, in the order in which a run brings them. The widget is the window's own
// over a Session. cpuMs is CPU time of the UI thread, wallMs what a person waits: on a shared machine compare the
// former. Each figure stands with its target. The floor is QPainter filling as many rectangles of the same widths as
// the frame has spans.
#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

#include <QApplication>
#include <QElapsedTimer>
#include <QImage>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include "app/gui/timeline/timeline_widget.h"
#include "core/base/json_writer.h"
#include "core/trace/trace_builder.h"

using namespace gapscope;

namespace {

// The events of a run, in the order in which they come, as many at a time as asked for.
class MadeRun {
public:
    explicit MadeRun(TraceBuilder& builder) : m_builder(builder), m_random(11) {
        for (int i = 0; i < 200; ++i) {
            m_kernels.push_back(builder.intern("void elementwise_kernel<" + std::to_string(i) + ">(int)"));
            m_configs.push_back(builder.internLaunchConfig({.fullName = m_kernels.back(), .grid = {i + 1, 1, 1}}));
        }
        for (int i = 0; i < 32; ++i)
            m_layers.push_back(builder.intern("layer " + std::to_string(i)));
        m_launchName = builder.intern("cudaLaunchKernel");
        m_copyName = builder.intern("[CUDA memcpy HtoD]");
        m_copyCall = builder.intern("cudaMemcpyAsync");
        m_opName = builder.intern("aten::mm");
        m_stepName = builder.intern("decode step");
        for (uint32_t device = 0; device < 2; ++device) {
            builder.setDevice({.id = device, .kind = DeviceKind::Cuda, .name = "made GPU"});
            m_counters[device] =
                builder.internCounter({.name = builder.intern("power"), .unit = CounterUnit::Watt, .deviceId = device});
        }
        for (uint32_t t = 0; t < kThreads; ++t) {
            Thread& thread = m_threads[t];
            thread.tid = makeGlobalTid(100, 101 + t);
            builder.setThread(thread.tid, "worker " + std::to_string(t));
            thread.track = builder.internTrack({globalPidOf(thread.tid), t % 2, 1, 7 + t});
            thread.nowNs = 1000 + t * 300;
            thread.freeNs = thread.nowNs;
        }
    }

    void add(size_t events) {
        m_left = static_cast<int64_t>(events);
        while (m_left > 0) {
            step(m_threads[m_turn % kThreads], m_turn % kThreads);
            ++m_turn;
        }
    }

private:
    static constexpr uint32_t kThreads = 10;
    struct Thread {
        uint64_t tid = 0;
        TrackId track;
        int64_t nowNs = 0, freeNs = 0, layerNs = 0, stepNs = 0;
        uint32_t launches = 0;
    };
    template <class Row>
    void give(const Row& row) {
        m_builder.add(row);
        --m_left;
    }
    int64_t number(int64_t from, int64_t to) {
        return from + static_cast<int64_t>(m_random() % static_cast<uint64_t>(to - from));
    }

    void step(Thread& thread, uint32_t index) {
        if (thread.launches % 16 == 0) thread.layerNs = thread.nowNs;
        if (thread.launches % 512 == 0) thread.stepNs = thread.nowNs;
        thread.nowNs += number(500, 3000);
        const bool copies = number(0, 40) == 0;
        const uint32_t id = ++m_correlation;
        const int64_t callEndNs = thread.nowNs + number(1500, 4000);
        if (number(0, 10) < 7)
            give(RangeRow{thread.nowNs - 300, callEndNs + 80, m_opName, thread.tid, RangeKind::CpuOp});
        give(
            ApiCallRow{thread.nowNs, callEndNs, copies ? m_copyCall : m_launchName, thread.tid, id, ApiClass::Runtime});
        const auto kernel = static_cast<size_t>(number(0, 200));
        DeviceOpRow row{.startNs = std::max(thread.freeNs + number(0, 900), callEndNs + 1200)};
        // A long one now and then, an overlap of programmatic dependent launch, some of no length.
        const int64_t kind = number(0, 2000);
        row.endNs = row.startNs + (kind == 0 ? 2'000'000 : kind < 4 ? 0 : number(900, 9000));
        if (index < 2 && kind > 1990) row.startNs = std::max(thread.freeNs - 200, row.startNs - 1000);
        row.name = copies ? m_copyName : m_kernels[kernel];
        row.kind = copies ? DeviceOpKind::Copy : DeviceOpKind::Kernel;
        row.category = copies ? Category::Copy : static_cast<Category>(kernel % 8);
        row.copyBytes = copies ? 4096 : 0;
        if (!copies) row.config = m_configs[kernel];
        row.track = thread.track;
        row.correlationId = id;
        if (index == 0) row.token = static_cast<int32_t>(thread.launches / 512);
        give(row);
        thread.freeNs = std::max(thread.freeNs, row.endNs);
        thread.nowNs = std::max(callEndNs + 200, thread.freeNs - 300'000);
        ++thread.launches;
        if (thread.launches % 16 == 0)
            give(RangeRow{thread.layerNs, thread.nowNs, m_layers[thread.launches / 16 % 32], thread.tid});
        if (thread.launches % 512 == 0) {
            give(RangeRow{thread.stepNs, thread.nowNs, m_stepName, thread.tid});
            m_builder.add(
                CounterSampleRow{thread.nowNs, m_counters[index % 2], 200.0 + static_cast<double>(number(0, 90))});
            if (index == 0)
                m_builder.add(
                    TokenRow{.emittedNs = thread.nowNs, .index = static_cast<int32_t>(thread.launches / 512 - 1)});
        }
    }

    TraceBuilder& m_builder;
    std::mt19937_64 m_random;
    std::vector<StringId> m_kernels, m_layers;
    std::vector<LaunchConfigId> m_configs;
    StringId m_launchName, m_copyName, m_copyCall, m_opName, m_stepName;
    CounterId m_counters[2];
    Thread m_threads[kThreads];
    uint32_t m_turn = 0, m_correlation = 0;
    int64_t m_left = 0;
};

double threadCpuMs() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double wallMs() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

double heapBytes() {
    const struct mallinfo2 info = mallinfo2();
    return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

double peakRssBytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) * 1024;
}

struct Times {
    std::vector<double> cpu, wall;

    template <class Act>
    void measure(Act act) {
        const double cpuBegin = threadCpuMs(), wallBegin = wallMs();
        act();
        cpu.push_back(threadCpuMs() - cpuBegin);
        wall.push_back(wallMs() - wallBegin);
    }
};

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[static_cast<size_t>(std::ceil(share * static_cast<double>(values.size()))) - 1];
}

void write(JsonWriter& json, const char* name, const Times& times) {
    json.key(name).beginObject().field("count", times.cpu.size());
    for (const auto& [unit, values] : {std::pair{"cpuMs", &times.cpu}, std::pair{"wallMs", &times.wall}}) {
        json.key(unit).beginObject().field("p50", quantile(*values, 0.5)).field("p99", quantile(*values, 0.99));
        json.field("max", quantile(*values, 1)).endObject();
    }
    json.endObject();
}

// Lets the event loop go on until `done`, a turn at a time, and notes what each turn took of the UI thread.
template <class Done>
void turnUntil(Times& turns, Done done) {
    while (!done()) {
        turns.measure([] { QCoreApplication::processEvents(QEventLoop::AllEvents); });
        std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
}

struct Bench {
    JsonWriter json;
    Session session;
    TimelineWidget timeline{session};

    Bench() {
        timeline.setAnimated(false);
        timeline.resize(1920, 1080);
        timeline.show();
        QCoreApplication::processEvents();
    }

    // As a file is opened: whoever read it has laid its rows out, on a thread of its own.
    void firstPaint(const TracePtr& trace) {
        Times turns;
        const double layOutBegin = wallMs();
        std::shared_ptr<TimelineIndex> laidOut;
        std::thread([&] { laidOut = TimelineWidget::layOut(trace, ColourBy::Category); }).join();
        const double begin = wallMs();
        turns.measure([&] { session.setTrace(trace, std::move(laidOut)); });
        turns.measure([&] { timeline.viewport()->repaint(); });
        const double firstMs = wallMs() - begin;
        const bool hasRows = !timeline.index().rows().empty();
        turnUntil(turns, [&] { return timeline.gapsSettled(); });
        turns.measure([&] { timeline.viewport()->repaint(); });
        json.key("load").beginObject().field("layOutWallMs", begin - layOutBegin);
        json.field("rowsPaintedWallMs", hasRows ? firstMs : -1).field("rowsPaintedTargetMs", 100.0);
        json.field("gapsPaintedWallMs", wallMs() - begin).field("uiTurnTargetMs", 8.0);
        write(json, "uiTurns", turns);
        json.endObject();
    }

    // A trace that nobody has laid out, as when its kernels' categories change: the widget has it done.
    void firstPaintUnprepared(const TracePtr& trace) {
        Times turns;
        session.setTrace(nullptr);
        timeline.viewport()->repaint();
        const double begin = wallMs();
        turns.measure([&] { session.setTrace(trace); });
        turnUntil(turns, [&] { return !timeline.index().rows().empty(); });
        turns.measure([&] { timeline.viewport()->repaint(); });
        json.key("loadUnprepared").beginObject().field("rowsPaintedWallMs", wallMs() - begin);
        write(json, "uiTurns", turns);
        json.endObject();
    }

    void frame(TimeRange range, Times& build, Times& whole) {
        whole.measure([&] {
            session.setVisibleRange(range, ZoomStep::Transient);
            build.measure([&] { timeline.frame(); });
            timeline.viewport()->repaint();
        });
    }

    // From the whole to one kernel, with a pan at every depth; `scrolled` from the first row down, 0 to 1.
    void zoomAndPan(const char* name, double scrolled) {
        QScrollBar& rows = *timeline.verticalScrollBar();
        rows.setValue(static_cast<int>(rows.maximum() * scrolled));
        Times build, whole, floor;
        size_t mostSpans = 0;
        const TimeRange all = session.trace()->extent();
        const int64_t middleNs = all.startNs + all.durationNs() / 3;
        constexpr int kSteps = 120, kPans = 5;
        const double factor = std::pow(3000.0 / static_cast<double>(all.durationNs()), 1.0 / kSteps);
        double duration = static_cast<double>(all.durationNs());
        for (int step = 0; step <= kSteps; ++step, duration *= factor) {
            const auto wide = static_cast<int64_t>(duration);
            for (int pan = 0; pan <= kPans; ++pan) {
                const int64_t fromNs = middleNs - wide / 3 + wide * pan / 20;
                frame({fromNs, fromNs + wide}, build, whole);
                mostSpans = std::max(mostSpans, timeline.frame().spanCount());
            }
        }
        QImage image(1920, 1080, QImage::Format_RGB32);
        for (int round = 0; round < 20; ++round) {
            floor.measure([&] {
                QPainter painter(&image);
                for (size_t i = 0; i < mostSpans; ++i)
                    painter.fillRect(
                        QRectF(static_cast<double>(i * 3 % 1700), static_cast<double>(i / 560 * 20), 3, 18),
                        i % 2 ? Qt::red : Qt::blue);
            });
        }
        json.key(name).beginObject().field("frameTargetP99Ms", 8.0).field("mostSpansInAFrame", mostSpans);
        write(json, "frames", whole);
        write(json, "frameBuilds", build);
        write(json, "floorFillRects", floor);
        json.field("frameToFloorRatio", quantile(whole.cpu, 0.5) / quantile(floor.cpu, 0.5)).endObject();
    }

    void hover() {
        Times hits, moves;
        std::mt19937 random(3);
        const TimeRange all = session.trace()->extent();
        for (const int depth : {0, 4, 8, 12, 16, 20}) {
            const int64_t fromNs = all.startNs + all.durationNs() / 3;
            session.setVisibleRange({fromNs, fromNs + std::max<int64_t>(3000, all.durationNs() >> depth)});
            timeline.viewport()->repaint();
            const QRect rows = timeline.parts().rows;
            for (int i = 0; i < 500; ++i) {
                const QPoint at(static_cast<int>(random() % static_cast<unsigned>(rows.width())),
                                static_cast<int>(random() % static_cast<unsigned>(rows.height())));
                hits.measure([&] { (void)hitTest(timeline.index(), timeline.frame(), at.x(), at.y()); });
                QMouseEvent move(QEvent::MouseMove, QPointF(rows.topLeft() + at), QPointF(rows.topLeft() + at),
                                 Qt::NoButton, Qt::NoButton, Qt::NoModifier);
                moves.measure([&] { QCoreApplication::sendEvent(timeline.viewport(), &move); });
            }
        }
        json.field("hitTestTargetMs", 0.2);
        write(json, "hitTests", hits);
        write(json, "pointerMoves", moves);
    }
};

// A run that brings 500,000 records a second: another thread adds them and takes a snapshot every 100 ms, as a
// recording does; this one takes it up and paints.
void live(JsonWriter& json, double seconds) {
    constexpr size_t kRecordsPerSecond = 500'000;
    constexpr int kTickMs = 100;
    Session session;
    TimelineWidget timeline(session);
    timeline.resize(1920, 1080);
    timeline.setLive(true);
    timeline.show();
    session.setFollowing(true);
    std::mutex mutex;
    TracePtr newest;
    std::atomic<bool> ended = false;
    std::thread producer([&] {
        TraceBuilder builder;
        MadeRun run(builder);
        const double begin = wallMs();
        for (int tick = 1; tick * kTickMs <= seconds * 1000; ++tick) {
            run.add(kRecordsPerSecond * kTickMs / 1000);
            TracePtr snapshot = builder.snapshot();
            {
                const std::lock_guard lock(mutex);
                newest.swap(snapshot);
            }
            const double restMs = begin + tick * kTickMs - wallMs();
            if (restMs > 0) std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(restMs));
        }
        ended = true;
    });
    Times turns;
    size_t shown = 0;
    const double begin = wallMs(), cpuBegin = threadCpuMs();
    while (!ended) {
        TracePtr snapshot;
        {
            const std::lock_guard lock(mutex);
            snapshot.swap(newest);
        }
        if (snapshot) {
            turns.measure([&] { session.setTrace(snapshot); });
            shown = snapshot->eventCount();
        }
        turns.measure([] { QCoreApplication::processEvents(); });
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const double tookMs = wallMs() - begin, cpuMs = threadCpuMs() - cpuBegin;
    producer.join();
    json.key("live").beginObject().field("seconds", tookMs / 1000).field("eventsShown", shown);
    json.field("recordsPerSecond", static_cast<double>(shown) / tookMs * 1000);
    json.field("uiThreadCpuShare", cpuMs / tookMs).field("uiThreadCpuShareTarget", 0.2);
    json.field("uiTurnTargetMs", 8.0);
    write(json, "uiTurns", turns);
    json.endObject();
}

}  // namespace

int main(int argc, char** argv) {
    size_t events = 10'000'000;
    double liveSeconds = 10;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--live-seconds") == 0 && i + 1 < argc) {
            liveSeconds = std::atof(argv[++i]);
        } else if (std::atoll(argv[i]) > 0) {
            events = static_cast<size_t>(std::atoll(argv[i]));
        } else {
            return std::fputs("timeline_bench [EVENTS] [--live-seconds S]\n", stderr), 2;
        }
    }
    QApplication app(argc, argv);
    QApplication::setStyle(QStringLiteral("Fusion"));
    JsonWriter out;
    {
        const double before = heapBytes();
        TracePtr trace;
        {
            TraceBuilder builder;
            MadeRun(builder).add(events);
            trace = builder.snapshot();
        }
        malloc_trim(0);
        const double traceBytes = heapBytes() - before;
        const auto count = static_cast<double>(trace->eventCount());
        Bench bench;
        bench.json.beginObject().field("events", trace->eventCount());
        const double beforeIndex = heapBytes();
        double indexBytes = 0;
        {
            // The widget's own holds the gaps of the analysis, too; this is the timeline's alone.
            TimelineIndex index(apiTintOf);
            index.setTrace(trace);
            indexBytes = heapBytes() - beforeIndex;
        }
        bench.firstPaint(trace);
        bench.json.key("memory").beginObject().field("traceBytesPerEvent", traceBytes / count);
        bench.json.field("indexBytesPerEvent", indexBytes / count);
        bench.json.field("bytesPerEvent", (traceBytes + indexBytes) / count).field("bytesPerEventTarget", 64.0);
        bench.json.field("withGapsBytesPerEvent", (heapBytes() - before) / count);
        bench.json.field("peakRssBytesPerEvent", peakRssBytes() / count).endObject();
        bench.zoomAndPan("firstRows", 0);
        bench.zoomAndPan("lastRows", 1);
        bench.hover();
        bench.firstPaintUnprepared(trace);
        out = std::move(bench.json);
    }
    live(out, liveSeconds);
    out.endObject();
    std::printf("%s\n", out.text().c_str());
    return 0;
}
