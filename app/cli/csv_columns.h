// What the tables of several commands have in common as CSV. Units stand in the columns' names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/export/csv_text.h"

namespace gapscope::cli {

void printCsv(const CsvText& csv);  // to stdout

std::vector<std::string> causeColumns();  // "hostWaitingNs", ...

// The seven columns of a distribution, each after `prefix`: "totalNs", or "queueTotalNs" with "queue".
std::vector<std::string> distributionColumns(std::string_view prefix = {});
void addCells(CsvText& csv, const Distribution& times);

void addHeader(CsvText& csv, std::span<const std::string> columns);

}  // namespace gapscope::cli
