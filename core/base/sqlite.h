// SQLite behind RAII and Result: a database, a prepared statement. Files may come from anywhere: hostile schemas are
// kept from running code, and damage comes out as an Error of kind BadFile, lack of space as NoSpace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gapscope {

// One value of a row, text or blob; far above any prompt or kernel name. A longer one is an error.
inline constexpr int kMostDatabaseValueBytes = 64 << 20;

class Statement {
public:
    // Parameters and columns count from 0. A failed bind shows up in step().
    void bind(int index, int64_t value);
    void bind(int index, double value);
    void bind(int index, std::string_view text);  // copied
    void bindNull(int index);

    Result<bool> step();  // true: a row is there
    Status run();         // to the end, then ready for the next binding
    void reset();

    int64_t integer(int column) const;
    double real(int column) const;
    std::string_view text(int column) const;  // until the next step; any bytes
    bool isNull(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement(sqlite3* database, sqlite3_stmt* statement, std::string path)
        : m_database(database), m_statement(statement), m_path(std::move(path)) {}

    sqlite3* m_database;
    std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
    std::string m_path;
};

class Database {
public:
    enum class Mode {
        ReadOnly,   // sees what a live writer has committed; needs the -wal file's shared memory
        Immutable,  // nobody writes: touches nothing but the file itself
        ReadWrite,
        Create,  // must not exist
    };
    // `errorName` is what errors call it, where that is not its path: of a file that is yet to get its name.
    static Result<Database> open(const std::filesystem::path& path, Mode mode, std::string errorName = {});
    // A database whose bytes are all in memory, for reading: `name` is what errors call it.
    static Result<Database> openBytes(std::string bytes, std::string name);

    Status execute(const std::string& sql);
    Result<Statement> prepare(const std::string& sql);
    // Names of a table's columns; empty when there is no such table. Views and virtual tables do not count.
    Result<std::vector<std::string>> tables(size_t most);  // the first so many, without virtual ones
    Result<std::vector<std::string>> columnsOf(std::string_view table);
    // The first value of the first row; `otherwise` without rows.
    Result<int64_t> queryInteger(const std::string& sql, int64_t otherwise);

    // Asked now and then during long statements; true stops them with ErrorKind::Cancelled.
    void setInterrupt(std::function<bool()> stopRequested);
    Status close();  // reports what closing could not do; the destructor closes silently

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    explicit Database(sqlite3* database, std::string path) : m_database(database), m_path(std::move(path)) {}
    void harden(Mode mode);

    std::unique_ptr<std::function<bool()>> m_interrupt;  // before the database, which calls it
    std::unique_ptr<std::string> m_bytes;                // before the database, which reads them
    std::unique_ptr<sqlite3, Close> m_database;
    std::string m_path;
};

}  // namespace gapscope
