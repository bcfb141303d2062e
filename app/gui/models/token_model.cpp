#include "app/gui/models/token_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"

namespace gapscope {
namespace {

enum Column {
    kToken,
    kText,
    kStart,
    kDuration,
    kShare,
    kBusy,
    kIdle,
    kHost,
    kLaunchCalls,
    kLatency,
    kUnknown,
    kLaunches,
    kKernels,
    kId,
    kDrafts,
    kSequence,
    kRepeat
};
static_assert(kText == TokenModel::kTextColumn && kHost == TokenModel::kHostColumn &&
              kUnknown == TokenModel::kUnknownColumn && kId == TokenModel::kIdColumn);
static_assert(kStart == TokenModel::kStartColumn && kKernels == TokenModel::kKernelsColumn &&
              kShare == TokenModel::kShareColumn);
static_assert(kRepeat == TokenModel::kRepeatColumn && kDrafts == TokenModel::kDraftsColumn &&
              kSequence == TokenModel::kSequenceColumn);

}  // namespace

QString visibleToken(const QString& token) {
    QString shown = token;
    shown.replace(QLatin1Char('\n'), QChar(0x23ce));
    if (shown.startsWith(QLatin1Char(' '))) shown[0] = QChar(0xb7);
    if (shown.endsWith(QLatin1Char(' '))) shown[shown.size() - 1] = QChar(0xb7);
    return shown;
}

size_t tokenRow(const Trace& trace, const TokenTime& token) {
    const Tokens& tokens = trace.tokens();
    for (size_t row = 0; row < tokens.index.size(); ++row)
        if (tokens.repeat[row] == token.repeat && tokens.index[row] == token.index) return row;
    return tokens.index.size();
}

TimeRange TokenModel::stepRange(int row) const {
    const TokenTime& own = token(row);
    const int first = row - own.place;
    const bool isThere = first >= 0 && token(first).repeat == own.repeat && token(first).place == 0;
    return isThere ? token(first).range : own.range;
}

bool TokenModel::hasRepeats() const {
    if (!m_report || m_report->tokens.rows.empty()) return false;
    const auto& rows = m_report->tokens.rows;
    return rows.front().repeat != rows.back().repeat;  // they stand by repeat
}

bool TokenModel::hasDrafts() const {
    return m_report && std::ranges::any_of(m_report->tokens.rows, [](const TokenTime& row) { return row.drafted > 0; });
}

bool TokenModel::isBatch() const {
    return m_report &&
           std::ranges::any_of(m_report->tokens.rows, [](const TokenTime& row) { return row.sequence > 0; });
}

bool TokenModel::hasUnknownIdle() const {
    return m_report && std::ranges::any_of(m_report->tokens.rows,
                                           [](const TokenTime& row) { return row.causes[GapCause::Unknown] > 0; });
}

bool TokenModel::hasTexts() const {
    return m_report && m_report->tokens.source == StepSource::Recorded;
}

void TokenModel::show(ReportPtr report) {
    beginResetModel();
    m_report = std::move(report);
    endResetModel();
}

int TokenModel::rowOf(const Selection& token) const {
    if (!m_report) return -1;
    const TokenTime* found = tokenOf(*m_report, token);
    return found ? static_cast<int>(found - m_report->tokens.rows.data()) : -1;
}

int TokenModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() || !m_report ? 0 : static_cast<int>(m_report->tokens.rows.size());
}

const std::vector<TableColumn>& TokenModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Token"), tr("Index within its repeat")},
        {tr("Text"), {}, false},
        {tr("Start"), tr("From the start of the trace")},
        {tr("Time"), tr("From the last device end of the token before to its own")},
        {tr("A token"), tr("Its share of the step's time, where a step gave several tokens")},
        {tr("Busy"), tr("Device busy time, devices summed")},
        {tr("Idle"), tr("Device idle time, devices summed")},
        {tr("Host"), tr("Idle while the host did not launch: waiting, in other API calls, between calls, profiler")},
        {tr("Launch call"), tr("Idle while the call that ended it ran")},
        {tr("Latency"), tr("Idle after the call had returned, or between nodes of one graph launch")},
        {tr("Unknown"), tr("Idle before operations whose launch is not in the file")},
        {tr("Launches"), tr("Calls that launched its operations; a graph launch is one")},
        {tr("Kernels"), {}},
        {tr("Id"), tr("In the vocabulary")},
        {tr("Drafts"),
         tr("Of its step's drafted tokens, how many were accepted. Tokens that came with another in one step say "
            "whether they were drafted; the step's first has its time.")},
        {tr("Sequence"), tr("Which prompt of the batch it continues")},
        {tr("Repeat"), {}},
    };
    return columns;
}

TableCell TokenModel::cell(int row, int column) const {
    const TokenTime& time = token(row);
    switch (column) {
        case kToken:
            if (time.index < 0) return {.shown = tr("prompt"), .raw = time.index};
            return countCell(time.index);
        case kText:
            return textCell(visibleToken(text(time.text)));
        case kStart:
            return momentCell(time.range.startNs);
        case kDuration:
            return durationCell(time.range.durationNs());
        case kShare:
            return durationCell(time.share.ns);
        case kBusy:
            return durationCell(time.busyNs);
        case kIdle:
            return durationCell(time.idleNs);
        case kHost:
            return durationCell(time.causes.hostNs());
        case kLaunchCalls:
            return durationCell(time.causes[GapCause::LaunchCall]);
        case kLatency:
            return durationCell(time.causes[GapCause::DeviceLatency]);
        case kUnknown:
            return durationCell(time.causes[GapCause::Unknown]);
        case kLaunches:
            return countCell(time.launchCount);
        case kKernels:
            return countCell(time.kernelCount);
        case kId:
            if (time.id < 0) return {.shown = QStringLiteral("–"), .raw = time.id};
            return {.shown = QString::number(time.id), .raw = time.id};
        case kDrafts:
            if (time.place > 0 && time.drafted > 0)
                return {.shown = time.place < time.accepted ? tr("drafted") : tr("own"), .raw = -1};
            if (time.drafted == 0) return {.shown = QStringLiteral("–"), .raw = -2};
            return {.shown = tr("%1 of %2").arg(time.accepted).arg(time.drafted), .raw = time.accepted};
        case kSequence:
            return countCell(time.sequence + 1);
        case kRepeat:
            if (time.repeat < 0) return {.shown = tr("warm-up"), .raw = time.repeat};
            return countCell(time.repeat + 1);
        default:
            return {};
    }
}

}  // namespace gapscope
