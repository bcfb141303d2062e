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
    int64_t machineCount = 0;                   // processes whose id says more than a process number
};

// The earliest time of anything in a trace, 0 if nothing is before its time 0: formats do not go below 0.
int64_t earliestNs(const Trace& trace);

// What a trace says of where its time 0 lies; times that no machine's clock shows count as unknown.
TraceOrigin originOf(const Trace& trace);

// Readers of several processes put "NAME PID: " before each thread's name; such a name is taken apart again.
ExportPlaces placesOf(const Trace& trace, const ExportTexts& texts);

}  // namespace gapscope
