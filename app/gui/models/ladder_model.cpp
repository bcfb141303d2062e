#include "app/gui/models/ladder_model.h"

#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

enum Column {
    kRung,
    kTokens,
    kPredicted,
    kError,
    kBusy,
    kIdleBy,
    kLaunches,
    kBandwidth,
    kOfPeak,
    kDrafts,
    kRemark,
};

TableCell noCell(const QString& tip = {}) {
    return {.shown = QStringLiteral("–"), .raw = 0.0, .exact = QString(), .tip = tip};
}

TableCell numberCell(double number, int decimals) {
    return {.shown = QString::number(number, 'f', decimals), .raw = number, .exact = QString::number(number, 'g', 10)};
}

TableCell rungCell(const LadderRung& rung) {
    if (!rung.speculates()) return textCell(rungTitle(rung));
    TableCell cell = textCell(rung.ran() ? LadderModel::tr("%1, %2").arg(rungTitle(rung), text(modeName(rung.mode)))
                                         : rungTitle(rung));
    cell.tip = rung.speculation == Speculation::Model
                   ? LadderModel::tr("Drafts by the model %1").arg(text(rung.drafter))
                   : LadderModel::tr("Drafts what followed earlier in the text (prompt lookup)");
    if (rung.ran()) cell.tip += LadderModel::tr(", on the fastest rung without drafts");
    return cell;
}

}  // namespace

QString rungTitle(const LadderRung& rung) {
    if (rung.speculation == Speculation::Model) return LadderModel::tr("Draft model");
    if (rung.speculation == Speculation::Ngram) return LadderModel::tr("Lookup drafts");
    QString title = text(rung.name);
    if (!title.isEmpty()) title[0] = title[0].toUpper();
    return title;
}

void LadderModel::show(const Ladder& ladder, bool isClimbing) {
    beginResetModel();
    m_ladder = ladder;
    m_isClimbing = isClimbing;
    endResetModel();
}

int LadderModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_ladder.rungs.size());
}

const std::vector<TableColumn>& LadderModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Rung"), tr("The remedy; each rung keeps those before it"), false},
        {tr("Tokens/s"), tr("New tokens a second after the first one")},
        {tr("Predicted"), tr("Tokens a second, by replaying an earlier rung's recording before this one ran")},
        {tr("Off by"), tr("Predicted against reached")},
        {tr("Busy"), tr("Share of the decode phase in which the device worked")},
        {tr("Idle mostly by"), tr("What most of the idle time is owed to, and its share of that"), false},
        {tr("Launches/token"), tr("Launch calls for a token; a graph is one")},
        {tr("Bandwidth"), tr("Bytes moved by the plan / time of the operations")},
        {tr("Of peak"), tr("Of the device's measured memory bandwidth")},
        {tr("Drafts"), tr("Drafted tokens that the model accepted")},
        {tr("Remark"), {}, false},
    };
    return columns;
}

TableCell LadderModel::cell(int row, int column) const {
    const LadderRung& of = rung(row);
    if (column == kRung) return rungCell(of);
    if (column == kRemark) {
        if (!of.notRun.empty()) return textCell(tr("Not run: %1").arg(text(of.notRun)));
        if (!of.ran()) return textCell(m_isClimbing ? tr("to come") : QString());
        if (!of.sameTokens) return textCell(tr("Its tokens are others than the first rung's."));
        return textCell(row > 0 && of.prediction.tokensPerSecond <= 0 ? text(of.prediction.missing) : QString());
    }
    const LadderFigures& figures = of.figures;
    const LadderPrediction& prediction = of.prediction;
    if (!of.ran() && !of.notRun.empty() && column == kTokens) {
        TableCell cell = noCell(text(of.notRun));
        cell.shown = tr("not run");
        return cell;
    }
    if (!of.ran()) return column == kIdleBy ? textCell({}) : noCell();
    switch (column) {
        case kTokens: {
            TableCell cell = numberCell(figures.tokensPerSecond, 1);
            cell.tip = tr("%1 a token").arg(text(formatDuration(std::llround(figures.nsPerToken))));
            return cell;
        }
        case kPredicted: {
            if (prediction.tokensPerSecond <= 0) return noCell(text(prediction.missing));
            TableCell cell = numberCell(prediction.tokensPerSecond, 1);
            cell.tip = tr("From the recording of the rung %1").arg(text(prediction.from));
            if (!prediction.assumes.empty()) cell.tip += QStringLiteral(". ") + text(prediction.assumes);
            return cell;
        }
        case kError: {
            const std::optional<double> error = of.predictionError();
            if (!error) return noCell();
            TableCell cell = numberCell(100 * *error, 1);
            cell.shown = (*error > 0 ? QStringLiteral("+") : QString()) + cell.shown + QStringLiteral(" %");
            return cell;
        }
        case kBusy:
            return shareCell(figures.busyShare);
        case kLaunches:
            return numberCell(figures.launchesPerToken, figures.launchesPerToken < 10 ? 2 : 0);
        case kBandwidth:
            if (figures.bytesPerSecond <= 0) return noCell();
            return {.shown = text(formatRate(figures.bytesPerSecond, "B/s")),
                    .raw = figures.bytesPerSecond,
                    .exact = QString::number(figures.bytesPerSecond, 'f', 0)};
        case kOfPeak:
            if (figures.peakBytesPerSecond <= 0) return noCell(tr("The device's peak was not measured."));
            return shareCell(figures.bytesPerSecond / figures.peakBytesPerSecond);
        case kDrafts:
            if (of.drafts.drafted == 0) return noCell();
            return {.shown = tr("%1 of %2").arg(of.drafts.accepted).arg(of.drafts.drafted),
                    .raw = static_cast<double>(of.drafts.accepted) / static_cast<double>(of.drafts.drafted),
                    .exact = QStringLiteral("%1/%2").arg(of.drafts.accepted).arg(of.drafts.drafted),
                    .tip = tr("%1 of the drafted tokens were accepted; %2 of %3 steps checked drafts")
                               .arg(text(formatPercent(of.acceptance())))
                               .arg(of.drafts.checks)
                               .arg(of.drafts.steps)};
        case kIdleBy: {
            if (!figures.idleBy) return textCell(tr("not idle"));
            TableCell cell = textCell(tr("%1 %2").arg(gapCauseTitle(static_cast<int>(*figures.idleBy)),
                                                      text(formatPercent(figures.idleByShare))));
            cell.swatch = appTheme().gapCause(*figures.idleBy);
            return cell;
        }
        default:
            return {};
    }
}

}  // namespace gapscope
