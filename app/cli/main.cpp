// gapscope-cli: everything the window can tell, without a window. See README.md beside this for fields and exit codes.
#include <cstdio>
#include <exception>
#include <string>

#include "app/cli/commands.h"
#include "app/cli/text_table.h"

namespace {

int run(int argc, char** argv) {
    using namespace gapscope;
    CLI::App app(
        "Runs Gemma 3 and explains where the time went; reads Gapscope sessions and traces of PyTorch, Nsight Systems, "
        "Chrome and Perfetto.");
    app.name("gapscope-cli");
    app.require_subcommand(1);
    app.set_version_flag("--version", "gapscope-cli " GAPSCOPE_VERSION);
    cli::Outcome outcome;
    cli::addRunCommand(app, outcome);
    cli::addSummaryCommand(app, outcome);
    cli::addKernelsCommand(app, outcome);
    cli::addGapsCommand(app, outcome);
    cli::addLaunchesCommand(app, outcome);
    cli::addTokensCommand(app, outcome);
    cli::addLayersCommand(app, outcome);
    cli::addLadderCommand(app, outcome);
    cli::addRanksCommand(app, outcome);
    cli::addRooflineCommand(app, outcome);
    cli::addCompareCommand(app, outcome);
    cli::addReportCommand(app, outcome);
    cli::addConvertCommand(app, outcome);
    cli::addTokenizeCommand(app, outcome);
    cli::addModelsCommand(app, outcome);
    cli::addDoctorCommand(app, outcome);

    if (argc < 2) {
        std::fputs("gapscope-cli: Say which command to run; gapscope-cli --help lists them.\n", stderr);
        return 2;
    }
    // CLI11 would only say that a subcommand is missing.
    const auto isAsked = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
    if (argv[1][0] != '-' && app.get_subcommands(isAsked).empty()) {
        std::fprintf(stderr, "gapscope-cli: There is no command '%s'; gapscope-cli --help lists them.\n",
                     cli::printable(argv[1]).c_str());
        return 2;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help
        std::fprintf(stderr, "gapscope-cli: %s\n", error.what());
        return 2;
    }
    if (!outcome.status) {
        std::fprintf(stderr, "gapscope-cli: %s\n", outcome.status.error().message.c_str());
        return outcome.status.error().kind == ErrorKind::WrongUse ? 2 : 1;
    }
    // A full disk shows up here at the latest: half a result must not look like a whole one.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
        std::fputs("gapscope-cli: The result could not be written to the standard output.\n", stderr);
        return 1;
    }
    return outcome.exitCode;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {  // out of memory and the like, from the libraries below
        std::fprintf(stderr, "gapscope-cli: %s\n", error.what());
        return 1;
    }
}
