// Rows of the tables that Nsight Systems' exports and our own sessions share. Internal to the import room.
#pragma once

#include <string>
#include <unordered_map>

#include "core/import/row_checks.h"
#include "core/import/table_reader.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

// Ids of the file's StringIds table to texts or to ids of the trace.
class FileStrings {
public:
    enum class Intern { All, WhenUsed };  // own sessions keep every id; foreign files hold much that is never used
    Status read(Database& database, ImportBudget& budget, TraceBuilder& builder, Intern intern);
    const std::string* text(int64_t fileId) const;
    // -1 is "no name". An id that the file does not explain becomes "[unknown]".
    StringId id(int64_t fileId, TraceBuilder& builder);

private:
    struct Entry {
        std::string text;
        StringId id{};  // once interned: millions of rows name a few hundred texts
    };
    std::unordered_map<int64_t, Entry> m_entries;
};

// One row of a CUPTI_ACTIVITY_KIND table of device operations.
struct EventRow {
    int64_t rowId = 0;
    int64_t startNs = 0;
    int64_t endNs = 0;
    TrackRow track;
    uint32_t correlationId = 0;
    uint64_t graphNodeId = 0;
    int64_t bytes = 0;
    int64_t kind = 0;  // of a copy: ENUM_CUDA_MEMCPY_OPER
    int64_t fullName = -1;
    LaunchConfigRow config;
};

class EventTable {
public:
    static Result<EventTable> open(Database& database, ImportBudget& budget, DeviceOpKind kind);
    Result<bool> next(EventRow& row);

private:
    EventTable(TableReader reader, DeviceOpKind kind) : m_reader(std::move(reader)), m_kind(kind) {}
    TableReader m_reader;
    DeviceOpKind m_kind;
};

}  // namespace gapscope
