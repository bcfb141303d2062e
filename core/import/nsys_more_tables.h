// Tables of an Nsight Systems export beside those of kernels and calls: waits, library and system calls, GPU metrics,
// messages of the profiler, and a count of those that are not shown. Internal to the import room.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "core/import/nsys_rows.h"

namespace gapscope {

class NsysMoreTables {
public:
    NsysMoreTables(Database& database, ImportBudget& budget, TraceBuilder& builder, FileStrings& strings)
        : m_database(database), m_budget(budget), m_builder(builder), m_strings(strings) {}

    // Waits for streams, events and devices, on the thread whose call of the same process and correlation id waited.
    Status readWaits(std::span<const ApiCallRow> calls, std::vector<RangeRow>& ranges);
    // Calls of cuBLAS, cuDNN and the operating system, and host functions that a stream ran.
    Status readLibraryCalls(std::vector<RangeRow>& ranges);
    // Sampled metrics as counters of their device.
    Status readGpuMetrics();
    // What the profiler said about its own recording.
    Status readMessages();
    // Names of processes, for their main threads where they have no other.
    Status readProcessNames(const std::set<uint64_t>& threads);
    // Tables with events that nothing above reads.
    Status countTablesNotShown();

private:
    template <class Use>
    Status forEach(std::string_view table, const std::vector<std::string>& columns, Use use) {
        return forEachRow(m_database, m_budget, table, columns, use);
    }

    Database& m_database;
    ImportBudget& m_budget;
    TraceBuilder& m_builder;
    FileStrings& m_strings;
};

}  // namespace gapscope
