// The commands of gapscope-cli: one file each, one line here, one line in main.cpp.
//   void addNameCommand(CLI::App& app, Outcome& outcome) adds the subcommand with its options; its callback sets
//   outcome.
#pragma once

#include <CLI/CLI.hpp>

#include "core/base/result.h"

namespace gapscope::cli {

// What the chosen command came to. An error is printed by main() as one sentence on stderr and decides the exit code:
// 2 for ErrorKind::WrongUse, else 1. Without an error the program ends with `exitCode`.
struct Outcome {
    Status status;
    int exitCode = 0;
};

void addRunCommand(CLI::App& app, Outcome& outcome);
void addSummaryCommand(CLI::App& app, Outcome& outcome);
void addKernelsCommand(CLI::App& app, Outcome& outcome);
void addGapsCommand(CLI::App& app, Outcome& outcome);
void addTokensCommand(CLI::App& app, Outcome& outcome);
void addLaunchesCommand(CLI::App& app, Outcome& outcome);
void addLayersCommand(CLI::App& app, Outcome& outcome);
void addLadderCommand(CLI::App& app, Outcome& outcome);
void addRanksCommand(CLI::App& app, Outcome& outcome);
void addRooflineCommand(CLI::App& app, Outcome& outcome);
void addCompareCommand(CLI::App& app, Outcome& outcome);
void addReportCommand(CLI::App& app, Outcome& outcome);
void addConvertCommand(CLI::App& app, Outcome& outcome);
void addTokenizeCommand(CLI::App& app, Outcome& outcome);
void addModelsCommand(CLI::App& app, Outcome& outcome);
void addDoctorCommand(CLI::App& app, Outcome& outcome);

}  // namespace gapscope::cli
