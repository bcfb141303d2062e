#include "core/import/nsys_more_tables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

#include "core/base/utf8.h"
#include "core/base/wait_name.h"

namespace gapscope {

namespace {

constexpr std::array kLibraryTables = {"CUBLAS_EVENTS", "CUDNN_EVENTS", "OSRT_API", "CUDA_HOST_CALLBACK"};

// Read elsewhere, or no events at all.
constexpr std::array kShownTables = {"CUPTI_ACTIVITY_KIND_KERNEL",
                                     "CUPTI_ACTIVITY_KIND_MEMCPY",
                                     "CUPTI_ACTIVITY_KIND_MEMSET",
                                     "CUPTI_ACTIVITY_KIND_GRAPH_TRACE",
                                     "CUPTI_ACTIVITY_KIND_RUNTIME",
                                     "CUPTI_ACTIVITY_KIND_OVERHEAD",
                                     "CUPTI_ACTIVITY_KIND_SYNCHRONIZATION",
                                     "PROFILER_OVERHEAD",
                                     "NVTX_EVENTS",
                                     "GPU_METRICS",
                                     "DIAGNOSTIC_EVENT"};

bool isShown(std::string_view table) {
    return std::ranges::find(kShownTables, table) != kShownTables.end() ||
           std::ranges::find(kLibraryTables, table) != kLibraryTables.end();
}

}  // namespace

Status NsysMoreTables::readWaits(std::span<const ApiCallRow> calls, std::vector<RangeRow>& ranges) {
    struct Wait {
        RangeRow range;
        uint64_t globalPid = 0;
        uint32_t correlationId = 0;
    };
    std::vector<Wait> waits;
    RETURN_IF_ERROR(forEach(
        "CUPTI_ACTIVITY_KIND_SYNCHRONIZATION", {"start", "end", "streamId", "correlationId", "globalPid", "syncType"},
        [&](TableReader& row) {
            if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
            const int64_t kind = row.integer(5);
            const bool known = kind >= 0 && kind <= static_cast<int64_t>(WaitKind::Context);
            const std::string name =
                waitName(known ? static_cast<WaitKind>(kind) : WaitKind{}, static_cast<uint32_t>(row.integer(2)));
            const auto process = static_cast<uint64_t>(row.integer(4));
            waits.push_back({.range = {.startNs = row.integer(0),
                                       .endNs = row.integer(1),
                                       .name = m_builder.intern(name),
                                       .globalTid = process,
                                       .kind = RangeKind::Wait},
                             .globalPid = process,
                             .correlationId = saneCorrelation(row.integer(3))});
        }));
    using Key = std::pair<uint64_t, uint32_t>;
    std::map<Key, uint64_t> threadOf;
    for (const Wait& wait : waits)
        if (wait.correlationId != 0) threadOf.try_emplace({wait.globalPid, wait.correlationId}, 0);
    for (const ApiCallRow& call : calls)
        if (const auto it = threadOf.find({globalPidOf(call.globalTid), call.correlationId}); it != threadOf.end())
            it->second = call.globalTid;
    int64_t withoutCall = 0;
    for (Wait& wait : waits) {
        const auto it = threadOf.find({wait.globalPid, wait.correlationId});
        if (it != threadOf.end() && it->second != 0)
            wait.range.globalTid = it->second;
        else
            ++withoutCall;
        ranges.push_back(wait.range);
    }
    m_builder.diagnostics().add("gpu_wait_without_call", Severity::Info, withoutCall,
                                "Waits name no call, so it is not known which thread waited.");
    return {};
}

Status NsysMoreTables::readLibraryCalls(std::vector<RangeRow>& ranges) {
    for (const char* table : kLibraryTables) {
        RETURN_IF_ERROR(forEach(table, {"start", "end", "globalTid", "nameId"}, [&](TableReader& row) {
            if (row.isNull(1) || !timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
            const StringId name =
                row.isNull(3) ? m_builder.intern("host function") : m_strings.id(row.integer(3), m_builder);
            ranges.push_back({.startNs = row.integer(0),
                              .endNs = row.integer(1),
                              .name = name,
                              .globalTid = static_cast<uint64_t>(row.integer(2)),
                              .kind = RangeKind::CpuOp});
        }));
    }
    return {};
}

Status NsysMoreTables::readGpuMetrics() {
    using Metric = std::pair<int64_t, int64_t>;  // type and metric id
    std::map<Metric, std::string> names;
    RETURN_IF_ERROR(forEach("TARGET_INFO_GPU_METRICS", {"typeId", "metricId", "metricName"}, [&](TableReader& row) {
        if (names.size() < kMostMetricNames) names[{row.integer(0), row.integer(1)}] = toValidUtf8(row.text(2));
    }));
    std::map<Metric, CounterId> counters;
    std::vector<CounterSampleRow> samples;
    int64_t tooMany = 0;
    RETURN_IF_ERROR(forEach("GPU_METRICS", {"timestamp", "typeId", "metricId", "value"}, [&](TableReader& row) {
        if (!timesAreSane(row.integer(0), row.integer(0), m_builder)) return;
        const Metric metric{row.integer(1), row.integer(2)};
        auto it = counters.find(metric);
        if (it == counters.end()) {
            if (counters.size() >= kMostCounters) {
                ++tooMany;
                return;
            }
            const auto known = names.find(metric);
            const std::string name = known == names.end() ? "metric " + std::to_string(metric.second) : known->second;
            // The GPU is the lowest byte of the type, in Nsight's own queries, too.
            const CounterRow counter{.name = m_builder.intern(name),
                                     .deviceId = static_cast<uint32_t>(metric.first & 0xFF)};
            it = counters.emplace(metric, m_builder.internCounter(counter)).first;
        }
        samples.push_back(
            {.timeNs = row.integer(0), .counter = it->second, .value = static_cast<double>(row.integer(3))});
    }));
    std::ranges::stable_sort(samples, {}, &CounterSampleRow::timeNs);
    for (const CounterSampleRow& sample : samples)
        m_builder.add(sample);
    m_builder.diagnostics().add("too_many_counters", Severity::DataLoss, tooMany,
                                "Samples of more metrics than can be shown are left out.");
    return {};
}

Status NsysMoreTables::readMessages() {
    constexpr int64_t kWarning = 2, kError = 3;  // ENUM_DIAGNOSTIC_SEVERITY_LEVEL
    std::map<std::string, size_t> numbers;       // one entry a text
    int64_t more = 0;
    RETURN_IF_ERROR(forEach("DIAGNOSTIC_EVENT", {"severity", "text"}, [&](TableReader& row) {
        const std::string text = toValidUtf8(row.text(1).substr(0, kMostMessageLetters));
        if (numbers.size() >= kMostProfilerMessages && !numbers.contains(text)) {
            ++more;
            return;
        }
        const size_t number = numbers.try_emplace(text, numbers.size() + 1).first->second;
        const Severity severity = row.integer(0) == kError     ? Severity::Error
                                  : row.integer(0) == kWarning ? Severity::DataLoss
                                                               : Severity::Info;
        m_builder.diagnostics().add("nsight_message_" + std::to_string(number), severity, 1,
                                    "Nsight Systems said: " + text);
    }));
    m_builder.diagnostics().add("nsight_messages_more", Severity::Info, more,
                                "Nsight Systems recorded more messages than are shown here.");
    return {};
}

Status NsysMoreTables::readProcessNames(const std::set<uint64_t>& threads) {
    size_t count = 0;
    return forEach("PROCESSES", {"globalPid", "name"}, [&](TableReader& row) {
        const auto process = static_cast<uint64_t>(row.integer(0));
        const uint64_t mainThread = globalPidOf(process) | processIdOf(process);
        const std::string name = toValidUtf8(row.text(1));
        if (name.empty() || !threads.contains(mainThread)) return;
        if (++count <= kMostThreads)
            m_builder.setThread(mainThread, name);
        else
            countThreadsWithoutName(1, m_builder);
    });
}

Status NsysMoreTables::countTablesNotShown() {
    ASSIGN_OR_RETURN(const std::vector<std::string> tables, m_database.tables(kMostTablesLookedAt));
    std::string list;
    int64_t rowCount = 0;
    size_t named = 0;
    for (const std::string& table : tables) {
        const bool isPlain =
            std::ranges::all_of(table, [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); });
        if (!isPlain || isShown(table)) continue;
        ASSIGN_OR_RETURN(const auto columns, m_database.columnsOf(table));
        const bool hasTime = std::ranges::any_of(columns, [](const std::string& column) {
            return column == "start" || column == "timestamp" || column == "rawTimestamp";
        });
        if (!hasTime) continue;
        ASSIGN_OR_RETURN(const int64_t last, m_database.queryInteger("SELECT max(rowid) FROM \"" + table + "\"", 0));
        if (last <= 0) continue;
        rowCount += std::min<int64_t>(last, 1'000'000'000);
        if (++named <= kMostTablesNamed) list += (list.empty() ? "" : ", ") + table + " (" + std::to_string(last) + ")";
    }
    m_builder.diagnostics().add("nsight_tables_not_shown", Severity::Info, rowCount,
                                "Rows of these tables of the export are not shown: " + list + ".");
    return {};
}

}  // namespace gapscope
