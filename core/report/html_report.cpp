#include "core/report/html_report.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/culprits.h"
#include "core/analysis/phase_windows.h"
#include "core/analysis/roofline.h"
#include "core/analysis/stages.h"
#include "core/analysis/what_if.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/base/palette.h"
#include "core/export/output_file.h"
#include "core/report/charts.h"
#include "core/report/html.h"
#include "core/report/report_parts.h"
#include "core/report/timeline_svg.h"
#include "core/trace/run_words.h"

namespace gapscope {

namespace {

constexpr size_t kMostKernels = 60, kMostCulprits = 15, kMostGaps = 15, kMostTokens = 400, kMostRoles = 40;

std::string heading(std::string_view text) {
    return "<h2>" + escaped(text) + "</h2>\n";
}

std::string tile(const std::string& value, std::string_view caption) {
    return "<div class=\"tile\"><b>" + escaped(value) + "</b><span class=\"muted\">" + escaped(caption) +
           "</span></div>";
}

std::string verdictSection(const Verdict& verdict) {
    std::string html = "<div class=\"card\"><p class=\"verdict\">" + escaped(verdict.sentence) + "</p><ul>";
    for (const std::string& sentence : verdict.evidence)
        html += "<li>" + escaped(sentence) + "</li>";
    return html + "</ul></div>\n";
}

std::string tiles(const WindowFacts& facts) {
    static constexpr std::array<std::string_view, 12> kShown = {"run.tokensPerSecond", "run.timeToFirstTokenNs",
                                                                "tokens.medNs",        "windowNs",
                                                                "gpuBusyNs",           "gpuIdleNs",
                                                                "gpuIdleShare",        "selfGpuNs",
                                                                "selfCpuNs",           "tokens.launchMedCount",
                                                                "kernelCount",         "launchCount"};
    std::string html = "<div class=\"tiles\">";
    for (const Figure& figure : figuresOf(facts))
        if (std::ranges::count(kShown, figure.name) > 0 && figure.value)
            html += tile(figureText(figure.unit, figure.value), figure.title);
    return html + "</div>\n";
}

std::string categoriesSection(const Summary& summary) {
    if (summary.categories.totalNs <= 0) return {};
    return heading("Device time by category") + "<div class=\"side\"><figure>" + pieSvg(summary.categories) +
           "</figure><figure>" + twoWaySvg(summary.categories) + "</figure></div>\n";
}

std::string timelineSection(const ReportOf& of, const WindowFacts& facts, const GapTable& gaps) {
    const TimelinePictures pictures(of.trace, gaps);
    std::string html = heading("Timeline") + pictures.svg(of.window, "The whole window.");
    const auto& tokens = facts.tokens;
    if (tokens.rows.empty()) return html;
    const int16_t repeat = facts.summary.phases ? facts.summary.phases->repeat : tokens.rows.front().repeat;
    for (const PhaseWindow& phase : phaseWindows(tokens, repeat)) {
        if (phase.name != "decode") continue;
        html += pictures.svg(phase.range, "Decode.");
        // A few tokens in the middle, where single kernels can be seen.
        std::vector<TimeRange> ranges;
        for (const TokenTime& row : tokens.rows)
            if (row.repeat == repeat && row.index > 0 && !row.cut) ranges.push_back(row.range);
        if (ranges.size() > 2) html += pictures.svg(ranges[ranges.size() / 2], "One token in the middle of decode.");
    }
    return html;
}

std::string idleSection(const Trace& trace, const Summary& summary, const GapTable& gaps) {
    if (summary.gpuIdleNs <= 0) return {};
    std::string html =
        heading("Idle device time by cause") + "<figure class=\"half\">" + causesSvg(summary.gapCauses) + "</figure>\n";
    const std::vector<Culprit> who = culprits(trace, gaps.gaps);
    HtmlTable table({">Idle", ">Share", ">Gaps", ">Longest", "Who left the device idle"});
    for (size_t i = 0; i < std::min(kMostCulprits, who.size()); ++i) {
        const Culprit& row = who[i];
        table.add({formatDuration(row.idleNs), percentOf(row.idleNs, summary.gpuIdleNs), formatCount(row.gapCount),
                   formatDuration(row.longestNs), escaped(culpritTitle(row))});
    }
    html += table.html() + leftOut(who.size(), kMostCulprits, "rows");
    std::vector<const Gap*> longest;
    for (const Gap& gap : gaps.gaps)
        longest.push_back(&gap);
    const size_t shown = std::min(kMostGaps, longest.size());
    std::ranges::partial_sort(longest, longest.begin() + static_cast<ptrdiff_t>(shown), std::ranges::greater{},
                              [](const Gap* gap) { return gap->range.durationNs(); });
    HtmlTable gapRows({">Start", ">Idle", ">Host", ">Launch call", ">Device latency", "Host did", "Ended by"});
    for (size_t i = 0; i < shown; ++i) {
        const Gap& gap = *longest[i];
        const std::string_view next =
            gap.nextOp == kNoRow ? std::string_view() : trace.string(trace.deviceOps().name[gap.nextOp]);
        gapRows.add({formatMoment(gap.range.startNs), formatDuration(gap.range.durationNs()),
                     formatDuration(gap.causes.hostNs()), formatDuration(gap.causes[GapCause::LaunchCall]),
                     formatDuration(gap.causes[GapCause::DeviceLatency]), escaped(hostText(trace, gap)),
                     escaped(next)});
    }
    return html + "<h3>Longest gaps</h3>\n" + gapRows.html();
}

std::string tokensSection(const TokenTable& tokens) {
    if (tokens.rows.empty()) return {};
    HtmlTable table({"Token", ">Time", ">Busy", ">Idle", ">Launches", ">Kernels", "Text"});
    for (size_t i = 0; i < std::min(kMostTokens, tokens.rows.size()); ++i) {
        const TokenTime& row = tokens.rows[i];
        std::string name = row.index < 0 ? "prefill" : std::to_string(row.index);
        if (row.repeat < 0) name = "warm-up, " + name;
        table.add({name, formatDuration(row.range.durationNs()), formatDuration(row.busyNs), formatDuration(row.idleNs),
                   formatCount(row.launchCount), formatCount(row.kernelCount), escaped(row.text)});
    }
    return heading("Tokens") + tokensSvg(tokens) + table.html() + leftOut(tokens.rows.size(), kMostTokens, "tokens");
}

std::string kernelsSection(const Trace& trace, const KernelSummary& kernels) {
    HtmlTable table({"Kernel", "Category", ">Share", ">Total", ">Count", ">Average", ">Median", ">Min", ">Max"});
    size_t count = 0;
    for (const auto* rows : {&kernels.kernels, &kernels.others})
        for (const KernelRow& row : *rows) {
            if (++count > kMostKernels) continue;
            table.add({escaped(trace.string(row.name)), categoryCell(row.category), formatPercent(row.share),
                       formatDuration(row.times.totalNs), formatCount(row.times.count), duration(row.times.avgNs),
                       duration(row.times.medNs), formatDuration(row.times.minNs), formatDuration(row.times.maxNs)});
        }
    if (table.empty()) return {};
    return heading("Kernels, copies and sets") + table.html() + leftOut(count, kMostKernels, "names");
}

std::string stagesSection(const Trace& trace, const std::vector<StageTimes>& stages) {
    if (stages.empty()) return {};
    HtmlTable table({"Stage", "Category", ">Share", ">Total", ">Count", ">Average", ">Median", ">Min", ">Max"});
    for (size_t i = 0; i < std::min(kMostKernels, stages.size()); ++i) {
        const StageTimes& row = stages[i];
        table.add({escaped(trace.string(row.name)), categoryCell(row.category), formatPercent(row.share),
                   formatDuration(row.times.totalNs), formatCount(row.times.count), duration(row.times.avgNs),
                   duration(row.times.medNs), formatDuration(row.times.minNs), formatDuration(row.times.maxNs)});
    }
    return "<h3>Stages inside kernels</h3>\n<p class=\"muted\">Their time is part of their kernels'; shares are of all "
           "stages.</p>\n" +
           table.html() + leftOut(stages.size(), kMostKernels, "names");
}

std::string launchesSection(const WindowFacts& facts) {
    if (facts.summary.host.launchCount == 0) return {};
    HtmlTable table({"", ">Launches", ">Average", ">p50", ">p90", ">p99", ">Longest"});
    const auto add = [&](const char* name, const Distribution& times, const Percentiles& of) {
        table.add({name, formatCount(times.count), duration(times.avgNs), formatDuration(of.p50Ns),
                   formatDuration(of.p90Ns), formatDuration(of.p99Ns), formatDuration(times.maxNs)});
    };
    add("launch latency", facts.summary.launchLatency, facts.launches.latency);
    add("queue delay", facts.summary.queueDelay, facts.launches.queueDelay);
    const LaunchStatistics& of = facts.launches;
    return heading("Launches") + table.html() + "<p>" + formatCount(static_cast<int64_t>(of.shortLaunches.size())) +
           " launches took less device time (" + formatDuration(of.shortDeviceNs) + " in all) than their calls (" +
           formatDuration(of.shortCallNs) + "). " + formatCount(static_cast<int64_t>(of.runtimeOutliers.size())) +
           " calls took over " + formatDuration(of.thresholds.runtimeNs) + ", " +
           formatCount(static_cast<int64_t>(of.delayOutliers.size())) + " operations began over " +
           formatDuration(of.thresholds.delayNs) + " after their call returned.</p>\n";
}

std::string rooflineSection(const Trace& trace, const Roofline& roof) {
    std::string html = heading("Roofline");
    if (!roof.lacks.empty()) html += "<p>" + escaped(roof.lacks) + "</p>\n";
    if (roof.floorNsPerToken > 0 && roof.recordedNsPerToken > 0)
        html += "<p>The memory floor of a token is " + duration(roof.floorNsPerToken) + " (" +
                formatBytes(static_cast<double>(roof.weightBytes)) + " of weights), recorded are " +
                duration(roof.recordedNsPerToken) + ".</p>\n";
    if (roof.roles.empty()) return html;
    HtmlTable table({"Role", "Phase", "Category", ">Count", ">Total", ">Bandwidth", ">Arithmetic", ">Of the roof"});
    for (size_t i = 0; i < std::min(kMostRoles, roof.roles.size()); ++i) {
        const RooflinePoint& row = roof.roles[i];
        table.add({escaped(trace.string(row.name)), row.prompt ? "prefill" : "decode", categoryCell(row.category),
                   formatCount(row.count), formatDuration(row.ns), formatRate(row.bytesPerSecond(), "B/s"),
                   formatRate(row.flopsPerSecond(), "FLOP/s"),
                   roof.peakBytesPerSecond > 0 ? formatPercent(roof.shareOfRoof(row)) : ""});
    }
    return html + rooflineSvg(trace, roof) + table.html() + leftOut(roof.roles.size(), kMostRoles, "roles");
}

std::string whatIfSection(const WhatIf& remedies) {
    if (remedies.predictions.empty()) return {};
    const bool perToken = remedies.tokenCount > 0;
    HtmlTable table({"What if", perToken ? ">A token" : ">The window", ">Factor", "Confidence", ""});
    table.add({"as recorded",
               duration(perToken ? remedies.recordedNsPerToken : static_cast<double>(remedies.recordedNs)), "1.00"});
    for (const Prediction& row : remedies.predictions) {
        if (!row.unavailable.empty()) {
            table.add({escaped(row.title), "", "", "", escaped(row.unavailable)});
            continue;
        }
        char factor[32];
        std::snprintf(factor, sizeof factor, "%.2f", row.factor);
        std::string description = escaped(row.description);
        for (const BatchForecast& batch : row.batches)
            description += "<br>" + escaped(batchSentence(batch));
        table.add({escaped(row.title),
                   duration(perToken ? row.predictedNsPerToken : static_cast<double>(row.predictedNs)), factor,
                   escaped(row.confidence), description});
    }
    return heading("What remedies would bring, by replaying the window") + table.html();
}

}  // namespace

std::string leftOut(size_t count, size_t most, std::string_view what) {
    if (count <= most) return {};
    return "<p class=\"muted\">" + formatCount(static_cast<int64_t>(count - most)) + " more " + escaped(what) +
           " are not listed.</p>\n";
}

std::string duration(double ns) {
    return formatDuration(std::llround(ns));
}

std::string percentOf(int64_t part, int64_t whole) {
    return whole > 0 ? formatPercent(static_cast<double>(part) / static_cast<double>(whole)) : std::string();
}

std::string categoryCell(Category category) {
    return swatch(kCategoryColors[static_cast<size_t>(category)]) + escaped(categoryName(category));
}

std::string runLine(const ReportOf& of) {
    std::string text =
        of.name + ", " + formatDuration(of.window.durationNs()) + " from " + formatMoment(of.window.startNs);
    if (const RunInfo* run = of.trace->run()) {
        text += ". " + run->modelName + " on " + run->deviceName + ", " + run->precision + ", " + wayOf(*run);
        if (run->textIsNoise) text += ". Random weights: the text means nothing";
    } else {
        for (const DeviceRow& device : of.trace->devices())
            if (!device.name.empty()) text += ". " + device.name;
    }
    return text + ".";
}

std::string diagnosticsSection(const std::vector<Diagnostic>& entries, std::string_view of) {
    std::string html = heading(of);
    if (entries.empty()) return html + "<p>Nothing is broken or missing in the trace.</p>\n";
    HtmlTable table({"Severity", ">Count", "What"});
    for (const Diagnostic& entry : entries)
        table.add({escaped(severityName(entry.severity)), formatCount(entry.count),
                   escaped(entry.text.empty() ? entry.name : entry.text)});
    return html + table.html();
}

std::string htmlReport(const ReportOf& of, std::stop_token stop) {
    const PreparedTrace prepared(of.trace, stop);
    if (stop.stop_requested()) return {};
    const WindowFacts facts = windowFacts({prepared, of.window}, stop);
    const GapTable gaps = findGaps(*of.trace, prepared.join(), of.window, stop);
    if (stop.stop_requested()) return {};
    std::string body = "<h1>Gapscope report</h1>\n<p class=\"muted\">" + escaped(runLine(of)) + "</p>\n";
    body += verdictSection(facts.summary.verdict);
    body += tiles(facts);
    body += categoriesSection(facts.summary);
    body += timelineSection(of, facts, gaps);
    body += notesSection(prepared, "Notes", stop);
    body += idleSection(*of.trace, facts.summary, gaps);
    if (stop.stop_requested()) return {};
    body += whatIfSection(facts.whatIf);
    body += tokensSection(facts.tokens);
    body += kernelsSection(*of.trace, facts.kernels);
    body += stagesSection(*of.trace, stageTimes(*of.trace, of.window, stop));
    body += launchesSection(facts);
    body += rooflineSection(*of.trace, roofline(*of.trace, of.window, stop));
    body += diagnosticsSection(facts.summary.diagnostics, "Diagnostics");
    return htmlPage("Gapscope report: " + of.name, body);
}

namespace {

Status write(const std::filesystem::path& path, const std::string& html, const std::stop_token& stop) {
    if (stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
    ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(path));
    file.write(html);
    ASSIGN_OR_RETURN([[maybe_unused]] const int64_t bytes, file.finish());
    return {};
}

}  // namespace

Status writeReport(const std::filesystem::path& path, const ReportOf& of, std::stop_token stop) {
    return write(path, htmlReport(of, stop), stop);
}

Status writeCompareReport(const std::filesystem::path& path, const ReportOf& before, const ReportOf& after,
                          std::stop_token stop) {
    return write(path, htmlCompareReport(before, after, stop), stop);
}

}  // namespace gapscope
