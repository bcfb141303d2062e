#include "app/cli/launches_csv.h"

#include "app/cli/csv_columns.h"

namespace gapscope::cli {

CsvText launchesCsv(const Trace& trace, std::span<const Launch> launches) {
    const ApiCalls& calls = trace.apiCalls();
    CsvText csv{"name",      "processId",    "threadId",       "startNs",  "durationNs",
                "latencyNs", "queueDelayNs", "operationCount", "firstName"};
    for (const Launch& launch : launches) {
        const uint64_t tid = calls.globalTid[launch.call];
        csv.cell(trace.string(calls.name[launch.call])).cell(processIdOf(tid)).cell(threadIdOf(tid));
        csv.cell(calls.startNs[launch.call]).cell(calls.endNs[launch.call] - calls.startNs[launch.call]);
        csv.cell(launch.latencyNs).cell(launch.queueDelayNs).cell(launch.opCount);
        csv.cell(trace.string(trace.deviceOps().name[launch.firstOp])).endRow();
    }
    return csv;
}

CsvText executionsCsv(const Trace& trace, std::span<const KernelExecution> executions) {
    const ApiCalls& calls = trace.apiCalls();
    const DeviceOps& ops = trace.deviceOps();
    CsvText csv{"apiStartNs", "apiNs",     "queueStartNs", "queueNs", "kernelStartNs", "kernelNs",
                "totalNs",    "processId", "threadId",     "device",  "apiName",       "gridX",
                "gridY",      "gridZ",     "blockX",       "blockY",  "blockZ",        "kernelName"};
    for (const KernelExecution& row : executions) {
        csv.cell(calls.startNs[row.call]).cell(row.apiNs);
        csv.cell(row.queueNs ? std::optional(calls.endNs[row.call]) : std::nullopt).cell(row.queueNs);
        csv.cell(ops.startNs[row.op]).cell(row.kernelNs).cell(row.totalNs);
        csv.cell(processIdOf(calls.globalTid[row.call])).cell(threadIdOf(calls.globalTid[row.call]));
        csv.cell(trace.tracks()[ops.track[row.op].value].deviceId).cell(trace.string(calls.name[row.call]));
        const LaunchConfigId config = ops.config[row.op];
        const LaunchConfigRow shape = config.valid() ? trace.launchConfigs()[config.value] : LaunchConfigRow{};
        for (const auto& sizes : {shape.grid, shape.block})
            for (const int32_t size : sizes)
                csv.cell(size);
        csv.cell(trace.string(ops.name[row.op])).endRow();
    }
    return csv;
}

CsvText executionSumsCsv(const Trace& trace, std::span<const KernelExecutionRow> rows) {
    CsvText csv;
    std::vector<std::string> columns = {"processId", "threadId", "device", "apiName", "kernelName"};
    for (const std::string_view part : {"total", "api", "queue", "kernel"})
        for (const std::string& column : distributionColumns(part))
            columns.push_back(column);
    addHeader(csv, columns);
    for (const KernelExecutionRow& row : rows) {
        csv.cell(processIdOf(row.globalTid)).cell(threadIdOf(row.globalTid)).cell(row.deviceId);
        csv.cell(trace.string(row.apiName)).cell(trace.string(row.kernelName));
        for (const Distribution* times : {&row.total, &row.api, &row.queue, &row.kernel})
            addCells(csv, *times);
        csv.endRow();
    }
    return csv;
}

}  // namespace gapscope::cli
