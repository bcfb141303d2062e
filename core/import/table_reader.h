// Reads one table of an SQLite file that may come from anywhere: missing tables and columns read as nothing, rows and
// text are held to what a file of this size can honestly hold.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/sqlite.h"
#include "core/import/limits.h"
#include "core/import/open_trace.h"

namespace gapscope {

// What one import may cost, shared by its tables, and how far it is.
class ImportBudget {
public:
    ImportBudget(int64_t fileBytes, const ImportProgress& progress, std::stop_token stop)
        : m_rowsLeft(fileBytes / kLeastBytesARow + kFreeRows),
          m_textLeft(fileBytes * kMostTextBytesAByte + kFreeTextBytes),
          m_progress(progress),
          m_stop(stop) {}

    // A damaged file can make SQLite walk the same pages over and over, and texts of many rows can share pages.
    Status takeRow();
    Status takeText(size_t bytes);
    void expectRows(int64_t rows) { m_expected += rows; }

private:
    int64_t m_rowsLeft;
    int64_t m_textLeft;
    int64_t m_expected = 0;
    int64_t m_read = 0;
    const ImportProgress& m_progress;
    std::stop_token m_stop;
};

class TableReader {
public:
    // Rows in rowid order. A column that the table lacks reads as NULL; a table that the file lacks has no rows.
    static Result<TableReader> open(Database& database, ImportBudget& budget, std::string_view table,
                                    const std::vector<std::string>& columns);

    Result<bool> next();

    int64_t rowId() const { return m_statement->integer(0); }
    bool isNull(int column) const { return m_statement->isNull(column + 1); }
    int64_t integer(int column) const { return m_statement->integer(column + 1); }  // NULL: 0
    double real(int column) const { return m_statement->real(column + 1); }
    std::string_view text(int column);  // taken from the budget: empty once that is spent, and then next() fails

private:
    explicit TableReader(ImportBudget& budget) : m_budget(&budget) {}
    ImportBudget* m_budget;
    std::optional<Statement> m_statement;
    Status m_textStatus;
};

// Calls use(reader) for each row of the table.
template <class Use>
Status forEachRow(Database& database, ImportBudget& budget, std::string_view table,
                  const std::vector<std::string>& columns, Use use) {
    ASSIGN_OR_RETURN(TableReader rows, TableReader::open(database, budget, table, columns));
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, rows.next());
        if (!more) return {};
        use(rows);
    }
}

}  // namespace gapscope
