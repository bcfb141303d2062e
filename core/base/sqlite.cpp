#include "core/base/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gapscope {

namespace {

constexpr int kStepsBetweenInterrupts = 4000;

tl::unexpected<Error> sqliteError(sqlite3* database, int code, const std::string& path) {
    const int systemError = database ? sqlite3_system_errno(database) : 0;
    if ((code & 0xFF) == SQLITE_FULL) {
        return fail("There is no space left to write " + path + "; free some or choose another place.",
                    ErrorKind::NoSpace);
    }
    // A quota or the largest size of a file reached: SQLite calls only ENOSPC a full disk.
    if (code == SQLITE_IOERR_WRITE) {
        return fail(
            path + " cannot be written any further: a quota is reached or the disk fails; choose another place.",
            ErrorKind::NoSpace);
    }
    switch (code & 0xFF) {
        case SQLITE_CORRUPT:
            return fail(path + " is damaged or cut short: SQLite cannot read all of it.", ErrorKind::BadFile);
        case SQLITE_TOOBIG:
            return fail(path + " holds a value of more than " + std::to_string(kMostDatabaseValueBytes >> 20) +
                            " MB, which no trace does.",
                        ErrorKind::BadFile);
        case SQLITE_NOTADB:
            return fail(path + " is not an SQLite database.", ErrorKind::BadFile);
        case SQLITE_INTERRUPT:
            return fail("Cancelled.", ErrorKind::Cancelled);
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return fail(path + " cannot be written: it is read-only.");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return fail(path + " is in use by another program.");
        case SQLITE_CANTOPEN: {
            const std::string why = systemError != 0 ? std::strerror(systemError) : "cannot be opened";
            return fail(path + ": " + why + ".", systemError == ENOENT ? ErrorKind::NotFound : ErrorKind::General);
        }
        default:
            return fail(path + ": " + (database ? sqlite3_errmsg(database) : sqlite3_errstr(code)) + ".");
    }
}

std::string fileUri(const std::string& path, const char* query) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string uri = "file:";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '?' || c == '#' || c == '%' || byte < 0x21 || byte > 0x7E) {
            uri += '%';
            uri += kHex[byte >> 4];
            uri += kHex[byte & 15];
        } else {
            uri += c;
        }
    }
    return uri + query;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* database) const {
    sqlite3_close_v2(database);
}

void Statement::bind(int index, int64_t value) {
    sqlite3_bind_int64(m_statement.get(), index + 1, value);
}
void Statement::bind(int index, double value) {
    sqlite3_bind_double(m_statement.get(), index + 1, value);
}
void Statement::bind(int index, std::string_view text) {
    // An empty view may have a null pointer, which SQLite would take for NULL.
    sqlite3_bind_text64(m_statement.get(), index + 1, text.data() ? text.data() : "", text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}
void Statement::bindNull(int index) {
    sqlite3_bind_null(m_statement.get(), index + 1);
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqliteError(m_database, sqlite3_extended_errcode(m_database), m_path);
}

Status Statement::run() {
    for (;;) {
        auto row = step();
        if (!row) {
            reset();
            return tl::unexpected<Error>(std::move(row).error());
        }
        if (!*row) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(m_statement.get());
}

int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(m_statement.get(), column);
}
double Statement::real(int column) const {
    return sqlite3_column_double(m_statement.get(), column);
}
bool Statement::isNull(int column) const {
    return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

std::string_view Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
    return bytes ? std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(m_statement.get(), column))) : "";
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode, std::string errorName) {
    const std::string file = path.string();
    const std::string name = errorName.empty() ? file : std::move(errorName);
    int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    flags |= mode == Mode::ReadOnly || mode == Mode::Immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == Mode::Create) {
        // SQLite cannot ask for "must not exist"; the file system can, and an empty file is an empty database.
        const int created = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
        if (created < 0) {
            const int why = errno;
            if (why == EEXIST) return fail(name + " exists already.");
            if (why == ENOSPC || why == EDQUOT)
                return fail("There is no space left to write " + name + ".", ErrorKind::NoSpace);
            return fail(name + " cannot be written: " + std::strerror(why) + ".",
                        why == ENOENT ? ErrorKind::NotFound : ErrorKind::General);
        }
        ::close(created);
    }
    sqlite3* raw = nullptr;
    const std::string uri = fileUri(file, mode == Mode::Immutable ? "?immutable=1" : "");
    const int code = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
    Database database(raw, name);
    if (code != SQLITE_OK) return sqliteError(raw, code, name);
    database.harden(mode);
    sqlite3_busy_timeout(raw, 2000);
    return database;
}

Result<Database> Database::openBytes(std::string bytes, std::string name) {
    // Bytes of the header that say "with a -wal file" (2): SQLite refuses such a database in memory.
    for (const size_t at : {size_t{18}, size_t{19}})
        if (bytes.size() > at && bytes[at] == 2) bytes[at] = 1;
    sqlite3* raw = nullptr;
    constexpr int kFlags = SQLITE_OPEN_MEMORY | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(":memory:", &raw, kFlags, nullptr);
    Database database(raw, std::move(name));
    if (code != SQLITE_OK) return sqliteError(raw, code, database.m_path);
    database.m_bytes = std::make_unique<std::string>(std::move(bytes));
    const auto size = static_cast<sqlite3_int64>(database.m_bytes->size());
    code = sqlite3_deserialize(raw, "main", reinterpret_cast<unsigned char*>(database.m_bytes->data()), size, size,
                               SQLITE_DESERIALIZE_READONLY);
    if (code != SQLITE_OK) return sqliteError(raw, code, database.m_path);
    database.harden(Mode::Immutable);
    return database;
}

// What the file brings is data: its schema calls no function that could do harm, its views and triggers do not run,
// nothing in it is long without end, and one that is only read leads to no other file.
void Database::harden(Mode mode) {
    sqlite3* const raw = m_database.get();
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMostDatabaseValueBytes);
    if (mode == Mode::ReadOnly || mode == Mode::Immutable) sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
}

Status Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(m_database.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqliteError(m_database.get(), code, m_path);
    return {};
}

Result<Statement> Database::prepare(const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(m_database.get(), sql.c_str(), -1, &raw, nullptr);
    if (code != SQLITE_OK) return sqliteError(m_database.get(), code, m_path);
    return Statement(m_database.get(), raw, m_path);
}

Result<std::vector<std::string>> Database::columnsOf(std::string_view table) {
    std::vector<std::string> columns;
    ASSIGN_OR_RETURN(Statement exists,
                     prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND rootpage > 0"));
    exists.bind(0, table);
    ASSIGN_OR_RETURN(const bool found, exists.step());
    if (!found) return columns;
    ASSIGN_OR_RETURN(Statement info, prepare("SELECT name FROM pragma_table_info(?1)"));
    info.bind(0, table);
    for (;;) {
        ASSIGN_OR_RETURN(const bool row, info.step());
        if (!row) return columns;
        columns.emplace_back(info.text(0));
    }
}

Result<std::vector<std::string>> Database::tables(size_t most) {
    std::vector<std::string> names;
    ASSIGN_OR_RETURN(Statement all, prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"));
    while (names.size() < most) {
        ASSIGN_OR_RETURN(const bool row, all.step());
        if (!row) break;
        names.emplace_back(all.text(0));
    }
    return names;
}

Result<int64_t> Database::queryInteger(const std::string& sql, int64_t otherwise) {
    ASSIGN_OR_RETURN(Statement statement, prepare(sql));
    ASSIGN_OR_RETURN(const bool row, statement.step());
    return row && !statement.isNull(0) ? statement.integer(0) : otherwise;
}

void Database::setInterrupt(std::function<bool()> stopRequested) {
    m_interrupt = std::make_unique<std::function<bool()>>(std::move(stopRequested));
    sqlite3_progress_handler(
        m_database.get(), kStepsBetweenInterrupts,
        [](void* asked) { return (*static_cast<std::function<bool()>*>(asked))() ? 1 : 0; }, m_interrupt.get());
}

Status Database::close() {
    const int code = sqlite3_close(m_database.get());
    if (code != SQLITE_OK) return sqliteError(m_database.get(), code, m_path);
    m_database.release();
    return {};
}

}  // namespace gapscope
