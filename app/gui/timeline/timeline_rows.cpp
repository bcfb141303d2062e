// Rows of the timeline as a person arranges them: hiding, folding, pinning, moving and sizing them by pointer, keys and
// menu. The session holds the arrangement and its undo; what is dragged is tried on the index and recorded when let go.
#include <QContextMenuEvent>
#include <QMenu>
#include <QPainter>
#include <QScrollBar>
#include <algorithm>
#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/rows_dialog.h"
#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr int kDragThresholdPx = 4;
constexpr int kEdgePx = 2;             // around the lower edge of a row's name
constexpr double kCompactShare = 0.4;  // of the usual height
constexpr double kTallShare = 2;

int laneHeightFor(RowKind kind, TimelineWidget::RowHeight height) {
    const double share = height == TimelineWidget::RowHeight::Compact ? kCompactShare
                         : height == TimelineWidget::RowHeight::Tall  ? kTallShare
                                                                      : 1;
    return static_cast<int>(std::lround(usualLaneHeight(kind) * share));
}

TimelineWidget::RowHeight heightOf(const TimelineRow& row) {
    const int usual = usualLaneHeight(row.kind);
    if (row.wantedLaneHeight == 0 || row.wantedLaneHeight == usual) return TimelineWidget::RowHeight::Normal;
    return row.wantedLaneHeight < usual ? TimelineWidget::RowHeight::Compact : TimelineWidget::RowHeight::Tall;
}

}  // namespace

// Keeping up

void TimelineWidget::arrange(RowArrangement rows) {
    m_session.setRowArrangement(std::move(rows));
}

void TimelineWidget::takeArrangement(const RowArrangement& rows) {
    m_index->setArrangement(rows);
    m_hover.reset();
    updateScrollBar();
    markDirty();
}

void TimelineWidget::noteRows() {
    std::vector<std::string> keys = rowKeys(m_index->tree());
    std::ranges::sort(keys);
    if (keys == m_rowKeys) return;
    m_rowKeys = std::move(keys);
    Q_EMIT rowsChanged();
}

std::optional<size_t> TimelineWidget::rowOfKey(const std::string& key) const {
    const auto& rows = m_index->rows();
    const auto it = std::ranges::find(rows, key, [](const TimelineRow* row) { return row->key; });
    if (it == rows.end()) return std::nullopt;
    return static_cast<size_t>(it - rows.begin());
}

std::optional<size_t> TimelineWidget::headerRowAt(QPoint position) {
    if (!parts().headers.contains(position)) return std::nullopt;
    ensureFrame();
    return m_frame.rowAt(position.y() - parts().headers.top());
}

QRect TimelineWidget::headerBox(size_t row) {
    ensureFrame();
    const QRect headers = parts().headers;
    return {headers.left(), headers.top() + m_frame.rowY(row), headers.width(), m_frame.places[row].height};
}

// The row whose lower edge is there, to be taken hold of.
std::optional<size_t> TimelineWidget::rowEdgeAt(QPoint position) {
    if (!parts().headers.contains(position)) return std::nullopt;
    ensureFrame();
    const int y = position.y() - parts().headers.top();
    for (size_t r = 0; r < m_frame.places.size(); ++r) {
        const RowPlace& place = m_frame.places[r];
        if (place.pinned != (y < m_frame.pinnedHeight)) continue;
        if (std::abs(y - (m_frame.rowY(r) + place.height)) <= kEdgePx) return r;
    }
    return std::nullopt;
}

// What can be done

void TimelineWidget::actOnRow(const std::string& key, RowAct act) {
    RowArrangement rows = m_session.rowArrangement();
    const std::optional<size_t> at = rowOfKey(key);
    const TimelineRow* row = at ? m_index->rows()[*at] : nullptr;
    switch (act) {
        case RowAct::ShowHidden:
            rows.hidden.clear();
            return arrange(std::move(rows));
        case RowAct::Hide: {
            if (!row) return;
            rows.hidden.insert(key);
            // The keys go on with what takes its place.
            const auto& shown = m_index->rows();
            m_focusedRow = *at + 1 < shown.size() ? shown[*at + 1]->key : *at > 0 ? shown[*at - 1]->key : std::string();
            return arrange(std::move(rows));
        }
        case RowAct::TogglePin:
            if (!row || row->kind == RowKind::Counters) return;
            return arrange(withPinned(std::move(rows), key, !row->pinned));
        case RowAct::ToggleFold: {
            if (!row) return;
            const std::string& group = row->folds.empty() ? row->group : row->folds;
            if (group.empty()) return;
            if (rows.folded.erase(group) == 0) rows.folded.insert(group);
            arrange(std::move(rows));
            if (rowOfKey(key)) return;
            // It went with its group, whose heading stays.
            for (const TimelineRow* heading : m_index->rows())
                if (heading->folds == group) return focusRow(heading->key);
            return;
        }
        case RowAct::NextHeight:
            if (!row) return;
            return setRowHeight(key, heightOf(*row) == RowHeight::Normal ? RowHeight::Tall
                                     : heightOf(*row) == RowHeight::Tall ? RowHeight::Compact
                                                                         : RowHeight::Normal);
        case RowAct::MoveUp:
        case RowAct::MoveDown: {
            if (!row) return;
            ensureFrame();
            const std::optional<RowSiblings> siblings = siblingsOf(*m_index, m_frame.places, *at);
            if (!siblings || (act == RowAct::MoveUp && siblings->moving == 0)) return;
            arrange(
                withMoved(*m_index, *siblings, act == RowAct::MoveUp ? siblings->moving - 1 : siblings->moving + 2));
            return focusRow(key);
        }
    }
}

void TimelineWidget::setRowHeight(const std::string& key, RowHeight height) {
    const std::optional<size_t> at = rowOfKey(key);
    if (!at) return;
    RowArrangement rows = m_session.rowArrangement();
    if (height == RowHeight::Normal)
        rows.laneHeights.erase(key);
    else
        rows.laneHeights[key] = laneHeightFor(m_index->rows()[*at]->kind, height);
    arrange(std::move(rows));
}

void TimelineWidget::foldAll(bool folded) {
    arrange(withAllFolded(*m_index, folded));
}

void TimelineWidget::resetRows() {
    arrange({});
}

void TimelineWidget::toggleCounters() {
    RowArrangement rows = m_session.rowArrangement();
    std::set<std::string> groups;
    const auto collect = [&](const RowTree& tree, const auto& self) -> void {
        for (const RowNode& node : tree) {
            if (node.isGroup() && node.row) groups.insert(node.key);
            self(node.children, self);
        }
    };
    collect(m_index->tree(), collect);
    const bool show = std::ranges::any_of(groups, [&](const std::string& key) { return rows.folded.contains(key); });
    for (const std::string& key : groups) {
        if (show)
            rows.folded.erase(key);
        else
            rows.folded.insert(key);
    }
    arrange(std::move(rows));
}

void TimelineWidget::showRowsDialog() {
    auto* dialog = new RowsDialog(m_session, *this, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->show();
}

// Keys

void TimelineWidget::focusRow(const std::string& key) {
    m_focusedRow = key;
    m_rowFocusMoved = true;
    const std::optional<size_t> at = rowOfKey(key);
    if (at) {
        ensureFrame();
        const RowPlace& place = m_frame.places[*at];
        const int top = place.y - m_frame.pinnedHeight - kGroupSpacing;
        if (!place.pinned && top < m_frame.scrollY)
            verticalScrollBar()->setValue(top);
        else if (!place.pinned && place.y + place.height + kGroupSpacing > m_frame.scrollY + m_frame.height)
            verticalScrollBar()->setValue(std::min(top, place.y + place.height + kGroupSpacing - m_frame.height));
        const TimelineRow& row = *m_index->rows()[*at];
        setAccessibleDescription(
            tr("Row %1, %2 of %3%4%5")
                .arg(gapscope::text(row.detail.empty() ? row.title : row.detail))
                .arg(*at + 1)
                .arg(m_index->rows().size())
                .arg(row.pinned ? tr(", pinned") : QString(), row.folded ? tr(", folded") : QString()));
        tellRowFocus();
    }
    viewport()->update();
}

void TimelineWidget::moveRowFocus(int steps) {
    const auto& rows = m_index->rows();
    if (rows.empty()) return;
    const auto last = static_cast<int>(rows.size()) - 1;
    int goal = 0;
    if (const std::optional<size_t> at = rowOfKey(m_focusedRow)) {
        goal = std::clamp(static_cast<int>(*at) + steps, 0, last);
    } else if (const TimelineIndex::Place place = selectedPlace(); place.row >= 0) {
        goal = place.row;
    } else {
        ensureFrame();
        goal = static_cast<int>(m_frame.rowAt(m_frame.pinnedHeight).value_or(0));
    }
    focusRow(rows[static_cast<size_t>(goal)]->key);
}

// Pointer

bool TimelineWidget::pressHeader(QPoint position) {
    const std::optional<size_t> edge = rowEdgeAt(position);
    const std::optional<size_t> row = edge ? edge : headerRowAt(position);
    if (!row) return false;
    m_pressedRow = *row;
    m_drag = edge ? Drag::RowHeight : Drag::Header;
    return true;
}

void TimelineWidget::dragHeader(QPoint position) {
    if (m_pressedRow >= m_index->rows().size()) return cancelHeaderDrag();
    if (m_drag == Drag::Header) {
        if (std::abs(position.y() - m_pressed.y()) < kDragThresholdPx) return;
        m_rowMove = siblingsOf(*m_index, m_frame.places, m_pressedRow);
        if (!m_rowMove) return;
        m_drag = Drag::RowMove;
        viewport()->setCursor(Qt::ClosedHandCursor);
    }
    ensureFrame();
    const int y = position.y() - parts().headers.top();
    if (m_drag == Drag::RowMove) {
        m_slot = slotAt(*m_rowMove, m_rowMove->pinned ? y : y + m_frame.scrollY);
        // At the edges the rows come along.
        if (!m_rowMove->pinned && y < m_frame.pinnedHeight) scrollRows(-kTrackHeight / 2);
        if (!m_rowMove->pinned && y > m_frame.height) scrollRows(kTrackHeight / 2);
        viewport()->update();
        return;
    }
    const TimelineRow& row = *m_index->rows()[m_pressedRow];
    const int lanes = std::max(1, static_cast<int>(row.lanes.lanes().size()));
    const int height = y - m_frame.rowY(m_pressedRow);
    RowArrangement rows = m_session.rowArrangement();
    rows.laneHeights[row.key] = std::clamp((height + kLaneSpacing) / lanes - kLaneSpacing, kLowestLane, kHighestLane);
    takeArrangement(rows);
}

void TimelineWidget::releaseHeader(Drag ended) {
    if (m_pressedRow >= m_index->rows().size()) return;
    const TimelineRow& row = *m_index->rows()[m_pressedRow];
    const std::string key = row.key;
    if (ended == Drag::RowHeight) {
        arrange(m_index->arrangement());
    } else if (ended == Drag::RowMove && m_rowMove) {
        arrange(withMoved(*m_index, *m_rowMove, m_slot));
    } else if (!row.folds.empty()) {
        RowArrangement rows = m_session.rowArrangement();
        if (rows.folded.erase(row.folds) == 0) rows.folded.insert(row.folds);
        arrange(std::move(rows));
    }
    m_rowMove.reset();
    focusRow(key);
}

void TimelineWidget::cancelHeaderDrag() {
    m_drag = Drag::None;
    m_rowMove.reset();
    viewport()->setCursor(Qt::ArrowCursor);
    takeArrangement(m_session.rowArrangement());
}

void TimelineWidget::contextMenuEvent(QContextMenuEvent* event) {
    std::optional<size_t> row;
    QPoint at = event->globalPos();
    if (event->reason() == QContextMenuEvent::Mouse) {
        if (const std::optional<NoteFlag> flag = noteAt(viewport()->mapFromGlobal(at))) {
            QMenu* menu = noteMenu(flag->places.front());
            menu->setAttribute(Qt::WA_DeleteOnClose);
            return menu->popup(at);
        }
        row = headerRowAt(viewport()->mapFromGlobal(event->globalPos()));
    } else if ((row = rowOfKey(m_focusedRow))) {
        at = viewport()->mapToGlobal(headerBox(*row).bottomLeft() + QPoint(kDragThresholdPx, 0));
    }
    if (!row) return QAbstractScrollArea::contextMenuEvent(event);
    const std::string key = m_index->rows()[*row]->key;
    focusRow(key);
    QMenu* menu = rowMenu(key);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->popup(at);
}

QMenu* TimelineWidget::rowMenu(const std::string& key) {
    const std::optional<size_t> at = rowOfKey(key);
    const TimelineRow* row = at ? m_index->rows()[*at] : nullptr;
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("rowMenu"));
    const auto add = [&](QMenu* to, const char* name, const QString& text, auto act) {
        QAction* action = to->addAction(text);
        action->setObjectName(QLatin1String(name));
        connect(action, &QAction::triggered, this, act);
        return action;
    };
    const auto addAct = [&](const char* name, const QString& text, const QString& keys, RowAct act) {
        const QString shown = keys.isEmpty() ? text : text + QLatin1Char('\t') + keys;
        return add(menu, name, shown, [this, key, act] { actOnRow(key, act); });
    };
    if (row) {
        QString name = gapscope::text(row->title);
        addAct("hideRow", tr("&Hide “%1”").arg(name.replace(QLatin1Char('&'), QStringLiteral("&&"))), tr("H"),
               RowAct::Hide);
        if (const std::vector<const RowNode*> path = pathTo(m_index->tree(), key); path.size() > 1 && !row->pinned) {
            const RowNode& group = *path[path.size() - 2];
            QString groupName = gapscope::text(group.title);
            add(menu, "hideGroup",
                tr("Hide all of “%1”").arg(groupName.replace(QLatin1Char('&'), QStringLiteral("&&"))),
                [this, group = group.key] {
                    RowArrangement rows = m_session.rowArrangement();
                    rows.hidden.insert(group);
                    arrange(std::move(rows));
                });
        }
        if (row->kind != RowKind::Counters)
            addAct("pinRow", row->pinned ? tr("Un&pin") : tr("&Pin to the top"), tr("P"), RowAct::TogglePin);
        QMenu* heights = menu->addMenu(tr("H&eight"));
        heights->setObjectName(QStringLiteral("rowHeights"));
        for (const auto& [height, entry, text] : {std::tuple{RowHeight::Compact, "rowCompact", tr("&Compact")},
                                                  std::tuple{RowHeight::Normal, "rowNormal", tr("&Normal")},
                                                  std::tuple{RowHeight::Tall, "rowTall", tr("&Tall")}}) {
            QAction* action = add(heights, entry, text, [this, key, height = height] { setRowHeight(key, height); });
            action->setCheckable(true);
            action->setChecked(heightOf(*row) == height);
        }
        menu->addSeparator();
        addAct("moveRowUp", tr("Move &up"), tr("Shift+Up"), RowAct::MoveUp);
        addAct("moveRowDown", tr("Move &down"), tr("Shift+Down"), RowAct::MoveDown);
        if (!row->folds.empty())
            addAct("foldRow", row->folded ? tr("Show its &group") : tr("Fold its &group"), tr("Space"),
                   RowAct::ToggleFold);
        menu->addSeparator();
    }
    add(menu, "foldAllRows", tr("F&old all groups"), [this] { foldAll(true); });
    add(menu, "unfoldAllRows", tr("Sho&w all groups"), [this] { foldAll(false); });
    QAction* show = addAct("showHiddenRows", tr("&Show hidden rows"), tr("Shift+H"), RowAct::ShowHidden);
    show->setEnabled(!m_session.rowArrangement().hidden.empty());
    add(menu, "resetRows", tr("&Reset rows"), [this] { resetRows(); })->setEnabled(!m_session.rowArrangement().empty());
    add(menu, "rowsDialogEntry", tr("Rows…"), [this] { showRowsDialog(); });
    return menu;
}

void TimelineWidget::paintRowMarks(QPainter& painter, const TimelinePainter& painting) {
    const TimelineParts where = parts();
    if (m_drag == Drag::RowMove && m_rowMove && !m_rowMove->blocks.empty()) {
        const auto& blocks = m_rowMove->blocks;
        const int y = m_slot < blocks.size() ? blocks[m_slot].top - kGroupSpacing / 2 : blocks.back().bottom + 2;
        painter.save();
        painter.setClipRect(QRect(where.headers.topLeft(), where.rows.bottomRight()));
        painting.paintDropLine(painter, where.headers, where.rows, y - (m_rowMove->pinned ? 0 : m_frame.scrollY));
        painter.restore();
    }
    if (!hasFocus() || painter.device() != viewport()) return;
    const std::optional<size_t> at = rowOfKey(m_focusedRow);
    if (!at || *at >= m_frame.places.size()) return;
    painter.save();
    const bool pinned = m_frame.places[*at].pinned;
    painter.setClipRect(TimelinePainter::areaOf(m_frame, where.headers, pinned)
                            .united(TimelinePainter::areaOf(m_frame, where.rows, pinned)));
    const int y = where.rows.top() + m_frame.rowY(*at);
    const int height = m_frame.places[*at].height;
    painting.paintRowFocus(painter, QRect(where.headers.left(), y, where.headers.width(), height),
                           QRect(where.rows.left(), y, where.rows.width(), height));
    painter.restore();
}

}  // namespace gapscope
