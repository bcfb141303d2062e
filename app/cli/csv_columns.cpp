#include "app/cli/csv_columns.h"

#include <cctype>

#include "app/cli/trace_command.h"

namespace gapscope::cli {

void printCsv(const CsvText& csv) {
    print(csv.text());
}

std::vector<std::string> causeColumns() {
    std::vector<std::string> columns;
    for (const std::string_view cause : kGapCauseNames)
        columns.push_back(std::string(cause) + "Ns");
    return columns;
}

std::vector<std::string> distributionColumns(std::string_view prefix) {
    std::vector<std::string> columns = {"count", "totalNs", "avgNs", "medNs", "minNs", "maxNs", "stdNs"};
    if (prefix.empty()) return columns;
    for (std::string& column : columns) {
        column[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(column[0])));
        column.insert(0, prefix);
    }
    return columns;
}

void addCells(CsvText& csv, const Distribution& times) {
    csv.cell(times.count).cell(times.totalNs).cell(times.avgNs).cell(times.medNs);
    csv.cell(times.minNs).cell(times.maxNs).cell(times.stdNs);
}

void addHeader(CsvText& csv, std::span<const std::string> columns) {
    for (const std::string& column : columns)
        csv.cell(column);
    csv.endRow();
}

}  // namespace gapscope::cli
