#include "core/import/nsys_sqlite.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/base/category_rules.h"
#include "core/base/utf8.h"
#include "core/import/nsys_more_tables.h"
#include "core/import/nsys_rows.h"
#include "core/import/own_session.h"

namespace gapscope {

namespace {

// "cudaLaunchKernel_v7000" -> "cudaLaunchKernel"; "cuMemcpyDtoH_v2" has a version of another kind and loses it too.
std::string_view withoutVersion(std::string_view name) {
    const size_t mark = name.rfind("_v");
    if (mark == std::string_view::npos || mark + 2 == name.size()) return name;
    const bool digits = std::ranges::all_of(name.substr(mark + 2), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? name.substr(0, mark) : name;
}

class NsysReader {
public:
    NsysReader(Database& database, ImportBudget& budget, TraceBuilder& builder)
        : m_database(database), m_budget(budget), m_builder(builder), m_more(database, budget, builder, m_strings) {}

    Status read() {
        RETURN_IF_ERROR(m_strings.read(m_database, m_budget, m_builder, FileStrings::Intern::WhenUsed));
        RETURN_IF_ERROR(readOrigin());
        RETURN_IF_ERROR(readDeviceOps());
        RETURN_IF_ERROR(readCalls());
        RETURN_IF_ERROR(readRanges());
        RETURN_IF_ERROR(readOverheads("CUPTI_ACTIVITY_KIND_OVERHEAD"));
        RETURN_IF_ERROR(readOverheads("PROFILER_OVERHEAD"));
        RETURN_IF_ERROR(m_more.readGpuMetrics());
        RETURN_IF_ERROR(readThreads());
        RETURN_IF_ERROR(readDevices());
        RETURN_IF_ERROR(m_more.readMessages());
        return m_more.countTablesNotShown();
    }

private:
    template <class Use>
    Status forEach(std::string_view table, const std::vector<std::string>& columns, Use use) {
        return forEachRow(m_database, m_budget, table, columns, use);
    }

    // Tables of an export stand in no promised order, and kinds come apart: rows enter the trace by start.
    template <class Row>
    void addByStart(std::vector<Row>& rows) {
        if (!std::ranges::is_sorted(rows, {}, &Row::startNs)) std::ranges::stable_sort(rows, {}, &Row::startNs);
        for (const Row& row : rows)
            m_builder.add(row);
    }

    Status readOrigin() {
        return forEach("TARGET_INFO_SESSION_START_TIME", {"utcEpochNs"},
                       [&](TableReader& row) { m_builder.setOrigin({.utcEpochNs = row.integer(0)}); });
    }

    // What all kernels of one name have in common, and how the last of them ran: mostly as it did the time before.
    struct KernelName {
        StringId id;
        bool isKnown = false;
        Category category = Category::Other;
        LaunchConfigRow lastConfig;
        LaunchConfigId lastConfigId;
    };
    void setKernel(const EventRow& event, DeviceOpRow& op) {
        const auto [it, isNew] = m_kernelNames.try_emplace(event.fullName);
        KernelName& name = it->second;
        if (isNew) {
            const std::string* const text = m_strings.text(event.fullName);
            name.isKnown = text != nullptr;
            if (text) name.category = CategoryRules::builtIn().categoryOf(*text);
        }
        // One that the file does not hold is counted with each of its rows.
        if (isNew || !name.isKnown) name.id = m_strings.id(event.fullName, m_builder);
        // The full name, not the short one: many CUTLASS kernels are all called "Kernel".
        op.name = name.id;
        op.category = name.category;
        LaunchConfigRow config = event.config;
        config.fullName = op.name;
        if (!name.lastConfigId.valid() || config != name.lastConfig) {
            name.lastConfig = config;
            name.lastConfigId = m_builder.internLaunchConfig(config);
        }
        op.config = name.lastConfigId;
    }

    // Rows of one thread or device mostly follow each other.
    void noteThread(uint64_t thread) {
        if (m_threads.empty() || thread != m_lastThread) m_threads.insert(thread);
        m_lastThread = thread;
    }
    void noteDevice(uint32_t device) {
        if (m_deviceIds.empty() || device != m_lastDevice) m_deviceIds.insert(device);
        m_lastDevice = device;
    }

    // Nsight's own words for them.
    StringId copyName(int64_t kind) {
        static constexpr std::array kLabels = {"Unknown",
                                               "Host-to-Device",
                                               "Device-to-Host",
                                               "Host-to-Array",
                                               "Array-to-Host",
                                               "Array-to-Array",
                                               "Array-to-Device",
                                               "Device-to-Array",
                                               "Device-to-Device",
                                               "Host-to-Host",
                                               "Peer-to-Peer",
                                               "Unified Host-to-Device",
                                               "Unified Device-to-Host",
                                               "Unified Device-to-Device"};
        const size_t index = kind >= 0 && static_cast<size_t>(kind) < kLabels.size() ? static_cast<size_t>(kind) : 0;
        return m_builder.intern(std::string("[CUDA memcpy ") + kLabels[index] + "]");
    }

    Status readDeviceOps() {
        std::vector<DeviceOpRow> ops;
        for (const DeviceOpKind kind :
             {DeviceOpKind::Kernel, DeviceOpKind::Copy, DeviceOpKind::Set, DeviceOpKind::GraphLaunch}) {
            ASSIGN_OR_RETURN(EventTable table, EventTable::open(m_database, m_budget, kind));
            EventRow event;
            for (;;) {
                ASSIGN_OR_RETURN(const bool more, table.next(event));
                if (!more) break;
                if (!timesAreSane(event.startNs, event.endNs, m_builder)) continue;
                DeviceOpRow op{.startNs = event.startNs,
                               .endNs = event.endNs,
                               .track = m_tracks.intern(event.track, m_builder),
                               .kind = kind,
                               .correlationId = event.correlationId,
                               .copyBytes = event.bytes,
                               .graphNodeId = event.graphNodeId};
                if (!op.track.valid()) continue;
                noteDevice(event.track.deviceId);
                switch (kind) {
                    case DeviceOpKind::Kernel:
                        setKernel(event, op);
                        break;
                    case DeviceOpKind::Copy:
                        op.name = copyName(event.kind);
                        op.category = Category::Copy;
                        break;
                    case DeviceOpKind::Set:
                        op.name = m_builder.intern("[CUDA memset]");
                        op.category = Category::Set;
                        break;
                    case DeviceOpKind::GraphLaunch:
                        op.name = m_builder.intern("[CUDA graph]");
                        break;
                }
                ops.push_back(op);
            }
        }
        addByStart(ops);
        return {};
    }

    Status readCalls() {
        std::unordered_map<int64_t, StringId> names;
        std::vector<ApiCallRow>& calls = m_calls;
        RETURN_IF_ERROR(
            forEach("CUPTI_ACTIVITY_KIND_RUNTIME",
                    {"start", "end", "eventClass", "globalTid", "correlationId", "nameId"}, [&](TableReader& row) {
                        if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
                        const auto [name, isNew] = names.try_emplace(row.integer(5));
                        if (isNew) {
                            const std::string* text = m_strings.text(row.integer(5));
                            name->second = text ? m_builder.intern(withoutVersion(*text))
                                                : m_strings.id(row.integer(5), m_builder);
                        }
                        calls.push_back({.startNs = row.integer(0),
                                         .endNs = row.integer(1),
                                         .name = name->second,
                                         .globalTid = static_cast<uint64_t>(row.integer(3)),
                                         .correlationId = saneCorrelation(row.integer(4)),
                                         .apiClass = row.integer(2) == 1 ? ApiClass::Driver : ApiClass::Runtime});
                        noteThread(calls.back().globalTid);
                    }));
        addByStart(calls);
        return {};
    }

    Status readRanges() {
        constexpr int64_t kMark = 34, kPushPop = 59, kStartEnd = 60;  // ENUM_NSYS_EVENT_TYPE
        std::vector<RangeRow> ranges;
        RETURN_IF_ERROR(
            forEach("NVTX_EVENTS", {"start", "end", "eventType", "globalTid", "text", "textId"}, [&](TableReader& row) {
                const int64_t type = row.integer(2);
                if (type == kMark) {
                    m_builder.diagnostics().add("nvtx_mark", Severity::Info, 1,
                                                "NVTX marks are single moments and are not shown as ranges.");
                    return;
                }
                if (type != kPushPop && type != kStartEnd) return;  // names of domains, categories and threads
                if (row.isNull(1)) {
                    m_builder.diagnostics().add(
                        "nvtx_range_without_end", Severity::DataLoss, 1,
                        "NVTX ranges that were still open when the capture ended are left out.");
                    return;
                }
                if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
                StringId name;
                if (!row.isNull(4)) {
                    name = m_builder.intern(toValidUtf8(row.text(4)));
                } else {
                    name = m_strings.id(row.integer(5), m_builder);
                }
                ranges.push_back({.startNs = row.integer(0),
                                  .endNs = row.integer(1),
                                  .name = name,
                                  .globalTid = static_cast<uint64_t>(row.integer(3))});
            }));
        RETURN_IF_ERROR(m_more.readLibraryCalls(ranges));
        RETURN_IF_ERROR(m_more.readWaits(m_calls, ranges));
        m_calls = {};
        for (const RangeRow& range : ranges)
            noteThread(range.globalTid);
        addByStart(ranges);
        return {};
    }

    Status readOverheads(std::string_view table) {
        static constexpr std::array kNames = {"profiler overhead",      "profiler overhead",     "driver JIT compiler",
                                              "profiler buffer flush",  "instrumentation",       "profiler resources",
                                              "runtime module loading", "lazy function loading", "command buffer full"};
        std::vector<OverheadRow> overheads;
        RETURN_IF_ERROR(forEach(table, {"start", "end", "globalTid", "nameId", "overheadType"}, [&](TableReader& row) {
            if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
            const std::string* text = row.isNull(3) ? nullptr : m_strings.text(row.integer(3));
            const int64_t type = row.integer(4);
            const size_t index = type >= 0 && static_cast<size_t>(type) < kNames.size() ? static_cast<size_t>(type) : 0;
            overheads.push_back({.startNs = row.integer(0),
                                 .endNs = row.integer(1),
                                 .name = m_builder.intern(text ? std::string_view(*text) : kNames[index]),
                                 .globalTid = static_cast<uint64_t>(row.integer(2))});
        }));
        addByStart(overheads);
        return {};
    }

    Status readThreads() {
        size_t count = 0;
        RETURN_IF_ERROR(m_more.readProcessNames(m_threads));
        return forEach("ThreadNames", {"nameId", "globalTid"}, [&](TableReader& row) {
            const auto tid = static_cast<uint64_t>(row.integer(1));
            const std::string* text = m_strings.text(row.integer(0));
            // Exports name every thread of the machine; only those with rows are of interest.
            if (!text || !m_threads.contains(tid)) return;
            if (++count <= kMostThreads)
                m_builder.setThread(tid, *text);
            else
                countThreadsWithoutName(1, m_builder);
        });
    }

    Status readDevices() {
        struct Gpu {
            std::string name;
            int64_t memoryBytes;
        };
        std::map<int64_t, Gpu> gpus;
        RETURN_IF_ERROR(forEach("TARGET_INFO_GPU", {"id", "name", "totalMemory"}, [&](TableReader& row) {
            if (gpus.size() < kMostDevices)
                gpus[row.integer(0)] = {toValidUtf8(row.text(1)), row.integer(2)};
            else
                countDevicesWithoutName(1, m_builder);
        }));
        std::map<int64_t, int64_t> gpuOfDevice;
        RETURN_IF_ERROR(forEach("TARGET_INFO_CUDA_DEVICE", {"gpuId", "cudaId"}, [&](TableReader& row) {
            if (gpuOfDevice.size() < kMostDevices) gpuOfDevice.try_emplace(row.integer(1), row.integer(0));
        }));
        size_t count = 0;
        for (const uint32_t id : m_deviceIds) {
            if (++count > kMostDevices) {
                countDevicesWithoutName(1, m_builder);
                continue;
            }
            const auto mapped = gpuOfDevice.find(id);
            const auto gpu = gpus.find(mapped == gpuOfDevice.end() ? id : mapped->second);
            DeviceRow device{.id = id, .kind = DeviceKind::Cuda, .name = "GPU " + std::to_string(id)};
            if (gpu != gpus.end()) {
                if (!gpu->second.name.empty()) device.name = gpu->second.name;
                device.totalMemoryBytes = gpu->second.memoryBytes;
            }
            m_builder.setDevice(std::move(device));
        }
        return {};
    }

    Database& m_database;
    ImportBudget& m_budget;
    TraceBuilder& m_builder;
    FileStrings m_strings;
    NsysMoreTables m_more;            // after what it reads with
    std::vector<ApiCallRow> m_calls;  // until the waits are read
    BoundedTracks m_tracks;
    std::unordered_map<int64_t, KernelName> m_kernelNames;
    std::set<uint32_t> m_deviceIds;
    std::set<uint64_t> m_threads;
    uint32_t m_lastDevice = 0;
    uint64_t m_lastThread = 0;
};

int64_t bytesOf(const std::filesystem::path& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    return error ? 0 : static_cast<int64_t>(bytes);
}

// A -wal file beside it holds what a live or killed writer committed last; reading it needs the shared-memory file.
Result<Database> openForReading(const std::filesystem::path& path, int64_t walBytes, TraceBuilder& builder) {
    if (walBytes > 0) {
        auto database = Database::open(path, Database::Mode::ReadOnly);
        const bool readable = database && database->queryInteger("SELECT count(*) FROM sqlite_master", 0).has_value();
        if (readable) return database;
        builder.diagnostics().add("last_rows_not_read", Severity::DataLoss, 1,
                                  "The newest rows lie in a file beside the session that could not be read here.");
    }
    return Database::open(path, Database::Mode::Immutable);
}

Status expectRows(Database& database, ImportBudget& budget) {
    for (const char* table :
         {"StringIds", "CUPTI_ACTIVITY_KIND_KERNEL", "CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET",
          "CUPTI_ACTIVITY_KIND_RUNTIME", "NVTX_EVENTS", "GAPSCOPE_DEVICE_OP"}) {
        ASSIGN_OR_RETURN(const auto columns, database.columnsOf(table));
        if (columns.empty()) continue;
        ASSIGN_OR_RETURN(const int64_t rows,
                         database.queryInteger("SELECT max(rowid) FROM \"" + std::string(table) + "\"", 0));
        budget.expectRows(std::clamp<int64_t>(rows, 0, 1'000'000'000));
    }
    return {};
}

Result<bool> looksLikeNsysExport(Database& database) {
    for (const char* table : {"CUPTI_ACTIVITY_KIND_KERNEL", "CUPTI_ACTIVITY_KIND_RUNTIME", "NVTX_EVENTS",
                              "CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_GRAPH_TRACE"}) {
        ASSIGN_OR_RETURN(const auto columns, database.columnsOf(table));
        if (std::ranges::find(columns, "start") != columns.end()) return true;
    }
    return false;
}

Result<TracePtr> read(Database& database, TraceBuilder& builder, const std::string& name, int64_t bytes,
                      const ImportProgress& progress, std::stop_token stop) {
    database.setInterrupt([stop] { return stop.stop_requested(); });
    ImportBudget budget(bytes, progress, stop);
    // One transaction: a writer that goes on adding rows must not be seen half.
    RETURN_IF_ERROR(database.execute("BEGIN"));
    ASSIGN_OR_RETURN(const bool own, isOwnSession(database, name));
    RETURN_IF_ERROR(expectRows(database, budget));
    if (own) {
        RETURN_IF_ERROR(readOwnSession(database, budget, builder));
        return builder.snapshot();
    }
    ASSIGN_OR_RETURN(const bool nsys, looksLikeNsysExport(database));
    if (!nsys) {
        return fail(name + " is an SQLite database but no trace: it has neither Gapscope's nor Nsight Systems' tables.",
                    ErrorKind::BadFile);
    }
    RETURN_IF_ERROR(NsysReader(database, budget, builder).read());
    return builder.snapshot();
}

}  // namespace

Result<TracePtr> readNsysSqlite(const std::filesystem::path& path, const ImportProgress& progress,
                                std::stop_token stop) {
    const int64_t walBytes = bytesOf(path.string() + "-wal");
    TraceBuilder builder;
    ASSIGN_OR_RETURN(Database database, openForReading(path, walBytes, builder));
    return read(database, builder, path.string(), bytesOf(path) + walBytes, progress, stop);
}

Result<TracePtr> readNsysSqlite(std::string bytes, const std::string& name, const ImportProgress& progress,
                                std::stop_token stop) {
    TraceBuilder builder;
    const auto size = static_cast<int64_t>(bytes.size());
    ASSIGN_OR_RETURN(Database database, Database::openBytes(std::move(bytes), name));
    return read(database, builder, name, size, progress, stop);
}

}  // namespace gapscope
