// Rows of a Trace as rows of a session file, from where the last committed batch ended. Used inside a transaction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>

#include "core/base/sqlite.h"
#include "core/export/export_texts.h"
#include "core/trace/trace.h"

namespace gapscope {

class SessionRows {
public:
    explicit SessionRows(Database& database, Identity identity = Identity::Kept)
        : m_database(database), m_identity(identity) {}

    // Adds what `trace` has beyond the committed rows and replaces the small tables.
    Status write(const Trace& trace, std::stop_token stop);
    // The transaction of the last write() holds: the next one goes on from there.
    void committed(const Trace& trace);
    void close() { m_statements.reset(); }  // before the database is closed

private:
    struct Counts {
        size_t strings = 0, tracks = 0, ops = 0, configs = 0, deviceOps = 0, stages = 0, apiCalls = 0, ranges = 0,
               overheads = 0, tokens = 0, counters = 0, counterSamples = 0;
        std::array<int64_t, 4> events{};  // rows of the CUPTI table of each DeviceOpKind
    };
    struct Statements;

    Status prepare();
    Status writeInterned(const Trace& trace, const ExportTexts& texts);
    Status writeDeviceOps(const Trace& trace, std::stop_token stop);
    Status writeEvent(const Trace& trace, const DeviceOpRow& op, int64_t eventRow);
    Status writeHostRows(const Trace& trace, std::stop_token stop);
    Status writeSmallTables(const Trace& trace, const ExportTexts& texts);
    Status writeRun(const RunInfo& run);
    Status writeAnnotations(const Annotations& annotations, const ExportTexts& texts);

    Database& m_database;
    Identity m_identity;
    std::shared_ptr<Statements> m_statements;
    Counts m_committed;
    std::array<int64_t, 4> m_events{};  // as m_committed.events, while a write goes on
    std::set<uint64_t> m_processes;
};

}  // namespace gapscope
