#include "app/gui/models/culprit_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

enum Column { kWho, kIdle, kShare, kGaps, kLongest, kMostly };

}  // namespace

void CulpritModel::show(std::vector<Culprit> culprits) {
    beginResetModel();
    m_rows = std::move(culprits);
    m_idleNs = 0;
    for (const Culprit& row : m_rows)
        m_idleNs += row.idleNs;
    endResetModel();
}

int CulpritModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& CulpritModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Who"), tr("The range, operator or API call that covers most of the host's part, or what came after it"),
         false},
        {tr("Idle"), tr("Its parts of all gaps; the rows add up to the idle time")},
        {tr("Share"), tr("Of the idle time")},
        {tr("Gaps"), tr("How many gaps it has a part of")},
        {tr("Longest"), tr("Its largest part of one gap")},
        {tr("Main cause"), {}, false},
    };
    return columns;
}

TableCell CulpritModel::cell(int row, int column) const {
    const Culprit& culprit = m_rows[static_cast<size_t>(row)];
    switch (column) {
        case kWho:
            return textCell(text(culpritTitle(culprit)));
        case kIdle:
            return durationCell(culprit.idleNs);
        case kShare:
            return shareCell(m_idleNs > 0 ? static_cast<double>(culprit.idleNs) / static_cast<double>(m_idleNs) : 0);
        case kGaps:
            return countCell(culprit.gapCount);
        case kLongest:
            return durationCell(culprit.longestNs);
        case kMostly: {
            const auto most = std::ranges::max_element(culprit.causes.ns) - culprit.causes.ns.begin();
            TableCell cell = textCell(gapCauseTitle(static_cast<int>(most)));
            cell.swatch = appTheme().gapCause(static_cast<GapCause>(most));
            return cell;
        }
        default:
            return {};
    }
}

}  // namespace gapscope
