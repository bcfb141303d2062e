// Two traces, or two windows of one, side by side; for CI an exit code that tells a regression.
#include <cmath>
#include <cstdio>
#include <memory>

#include "app/cli/compare_output.h"
#include "app/cli/csv_columns.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_pair.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

constexpr int kRegressedExitCode = 3;

struct CompareOptions : PairOptions {
    std::optional<double> failAbovePercent;
    std::vector<std::string> failOn;
    CompareText text;
    bool json = false;
    bool csv = false;
};

ComparedFile sideOf(const std::string& path, const OpenedTrace& opened) {
    return {.path = path, .trace = opened.trace, .window = opened.window};
}

Result<std::vector<Regression>> regressionsIn(const Comparison& comparison, const CompareOptions& options) {
    std::vector<Regression> found;
    if (!options.failAbovePercent) return found;
    std::vector<std::string> names = options.failOn;
    if (names.empty()) names.emplace_back(defaultRegressionFigure(comparison));
    for (const std::string& name : names) {
        const FigureDelta* figure = comparison.find(name);
        if (!figure) {
            return fail("There is no figure '" + printable(name) + "'; compare --json names them.",
                        ErrorKind::WrongUse);
        }
        if (figure->better == Better::Neither)
            return fail("No regression can be told by '" + name + "': neither more nor less of it is better.",
                        ErrorKind::WrongUse);
        const auto percent = regressionPercent(*figure);
        if (!percent) {
            return fail("No regression can be told by '" + name +
                        "': " + (figure->before ? "the later" : "the earlier") + " window does not tell it.");
        }
        found.push_back({.figure = name, .percent = *percent, .limitPercent = *options.failAbovePercent});
    }
    return found;
}

std::string regressionText(const Regression& regression) {
    std::string change = "the same";
    if (regression.percent != 0)
        change = (std::isinf(regression.percent) ? std::string("from nothing")
                                                 : formatPercent(std::abs(regression.percent) / 100)) +
                 (regression.percent > 0 ? " worse" : " better");
    return regression.figure + ": " + change + ", limit " + formatPercent(regression.limitPercent / 100) + ": " +
           (regression.exceeded() ? "regression" : "passed") + "\n";
}

Result<int> compareFiles(const CompareOptions& options) {
    if (!options.isPair()) {
        return fail("Name two files, or one file and two windows of it (--window-before, --window-after).",
                    ErrorKind::WrongUse);
    }
    ASSIGN_OR_RETURN(const auto pair, openPair(options));
    const ComparedFile left = sideOf(options.before, pair.first), right = sideOf(options.second(), pair.second);
    const PreparedTrace preparedLeft(left.trace), preparedRight(right.trace);
    const Comparison comparison = compare({preparedLeft, left.window}, {preparedRight, right.window});
    ASSIGN_OR_RETURN(const std::vector<Regression> regressions, regressionsIn(comparison, options));
    if (options.json) {
        JsonWriter json;
        writeCompareJson(json, left, right, comparison, regressions);
        printJson(json);
    } else if (options.csv) {
        printCsv(compareCsv(comparison));
    } else {
        print(compareText(left, right, comparison, options.text));
        if (!regressions.empty()) print("\n");
        for (const Regression& regression : regressions)
            print(regressionText(regression));
    }
    bool regressed = false;
    for (const Regression& regression : regressions) {
        regressed |= regression.exceeded();
        // Where only a program reads stdout, the person who looks at the log is told here.
        if (regression.exceeded() && (options.json || options.csv))
            std::fputs(("gapscope-cli: " + regressionText(regression)).c_str(), stderr);
    }
    return regressed ? kRegressedExitCode : 0;
}

}  // namespace

void addCompareCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("compare", "What changed between two traces, or two windows of one");
    auto options = std::make_shared<CompareOptions>();
    command->add_option("A", options->before, "the trace before")->required();
    command->add_option("B", options->after, "the trace after (default: A, with two windows)");
    command->add_option("--window", options->window,
                        "of both: all, a range's name, NAME#k, START:END in ns, token:K, token:FIRST-LAST, "
                        "phase:prefill, phase:decode (default: model_inference, else all)");
    command->add_option("--window-before", options->windowBefore, "of A");
    command->add_option("--window-after", options->windowAfter, "of B");
    command->add_option("--device", options->device, "only this device of both");
    command
        ->add_option("--fail-above", options->failAbovePercent,
                     "exit with 3 if a figure is more than so many per cent worse")
        ->check(CLI::NonNegativeNumber);
    command
        ->add_option("--fail-on", options->failOn,
                     "the figures for --fail-above, by their names in --json (default: tokens.medNs, without tokens "
                     "windowNs)")
        ->delimiter(',')
        ->needs("--fail-above");
    command->add_option("--top", options->text.top, "rows of each text table (JSON and CSV have all)");
    command->add_flag("--all", options->text.all, "text: figures that changed by less than 1 % as well");
    addOutputOptions(*command, options->json, options->csv);
    command->callback([options, &outcome] {
        const auto exitCode = compareFiles(*options);
        if (exitCode)
            outcome.exitCode = *exitCode;
        else
            outcome.status = tl::unexpected<Error>(exitCode.error());
    });
}

}  // namespace gapscope::cli
