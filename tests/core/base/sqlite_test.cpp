// Files may come from anywhere: what they bring is data, and reading leaves no trace in them or beside them.
#include "core/base/sqlite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

std::string bytesOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> namesIn(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

// A database with a view, a trigger and a function in its schema.
void writeHostile(const std::filesystem::path& path, const char* journal) {
    auto database = Database::open(path, Database::Mode::Create);
    ASSERT_TRUE(database) << database.error().message;
    ASSERT_TRUE(database->execute(std::string("PRAGMA journal_mode=") + journal));
    ASSERT_TRUE(
        database->execute("CREATE TABLE rows (a INTEGER); INSERT INTO rows VALUES (1), (2);"
                          "CREATE VIEW lure AS SELECT a FROM rows;"
                          "CREATE TRIGGER trap AFTER INSERT ON rows BEGIN DELETE FROM rows; END;"
                          "CREATE VIRTUAL TABLE words USING fts5(text)"));
    ASSERT_TRUE(database->close());
}

class Sqlite : public testing::Test {
protected:
    std::string refusal(Database& database, const std::string& sql) {
        const Status status = database.execute(sql);
        return status ? "(done)" : status.error().message;
    }
    TempFolder folder;
};

}  // namespace

TEST_F(Sqlite, WhatTheFileBringsIsNotRun) {
    writeHostile(folder / "a.sqlite", "DELETE");
    std::vector<Database> opened;
    for (const Database::Mode mode : {Database::Mode::ReadOnly, Database::Mode::Immutable, Database::Mode::ReadWrite})
        opened.push_back(std::move(*Database::open(folder / "a.sqlite", mode)));
    opened.push_back(std::move(*Database::openBytes(bytesOf(folder / "a.sqlite"), "memory")));
    for (Database& database : opened) {
        EXPECT_EQ(database.queryInteger("SELECT sum(a) FROM rows", 0).value_or(-1), 3);
        EXPECT_EQ(database.queryInteger("PRAGMA trusted_schema", 1).value_or(-1), 0);
        EXPECT_NE(refusal(database, "SELECT a FROM lure").find("lure"), std::string::npos);
        EXPECT_NE(refusal(database, "SELECT load_extension('/tmp/x.so')").find("not authorized"), std::string::npos);
        // Not even as ordinary tables, which readers ask for by name.
        EXPECT_TRUE(database.columnsOf("lure")->empty());
        EXPECT_TRUE(database.columnsOf("words")->empty());
        const auto tables = database.tables(100);
        ASSERT_TRUE(tables);
        EXPECT_EQ(std::ranges::count(*tables, "lure") + std::ranges::count(*tables, "words"), 0);
    }
    // Where we write ourselves, its triggers stay silent and its schema cannot be rewritten.
    Database& writable = opened[2];
    EXPECT_EQ(refusal(writable, "INSERT INTO rows VALUES (4)"), "(done)");
    EXPECT_EQ(writable.queryInteger("SELECT count(*) FROM rows", 0).value_or(-1), 3);
    EXPECT_NE(refusal(writable, "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'x'"), "(done)");
}

TEST_F(Sqlite, ReadingWritesNothing) {
    for (const char* journal : {"DELETE", "WAL"}) {
        const TempFolder own;
        const std::filesystem::path path = own / "a.sqlite";
        writeHostile(path, journal);
        const std::string before = bytesOf(path);
        const auto names = namesIn(own.path());
        const auto time = std::filesystem::last_write_time(path);
        for (int memory = 0; memory < 2; ++memory) {
            auto database =
                memory ? Database::openBytes(before, "memory") : Database::open(path, Database::Mode::Immutable);
            ASSERT_TRUE(database) << database.error().message;
            EXPECT_EQ(database->queryInteger("SELECT sum(a) FROM rows", 0).value_or(-1), 3) << journal;
            for (const char* sql : {"CREATE TABLE more (a)", "INSERT INTO rows VALUES (9)", "DELETE FROM rows",
                                    "DROP TABLE rows", "PRAGMA user_version = 7"})
                EXPECT_NE(refusal(*database, sql).find("read-only"), std::string::npos)
                    << sql << refusal(*database, sql);
            // Another file can neither be made nor be reached.
            EXPECT_NE(refusal(*database, "ATTACH '" + (own / "other.sqlite").string() + "' AS other"), "(done)");
            EXPECT_NE(refusal(*database, "VACUUM INTO '" + (own / "copy.sqlite").string() + "'"), "(done)");
            EXPECT_TRUE(database->close());
        }
        EXPECT_EQ(bytesOf(path), before);
        EXPECT_EQ(namesIn(own.path()), names);
        EXPECT_EQ(std::filesystem::last_write_time(path), time);
    }
}

TEST_F(Sqlite, BytesThatAreNoDatabase) {
    for (const std::string& bytes : {std::string(), std::string("x"), std::string(5000, 'x')}) {
        auto database = Database::openBytes(bytes, "memory");
        if (!database) continue;
        const auto rows = database->queryInteger("SELECT count(*) FROM sqlite_master", -1);
        EXPECT_EQ(rows.has_value(), bytes.empty()) << bytes.size();  // nothing is an empty database to SQLite
        if (!rows) {
            EXPECT_EQ(rows.error().message, "memory is not an SQLite database.");
        }
    }
}

}  // namespace gapscope
