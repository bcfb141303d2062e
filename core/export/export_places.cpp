#include "core/export/export_places.h"

#include <algorithm>

#include "core/trace/annotations.h"

namespace gapscope {

namespace {

// "python 100: worker" of process 100 -> "python", "worker"; "process 100: worker" -> "", "worker".
bool takeApart(uint32_t processId, std::string& thread, std::string& process) {
    const std::string number = std::to_string(processId);
    const size_t colon = thread.find(number + ": ");
    if (colon == std::string::npos || colon < 2 || thread[colon - 1] != ' ') return false;
    process = thread.substr(0, colon - 1);
    if (process == "process") process.clear();
    thread.erase(0, colon + number.size() + 2);
    return true;
}

}  // namespace

int64_t earliestNs(const Trace& trace) {
    int64_t earliest = std::min<int64_t>(0, trace.extent().startNs);
    for (size_t row = 0; row < trace.tokens().emittedNs.size(); ++row)
        earliest = std::min(earliest, trace.tokens().emittedNs[row]);
    for (size_t row = 0; row < trace.counterSamples().timeNs.size(); ++row)
        earliest = std::min(earliest, trace.counterSamples().timeNs[row]);
    for (const Note& note : trace.annotations().notes)
        earliest = std::min(earliest, note.range.startNs);
    return earliest;
}

TraceOrigin originOf(const Trace& trace) {
    constexpr int64_t kLatestNs = int64_t{1} << 61;  // 2043; sums with times of a trace still fit
    const auto usable = [](int64_t ns) { return ns > 0 && ns < kLatestNs ? ns : 0; };
    return {.steadyNs = usable(trace.origin().steadyNs), .utcEpochNs = usable(trace.origin().utcEpochNs)};
}

uint32_t takePid(std::set<uint32_t>& taken, uint32_t wanted) {
    if (taken.insert(wanted).second) return wanted;
    uint32_t pid = wanted % kBeyondPids + kBeyondPids;
    while (!taken.insert(pid).second)
        ++pid;
    return pid;
}

ExportPlaces placesOf(const Trace& trace, const ExportTexts& texts) {
    ExportPlaces places;
    // Neighbouring rows are mostly of one thread.
    uint64_t last = ~uint64_t{0};
    const auto add = [&](uint64_t globalTid) {
        if (globalTid == last) return;
        last = globalTid;
        places.processes.try_emplace(globalPidOf(globalTid));
        if (threadIdOf(globalTid) != 0) places.threads.try_emplace(globalTid);
    };
    const auto addColumn = [&](const ColumnView<uint64_t>& column) {
        for (size_t row = 0; row < column.size(); ++row)
            add(column[row]);
    };
    addColumn(trace.apiCalls().globalTid);
    addColumn(trace.ranges().globalTid);
    addColumn(trace.overheads().globalTid);
    for (size_t track = 0; track < trace.tracks().size(); ++track)
        places.processes.try_emplace(trace.tracks()[track].globalPid);
    for (const ThreadRow& row : trace.threads()) {
        std::string name(texts[row.name]), process;
        add(row.globalTid);
        const bool apart = takeApart(processIdOf(row.globalTid), name, process);
        if (apart && !process.empty()) places.processes[globalPidOf(row.globalTid)] = process;
        if (threadIdOf(row.globalTid) != 0) places.threads[row.globalTid] = std::move(name);
    }
    std::set<uint32_t> taken;
    for (const auto& [globalPid, name] : places.processes)
        places.pids[globalPid] = takePid(taken, processIdOf(globalPid));
    return places;
}

}  // namespace gapscope
