#include "core/import/nsys_rows.h"

#include <array>
#include <utility>

#include "core/base/utf8.h"

namespace gapscope {

Status FileStrings::read(Database& database, ImportBudget& budget, TraceBuilder& builder, Intern intern) {
    return forEachRow(database, budget, "StringIds", {"id", "value"}, [&](TableReader& row) {
        Entry entry{.text = toValidUtf8(row.text(1))};
        if (intern == Intern::All) entry.id = builder.intern(entry.text);
        m_entries.emplace(row.integer(0), std::move(entry));
    });
}

const std::string* FileStrings::text(int64_t fileId) const {
    const auto it = m_entries.find(fileId);
    return it == m_entries.end() ? nullptr : &it->second.text;
}

StringId FileStrings::id(int64_t fileId, TraceBuilder& builder) {
    if (fileId == -1) return {};
    if (const auto it = m_entries.find(fileId); it != m_entries.end()) {
        if (!it->second.id.valid()) it->second.id = builder.intern(it->second.text);
        return it->second.id;
    }
    builder.diagnostics().add("unknown_name", Severity::DataLoss, 1,
                              "Rows name a text that the file does not hold; they are shown as [unknown].");
    return builder.intern("[unknown]");
}

Result<EventTable> EventTable::open(Database& database, ImportBudget& budget, DeviceOpKind kind) {
    static constexpr std::array kTables = {"CUPTI_ACTIVITY_KIND_KERNEL", "CUPTI_ACTIVITY_KIND_MEMCPY",
                                           "CUPTI_ACTIVITY_KIND_MEMSET", "CUPTI_ACTIVITY_KIND_GRAPH_TRACE"};
    std::vector<std::string> columns = {"start",    "end",           "deviceId",  "contextId",
                                        "streamId", "correlationId", "globalPid", "graphNodeId"};
    switch (kind) {
        case DeviceOpKind::Kernel:
            for (const char* name : {"demangledName", "registersPerThread", "gridX", "gridY", "gridZ", "blockX",
                                     "blockY", "blockZ", "staticSharedMemory", "dynamicSharedMemory"})
                columns.emplace_back(name);
            break;
        case DeviceOpKind::Copy:
            columns.emplace_back("bytes");
            columns.emplace_back("copyKind");
            break;
        case DeviceOpKind::Set:
            columns.emplace_back("bytes");
            break;
        case DeviceOpKind::GraphLaunch:
            columns.back() = "graphId";
            break;
    }
    ASSIGN_OR_RETURN(TableReader reader,
                     TableReader::open(database, budget, kTables[static_cast<size_t>(kind)], columns));
    return EventTable(std::move(reader), kind);
}

Result<bool> EventTable::next(EventRow& row) {
    ASSIGN_OR_RETURN(const bool more, m_reader.next());
    if (!more) return false;
    row = {};
    row.rowId = m_reader.rowId();
    row.startNs = m_reader.integer(0);
    row.endNs = m_reader.integer(1);
    row.track = {.globalPid = static_cast<uint64_t>(m_reader.integer(6)),
                 .deviceId = static_cast<uint32_t>(m_reader.integer(2)),
                 .contextId = static_cast<uint32_t>(m_reader.integer(3)),
                 .streamId = static_cast<uint32_t>(m_reader.integer(4))};
    row.correlationId = saneCorrelation(m_reader.integer(5));
    row.graphNodeId = static_cast<uint64_t>(m_reader.integer(7));
    switch (m_kind) {
        case DeviceOpKind::Kernel: {
            const auto number = [&](int column) { return static_cast<int32_t>(m_reader.integer(column)); };
            row.fullName = m_reader.integer(8);
            row.config = {.grid = {number(10), number(11), number(12)},
                          .block = {number(13), number(14), number(15)},
                          .registersPerThread = number(9),
                          .staticSharedBytes = number(16),
                          .dynamicSharedBytes = number(17)};
            break;
        }
        case DeviceOpKind::Copy:
            row.bytes = m_reader.integer(8);
            row.kind = m_reader.integer(9);
            break;
        case DeviceOpKind::Set:
            row.bytes = m_reader.integer(8);
            break;
        case DeviceOpKind::GraphLaunch:
            break;
    }
    return true;
}

}  // namespace gapscope
