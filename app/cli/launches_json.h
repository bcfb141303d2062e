// What `launches` asks and finds, and the same as JSON.
#pragma once

#include <string>

#include "core/analysis/kernel_executions.h"
#include "core/analysis/launch_statistics.h"
#include "core/analysis/launches.h"
#include "core/analysis/queue_depth.h"
#include "core/base/json_writer.h"

namespace gapscope::cli {

struct LaunchesOptions {
    size_t top = 30;
    std::string by;
    bool trace = false;
    bool series = false;
    LaunchThresholds thresholds;
};

struct Launches {
    LaunchTable table;
    LaunchStatistics statistics;
    std::vector<QueueDepth> queues;
    KernelExecutionTable executions;  // empty unless asked for
};

// One whole object.
void writeLaunchesJson(JsonWriter& json, const Trace& trace, const Launches& of, const LaunchesOptions& options);

}  // namespace gapscope::cli
