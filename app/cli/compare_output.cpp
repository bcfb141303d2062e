#include "app/cli/compare_output.h"

#include <algorithm>
#include <cmath>

#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "core/base/format.h"
#include "core/trace/run_words.h"

namespace gapscope::cli {

namespace {

using Align = TextTable::Align;

constexpr double kWorthShowing = 0.01;  // of the value before; figures that changed less are left out of the text

std::string signedPercent(std::optional<double> change) {
    if (!change) return {};
    return (*change < 0 ? "−" : *change > 0 ? "+" : "") + formatPercent(std::abs(*change));
}

std::string signedDuration(int64_t ns) {
    return differenceText(FigureUnit::Nanoseconds, static_cast<double>(ns));
}

std::string judged(const FigureDelta& figure) {
    const auto improved = figure.improved();
    return improved ? (*improved ? "better" : "worse") : "";
}

std::string sideText(const char* side, const ComparedFile& file) {
    std::string text = std::string(side) + "  " + file.path + ", " + formatDuration(file.window.durationNs()) +
                       " from " + formatMoment(file.window.startNs);
    if (const RunInfo* run = file.trace->run())
        text += ", " + run->modelName + ", " + run->deviceName + ", " + run->precision + ", " + wayOf(*run);
    return printable(text) + "\n";
}

bool isWorthShowing(const FigureDelta& figure, bool all) {
    if (figure.before.value_or(0) == 0 && figure.after.value_or(0) == 0) return false;
    static constexpr std::array<std::string_view, 4> kAlways = {"windowNs", "tokens.medNs", "gpuBusyNs", "gpuIdleNs"};
    if (all || std::ranges::count(kAlways, figure.name) > 0) return true;
    const auto change = figure.relativeChange();
    return !change || std::abs(*change) >= kWorthShowing;
}

// What the text tells of a phase; JSON and CSV tell all.
bool isOfPhase(const FigureDelta& figure) {
    static constexpr std::array<std::string_view, 7> kPrefixes = {
        "windowNs", "tokens.", "gpu", "gapCauseNs.", "kernelCount", "launchCount", "twoWayNs."};
    return std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return figure.name.starts_with(prefix); });
}

std::string figuresText(const std::vector<FigureDelta>& figures, bool all) {
    TextTable table({{"", Align::Left}, {"before"}, {"after"}, {"difference"}, {"change"}, {"", Align::Left}});
    for (const FigureDelta& figure : figures) {
        if (!isWorthShowing(figure, all)) continue;
        table.add({figure.title, figureText(figure.unit, figure.before), figureText(figure.unit, figure.after),
                   differenceText(figure.unit, figure.difference()), signedPercent(figure.relativeChange()),
                   judged(figure)});
    }
    return table.text();
}

std::string phaseText(const PhaseDelta& phase, bool all) {
    std::vector<FigureDelta> figures;
    std::ranges::copy_if(phase.figures, std::back_inserter(figures),
                         [&](const FigureDelta& figure) { return all || isOfPhase(figure); });
    return figuresText(figures, all);
}

std::string presenceText(Presence presence) {
    return presence == Presence::Both ? std::string() : std::string(kPresenceNames[static_cast<size_t>(presence)]);
}

std::string moreText(size_t count, size_t top, const char* what) {
    return count > top ? "and " + formatCount(static_cast<int64_t>(count - top)) + " " + what + "\n" : std::string();
}

std::string kernelsText(const std::vector<KernelDelta>& kernels, size_t top) {
    TextTable table({{"difference"},
                     {"before"},
                     {"after"},
                     {"count before"},
                     {"after"},
                     {"avg before"},
                     {"after"},
                     {"", Align::Left},
                     {"category", Align::Left},
                     {"kernel", Align::Left}});
    const auto average = [](const Distribution& times) {
        return times.count > 0 ? formatDuration(std::llround(times.avgNs)) : std::string();
    };
    for (size_t i = 0; i < std::min(top, kernels.size()); ++i) {
        const KernelDelta& row = kernels[i];
        table.add({signedDuration(row.differenceNs()), formatDuration(row.before.totalNs),
                   formatDuration(row.after.totalNs), formatCount(row.before.count), formatCount(row.after.count),
                   average(row.before), average(row.after), presenceText(row.presence()),
                   std::string(categoryName(row.category)), shortened(row.name, 70)});
    }
    return table.text() + moreText(kernels.size(), top, "that changed less");
}

std::string rolesText(const std::vector<WorkDelta>& roles, size_t top) {
    TextTable table({{"difference"},
                     {"before"},
                     {"after"},
                     {"bandwidth before"},
                     {"after"},
                     {"", Align::Left},
                     {"role", Align::Left}});
    const auto rate = [](const std::optional<Work>& work) {
        return work && work->bytes > 0 ? formatRate(work->bytesPerSecond(), "B/s") : std::string();
    };
    for (size_t i = 0; i < std::min(top, roles.size()); ++i) {
        const WorkDelta& row = roles[i];
        table.add({signedDuration(row.differenceNs()), row.before ? formatDuration(row.before->ns) : "",
                   row.after ? formatDuration(row.after->ns) : "", rate(row.before), rate(row.after),
                   presenceText(row.presence()), shortened(row.name, 60)});
    }
    return table.text() + moreText(roles.size(), top, "that changed less");
}

std::string culpritsText(const std::vector<CulpritDelta>& culprits, size_t top) {
    TextTable table({{"difference"},
                     {"idle before"},
                     {"after"},
                     {"gaps before"},
                     {"after"},
                     {"", Align::Left},
                     {"who", Align::Left}});
    for (size_t i = 0; i < std::min(top, culprits.size()); ++i) {
        const CulpritDelta& row = culprits[i];
        table.add(
            {signedDuration(row.differenceNs()), row.before ? formatDuration(row.before->idleNs) : "",
             row.after ? formatDuration(row.after->idleNs) : "", row.before ? formatCount(row.before->gapCount) : "",
             row.after ? formatCount(row.after->gapCount) : "", presenceText(row.presence()), shortened(row.name, 70)});
    }
    return table.text() + moreText(culprits.size(), top, "that changed less");
}

std::string tokenName(const TokenDelta& token) {
    const auto nameOf = [](const TokenTime& row) {
        return row.index < 0 ? std::string("prefill") : std::to_string(row.index);
    };
    if (!token.before) return nameOf(*token.after);
    if (!token.after || token.before->index == token.after->index) return nameOf(*token.before);
    return nameOf(*token.before) + " and " + nameOf(*token.after);
}

std::string tokensText(const std::vector<TokenDelta>& tokens, size_t top) {
    TextTable table({{"token", Align::Left},
                     {"before"},
                     {"after"},
                     {"difference"},
                     {"idle before"},
                     {"after"},
                     {"launches before"},
                     {"after"},
                     {"text", Align::Left}});
    const auto with = [](const std::optional<TokenTime>& token, auto text) {
        return token ? text(*token) : std::string();
    };
    const auto time = [](const TokenTime& token) { return formatDuration(token.share.ns); };
    const auto idle = [](const TokenTime& token) { return formatDuration(token.share.idleNs); };
    const auto launches = [](const TokenTime& token) { return figureText(FigureUnit::Count, token.share.launches); };
    for (size_t i = 0; i < std::min(top, tokens.size()); ++i) {
        const TokenDelta& row = tokens[i];
        table.add({tokenName(row), with(row.before, time), with(row.after, time),
                   row.before && row.after ? signedDuration(row.differenceNs()) : "", with(row.before, idle),
                   with(row.after, idle), with(row.before, launches), with(row.after, launches),
                   row.after ? row.after->text : row.before->text});
    }
    return table.text() + moreText(tokens.size(), top, "later tokens");
}

void writeFigures(JsonWriter& json, const std::vector<FigureDelta>& figures) {
    const auto number = [&](const char* key, const FigureDelta& figure, std::optional<double> value) {
        json.key(key);
        const bool whole = figure.unit == FigureUnit::Nanoseconds || figure.unit == FigureUnit::Count;
        if (!value)
            json.null();
        else if (whole && *value == std::floor(*value))
            json.value(static_cast<int64_t>(*value));
        else
            json.value(*value);
    };
    json.key("figures").beginArray();
    for (const FigureDelta& figure : figures) {
        json.beginObject().field("name", figure.name).field("title", figure.title);
        json.field("unit", kFigureUnitNames[static_cast<size_t>(figure.unit)]);
        json.field("better", kBetterNames[static_cast<size_t>(figure.better)]);
        number("before", figure, figure.before);
        number("after", figure, figure.after);
        number("difference", figure, figure.difference());
        const auto change = figure.relativeChange();
        json.key("changePercent");
        if (change)
            json.value(*change * 100);
        else
            json.null();
        json.endObject();
    }
    json.endArray();
}

void writeSide(JsonWriter& json, const char* key, const ComparedFile& file, const WindowFacts& facts) {
    json.key(key).beginObject().field("file", file.path);
    writeSummaryFields(json, *file.trace, facts.summary);
    json.endObject();
}

void writeWork(JsonWriter& json, const char* key, const std::optional<Work>& work) {
    json.key(key);
    if (!work) {
        json.null();
        return;
    }
    json.beginObject().field("count", work->count).field("totalNs", work->ns).field("bytes", work->bytes);
    json.field("flops", work->flops).field("bytesPerSecond", work->bytesPerSecond());
    json.field("flopsPerSecond", work->flopsPerSecond()).endObject();
}

enum class WorkOf { Role, Layer };

void writeWorks(JsonWriter& json, const char* key, const std::vector<WorkDelta>& works, WorkOf of) {
    json.key(key).beginArray();
    for (const WorkDelta& row : works) {
        json.beginObject();
        if (of == WorkOf::Layer)
            json.field("layer", row.layer);
        else
            json.field("name", row.name).field("category", categoryName(row.category));
        json.field("presence", kPresenceNames[static_cast<size_t>(row.presence())]);
        json.field("differenceNs", row.differenceNs());
        writeWork(json, "before", row.before);
        writeWork(json, "after", row.after);
        json.endObject();
    }
    json.endArray();
}

void writeToken(JsonWriter& json, const char* key, const std::optional<TokenTime>& token) {
    json.key(key);
    if (!token) {
        json.null();
        return;
    }
    json.beginObject().field("repeat", token->repeat).field("index", token->index).field("id", token->id);
    json.field("text", token->text).field("startNs", token->range.startNs);
    json.field("durationNs", token->range.durationNs()).field("busyNs", token->busyNs).field("idleNs", token->idleNs);
    json.field("launchCount", token->launchCount).field("kernelCount", token->kernelCount);
    json.field("shareNs", token->share.ns).endObject();
}

void writeCulprit(JsonWriter& json, const char* key, const std::optional<Culprit>& culprit) {
    json.key(key);
    if (!culprit) {
        json.null();
        return;
    }
    json.beginObject().field("idleNs", culprit->idleNs).field("gapCount", culprit->gapCount);
    json.field("longestNs", culprit->longestNs).endObject();
}

void writeCulprits(JsonWriter& json, const std::vector<CulpritDelta>& culprits) {
    json.key("culprits").beginArray();
    for (const CulpritDelta& row : culprits) {
        json.beginObject().field("name", row.name);
        json.field("presence", kPresenceNames[static_cast<size_t>(row.presence())]);
        json.field("differenceNs", row.differenceNs());
        writeCulprit(json, "before", row.before);
        writeCulprit(json, "after", row.after);
        json.endObject();
    }
    json.endArray();
}

void writePrediction(JsonWriter& json, const std::optional<PredictionCheck>& check) {
    json.key("prediction");
    if (!check) {
        json.null();
        return;
    }
    json.beginObject().field("name", check->name).field("title", check->title).field("figure", check->figure);
    json.field("predictedNs", check->predictedNs).field("measuredNs", check->measuredNs);
    json.field("error", check->error()).endObject();
}

}  // namespace

std::string compareText(const ComparedFile& before, const ComparedFile& after, const Comparison& comparison,
                        const CompareText& how) {
    std::string text = sideText("before", before) + sideText("after ", after) + "\n";
    text += comparison.sentence + "\n\n" + figuresText(comparison.figures, how.all);
    for (const PhaseDelta& phase : comparison.phases)
        text += "\n" + std::string(phase.name) + "\n" + phaseText(phase, how.all);
    text += "\n" + kernelsText(comparison.kernels, how.top);
    if (!comparison.culprits.empty()) text += "\n" + culpritsText(comparison.culprits, how.top);
    if (!comparison.roles.empty()) text += "\n" + rolesText(comparison.roles, how.top);
    if (!comparison.tokens.empty()) text += "\n" + tokensText(comparison.tokens, how.top);
    for (const auto& [side, facts] : {std::pair{"before", &comparison.before}, std::pair{"after", &comparison.after}})
        for (const Diagnostic& entry : facts->summary.diagnostics)
            text += "\n" + std::string(side) + ", " + std::string(severityName(entry.severity)) + ": " +
                    printable(entry.text) + " (" + formatCount(entry.count) + ")\n";
    return text;
}

void writeCompareJson(JsonWriter& json, const ComparedFile& before, const ComparedFile& after,
                      const Comparison& comparison, const std::vector<Regression>& regressions) {
    json.beginObject().field("sentence", comparison.sentence);
    writeSide(json, "before", before, comparison.before);
    writeSide(json, "after", after, comparison.after);
    writeFigures(json, comparison.figures);
    json.key("phases").beginArray();
    for (const PhaseDelta& phase : comparison.phases) {
        json.beginObject().field("name", phase.name);
        for (const auto& [key, range] : {std::pair{"before", phase.before}, std::pair{"after", phase.after}}) {
            json.key(key).beginObject().field("startNs", range.startNs);
            json.field("durationNs", range.durationNs()).endObject();
        }
        writeFigures(json, phase.figures);
        json.endObject();
    }
    json.endArray().key("kernels").beginArray();
    for (const KernelDelta& row : comparison.kernels) {
        json.beginObject().field("name", row.name).field("category", categoryName(row.category));
        json.field("presence", kPresenceNames[static_cast<size_t>(row.presence())]);
        json.field("differenceNs", row.differenceNs());
        for (const auto& [key, times] : {std::pair{"before", &row.before}, std::pair{"after", &row.after}}) {
            json.key(key).beginObject();
            writeDistribution(json, *times);
            json.endObject();
        }
        json.endObject();
    }
    json.endArray();
    writeWorks(json, "roles", comparison.roles, WorkOf::Role);
    writeWorks(json, "layers", comparison.layers, WorkOf::Layer);
    json.key("tokens").beginArray();
    for (const TokenDelta& row : comparison.tokens) {
        json.beginObject();
        writeToken(json, "before", row.before);
        writeToken(json, "after", row.after);
        json.endObject();
    }
    json.endArray();
    writeCulprits(json, comparison.culprits);
    writePrediction(json, comparison.prediction);
    json.key("regressions").beginArray();
    for (const Regression& row : regressions) {
        json.beginObject().field("figure", row.figure).field("percent", row.percent);
        json.field("limitPercent", row.limitPercent).field("exceeded", row.exceeded()).endObject();
    }
    json.endArray().endObject();
}

CsvText compareCsv(const Comparison& comparison) {
    CsvText csv{"scope", "name", "figure", "presence", "before", "after", "difference", "changePercent"};
    const auto add = [&](std::string_view scope, std::string_view name, std::string_view figure, Presence presence,
                         std::optional<double> before, std::optional<double> after) {
        const FigureDelta delta{.before = before, .after = after};
        const auto change = delta.relativeChange();
        csv.cell(scope).cell(name).cell(figure).cell(kPresenceNames[static_cast<size_t>(presence)]);
        csv.cell(before).cell(after).cell(delta.difference());
        csv.cell(change ? std::optional(*change * 100) : std::nullopt).endRow();
    };
    const auto whole = [](int64_t value) { return static_cast<double>(value); };
    for (const FigureDelta& figure : comparison.figures)
        add("window", "", figure.name, Presence::Both, figure.before, figure.after);
    for (const PhaseDelta& phase : comparison.phases)
        for (const FigureDelta& figure : phase.figures)
            add("phase", phase.name, figure.name, Presence::Both, figure.before, figure.after);
    for (const KernelDelta& row : comparison.kernels) {
        const auto addKernel = [&](std::string_view figure, double before, double after) {
            add("kernel", row.name, figure, row.presence(), before, after);
        };
        addKernel("count", whole(row.before.count), whole(row.after.count));
        addKernel("totalNs", whole(row.before.totalNs), whole(row.after.totalNs));
        addKernel("avgNs", row.before.avgNs, row.after.avgNs);
        addKernel("medNs", row.before.medNs, row.after.medNs);
    }
    const auto addWorks = [&](std::string_view scope, const std::vector<WorkDelta>& works, auto nameOf) {
        for (const WorkDelta& row : works) {
            const Work before = row.before.value_or(Work()), after = row.after.value_or(Work());
            const std::string name = nameOf(row);
            const Presence presence = row.presence();
            add(scope, name, "count", presence, whole(before.count), whole(after.count));
            add(scope, name, "totalNs", presence, whole(before.ns), whole(after.ns));
            add(scope, name, "bytesPerSecond", presence, before.bytesPerSecond(), after.bytesPerSecond());
            add(scope, name, "flopsPerSecond", presence, before.flopsPerSecond(), after.flopsPerSecond());
        }
    };
    addWorks("role", comparison.roles, [](const WorkDelta& row) { return row.name; });
    addWorks("layer", comparison.layers, [](const WorkDelta& row) { return std::to_string(row.layer); });
    for (const CulpritDelta& row : comparison.culprits) {
        const Culprit none, &before = row.before ? *row.before : none, &after = row.after ? *row.after : none;
        add("culprit", row.name, "idleNs", row.presence(), whole(before.idleNs), whole(after.idleNs));
        add("culprit", row.name, "gapCount", row.presence(), whole(before.gapCount), whole(after.gapCount));
    }
    if (const auto& check = comparison.prediction)
        add("prediction", check->name, check->figure, Presence::Both, check->predictedNs, check->measuredNs);
    for (const TokenDelta& row : comparison.tokens) {
        const auto addToken = [&](std::string_view figure, auto value) {
            const auto of = [&](const std::optional<TokenTime>& token) {
                return token ? std::optional(whole(value(*token))) : std::nullopt;
            };
            add("token", tokenName(row), figure, presenceOf(row.before.has_value(), row.after.has_value()),
                of(row.before), of(row.after));
        };
        addToken("durationNs", [](const TokenTime& token) { return token.range.durationNs(); });
        addToken("shareNs", [](const TokenTime& token) { return token.share.ns; });
        addToken("busyNs", [](const TokenTime& token) { return token.busyNs; });
        addToken("idleNs", [](const TokenTime& token) { return token.idleNs; });
        addToken("launchCount", [](const TokenTime& token) { return token.launchCount; });
        addToken("kernelCount", [](const TokenTime& token) { return token.kernelCount; });
    }
    return csv;
}

}  // namespace gapscope::cli
