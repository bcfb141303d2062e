#include "core/import/recover_session.h"

#include <algorithm>
#include <system_error>

#include "core/base/process_alive.h"
#include "core/base/session_format.h"
#include "core/base/sqlite.h"
#include "core/import/own_session.h"

namespace gapscope {

namespace {

Result<int64_t> meta(Database& database, const char* name) {
    return database.queryInteger(std::string("SELECT value FROM GAPSCOPE_META WHERE name = '") + name + "'", 0);
}

Result<bool> isBeingWritten(Database& database) {
    ASSIGN_OR_RETURN(const int64_t pid, meta(database, "writerPid"));
    ASSIGN_OR_RETURN(const int64_t start, meta(database, "writerStartTicks"));
    return start != 0 && processStartTicks(pid) == start;
}

// Nothing, if the file is no unfinished session or cannot be read.
std::vector<UnfinishedSession> lookAt(const std::filesystem::path& path) {
    const auto look = [&]() -> Result<std::vector<UnfinishedSession>> {
        ASSIGN_OR_RETURN(Database database, Database::open(path, Database::Mode::ReadOnly));
        RETURN_IF_ERROR(database.execute("PRAGMA busy_timeout = 0"));
        ASSIGN_OR_RETURN(const bool own, isOwnSession(database, path.string()));
        if (!own) return {};
        ASSIGN_OR_RETURN(const int64_t complete, meta(database, "complete"));
        ASSIGN_OR_RETURN(const bool written, isBeingWritten(database));
        if (complete != 0 || written) return {};
        UnfinishedSession session{.path = path};
        ASSIGN_OR_RETURN(session.startedUtcNs, meta(database, "createdUtcNs"));
        for (const char* table : {"GAPSCOPE_DEVICE_OP", "CUPTI_ACTIVITY_KIND_RUNTIME", "NVTX_EVENTS"}) {
            ASSIGN_OR_RETURN(const int64_t rows,
                             database.queryInteger(std::string("SELECT count(*) FROM ") + table, 0));
            session.eventCount += rows;
        }
        ASSIGN_OR_RETURN(session.tokenCount, database.queryInteger("SELECT count(*) FROM GAPSCOPE_TOKEN", 0));
        ASSIGN_OR_RETURN(Statement model, database.prepare("SELECT value FROM GAPSCOPE_RUN WHERE name = 'modelName'"));
        ASSIGN_OR_RETURN(const bool named, model.step());
        if (named) session.modelName = model.text(0);
        return std::vector{std::move(session)};
    };
    return look().value_or(std::vector<UnfinishedSession>());
}

}  // namespace

std::vector<UnfinishedSession> findUnfinished(const std::filesystem::path& folder) {
    std::vector<UnfinishedSession> found;
    std::error_code error;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (it->path().extension() != kSessionExtension || !it->is_regular_file(ignored)) continue;
        for (UnfinishedSession& session : lookAt(it->path()))
            found.push_back(std::move(session));
    }
    std::ranges::stable_sort(found, std::ranges::greater{}, &UnfinishedSession::startedUtcNs);
    return found;
}

Status recoverSession(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(Database database, Database::open(path, Database::Mode::ReadWrite));
    ASSIGN_OR_RETURN(const bool own, isOwnSession(database, path.string()));
    if (!own) return fail(path.string() + " is not a Gapscope session.", ErrorKind::BadFile);
    ASSIGN_OR_RETURN(const bool written, isBeingWritten(database));
    ASSIGN_OR_RETURN(const int64_t complete, meta(database, "complete"));
    if (complete != 0) return {};
    if (written) return fail(path.string() + " is still being written by a running program.");
    // Only a run has a stop reason; a session without one, killed before its first batch, stays without.
    RETURN_IF_ERROR(
        database.execute("BEGIN IMMEDIATE; "
                         "INSERT OR REPLACE INTO GAPSCOPE_RUN SELECT 'stopReason', 'interrupted' WHERE EXISTS (SELECT "
                         "1 FROM GAPSCOPE_RUN); "
                         "UPDATE GAPSCOPE_META SET value = 1 WHERE name = 'complete'; COMMIT"));
    RETURN_IF_ERROR(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    RETURN_IF_ERROR(database.execute("PRAGMA journal_mode = DELETE"));
    return database.close();
}

}  // namespace gapscope
