// The report of what changed between two windows.
#include <algorithm>
#include <cmath>

#include "core/analysis/compare.h"
#include "core/base/format.h"
#include "core/report/charts.h"
#include "core/report/html.h"
#include "core/report/report_parts.h"
#include "core/report/timeline_svg.h"

namespace gapscope {

namespace {

constexpr size_t kMostRows = 60;

std::string signedText(FigureUnit unit, std::optional<double> difference, std::optional<bool> improved) {
    const std::string text = escaped(differenceText(unit, difference));
    if (!improved) return text;
    return std::string("<span class=\"") + (*improved ? "good" : "bad") + "\">" + text + "</span>";
}

std::string changeText(std::optional<double> change) {
    if (!change) return {};
    return (*change < 0 ? "−" : *change > 0 ? "+" : "") + formatPercent(std::abs(*change));
}

std::string nsDifference(int64_t ns) {
    return escaped(differenceText(FigureUnit::Nanoseconds, static_cast<double>(ns)));
}

std::string presenceText(Presence presence) {
    return presence == Presence::Both ? std::string()
                                      : "<b>" + std::string(kPresenceNames[static_cast<size_t>(presence)]) + "</b>";
}

std::string figuresTable(const std::vector<FigureDelta>& figures) {
    HtmlTable table({"Figure", ">Before", ">After", ">Difference", ">Change", ""});
    for (const FigureDelta& row : figures) {
        if (row.before.value_or(0) == 0 && row.after.value_or(0) == 0) continue;
        const auto improved = row.improved();
        table.add({escaped(row.title), escaped(figureText(row.unit, row.before)),
                   escaped(figureText(row.unit, row.after)), signedText(row.unit, row.difference(), improved),
                   changeText(row.relativeChange()), improved ? (*improved ? "better" : "worse") : ""});
    }
    return table.html();
}

std::string kernelsTable(const std::vector<KernelDelta>& kernels) {
    HtmlTable table({"Kernel", "Category", "", ">Difference", ">Before", ">After", ">Count before", ">Count after",
                     ">Average before", ">Average after"});
    const auto average = [](const Distribution& times) {
        return times.count > 0 ? duration(times.avgNs) : std::string();
    };
    for (size_t i = 0; i < std::min(kMostRows, kernels.size()); ++i) {
        const KernelDelta& row = kernels[i];
        table.add({escaped(row.name), categoryCell(row.category), presenceText(row.presence()),
                   nsDifference(row.differenceNs()), formatDuration(row.before.totalNs),
                   formatDuration(row.after.totalNs), formatCount(row.before.count), formatCount(row.after.count),
                   average(row.before), average(row.after)});
    }
    return table.html();
}

std::string rolesTable(const std::vector<WorkDelta>& roles) {
    HtmlTable table({"Role", "", ">Difference", ">Before", ">After", ">Bandwidth before", ">Bandwidth after"});
    const auto rate = [](const std::optional<Work>& work) {
        return work && work->bytes > 0 ? formatRate(work->bytesPerSecond(), "B/s") : std::string();
    };
    const auto time = [](const std::optional<Work>& work) { return work ? formatDuration(work->ns) : std::string(); };
    for (size_t i = 0; i < std::min(kMostRows, roles.size()); ++i) {
        const WorkDelta& row = roles[i];
        table.add({escaped(row.name), presenceText(row.presence()), nsDifference(row.differenceNs()), time(row.before),
                   time(row.after), rate(row.before), rate(row.after)});
    }
    return table.html();
}

std::string culpritsTable(const std::vector<CulpritDelta>& culprits) {
    HtmlTable table(
        {"Who left the device idle", "", ">Difference", ">Idle before", ">Idle after", ">Gaps before", ">Gaps after"});
    const auto idle = [](const std::optional<Culprit>& of) { return of ? formatDuration(of->idleNs) : std::string(); };
    const auto gaps = [](const std::optional<Culprit>& of) { return of ? formatCount(of->gapCount) : std::string(); };
    for (size_t i = 0; i < std::min(kMostRows, culprits.size()); ++i) {
        const CulpritDelta& row = culprits[i];
        table.add({escaped(row.name), presenceText(row.presence()), nsDifference(row.differenceNs()), idle(row.before),
                   idle(row.after), gaps(row.before), gaps(row.after)});
    }
    return table.html();
}

std::string tokensTable(const std::vector<TokenDelta>& tokens) {
    HtmlTable table({"Token", ">Difference", ">Before", ">After", ">Idle before", ">Idle after", ">Launches before",
                     ">Launches after", "Text"});
    const auto with = [](const std::optional<TokenTime>& token, auto text) {
        return token ? text(*token) : std::string();
    };
    const auto time = [](const TokenTime& token) { return formatDuration(token.share.ns); };
    const auto idle = [](const TokenTime& token) { return formatDuration(token.share.idleNs); };
    const auto launches = [](const TokenTime& token) { return figureText(FigureUnit::Count, token.share.launches); };
    for (size_t i = 0; i < std::min(kMostRows, tokens.size()); ++i) {
        const TokenDelta& row = tokens[i];
        const TokenTime& known = row.before ? *row.before : *row.after;
        table.add({known.index < 0 ? "prefill" : std::to_string(known.index),
                   row.before && row.after ? nsDifference(row.differenceNs()) : "", with(row.before, time),
                   with(row.after, time), with(row.before, idle), with(row.after, idle), with(row.before, launches),
                   with(row.after, launches), escaped(known.text)});
    }
    return table.html();
}

std::string heading(std::string_view text) {
    return "<h2>" + escaped(text) + "</h2>\n";
}

// Both from their windows' starts, as long as the longer one: lengths can be compared by eye.
std::string timelines(const ReportOf& before, const ReportOf& after, std::stop_token stop) {
    const int64_t ns = std::max(before.window.durationNs(), after.window.durationNs());
    std::string html;
    for (const auto& [of, what] : {std::pair{&before, "Before"}, std::pair{&after, "After"}}) {
        const TimelinePictures pictures(of->trace, findGaps(*of->trace, of->window, stop));
        html += "<h3>" + std::string(what) + "</h3>" +
                pictures.svg({of->window.startNs, of->window.startNs + ns},
                             std::string(what) + ", at the scale of the longer one.");
    }
    return html;
}

}  // namespace

std::string htmlCompareReport(const ReportOf& before, const ReportOf& after, std::stop_token stop) {
    const PreparedTrace preparedBefore(before.trace, stop), preparedAfter(after.trace, stop);
    if (stop.stop_requested()) return {};
    const Comparison of = compare({preparedBefore, before.window}, {preparedAfter, after.window}, stop);
    if (stop.stop_requested()) return {};
    std::string body = "<h1>Gapscope: what changed</h1>\n<p class=\"muted\">Before: " + escaped(runLine(before)) +
                       "</p>\n<p class=\"muted\">After: " + escaped(runLine(after)) + "</p>\n";
    body += "<div class=\"card\"><p class=\"verdict\">" + escaped(of.sentence) +
            "</p><ul><li>Before: " + escaped(of.before.summary.verdict.sentence) +
            "</li><li>After: " + escaped(of.after.summary.verdict.sentence) + "</li></ul></div>\n";
    body += heading("Device time by category") + "<div class=\"side\">";
    for (const auto& [facts, what] : {std::pair{&of.before, "Before"}, std::pair{&of.after, "After"}})
        body += "<div><h3>" + std::string(what) + "</h3><figure>" + pieSvg(facts->summary.categories) +
                twoWaySvg(facts->summary.categories) + "</figure></div>";
    body += "</div>\n" + heading("Idle device time by cause") + "<div class=\"side\">";
    for (const auto& [facts, what] : {std::pair{&of.before, "Before"}, std::pair{&of.after, "After"}})
        body +=
            "<div><h3>" + std::string(what) + "</h3><figure>" + causesSvg(facts->summary.gapCauses) + "</figure></div>";
    body += "</div>\n" + heading("Timelines") + timelines(before, after, stop);
    if (before.trace == after.trace)  // two windows of it
        body += notesSection(preparedBefore, "Notes", stop);
    else
        body += notesSection(preparedBefore, "Notes, before", stop) + notesSection(preparedAfter, "Notes, after", stop);
    body += heading("Figures") + figuresTable(of.figures);
    for (const PhaseDelta& phase : of.phases)
        body += "<h3>Of " + escaped(phase.name) + "</h3>" + figuresTable(phase.figures);
    body += heading("Kernels") + kernelsTable(of.kernels);
    if (!of.culprits.empty()) body += heading("Who left the device idle") + culpritsTable(of.culprits);
    if (!of.roles.empty()) body += heading("Roles") + rolesTable(of.roles);
    if (!of.tokens.empty()) body += heading("Tokens") + tokensTable(of.tokens);
    body += diagnosticsSection(of.before.summary.diagnostics, "Diagnostics, before");
    body += diagnosticsSection(of.after.summary.diagnostics, "Diagnostics, after");
    return htmlPage("Gapscope: " + before.name + " and " + after.name, body);
}

}  // namespace gapscope
