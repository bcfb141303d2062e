#include "core/import/perfetto_rows.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/base/category_rules.h"
#include "core/import/annotation_intake.h"
#include "core/import/json_cursor.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

constexpr uint32_t kNoPlace = UINT32_MAX;
// Times of clocks; what they are counted from time 0 of the trace then stays within kFarthestNs.
constexpr int64_t kFarthestOfClock = kFarthestNs / 4;
constexpr int kMostParents = 64;  // tracks may lie within each other, in damaged files in a ring

// "GPU 0: H200" is 0, "stream 7 of context 2" is 7: the first number of a name.
std::optional<int64_t> numberIn(std::string_view name) {
    const size_t at = name.find_first_of("0123456789");
    if (at == std::string_view::npos) return std::nullopt;
    int64_t value = 0;
    for (size_t i = at; i < name.size() && name[i] >= '0' && name[i] <= '9' && value < INT32_MAX; ++i)
        value = value * 10 + (name[i] - '0');
    return value;
}

uint32_t idOf(int64_t value) {
    return static_cast<uint32_t>(std::clamp<int64_t>(value, 0, UINT32_MAX));
}

bool isDeviceOp(PerfettoKind kind) {
    return kind <= PerfettoKind::Stage;
}

const PerfettoNote::Value* valueOf(const PerfettoNote& note, std::string_view name) {
    const auto it = note.values.find(name);
    return it == note.values.end() ? nullptr : &it->second;
}
int64_t integerOf(const PerfettoNote& note, std::string_view name) {
    const auto* value = valueOf(note, name);
    return value ? value->integer : 0;
}
std::string textOf(const PerfettoNote& note, std::string_view name) {
    const auto* value = valueOf(note, name);
    return value ? value->text : std::string();
}

}  // namespace

std::optional<int64_t> PerfettoRows::timeOf(uint32_t clock, int64_t timeNs) {
    const ClockKey key = m_events.clockKeys[clock];
    auto time = key == 0 ? std::optional(timeNs) : m_events.clocks.traceTime(key, timeNs);
    if (!time) {
        ++m_unknownClock;
        time = timeNs;
    }
    if (*time > -kFarthestOfClock && *time < kFarthestOfClock) return time;
    ++m_outOfTime;
    return std::nullopt;
}

// From here on times are the trace's own.
void PerfettoRows::convertTimes() {
    const auto convert = [&](auto& items) {
        std::erase_if(items, [&](auto& item) {
            const auto time = timeOf(item.clock, item.timeNs);
            item.timeNs = time.value_or(0);
            return !time;
        });
    };
    convert(m_events.marks);
    convert(m_events.samples);
    convert(m_events.notes);
}

// Begins and ends match as brackets do on each track.
void PerfettoRows::pairMarks() {
    std::vector<PerfettoMark> marks = std::move(m_events.marks);
    std::ranges::stable_sort(marks, [](const PerfettoMark& a, const PerfettoMark& b) {
        return std::pair(a.track, a.timeNs) < std::pair(b.track, b.timeNs);
    });
    int64_t lastNs = 0;
    for (const PerfettoMark& mark : marks)
        lastNs = std::max(lastNs, mark.timeNs);
    std::vector<const PerfettoMark*> open;
    const auto closeAll = [&] {
        for (const PerfettoMark* mark : open) {
            if (isDeviceOp(m_events.slices[mark->slice].kind)) {
                ++m_opWithoutEnd;
                continue;
            }
            ++m_withoutEnd;
            m_rows.push_back({mark->timeNs, lastNs, mark->slice, mark->track});
        }
        open.clear();
    };
    for (const PerfettoMark& mark : marks) {
        if (!open.empty() && open.back()->track != mark.track) closeAll();
        switch (mark.what) {
            case PerfettoMark::What::Begin:
                open.push_back(&mark);
                break;
            case PerfettoMark::What::End:
                if (open.empty()) {
                    ++m_withoutBegin;
                    break;
                }
                m_rows.push_back({open.back()->timeNs, mark.timeNs, open.back()->slice, mark.track});
                open.pop_back();
                break;
            case PerfettoMark::What::Complete:
            case PerfettoMark::What::Instant: {
                const int64_t endNs = mark.timeNs + mark.durationNs;
                if (mark.durationNs >= 0 && endNs < kFarthestOfClock) {
                    m_rows.push_back({mark.timeNs, endNs, mark.slice, mark.track});
                } else {
                    ++m_outOfTime;
                }
                break;
            }
        }
    }
    closeAll();
    std::ranges::stable_sort(m_rows, {}, &Row::startNs);
}

// Time 0 is where our own export says it was, else the first event.
void PerfettoRows::readOrigin() {
    TraceOrigin origin;
    if (!m_rows.empty()) m_originNs = m_rows.front().startNs;
    if (m_rows.empty() && !m_events.samples.empty())
        m_originNs = std::ranges::min_element(m_events.samples, {}, &PerfettoSample::timeNs)->timeNs;
    const auto machine = [&](uint32_t clock) {
        const int64_t time = m_events.clocks.machineTime(clock, m_originNs).value_or(0);
        return areSaneTimes(time, time) ? time : 0;
    };
    const auto note = std::ranges::find(m_events.notes, pf::kOriginEvent, &PerfettoNote::name);
    m_isOwn = note != m_events.notes.end();
    if (m_isOwn) {
        m_originNs = note->timeNs;
        origin = {.steadyNs = integerOf(*note, "steadyNs"), .utcEpochNs = integerOf(*note, "utcEpochNs")};
    } else {
        origin = {.steadyNs = machine(pf::clocks::kMonotonic), .utcEpochNs = machine(pf::clocks::kRealtime)};
    }
    m_builder.setOrigin(origin);
}

void PerfettoRows::placeTracks() {
    for (uint32_t place = 0; place < m_events.tracks.size(); ++place)
        m_places.emplace(m_events.tracks[place].uuid, place);
    m_threadOfTrack.assign(m_events.tracks.size(), kNoPlace);
    for (const PerfettoNote& note : m_events.notes)
        if (note.name == pf::kDeviceEvent)
            m_deviceOfTrack[static_cast<uint64_t>(integerOf(note, "track"))] = idOf(integerOf(note, "id"));
    // Threads that rows lie on get their numbers before any row is added.
    for (const Row& row : m_rows) {
        const PerfettoKind kind = m_events.slices[row.slice].kind;
        if (kind == PerfettoKind::Token || kind == PerfettoKind::Skipped) continue;
        if (isDeviceOp(kind) && m_events.slices[row.slice].args != kNoPlace) {
            const PerfettoArgs& args = m_events.args[m_events.slices[row.slice].args];
            if (args.process >= 0) m_threads.placeOf(std::to_string(args.process), "0");
            continue;
        }
        const uint32_t thread = threadOf(row.track);
        if (kind == PerfettoKind::RuntimeCall || kind == PerfettoKind::DriverCall)
            ++m_launching[m_threads.processOf(thread)];
    }
    if (m_isOwn)
        for (const auto& [ids, name] : m_events.threadNames)
            m_threads.placeOf(std::to_string(ids.first), std::to_string(ids.second));
    for (const PerfettoNote& note : m_events.notes)
        if (note.name == pf::kThreadEvent)
            m_threads.placeOf(std::to_string(integerOf(note, "pid")), std::to_string(integerOf(note, "tid")));
    m_threads.assignNumbers();
    for (const PerfettoNote& note : m_events.notes)
        if (note.name == pf::kProcessEvent)
            m_threads.setGlobalPid(std::to_string(integerOf(note, "pid")),
                                   (static_cast<uint64_t>(integerOf(note, "machine")) & 0xFFFF) << 48 |
                                       makeGlobalTid(idOf(integerOf(note, "number")), 0));
    m_threadHasRows.resize(m_threads.size());
}

// The thread whose row a track's slices go to: that of the nearest track around it that is one. A track of no thread is
// a row of its own, in its process if it has one.
uint32_t PerfettoRows::threadOf(uint32_t track) {
    uint32_t& known = m_threadOfTrack[track];
    if (known != kNoPlace) return known;
    const PerfettoTrack* at = &m_events.tracks[track];
    constexpr const char* kOfNoProcess = "tracks";
    std::string process = kOfNoProcess;
    for (int step = 0; step < kMostParents; ++step) {
        if (at->tid >= 0) return known = m_threads.placeOf(std::to_string(at->pid), std::to_string(at->tid));
        if (at->pid >= 0) {
            process = std::to_string(at->pid);
            // Our own exports put beside a process's row only what does not nest in it.
            if (m_isOwn || at == &m_events.tracks[track]) return known = m_threads.placeOf(process, "0");
            break;
        }
        const auto parent = m_places.find(at->parent);
        if (at->parent == 0 || parent == m_places.end()) break;
        at = &m_events.tracks[parent->second];
    }
    const PerfettoTrack& own = m_events.tracks[track];
    known = m_threads.placeOf(process, own.name + "#" + std::to_string(own.uuid));
    m_threads.nameThread(known, own.name.empty() ? "track" : own.name);
    if (process == kOfNoProcess) m_threads.nameProcess(known, kOfNoProcess);
    return known;
}

uint32_t PerfettoRows::deviceOf(uint32_t track) const {
    const PerfettoTrack* at = &m_events.tracks[track];
    for (int step = 0; step < kMostParents; ++step) {
        if (const auto known = m_deviceOfTrack.find(at->uuid); known != m_deviceOfTrack.end()) return known->second;
        if (at->name.starts_with("GPU ")) return idOf(numberIn(at->name).value_or(0));
        const auto parent = m_places.find(at->parent);
        if (at->parent == 0 || parent == m_places.end()) break;
        at = &m_events.tracks[parent->second];
    }
    return 0;
}

// Where arrows alone join calls to what they launched, their ids become correlation ids.
void PerfettoRows::joinFlows() {
    uint32_t highest = 0;
    for (const PerfettoSlice& slice : m_events.slices)
        highest = std::max(highest, slice.correlationId);
    std::unordered_map<uint64_t, uint32_t> numbers;
    for (PerfettoSlice& slice : m_events.slices) {
        if (const auto it = m_events.flowOfStage.find(slice.stage);
            slice.stage != 0 && it != m_events.flowOfStage.end()) {
            slice.flow = it->second;  // said more closely than by the id of a submission
            slice.correlationId = 0;
        }
        if (slice.flow == 0 || slice.correlationId != 0 || slice.kind > PerfettoKind::DriverCall) continue;
        const auto [it, isNew] = numbers.try_emplace(slice.flow, highest);
        if (isNew && highest < UINT32_MAX) it->second = ++highest;
        slice.correlationId = it->second;
    }
}

void PerfettoRows::addDeviceOp(const Row& row, const PerfettoSlice& slice) {
    const PerfettoArgs& args = m_events.args[slice.args];
    const PerfettoTrack& at = m_events.tracks[row.track];
    TrackRow track{.deviceId = args.device >= 0 ? idOf(args.device) : deviceOf(row.track),
                   .contextId = idOf(args.context),
                   .streamId = args.stream >= 0 ? idOf(args.stream) : idOf(numberIn(at.name).value_or(row.track))};
    if (args.process >= 0) {
        track.globalPid =
            m_threads.globalPid(m_threads.processOf(m_threads.placeOf(std::to_string(args.process), "0")));
    } else if (!m_launching.empty()) {
        const auto most = std::ranges::max_element(m_launching, {}, [](const auto& entry) { return entry.second; });
        track.globalPid = m_threads.globalPid(most->first);
    }
    DeviceOpRow op = args.op;
    op.startNs = row.startNs - m_originNs;
    op.endNs = row.endNs - m_originNs;
    op.name = slice.name;
    op.track = m_tracks.intern(track, m_builder);
    if (!op.track.valid()) return;
    op.correlationId = slice.correlationId;
    if (args.hasRole) op.op = m_builder.internOp(args.role);
    if (slice.kind == PerfettoKind::Stage) {
        m_builder.add(StageRow{.startNs = op.startNs,
                               .endNs = op.endNs,
                               .name = op.name,
                               .track = op.track,
                               .correlationId = op.correlationId,
                               .category = args.category.value_or(Category::Other),
                               .op = op.op,
                               .token = op.token,
                               .repeat = op.repeat});
        return;
    }
    op.kind = static_cast<DeviceOpKind>(slice.kind);
    LaunchConfigRow config = args.config;
    if (!m_isOwn && op.kind == DeviceOpKind::Kernel && !config.fullName.valid()) config.fullName = slice.name;
    if (args.hasConfig || (!m_isOwn && op.kind == DeviceOpKind::Kernel))
        op.config = m_builder.internLaunchConfig(config);
    if (args.category) {
        op.category = *args.category;
    } else if (op.kind == DeviceOpKind::Copy || op.kind == DeviceOpKind::Set) {
        op.category = op.kind == DeviceOpKind::Copy ? Category::Copy : Category::Set;
    } else {
        op.category = m_categories.at(slice.name);
    }
    m_devices.insert(track.deviceId);
    m_builder.add(op);
}

void PerfettoRows::addRows() {
    for (const Row& row : m_rows) {
        const PerfettoSlice& slice = m_events.slices[row.slice];
        const int64_t startNs = row.startNs - m_originNs, endNs = row.endNs - m_originNs;
        if (slice.kind == PerfettoKind::Skipped) {
            ++m_skipped;
            continue;
        }
        if (isDeviceOp(slice.kind)) {
            addDeviceOp(row, slice);
            continue;
        }
        if (slice.kind == PerfettoKind::Token) {
            const PerfettoArgs& args = m_events.args[slice.args];
            TokenRow token{
                .emittedNs = startNs, .repeat = args.op.repeat, .index = args.index, .id = args.id, .text = args.text};
            setDrafts(token, args.drafted, args.accepted, args.place);
            setSequence(token, args.sequence);
            m_builder.add(token);
            continue;
        }
        const uint32_t thread = threadOf(row.track);
        m_threadHasRows[thread] = true;
        const uint64_t globalTid = m_threads.globalTid(thread);
        switch (slice.kind) {
            case PerfettoKind::RuntimeCall:
            case PerfettoKind::DriverCall:
                m_builder.add(ApiCallRow{
                    .startNs = startNs,
                    .endNs = endNs,
                    .name = slice.name,
                    .globalTid = globalTid,
                    .correlationId = slice.correlationId,
                    .apiClass = slice.kind == PerfettoKind::DriverCall ? ApiClass::Driver : ApiClass::Runtime});
                break;
            case PerfettoKind::Overhead:
                m_builder.add(OverheadRow{startNs, endNs, slice.name, globalTid});
                break;
            case PerfettoKind::CpuOp:
                m_builder.add(RangeRow{startNs, endNs, slice.name, globalTid, RangeKind::CpuOp});
                break;
            case PerfettoKind::PythonFunction:
                m_builder.add(RangeRow{startNs, endNs, slice.name, globalTid, RangeKind::PythonFunction});
                break;
            case PerfettoKind::Wait:
                m_builder.add(RangeRow{startNs, endNs, slice.name, globalTid, RangeKind::Wait});
                break;
            default:
                m_builder.add(RangeRow{startNs, endNs, slice.name, globalTid, RangeKind::User});
        }
    }
}

void PerfettoRows::addSamples() {
    std::ranges::stable_sort(m_events.samples, {}, &PerfettoSample::timeNs);
    std::map<uint32_t, CounterId> counters;
    for (const PerfettoSample& sample : m_events.samples) {
        const PerfettoTrack& track = m_events.tracks[sample.track];
        const auto [it, isNew] = counters.try_emplace(sample.track);
        if (isNew && counters.size() <= kMostCounters) {
            it->second = m_builder.internCounter({.name = m_builder.intern(track.name),
                                                  .unit = track.counter.value_or(CounterUnit::Number),
                                                  .deviceId = deviceOf(sample.track)});
        }
        if (!it->second.valid() || !std::isfinite(sample.value)) {
            ++m_otherCounters;
            continue;
        }
        m_builder.add(CounterSampleRow{sample.timeNs - m_originNs, it->second, sample.value});
    }
}

void PerfettoRows::addDevices() {
    std::set<uint32_t> told;
    for (const PerfettoNote& note : m_events.notes) {
        if (note.name != pf::kDeviceEvent) continue;
        const uint32_t id = idOf(integerOf(note, "id"));
        told.insert(id);
        const auto* kind = valueOf(note, "kind");
        if (!kind) continue;  // only its track is told: the trace did not describe it
        if (told.size() > kMostDevices) {
            countDevicesWithoutName(1, m_builder);
            continue;
        }
        const auto* bytesPerSecond = valueOf(note, "peakBytesPerSecond");
        const auto* flopsPerSecond = valueOf(note, "peakFlopsPerSecond");
        m_builder.setDevice({.id = id,
                             .kind = kind->integer >= 0 && kind->integer <= 2 ? static_cast<DeviceKind>(kind->integer)
                                                                              : DeviceKind::Other,
                             .name = textOf(note, "name"),
                             .totalMemoryBytes = integerOf(note, "totalMemoryBytes"),
                             .peakBytesPerSecond = bytesPerSecond ? bytesPerSecond->real : 0,
                             .peakFlopsPerSecond = flopsPerSecond ? flopsPerSecond->real : 0});
    }
    for (const uint32_t id : m_devices) {
        if (told.contains(id)) continue;
        if (told.size() > kMostDevices) {
            countDevicesWithoutName(1, m_builder);
            continue;
        }
        told.insert(id);
        m_builder.setDevice({.id = id, .kind = DeviceKind::Cuda, .name = "GPU " + std::to_string(id)});
    }
}

void PerfettoRows::addThreadNames() {
    std::set<uint32_t> processes;
    for (uint32_t thread = 0; thread < m_threads.size(); ++thread)
        if (m_threadHasRows[thread]) processes.insert(m_threads.processOf(thread));
    std::set<uint32_t> named;
    for (uint32_t thread = 0; thread < m_threads.size(); ++thread) {
        const auto pid = integerOf(m_threads.processText(m_threads.processOf(thread)));
        const auto tid = integerOf(m_threads.threadText(thread));
        if (!pid || !tid) {
            named.insert(thread);  // a track of its own, named when it was placed
            continue;
        }
        if (const auto name = m_events.processNames.find(*pid); name != m_events.processNames.end())
            m_threads.nameProcess(thread, name->second);
        const auto name = m_events.threadNames.find({*pid, *tid});
        if (name == m_events.threadNames.end()) continue;
        m_threads.nameThread(thread, name->second);
        named.insert(thread);
    }
    for (const PerfettoNote& note : m_events.notes) {
        if (note.name != pf::kThreadEvent) continue;
        const uint32_t thread =
            m_threads.placeOf(std::to_string(integerOf(note, "pid")), std::to_string(integerOf(note, "tid")));
        if (thread >= m_threadHasRows.size()) continue;  // it came too late for a number
        m_builder.setThread(m_threads.globalTid(thread), textOf(note, "name"));
        named.erase(thread);
    }
    using Show = ChromeThreads::Show;
    const Show show = !m_isOwn && processes.size() > 1 ? Show::ProcessAndThread : Show::Thread;
    for (const uint32_t thread : named)
        if (m_isOwn || m_threadHasRows[thread])
            m_builder.setThread(m_threads.globalTid(thread), m_threads.title(thread, show));
}

void PerfettoRows::addRun() {
    const auto note = std::ranges::find(m_events.notes, pf::kRunEvent, &PerfettoNote::name);
    if (note == m_events.notes.end()) return;
    RunInfo run;
    forEachRunField(run, [&](std::string_view name, auto& field) {
        const auto* value = valueOf(*note, name);
        if (!value) return;
        using Field = std::remove_reference_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, std::string>) {
            field = value->text;
        } else if constexpr (std::is_floating_point_v<Field>) {
            field = value->real;
        } else {
            field = static_cast<Field>(value->integer);
        }
    });
    if (const auto* tokens = valueOf(*note, "promptTokens")) run.promptTokens = tokens->list;
    for (const PerfettoNote& repeat : m_events.notes) {
        if (repeat.name != pf::kRepeatEvent) continue;
        run.repeatTimes.push_back({.prefillNs = integerOf(repeat, "prefillNs"),
                                   .timeToFirstTokenNs = integerOf(repeat, "timeToFirstTokenNs"),
                                   .decodeNs = integerOf(repeat, "decodeNs"),
                                   .newTokens = integerOf(repeat, "newTokens")});
    }
    m_builder.setRun(std::move(run));
}

void PerfettoRows::addNotes() {
    AnnotationIntake intake;
    for (const PerfettoNote& note : m_events.notes) {
        if (note.name != pf::kNoteEvent) continue;
        const int64_t startNs = note.timeNs - m_originNs, durationNs = integerOf(note, "durationNs");
        if (areSaneTimes(0, durationNs))
            intake.addNote(startNs, startNs + durationNs, textOf(note, "text"));
        else
            intake.countBadNote();
    }
    intake.finish(m_builder);
}

void PerfettoRows::addDiagnostics() {
    Diagnostics& diagnostics = m_builder.diagnostics();
    for (const PerfettoNote& note : m_events.notes) {
        if (note.name != pf::kDiagnosticEvent) continue;
        const int64_t severity = integerOf(note, "severity");
        diagnostics.add(textOf(note, "name"),
                        severity >= 0 && severity <= 2 ? static_cast<Severity>(severity) : Severity::Error,
                        integerOf(note, "count"), textOf(note, "text"));
    }
    countRowsWithoutTime(m_outOfTime, m_builder);
    diagnostics.add("unknown_clock", Severity::DataLoss, m_unknownClock,
                    "Events tell the time of a clock that the file does not join to its own; they may lie at wrong "
                    "places.");
    diagnostics.add("range_without_end", Severity::DataLoss, m_withoutEnd,
                    "Ranges without an end in the file are drawn to the end of the trace.");
    diagnostics.add("range_without_begin", Severity::DataLoss, m_withoutBegin,
                    "Ends of ranges whose beginning is not in the file are left out.");
    diagnostics.add("device_operation_without_end", Severity::DataLoss, m_opWithoutEnd,
                    "Device operations without a duration are left out of every figure.");
    diagnostics.add("gpu_annotation", Severity::Info, m_skipped,
                    "Copies of CPU annotations on GPU rows are not kept; they are no device operations.");
    diagnostics.add("counter_sample_unusable", Severity::DataLoss, m_otherCounters,
                    "Samples of counters without a value, or of more counters than a trace shows, are left out.");
    diagnostics.add("too_many_threads", Severity::Info, m_threads.mergedCount(),
                    "Threads beyond what a trace shows are shown as one.");
}

Status PerfettoRows::finish(std::stop_token stop) {
    const auto cancelled = [&] { return stop.stop_requested(); };
    convertTimes();
    if (cancelled()) return fail("Cancelled.", ErrorKind::Cancelled);
    pairMarks();
    readOrigin();
    // A kernel on a thread's own row is a range of whoever called it so.
    for (const Row& row : m_rows) {
        PerfettoSlice& slice = m_events.slices[row.slice];
        if (!isDeviceOp(slice.kind)) continue;
        const bool isPlaced = m_events.args[slice.args].device >= 0 || m_events.args[slice.args].stream >= 0;
        if (!isPlaced && m_events.tracks[row.track].tid >= 0) slice.kind = PerfettoKind::User;
        const auto [it, isNew] = m_categories.try_emplace(slice.name, Category::Other);
        if (isNew && slice.name.valid()) it->second = CategoryRules::builtIn().categoryOf(m_builder.text(slice.name));
    }
    if (cancelled()) return fail("Cancelled.", ErrorKind::Cancelled);
    joinFlows();
    placeTracks();
    addRows();
    if (cancelled()) return fail("Cancelled.", ErrorKind::Cancelled);
    addSamples();
    addDevices();
    addThreadNames();
    addRun();
    addNotes();
    addDiagnostics();
    return {};
}

}  // namespace gapscope
