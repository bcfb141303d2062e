// Tables of a trace as CSV (csv_text.h), a file a table, for spreadsheets and scripts. Times are exact ns from the
// trace's start.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/export/csv_text.h"
#include "core/export/export_report.h"
#include "core/export/export_texts.h"
#include "core/export/output_file.h"
#include "core/trace/trace.h"

namespace gapscope {

// One table, row by row: csv.cell(7).cell("a,b").endRow()
class CsvFile {
public:
    static Result<CsvFile> create(const std::filesystem::path& path, const std::vector<std::string_view>& columns);

    template <class Value>
    CsvFile& cell(const Value& value) {
        m_rows.cell(value);
        return *this;
    }
    CsvFile& emptyCell() {
        m_rows.emptyCell();
        return *this;
    }
    CsvText& cells() { return m_rows; }  // of the row that is being written
    Status endRow();
    int64_t rowCount() const { return m_rowCount; }
    Result<int64_t> finish() { return m_file.finish(); }  // bytes in the file

private:
    explicit CsvFile(OutputFile file) : m_file(std::move(file)) {}

    OutputFile m_file;
    CsvText m_rows;
    int64_t m_rowCount = 0;
};

// The tables that a trace itself holds, by the name of their file: "kernels", "stages", "api_calls", "ranges",
// "overheads", "tokens", "counters", "notes". ("gaps" is found by core/analysis.)
const std::vector<std::string_view>& csvTables();

// Writes one of them to `path`, replacing what is there once the table is whole, and notes its rows in `report`.
Status exportCsvTable(const Trace& trace, std::string_view table, const std::filesystem::path& path, Identity identity,
                      ExportReport& report, std::stop_token stop = {});

}  // namespace gapscope
