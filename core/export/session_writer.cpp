#include "core/export/session_writer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <set>

#include "core/base/process_alive.h"
#include "core/base/session_format.h"
#include "core/base/sqlite.h"
#include "core/export/output_file.h"
#include "core/export/session_rows.h"
#include "core/export/session_schema.h"

namespace gapscope {

namespace {

enum class Durability { WriteAhead, TemporaryFile };

Status writeMeta(Database& database, const char* name, int64_t value) {
    ASSIGN_OR_RETURN(Statement insert, database.prepare("INSERT OR REPLACE INTO GAPSCOPE_META VALUES (?1, ?2)"));
    insert.bind(0, std::string_view(name));
    insert.bind(1, value);
    return insert.run();
}

Status createSchema(Database& database) {
    RETURN_IF_ERROR(database.execute("BEGIN IMMEDIATE"));
    RETURN_IF_ERROR(database.execute(sessionSchemaSql()));
    RETURN_IF_ERROR(database.execute("PRAGMA application_id = " + std::to_string(kSessionApplicationId)));
    const int64_t utcNs =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    RETURN_IF_ERROR(writeMeta(database, "formatVersion", kSessionFormatVersion));
    RETURN_IF_ERROR(writeMeta(database, "complete", 0));
    RETURN_IF_ERROR(writeMeta(database, "createdUtcNs", utcNs));
    // Who writes: tells an unfinished session from one that is being written right now.
    RETURN_IF_ERROR(writeMeta(database, "writerPid", getpid()));
    RETURN_IF_ERROR(writeMeta(database, "writerStartTicks", processStartTicks(getpid())));
    const std::string schema(kNsysSchemaVersion);
    RETURN_IF_ERROR(
        database.execute("INSERT INTO META_DATA_EXPORT VALUES ('EXPORT_PRODUCT_NAME', 'Gapscope'), "
                         "('EXPORT_PRODUCT_VERSION', '" GAPSCOPE_VERSION "'), "
                         "('EXPORT_SCHEMA_VERSION', '" +
                         schema + "')"));
    return database.execute("COMMIT");
}

// A -wal left by an earlier file of this name would be replayed into the new one.
void removeCompanions(const std::filesystem::path& path) {
    std::error_code ignored;
    for (const char* suffix : {"-wal", "-shm", "-journal"})
        std::filesystem::remove(path.string() + suffix, ignored);
}

Result<Database> createDatabase(const std::filesystem::path& path, Durability durability, std::string errorName = {}) {
    ASSIGN_OR_RETURN(Database database, Database::open(path, Database::Mode::Create, std::move(errorName)));
    removeCompanions(path);
    const auto prepare = [&]() -> Status {
        if (durability == Durability::WriteAhead) {
            RETURN_IF_ERROR(database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"));
        } else {
            RETURN_IF_ERROR(database.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
        }
        RETURN_IF_ERROR(createSchema(database));
        // The schema goes into the file itself at once: a session is then never an empty file beside a -wal.
        if (durability == Durability::WriteAhead) RETURN_IF_ERROR(database.execute("PRAGMA wal_checkpoint(PASSIVE)"));
        return {};
    };
    if (Status status = prepare(); !status) {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        removeCompanions(path);
        return tl::unexpected<Error>(std::move(status).error());
    }
    return database;
}

}  // namespace

struct SessionWriter::Impl {
    Impl(Database opened, std::filesystem::path name) : database(std::move(opened)), path(std::move(name)) {}
    Database database;
    std::filesystem::path path;
    SessionRows rows{database};
    bool finished = false;
};

SessionWriter::SessionWriter(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
SessionWriter::~SessionWriter() = default;

const std::filesystem::path& SessionWriter::path() const {
    return m_impl->path;
}

Result<std::unique_ptr<SessionWriter>> SessionWriter::create(const std::filesystem::path& path) {
    ASSIGN_OR_RETURN(Database database, createDatabase(path, Durability::WriteAhead));
    return std::unique_ptr<SessionWriter>(new SessionWriter(std::make_unique<Impl>(std::move(database), path)));
}

Status SessionWriter::append(const Trace& snapshot) {
    if (m_impl->finished) return fail("The session " + m_impl->path.string() + " is closed already.");
    RETURN_IF_ERROR(m_impl->database.execute("BEGIN IMMEDIATE"));
    Status status = m_impl->rows.write(snapshot, {});
    if (status) status = m_impl->database.execute("COMMIT");
    if (!status) {
        // SQLite may have rolled back by itself already (a full disk); then this reports an error of no interest.
        (void)m_impl->database.execute("ROLLBACK");
        return status;
    }
    m_impl->rows.committed(snapshot);
    return {};
}

Status SessionWriter::finish() {
    if (m_impl->finished) return {};
    RETURN_IF_ERROR(writeMeta(m_impl->database, "complete", 1));
    m_impl->finished = true;
    RETURN_IF_ERROR(m_impl->database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
    // Out of WAL mode the file is whole by itself, also on a medium that cannot be written. A program that reads the
    // session at this moment keeps it in WAL mode; the rows are in the file either way.
    (void)m_impl->database.execute("PRAGMA journal_mode = DELETE");
    m_impl->rows.close();
    return m_impl->database.close();
}

Status saveSession(const Trace& trace, const std::filesystem::path& path, std::stop_token stop, Identity identity) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return fail(path.string() + " is a folder; name a file in it.");
    const std::filesystem::path part = partPathOf(path);
    std::filesystem::remove(part, ignored);
    const auto write = [&]() -> Status {
        ASSIGN_OR_RETURN(Database database, createDatabase(part, Durability::TemporaryFile, path.string()));
        database.setInterrupt([stop] { return stop.stop_requested(); });
        SessionRows rows(database, identity);
        RETURN_IF_ERROR(database.execute("BEGIN IMMEDIATE"));
        RETURN_IF_ERROR(rows.write(trace, stop));
        RETURN_IF_ERROR(writeMeta(database, "complete", 1));
        RETURN_IF_ERROR(database.execute("COMMIT"));
        rows.close();
        RETURN_IF_ERROR(database.close());
        RETURN_IF_ERROR(publishPart(path));
        removeCompanions(path);
        return {};
    };
    Status status = write();
    if (!status) std::filesystem::remove(part, ignored);
    if (!status && stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
    return status;
}

}  // namespace gapscope
