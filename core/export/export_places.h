// Processes and threads that have rows in a trace, by number, with the names that exports give them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "core/export/export_texts.h"
#include "core/trace/trace.h"

namespace gapscope {

struct ExportPlaces {
    std::map<uint64_t, std::string> processes;  // by global pid; empty: unknown
    std::map<uint64_t, std::string> threads;    // by global tid, thread number 0 (the whole process) left out
    std::map<uint64_t, uint32_t> pids;          // of the processes, as the file numbers them: each has its own
};

// Process numbers have 24 bits; where two machines' processes have one number, the second gets one beyond.
inline constexpr uint32_t kBeyondPids = 1u << 24;
// `wanted`, or the next number beyond that is not taken.
uint32_t takePid(std::set<uint32_t>& taken, uint32_t wanted);

// The earliest time of anything in a trace, 0 if nothing is before its time 0: formats do not go below 0.
int64_t earliestNs(const Trace& trace);

// What a trace says of where its time 0 lies; times that no machine's clock shows count as unknown.
TraceOrigin originOf(const Trace& trace);

// Readers of several processes put "NAME PID: " before each thread's name; such a name is taken apart again.
ExportPlaces placesOf(const Trace& trace, const ExportTexts& texts);

}  // namespace gapscope
