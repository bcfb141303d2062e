#include "core/import/table_reader.h"

#include <algorithm>

namespace gapscope {

namespace {
constexpr int64_t kRowsBetweenReports = 8192;
}

Status ImportBudget::takeRow() {
    if (--m_rowsLeft < 0) {
        return fail("The file is damaged: it leads to more rows than a file of its size can hold.", ErrorKind::BadFile);
    }
    if (++m_read % kRowsBetweenReports == 0) {
        if (m_stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
        if (m_progress && m_expected > 0)
            m_progress(std::min(1.0, static_cast<double>(m_read) / static_cast<double>(m_expected)));
    }
    return {};
}

Status ImportBudget::takeText(size_t bytes) {
    m_textLeft -= static_cast<int64_t>(bytes);
    if (m_textLeft >= 0) return {};
    return fail("The file is damaged: it leads to more text than a file of its size can hold.", ErrorKind::BadFile);
}

Result<TableReader> TableReader::open(Database& database, ImportBudget& budget, std::string_view table,
                                      const std::vector<std::string>& columns) {
    TableReader reader(budget);
    ASSIGN_OR_RETURN(const std::vector<std::string> present, database.columnsOf(table));
    std::string selected;
    for (const std::string& column : columns) {
        const bool has = std::ranges::find(present, column) != present.end();
        selected += has ? ", \"" + column + "\"" : ", NULL";
    }
    if (present.empty()) return reader;
    ASSIGN_OR_RETURN(Statement statement, database.prepare("SELECT rowid" + selected + " FROM \"" + std::string(table) +
                                                           "\" ORDER BY rowid"));
    reader.m_statement = std::move(statement);
    return reader;
}

Result<bool> TableReader::next() {
    if (!m_statement) return false;
    RETURN_IF_ERROR(m_textStatus);
    ASSIGN_OR_RETURN(const bool row, m_statement->step());
    if (row) RETURN_IF_ERROR(m_budget->takeRow());
    return row;
}

std::string_view TableReader::text(int column) {
    const std::string_view text = m_statement->text(column + 1);
    if (m_textStatus) m_textStatus = m_budget->takeText(text.size());
    return m_textStatus ? text : std::string_view();
}

}  // namespace gapscope
