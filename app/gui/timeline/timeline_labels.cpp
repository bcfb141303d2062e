#include "app/gui/timeline/timeline_labels.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>
#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/session/selection_text.h"
#include "core/analysis/api_calls.h"
#include "core/base/clock_event_reasons.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

QString tr(const char* source) {
    return QCoreApplication::translate("Timeline", source);
}
QString duration(int64_t ns) {
    return gapscope::text(formatDuration(ns));
}
QString count(int64_t value) {
    return gapscope::text(formatCount(value));
}

// Three digits for reading, the exact value for everything else.
QString exactly(int64_t ns) {
    return ns < 1000 && ns > -1000 ? duration(ns) : tr("%1 (%2 ns)").arg(duration(ns), count(ns));
}

// Rich text, so that long names wrap; every value is escaped because names come from files.
class Tip {
public:
    explicit Tip(const QString& title)
        : m_html(QStringLiteral("<qt><b>%1</b><table cellspacing=0>").arg(shown(title))) {}
    void add(const QString& name, const QString& value) {
        m_html += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>").arg(name.toHtmlEscaped(), shown(value));
    }
    QString html() const { return m_html + QStringLiteral("</table></qt>"); }

private:
    static QString shown(QString text) {
        constexpr qsizetype kLongest = 400;  // demangled names can fill a screen
        if (text.size() > kLongest) text = text.left(kLongest) + QChar(0x2026);
        return text.toHtmlEscaped();
    }
    QString m_html;
};

void addRole(Tip& tip, const Trace& trace, OpId op, int32_t token) {
    if (op.valid() && op.value < trace.ops().size()) {
        const OpRow& info = trace.ops()[op.value];
        const QString role = gapscope::text(trace.string(info.name));
        if (info.layer >= 0)
            tip.add(tr("layer"),
                    role.isEmpty() ? QString::number(info.layer) : tr("%1, %2").arg(QString::number(info.layer), role));
        if (info.layer < 0 && !role.isEmpty()) tip.add(tr("operation"), role);
        if (!trace.string(info.shapes).empty()) tip.add(tr("shapes"), gapscope::text(trace.string(info.shapes)));
    }
    if (token >= 0) tip.add(tr("token"), QString::number(token));
}

void addFigures(Tip& tip, const TokenTime* figures) {
    if (!figures) return;
    tip.add(tr("device busy"), exactly(figures->busyNs));
    tip.add(tr("device idle"), exactly(figures->idleNs));
    tip.add(tr("kernels"), count(figures->kernelCount));
    tip.add(tr("launches"), count(figures->launchCount));
}

// Tokens that one step gave: with speculative decoding, and in a batch, a span of the row stands for several; a batch's
// sequences have rows where it is one.
size_t tokenCount(const Trace& trace, const TimelineRow& row, const TokenSpan& span) {
    const Tokens& tokens = trace.tokens();
    size_t end = static_cast<size_t>(span.tokenRow) + 1;
    if (span.tokenRow < 0 || row.sequence >= 0) return 1;
    while (end < tokens.place.size() && tokens.place[end] > 0 && tokens.repeat[end] == span.repeat)
        ++end;
    return end - static_cast<size_t>(span.tokenRow);
}

// "5", or "5–8".
QString tokenNumbers(const Trace& trace, const TimelineRow& row, const TokenSpan& span) {
    if (row.sequence >= 0) return QString::number(span.number);
    const auto more = static_cast<int32_t>(tokenCount(trace, row, span)) - 1;
    const QString first = QString::number(span.index);
    return more == 0 ? first : first + QChar(0x2013) + QString::number(span.index + more);
}

QString tokenTexts(const Trace& trace, const TimelineRow& row, const TokenSpan& span) {
    QString texts;
    for (size_t i = 0; span.tokenRow >= 0 && i < tokenCount(trace, row, span); ++i)
        texts += gapscope::text(trace.string(trace.tokens().text[static_cast<size_t>(span.tokenRow) + i]));
    return texts;
}

}  // namespace

uint8_t apiTintOf(std::string_view name) {
    const ApiTraits traits = apiTraits(name);
    if (traits.launches) return static_cast<uint8_t>(ApiTint::Launch);
    if (traits.waits) return static_cast<uint8_t>(ApiTint::Wait);
    return static_cast<uint8_t>(traits.copies ? ApiTint::Copy : ApiTint::Other);
}

QColor deviceColor(const Theme& theme, uint8_t tint, ColourBy colourBy) {
    switch (colourBy) {
        case ColourBy::Category:
            break;
        case ColourBy::Name:
        case ColourBy::Stream:
            return tint < theme.names.size() ? theme.names[tint] : theme.noLatency;
        case ColourBy::LaunchLatency:
            return tint < theme.latencies.size() ? theme.latencies[tint] : theme.noLatency;
    }
    return theme.categories[std::min<size_t>(tint, kCategoryCount - 1)];
}

QColor itemColor(const Theme& theme, RowKind kind, uint8_t tint, ColourBy colourBy) {
    switch (kind) {
        case RowKind::Stream:
        case RowKind::Copy:
            return deviceColor(theme, tint, colourBy);
        case RowKind::Gap:
            return theme.gapCauses[std::min<size_t>(tint, kGapCauseCount - 1)];
        case RowKind::Stage:  // has no call of its own, and lies on its kernel's stream
            return theme.categories[std::min<size_t>(tint, kCategoryCount - 1)];
        case RowKind::Range:
        case RowKind::Projection:
            return colourBy == ColourBy::Name ? deviceColor(theme, tint, colourBy) : theme.range[tint % kRangeTints];
        case RowKind::Layer:
        case RowKind::Step:
        case RowKind::Token:
            return tint == 0 ? theme.prefill : theme.token[(tint - 1) % theme.token.size()];
        case RowKind::Wait:
            return colourBy == ColourBy::Name ? deviceColor(theme, tint, colourBy) : theme.apiWait;
        case RowKind::Overhead:
            return theme.gapCause(GapCause::Profiler);
        case RowKind::ClockLimit:
            return theme.clockLimits[std::min<size_t>(tint, kClockLimitCount - 1)];
        case RowKind::Counters:
        case RowKind::Counter:
            return theme.counterLine;
        case RowKind::ApiCall:
            break;
    }
    if (colourBy != ColourBy::Category) return deviceColor(theme, tint, colourBy);
    switch (static_cast<ApiTint>(tint)) {
        case ApiTint::Launch:
            return theme.apiLaunch;
        case ApiTint::Copy:
            return theme.apiCopy;
        case ApiTint::Wait:
            return theme.apiWait;
        case ApiTint::Other:
            break;
    }
    return theme.apiOther;
}

QString gapSentence(const Trace& trace, const Gap& gap) {
    if (gap.unknown) {
        const QString sentence = tr("%1 idle, cause unknown: the trace has no launch for what follows")
                                     .arg(duration(gap.range.durationNs()));
        return gap.hostName.valid() ? tr("%1; the host was in %2").arg(sentence, gapscope::text(hostText(trace, gap)))
                                    : sentence;
    }
    QStringList parts;
    const int64_t hostNs = gap.causes.hostNs();
    if (hostNs > 0) {
        QString host = tr("%1 host").arg(duration(hostNs));
        if (gap.hostName.valid()) host = tr("%1 in %2").arg(host, gapscope::text(hostText(trace, gap)));
        if (gap.causes[GapCause::HostWaiting] * 2 > hostNs) host += tr(", mostly waiting");
        parts << host;
    }
    if (gap.causes[GapCause::LaunchCall] > 0)
        parts << tr("%1 launch call").arg(duration(gap.causes[GapCause::LaunchCall]));
    if (gap.causes[GapCause::DeviceLatency] > 0)
        parts << tr("%1 device").arg(duration(gap.causes[GapCause::DeviceLatency]));
    if (gap.causes[GapCause::Unknown] > 0) parts << tr("%1 unknown").arg(duration(gap.causes[GapCause::Unknown]));
    const QString idle = tr("%1 idle").arg(duration(gap.range.durationNs()));
    return parts.isEmpty() ? idle : tr("%1: %2").arg(idle, parts.join(QStringLiteral(", ")));
}

TimelineLabels::TimelineLabels(const TimelineIndex& index, std::shared_ptr<const TraceGaps> gaps, LabelCache& cache)
    : m_index(index), m_gaps(std::move(gaps)), m_cache(cache) {}

// Where the name is one of the trace's own; empty otherwise.
std::string_view TimelineLabels::tableName(const TimelineRow& row, uint32_t tableRow) const {
    const Trace& trace = m_index.trace();
    const auto of = [&](const auto& table) {
        return tableRow < table.name.size() ? trace.string(table.name[tableRow]) : std::string_view();
    };
    switch (row.kind) {
        case RowKind::Stream:
        case RowKind::Copy:
            return of(trace.deviceOps());
        case RowKind::Stage:
            return of(trace.stages());
        case RowKind::ApiCall:
            return of(trace.apiCalls());
        case RowKind::Range:
        case RowKind::Projection:
        case RowKind::Wait:
            return of(trace.ranges());
        case RowKind::Overhead:
            return of(trace.overheads());
        default:
            return {};
    }
}

QString TimelineLabels::name(const TimelineRow& row, uint32_t tableRow) const {
    const Trace& trace = m_index.trace();
    switch (row.kind) {
        case RowKind::Stream:
        case RowKind::Copy:
        case RowKind::Stage:
        case RowKind::ApiCall:
        case RowKind::Range:
        case RowKind::Projection:
        case RowKind::Wait:
        case RowKind::Overhead:
            return gapscope::text(tableName(row, tableRow));
        case RowKind::ClockLimit:
            if (tableRow >= trace.counterSamples().value.size()) return {};
            return gapscope::text(clockEventReasonWords(clockEventReasonsOf(trace.counterSamples().value[tableRow])));
        case RowKind::Counters:
        case RowKind::Counter:
            return {};
        case RowKind::Layer:
            return tableRow < m_index.layers().size() ? tr("layer %1").arg(m_index.layers()[tableRow].layer)
                                                      : QString();
        case RowKind::Step: {
            if (tableRow >= m_index.steps().size()) return {};
            const int32_t index = m_index.steps()[tableRow].index;
            return index < 0 ? tr("prefill") : QString::number(index);
        }
        case RowKind::Token: {
            if (tableRow >= m_index.tokens().size()) return {};
            const TokenSpan& token = m_index.tokens()[tableRow];
            const QString warmup = token.repeat < 0 ? tr("warm-up ") : QString();
            return warmup + (token.index < 0 ? tr("prefill") : tokenNumbers(trace, row, token));
        }
        case RowKind::Gap:
            if (!m_gaps || tableRow >= m_gaps->gaps.size()) return {};
            return duration(m_gaps->gaps.range(tableRow).durationNs());
    }
    return {};
}

QString TimelineLabels::fitting(const TimelineRow& row, const LaneItem& item, double width) const {
    const auto wholeOrNothing = [&](const QString& text) {  // numbers are never cut
        return m_cache.metrics().horizontalAdvance(text) <= width ? text : QString();
    };
    if (row.kind == RowKind::Gap) return wholeOrNothing(duration(item.durationNs()));
    if (row.kind == RowKind::Step) return wholeOrNothing(name(row, item.row));
    if (row.kind == RowKind::Token) {
        const QString full = name(row, item.row);
        const int64_t textRow = item.row < m_index.tokens().size() ? m_index.tokens()[item.row].tokenRow : -1;
        // A narrow warm-up token keeps its number at least; the range below says that it is a warm-up.
        const auto numbered = [&] {
            const QString whole = wholeOrNothing(full);
            const bool isShort = !whole.isEmpty() || item.row >= m_index.tokens().size();
            const int32_t index = isShort ? -1 : m_index.tokens()[item.row].index;
            return index < 0 ? whole : wholeOrNothing(tokenNumbers(m_index.trace(), row, m_index.tokens()[item.row]));
        };
        if (textRow < 0) return numbered();
        // The word itself, where there is room for it beside the number.
        const Trace& trace = m_index.trace();
        const QString word = tokenTexts(trace, row, m_index.tokens()[item.row]).simplified();
        const QString both = wholeOrNothing(tr("%1  %2").arg(full, word));
        return word.isEmpty() || both.isEmpty() ? numbered() : both;
    }
    if (row.kind == RowKind::Layer) {
        const QString whole = wholeOrNothing(name(row, item.row));
        if (!whole.isEmpty() || item.row >= m_index.layers().size()) return whole;
        return wholeOrNothing(QString::number(m_index.layers()[item.row].layer));
    }
    if (row.kind == RowKind::ClockLimit) return m_cache.fitting(name(row, item.row).toStdString(), width);
    const std::string_view text = tableName(row, item.row);
    QString fits = m_cache.fitting(text, width);
    if (row.kind == RowKind::ApiCall && fits.contains(QChar(0x2026))) {
        // The library's prefix is the same for all calls of a row.
        for (const std::string_view prefix : {"cuda", "cu", "cpu", "hip"}) {
            if (text.starts_with(prefix) && text.size() > prefix.size() && text[prefix.size()] >= 'A' &&
                text[prefix.size()] <= 'Z')
                return m_cache.fitting(text.substr(prefix.size()), width);
        }
    }
    return fits;
}

QString TimelineLabels::tooltip(const FrameHit& hit) const {
    if (hit.span.count == 0 || hit.row >= m_index.rows().size()) return {};
    const TimelineRow& row = *m_index.rows()[hit.row];
    if (row.kind == RowKind::Counter) return counterTooltip(row, hit);
    if (hit.span.count > 1) return mergedTooltip(row, row.lanes.lanes()[hit.lane], hit.span);
    switch (row.kind) {
        case RowKind::Stream:
        case RowKind::Copy:
            return deviceOpTooltip(hit.tableRow);
        case RowKind::Stage:
            return stageTooltip(hit.tableRow);
        case RowKind::ApiCall:
            return apiCallTooltip(hit.tableRow);
        case RowKind::Gap:
            return gapTooltip(hit.tableRow);
        case RowKind::Token:
            return tokenTooltip(row, hit.tableRow);
        case RowKind::Step:
            return stepTooltip(row, hit.tableRow);
        case RowKind::Layer:
        case RowKind::Projection:
        case RowKind::Range:
        case RowKind::Wait:
        case RowKind::Overhead:
        case RowKind::Counters:
        case RowKind::Counter:
        case RowKind::ClockLimit:
            break;
    }
    const LaneItem item = row.lanes.lanes()[hit.lane][hit.item];
    Tip tip(name(row, hit.tableRow));
    if (row.kind == RowKind::ClockLimit) tip.add(tr("clock limits"), tr("what held the clock down, by NVML"));
    if (row.kind == RowKind::Projection) {
        const Ranges& ranges = m_index.trace().ranges();
        tip.add(tr("on the device"), tr("from its first operation to its last"));
        tip.add(tr("range on the CPU"), exactly(ranges.endNs[hit.tableRow] - ranges.startNs[hit.tableRow]));
    }
    if (row.kind == RowKind::Layer && hit.tableRow < m_index.layers().size()) {
        const LayerSpan& layer = m_index.layers()[hit.tableRow];
        tip.add(m_index.trace().run() ? tr("token") : tr("step"),
                layer.token < 0 ? tr("prefill") : QString::number(layer.token));
    }
    if (row.kind == RowKind::Overhead) tip.add(tr("tracing cost"), tr("the profiler worked, not the program"));
    tip.add(tr("duration"), exactly(item.durationNs()));
    tip.add(tr("start"), exactly(item.startNs));
    return tip.html();
}

QString TimelineLabels::mergedTooltip(const TimelineRow& row, const Lane& lane, const LaneSpan& span) const {
    const int64_t startNs = lane.startNs(span.first);
    const int64_t endNs = lane.endNs(span.first + span.count - 1);
    const QString number = count(static_cast<int64_t>(span.count));
    QString what;
    switch (row.kind) {
        case RowKind::Stream:
        case RowKind::Copy:
            what = tr("%1 device operations").arg(number);
            break;
        case RowKind::Stage:
            what = tr("%1 stages of kernels").arg(number);
            break;
        case RowKind::ApiCall:
            what = tr("%1 API calls").arg(number);
            break;
        case RowKind::Gap:
            what = tr("%1 parts of gaps").arg(number);
            break;
        case RowKind::Token:
            what = tr("%1 tokens").arg(number);
            break;
        case RowKind::Step:
            what = tr("%1 steps").arg(number);
            break;
        case RowKind::Range:
        case RowKind::Projection:
            what = tr("%1 ranges").arg(number);
            break;
        case RowKind::Layer:
            what = tr("%1 layers").arg(number);
            break;
        case RowKind::Wait:
            what = tr("%1 waits").arg(number);
            break;
        case RowKind::Overhead:
            what = tr("%1 records of tracing cost").arg(number);
            break;
        case RowKind::ClockLimit:
            what = tr("%1 stretches of clock limits").arg(number);
            break;
        case RowKind::Counters:
        case RowKind::Counter:
            break;
    }
    Tip tip(what);
    tip.add(tr("together"), tr("%1 of %2").arg(gapscope::text(formatPercent(span.busy)), duration(endNs - startNs)));
    if (row.kind == RowKind::Stage || (row.kind == RowKind::Stream && m_index.colourBy() == ColourBy::Category))
        tip.add(tr("mostly"),
                gapscope::text(categoryName(static_cast<Category>(std::min<int>(span.tint, kCategoryCount - 1)))));
    const size_t longest = lane.longest(span.first, span.first + span.count);
    tip.add(tr("longest"), tr("%1, %2").arg(name(row, lane[longest].row), duration(lane[longest].durationNs())));
    tip.add(tr("start"), exactly(startNs));
    return tip.html();
}

QString TimelineLabels::stageTooltip(uint32_t row) const {
    const Trace& trace = m_index.trace();
    const StageRow stage = rowAt(trace.stages(), row);
    Tip tip(gapscope::text(trace.string(stage.name)));
    tip.add(tr("stage"), tr("inside a kernel, by stamps of one of its blocks"));
    tip.add(tr("duration"), exactly(stage.endNs - stage.startNs));
    tip.add(tr("start"), exactly(stage.startNs));
    tip.add(tr("category"), gapscope::text(categoryName(stage.category)));
    addRole(tip, trace, stage.op, stage.token);
    return tip.html();
}

QString TimelineLabels::deviceOpTooltip(uint32_t row) const {
    const Trace& trace = m_index.trace();
    const DeviceOpRow op = rowAt(trace.deviceOps(), row);
    Tip tip(gapscope::text(trace.string(op.name)));
    tip.add(tr("duration"), exactly(op.endNs - op.startNs));
    tip.add(tr("start"), exactly(op.startNs));
    tip.add(tr("category"), gapscope::text(categoryName(op.category)));
    addRole(tip, trace, op.op, op.token);
    if (op.copyBytes > 0) tip.add(tr("size"), gapscope::text(formatBytes(static_cast<double>(op.copyBytes))));
    if (const auto call = m_index.correlations().callOf(trace, row)) {
        // Of a graph launch only the first node has a latency of its own.
        const std::vector<uint32_t> operations = m_index.correlations().operationsOf(trace, *call, 1);
        if (!operations.empty() && operations.front() == row)
            tip.add(tr("launch latency"), tr("%1 after %2")
                                              .arg(duration(op.startNs - trace.apiCalls().startNs[*call]),
                                                   gapscope::text(trace.string(trace.apiCalls().name[*call]))));
    }
    return tip.html();
}

QString TimelineLabels::apiCallTooltip(uint32_t row) const {
    const Trace& trace = m_index.trace();
    const ApiCallRow call = rowAt(trace.apiCalls(), row);
    Tip tip(gapscope::text(trace.string(call.name)));
    tip.add(tr("duration"), exactly(call.endNs - call.startNs));
    tip.add(tr("start"), exactly(call.startNs));
    const std::vector<uint32_t> operations = m_index.correlations().operationsOf(trace, row);
    if (!operations.empty()) {
        const uint32_t first = operations.front();
        const QString started = gapscope::text(trace.string(trace.deviceOps().name[first]));
        tip.add(tr("launches"),
                operations.size() == 1
                    ? started
                    : tr("%1 operations, first %2").arg(count(static_cast<int64_t>(operations.size())), started));
        tip.add(tr("launch latency"), exactly(trace.deviceOps().startNs[first] - call.startNs));
    }
    return tip.html();
}

QString TimelineLabels::gapTooltip(uint32_t row) const {
    if (!m_gaps || row >= m_gaps->gaps.size()) return {};
    const Gap gap = m_gaps->gaps[row];
    const Trace& trace = m_index.trace();
    Tip tip(gapSentence(trace, gap));
    tip.add(tr("start"), exactly(gap.range.startNs));
    if (gap.nextOp != kNoRow && gap.nextOp < trace.deviceOps().name.size())
        tip.add(tr("ended by"), gapscope::text(trace.string(trace.deviceOps().name[gap.nextOp])));
    return tip.html();
}

// As the table of tokens has them; null before they are worked out.
const TokenTime* TimelineLabels::figuresOf(int16_t repeat, int32_t index) const {
    if (!m_gaps) return nullptr;
    const auto& rows = m_gaps->tokens.rows;
    const auto keyOf = [](const TokenTime& row) { return std::pair(row.repeat, row.index); };
    const auto found = std::ranges::lower_bound(rows, std::pair(repeat, index), {}, keyOf);
    return found != rows.end() && keyOf(*found) == std::pair(repeat, index) ? &*found : nullptr;
}

QString TimelineLabels::stepTooltip(const TimelineRow& of, uint32_t row) const {
    if (row >= m_index.steps().size()) return {};
    const StepSpan& step = m_index.steps()[row];
    Tip tip(step.index < 0 ? tr("prefill") : tr("step %1").arg(step.index));
    tip.add(tr("found"), gapscope::text(of.detail));
    tip.add(tr("duration"), exactly(step.range.durationNs()));
    tip.add(tr("start"), exactly(step.range.startNs));
    addFigures(tip, figuresOf(step.repeat, step.index));
    if (step.repeat > 0) tip.add(tr("request"), QString::number(step.repeat));
    return tip.html();
}

QString TimelineLabels::tokenTooltip(const TimelineRow& of, uint32_t row) const {
    if (row >= m_index.tokens().size()) return {};
    const TokenSpan& token = m_index.tokens()[row];
    const Trace& trace = m_index.trace();
    const bool isSeveral = tokenCount(trace, of, token) > 1;
    Tip tip(token.index < 0 ? tr("prefill")
                            : (isSeveral ? tr("tokens %1") : tr("token %1")).arg(tokenNumbers(trace, of, token)));
    if (token.tokenRow >= 0) {
        const auto emitted = static_cast<size_t>(token.tokenRow);
        tip.add(tr("text"), tokenTexts(trace, of, token));
        if (of.sequence >= 0) tip.add(tr("prompt"), QString::number(of.sequence + 1));
        if (of.sequence >= 0) tip.add(tr("token of the run"), QString::number(token.index));
        if (trace.tokens().drafted[emitted] > 0)
            tip.add(tr("drafts"),
                    tr("%1 of %2 accepted").arg(trace.tokens().accepted[emitted]).arg(trace.tokens().drafted[emitted]));
    }
    tip.add(tr("duration"), exactly(token.range.durationNs()));
    tip.add(tr("start"), exactly(token.range.startNs));
    addFigures(tip, figuresOf(token.repeat, token.index));
    if (token.repeat != 0) tip.add(tr("repeat"), token.repeat < 0 ? tr("warm-up") : QString::number(token.repeat));
    return tip.html();
}

QString counterValue(CounterUnit unit, double value) {
    switch (unit) {
        case CounterUnit::Bytes:
            return gapscope::text(formatBytes(value));
        case CounterUnit::Hertz:
            return gapscope::text(formatRate(value, "Hz"));
        case CounterUnit::Watt:
            return gapscope::text(formatRate(value, "W"));
        case CounterUnit::Celsius:
            return tr("%1 °C").arg(value, 0, 'f', 0);
        case CounterUnit::ClockEventReasons:
            return gapscope::text(clockEventReasonWords(clockEventReasonsOf(value)));
        case CounterUnit::Number:
            break;
    }
    return gapscope::text(formatRate(value, "")).trimmed();
}

namespace {

QString withoutZeros(QString number) {
    static const QRegularExpression kZeros(QStringLiteral("\\.?0+(?= |$)"));
    return number.contains(QLatin1Char('.')) ? number.replace(kZeros, QString()) : number;
}

}  // namespace

QString counterAxisText(CounterUnit unit, double value) {
    return withoutZeros(counterValue(unit, value));
}

QString plotValue(const TimelineRow& row, double value) {
    switch (row.figure) {
        case PlotFigure::Sampled:
            break;
        case PlotFigure::BusyShare:
            return value > 0 ? gapscope::text(formatPercent(value)) : QStringLiteral("0 %");
        case PlotFigure::QueueDepth:
            return count(std::llround(value));
        case PlotFigure::Bandwidth:
            return gapscope::text(formatRate(value, "B/s"));
    }
    return counterValue(row.unit, value);
}

QString plotAxisText(const TimelineRow& row, double value) {
    if (row.figure == PlotFigure::BusyShare) return QStringLiteral("100 %");
    return row.figure == PlotFigure::Sampled ? counterAxisText(row.unit, value) : withoutZeros(plotValue(row, value));
}

QString TimelineLabels::counterTooltip(const TimelineRow& row, const FrameHit& hit) const {
    if (row.figure == PlotFigure::BusyShare) {
        Tip tip(tr("%1: %2").arg(gapscope::text(row.title), plotValue(row, hit.column.mean)));
        tip.add(tr("of"), tr("the few px around the pointer"));
        return tip.html();
    }
    Tip tip(tr("%1: %2").arg(gapscope::text(row.title), plotValue(row, row.series.value(hit.item))));
    if (row.unit == CounterUnit::Bytes) {
        const auto& devices = m_index.trace().devices();
        const auto device = std::ranges::find(devices, row.deviceId, &DeviceRow::id);
        if (device != devices.end() && device->totalMemoryBytes > 0)
            tip.add(tr("of"), counterValue(row.unit, static_cast<double>(device->totalMemoryBytes)));
        tip.add(tr("exactly"), tr("%1 B").arg(count(static_cast<int64_t>(row.series.value(hit.item)))));
    }
    if (hit.column.least < hit.column.greatest) {
        tip.add(tr("in this pixel"), tr("%1 to %2, mean %3")
                                         .arg(plotValue(row, hit.column.least), plotValue(row, hit.column.greatest),
                                              plotValue(row, hit.column.mean)));
    }
    tip.add(row.figure == PlotFigure::Sampled ? tr("sampled at") : tr("since"), exactly(row.series.timeNs(hit.item)));
    return tip.html();
}

QString TimelineLabels::rowTooltip(size_t row, std::optional<double> busy) const {
    if (row >= m_index.rows().size()) return {};
    Tip tip(
        gapscope::text(m_index.rows()[row]->detail.empty() ? m_index.rows()[row]->title : m_index.rows()[row]->detail));
    const RowKind kind = m_index.rows()[row]->kind;
    const QString what = kind == RowKind::Range || kind == RowKind::Projection ? tr("outermost ranges")
                         : kind == RowKind::ApiCall                            ? tr("in API calls")
                         : kind == RowKind::Wait                               ? tr("waiting")
                                                                               : tr("busy");
    if (busy) tip.add(what, tr("%1 of the visible time").arg(gapscope::text(formatPercent(*busy))));
    return tip.html();
}

}  // namespace gapscope
