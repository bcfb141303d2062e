#include "core/import/join_traces.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "core/import/annotation_intake.h"
#include "core/import/row_checks.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

std::optional<int64_t> earliest(std::optional<int64_t> known, int64_t startNs) {
    return known ? std::min(*known, startNs) : startNs;
}

// When something of this name begins first.
std::optional<int64_t> firstOf(const Trace& trace, std::string_view name) {
    std::optional<int64_t> first;
    const auto look = [&](const auto& rows) {
        for (size_t row = 0; row < rows.startNs.size(); ++row)
            if (trace.string(rows.name[row]) == name) first = earliest(first, rows.startNs[row]);
    };
    look(trace.ranges());
    look(trace.deviceOps());
    look(trace.apiCalls());
    return first;
}

int64_t firstWork(const Trace& trace) {
    std::optional<int64_t> first;
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row)
        first = earliest(first, trace.deviceOps().startNs[row]);
    return first.value_or(trace.extent().startNs);
}

bool wallClocksMeet(std::span<const TracePart> parts) {
    std::optional<TimeRange> common;
    for (const TracePart& part : parts) {
        const int64_t origin = part.trace->origin().utcEpochNs;
        if (origin == 0) return false;
        const TimeRange extent = part.trace->extent();
        const TimeRange range{origin + extent.startNs, origin + extent.endNs};
        common = common ? common->clippedTo(range) : range;
        if (common->empty()) return false;
    }
    return true;
}

// What is added to each part's times.
Result<std::vector<int64_t>> shiftsOf(std::span<const TracePart> parts, const JoinAlignment& alignment,
                                      TraceBuilder& builder) {
    std::vector<int64_t> shifts;
    const AlignedBy by = alignedBy(parts, alignment);
    if (by == AlignedBy::Name) {
        for (const TracePart& part : parts) {
            const std::optional<int64_t> first = firstOf(*part.trace, alignment.name);
            if (!first)
                return fail(part.label + " has nothing named " + alignment.name + " to align at.", ErrorKind::WrongUse);
            shifts.push_back(-*first);
        }
    } else if (by == AlignedBy::WallClock) {
        int64_t origin = parts.front().trace->origin().utcEpochNs;
        for (const TracePart& part : parts)
            origin = std::min(origin, part.trace->origin().utcEpochNs);
        for (const TracePart& part : parts)
            shifts.push_back(part.trace->origin().utcEpochNs - origin);
        builder.setOrigin({.utcEpochNs = origin});
        return shifts;
    } else {
        for (const TracePart& part : parts)
            shifts.push_back(-firstWork(*part.trace));
        builder.diagnostics().add("joined_without_clock", Severity::Info, static_cast<int64_t>(parts.size()),
                                  alignment.byFirstWork
                                      ? "The files' first device operations are put at one moment, as was asked."
                                      : "The files' wall clocks are not known or far apart: their first device "
                                        "operations are put at one moment. Choose an event to align at for a better "
                                        "fit.");
    }
    // The first event of all at 0, as in single files.
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < parts.size(); ++i)
        if (!parts[i].trace->extent().empty()) first = std::min(first, parts[i].trace->extent().startNs + shifts[i]);
    if (first != INT64_MAX)
        for (int64_t& shift : shifts)
            shift -= first;
    return shifts;
}

// One part's numbers in the whole.
class PartMap {
public:
    PartMap(const TracePart& part, int64_t shiftNs, TraceBuilder& builder)
        : m_trace(*part.trace), m_label(part.label), m_shiftNs(shiftNs), m_builder(builder) {}

    int64_t time(int64_t ns) const { return ns + m_shiftNs; }
    StringId string(StringId id) {
        if (!id.valid()) return {};
        if (m_strings.size() < m_trace.stringCount()) m_strings.resize(m_trace.stringCount());
        StringId& to = m_strings[id.value];
        if (!to.valid()) to = m_builder.intern(m_trace.string(id));
        return to;
    }
    uint64_t process(uint64_t globalPid, std::set<uint64_t>& taken) {
        const auto [it, isNew] = m_processes.try_emplace(globalPid, globalPid);
        if (!isNew) return it->second;
        for (uint32_t id = processIdOf(globalPid); !taken.insert(it->second).second;)
            it->second = (globalPid & ~(uint64_t{0xFFFFFF} << 24)) | makeGlobalTid(++id, 0);
        return it->second;
    }
    uint64_t thread(uint64_t globalTid, std::set<uint64_t>& taken) {
        return process(globalPidOf(globalTid), taken) | threadIdOf(globalTid);
    }
    uint32_t device(uint32_t id, std::set<uint32_t>& taken) {
        const auto [it, isNew] = m_devices.try_emplace(id, id);
        while (isNew && !taken.insert(it->second).second)
            ++it->second;
        return it->second;
    }
    TrackId track(TrackId id, std::set<uint64_t>& processes, std::set<uint32_t>& devices, BoundedTracks& tracks) {
        const auto [it, isNew] = m_tracks.try_emplace(id);
        if (isNew) {
            TrackRow row = id.valid() && id.value < m_trace.tracks().size() ? m_trace.tracks()[id.value] : TrackRow{};
            row.globalPid = process(row.globalPid, processes);
            row.deviceId = device(row.deviceId, devices);
            it->second = tracks.intern(row, m_builder);
        }
        return it->second;
    }
    OpId op(OpId id) {
        if (!id.valid()) return {};
        OpRow row = m_trace.ops()[id.value];
        row.name = string(row.name);
        row.shapes = string(row.shapes);
        row.dtype = string(row.dtype);
        return m_builder.internOp(row);
    }
    LaunchConfigId config(LaunchConfigId id) {
        if (!id.valid()) return {};
        if (m_configs.size() < m_trace.launchConfigs().size()) m_configs.resize(m_trace.launchConfigs().size());
        LaunchConfigId& to = m_configs[id.value];
        if (!to.valid()) {
            LaunchConfigRow row = m_trace.launchConfigs()[id.value];
            row.fullName = string(row.fullName);
            to = m_builder.internLaunchConfig(row);
        }
        return to;
    }
    const Trace& trace() const { return m_trace; }
    std::string labelled(std::string_view name) const {
        return name.empty() ? m_label : m_label + ": " + std::string(name);
    }

private:
    const Trace& m_trace;
    const std::string& m_label;
    const int64_t m_shiftNs;
    TraceBuilder& m_builder;
    std::vector<StringId> m_strings;
    std::vector<LaunchConfigId> m_configs;
    std::map<uint64_t, uint64_t> m_processes;
    std::map<uint32_t, uint32_t> m_devices;
    std::map<TrackId, TrackId> m_tracks;
};

class Join {
public:
    Join(std::span<const TracePart> parts, std::span<const int64_t> shifts, TraceBuilder& builder, std::stop_token stop)
        : m_builder(builder), m_stop(std::move(stop)) {
        for (size_t i = 0; i < parts.size(); ++i)
            m_parts.emplace_back(parts[i], shifts[i], builder);
    }

    Status run() {
        for (PartMap& part : m_parts)
            addDevices(part);
        add([](const Trace& trace) -> const DeviceOps& { return trace.deviceOps(); },
            [this](PartMap& part, DeviceOpRow& row) {
                row.track = part.track(row.track, m_processes, m_devices, m_tracks);
                row.op = part.op(row.op);
                row.config = part.config(row.config);
                row.token = kNoToken;
                row.repeat = 0;
            });
        add([](const Trace& trace) -> const Stages& { return trace.stages(); },
            [this](PartMap& part, StageRow& row) {
                row.track = part.track(row.track, m_processes, m_devices, m_tracks);
                row.op = part.op(row.op);
                row.token = kNoToken;
                row.repeat = 0;
            });
        add([](const Trace& trace) -> const ApiCalls& { return trace.apiCalls(); },
            [this](PartMap& part, ApiCallRow& row) { takeThread(part, row.globalTid); });
        add([](const Trace& trace) -> const Ranges& { return trace.ranges(); },
            [this](PartMap& part, RangeRow& row) { takeThread(part, row.globalTid); });
        add([](const Trace& trace) -> const Overheads& { return trace.overheads(); },
            [this](PartMap& part, OverheadRow& row) { takeThread(part, row.globalTid); });
        for (PartMap& part : m_parts)
            addSamples(part);
        addNotes();
        int64_t tokens = 0;
        for (PartMap& part : m_parts) {
            tokens += static_cast<int64_t>(part.trace().tokens().emittedNs.size());
            for (const Diagnostic& entry : part.trace().diagnostics().entries())
                m_builder.diagnostics().add(entry.name, entry.severity, entry.count, entry.text);
        }
        m_builder.diagnostics().add("joined_tokens_left_out", Severity::Info, tokens,
                                    "Tokens belong to one file's run and are not shown for several files together.");
        if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        return {};
    }

private:
    // Rows of all parts by their start, each as `change` leaves it.
    template <class Table, class Change>
    void add(Table table, Change change) {
        struct Place {
            int64_t startNs;
            uint32_t row;
            uint32_t part;
        };
        std::vector<Place> places;
        for (size_t p = 0; p < m_parts.size(); ++p) {
            const auto& starts = table(m_parts[p].trace()).startNs;
            for (size_t row = 0; row < starts.size(); ++row)
                places.push_back({m_parts[p].time(starts[row]), static_cast<uint32_t>(row), static_cast<uint32_t>(p)});
        }
        std::ranges::stable_sort(places, {}, &Place::startNs);
        constexpr size_t kRowsBetweenLooks = size_t{1} << 16;
        for (size_t i = 0; i < places.size(); ++i) {
            if (i % kRowsBetweenLooks == 0 && m_stop.stop_requested()) return;
            PartMap& part = m_parts[places[i].part];
            auto row = rowAt(table(part.trace()), places[i].row);
            row.startNs = part.time(row.startNs);
            row.endNs = part.time(row.endNs);
            row.name = part.string(row.name);
            change(part, row);
            if (isPlaced(row)) m_builder.add(row);  // what has no place any more is counted
        }
    }
    template <class Row>
    static bool isPlaced(const Row& row) {
        if constexpr (requires { row.track; })
            return row.track.valid();
        else
            return true;
    }

    void takeThread(PartMap& part, uint64_t& globalTid) {
        const uint64_t from = globalTid;
        globalTid = part.thread(from, m_processes);
        if (m_threads.insert(globalTid).second)
            m_builder.setThread(globalTid, part.labelled(part.trace().threadName(from)));
    }

    void addDevices(PartMap& part) {
        for (DeviceRow device : part.trace().devices()) {
            device.id = part.device(device.id, m_devices);
            device.name = part.labelled(device.name);
            m_builder.setDevice(std::move(device));
        }
    }

    // Samples of one counter stay in their order, which is all that is asked of them.
    void addSamples(PartMap& part) {
        const Trace& trace = part.trace();
        std::map<CounterId, CounterId> counters;
        for (size_t row = 0; row < trace.counterSamples().timeNs.size(); ++row) {
            const CounterId from = trace.counterSamples().counter[row];
            const auto [it, isNew] = counters.try_emplace(from);
            if (isNew) {
                CounterRow counter = trace.counters()[from.value];
                counter.name = part.string(counter.name);
                counter.deviceId = part.device(counter.deviceId, m_devices);
                it->second = m_builder.internCounter(counter);
            }
            m_builder.add(CounterSampleRow{part.time(trace.counterSamples().timeNs[row]), it->second,
                                           trace.counterSamples().value[row]});
        }
    }

    // Each file's notes stay where they were on it, and say whose they are.
    void addNotes() {
        AnnotationIntake intake;
        int64_t arranged = 0;
        for (const PartMap& part : m_parts) {
            const Annotations& annotations = part.trace().annotations();
            for (const Note& note : annotations.notes)
                intake.addNote(part.time(note.range.startNs), part.time(note.range.endNs), part.labelled(note.text));
            arranged += annotations.rows.empty() ? 0 : 1;
        }
        intake.finish(m_builder);
        m_builder.diagnostics().add("joined_rows_left_out", Severity::Info, arranged,
                                    "How the rows of single files were arranged is not kept for several together.");
    }

    TraceBuilder& m_builder;
    const std::stop_token m_stop;
    std::vector<PartMap> m_parts;
    std::set<uint64_t> m_processes;
    std::set<uint32_t> m_devices;
    std::set<uint64_t> m_threads;
    BoundedTracks m_tracks;
};

}  // namespace

AlignedBy alignedBy(std::span<const TracePart> parts, const JoinAlignment& alignment) {
    if (!alignment.name.empty()) return AlignedBy::Name;
    return !alignment.byFirstWork && wallClocksMeet(parts) ? AlignedBy::WallClock : AlignedBy::FirstWork;
}

std::vector<std::string> commonNames(std::span<const TracePart> parts, size_t most, std::stop_token stop) {
    struct Found {
        size_t parts = 0;
        int kind = 0;  // the first table that has it
        size_t times = 0;
    };
    std::map<std::string_view, Found> found;
    for (size_t p = 0; p < parts.size() && !stop.stop_requested(); ++p) {
        const Trace& trace = *parts[p].trace;
        std::vector<size_t> times(trace.stringCount());
        std::vector<int> kinds(trace.stringCount(), -1);
        int kind = 0;
        const auto count = [&](const auto& rows) {
            for (size_t row = 0; row < rows.startNs.size(); ++row) {
                const StringId name = rows.name[row];
                if (!name.valid()) continue;
                ++times[name.value];
                if (kinds[name.value] < 0) kinds[name.value] = kind;
            }
            ++kind;
        };
        count(trace.ranges());
        count(trace.apiCalls());
        count(trace.deviceOps());
        for (uint32_t id = 0; id < times.size(); ++id) {
            const std::string_view name = trace.string(StringId{id});
            if (times[id] == 0 || name.empty()) continue;
            // What an earlier part lacks is common no more.
            const auto it = p == 0 ? found.try_emplace(name, Found{.kind = kinds[id]}).first : found.find(name);
            if (it == found.end() || it->second.parts != p) continue;
            it->second.parts = p + 1;
            it->second.times = std::max(it->second.times, times[id]);
        }
    }
    std::erase_if(found, [&](const auto& entry) { return entry.second.parts != parts.size(); });
    std::vector<std::pair<std::string_view, Found>> sorted(found.begin(), found.end());
    std::ranges::stable_sort(sorted, {},
                             [](const auto& entry) { return std::pair(entry.second.kind, entry.second.times); });
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(most, sorted.size()); ++i)
        names.emplace_back(sorted[i].first);
    return names;
}

Result<TracePtr> joinTraces(std::span<const TracePart> parts, const JoinAlignment& alignment, std::stop_token stop) {
    TraceBuilder builder;
    ASSIGN_OR_RETURN(const std::vector<int64_t> shifts, shiftsOf(parts, alignment, builder));
    RETURN_IF_ERROR(Join(parts, shifts, builder, stop).run());
    return builder.snapshot();
}

std::string partLabel(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    if (path == "-") return "standard input";  // as command lines name it
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (size_t at = 0; (at = lower.find("rank", at)) != std::string::npos; at += 4) {
        size_t digit = at + 4;
        while (digit < lower.size() && (lower[digit] == '-' || lower[digit] == '_'))
            ++digit;
        size_t end = digit;
        while (end < lower.size() && std::isdigit(static_cast<unsigned char>(lower[end])))
            ++end;
        if (end > digit) return "rank " + name.substr(digit, end - digit);
    }
    const std::string stem = name.substr(0, name.find('.', 1));
    const size_t mark = stem.rfind('_');
    const bool isProcess = lower.find(".pt.trace.json") != std::string::npos && mark != std::string::npos &&
                           mark + 1 < stem.size() &&
                           stem.find_first_not_of("0123456789", mark + 1) == std::string::npos;
    return isProcess ? "process " + stem.substr(mark + 1) : stem;
}

Result<std::vector<TracePart>> openParts(std::span<const std::filesystem::path> paths, const ImportProgress& progress,
                                         std::stop_token stop, const TraceOpener& open) {
    std::vector<TracePart> parts;
    std::map<std::string, int> seen;
    for (const std::filesystem::path& path : paths) {
        const double before = static_cast<double>(parts.size());
        const ImportProgress shareOfAll = [&](double share) {
            if (progress) progress((before + share) / static_cast<double>(paths.size()));
        };
        ASSIGN_OR_RETURN(TracePtr trace, open(path, shareOfAll, stop));
        std::string label = partLabel(path);
        if (const int times = ++seen[label]; times > 1) label += " (" + std::to_string(times) + ")";
        parts.push_back({std::move(trace), std::move(label)});
    }
    return parts;
}

Result<TracePtr> openTraces(std::span<const std::filesystem::path> paths, const JoinAlignment& alignment,
                            const ImportProgress& progress, std::stop_token stop, const TraceOpener& open) {
    if (paths.size() == 1 && alignment.name.empty()) return open(paths.front(), progress, stop);
    ASSIGN_OR_RETURN(const std::vector<TracePart> parts, openParts(paths, progress, stop, open));
    return joinTraces(parts, alignment, stop);
}

}  // namespace gapscope
