#include "app/gui/timeline/timeline_accessible.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QPointer>
#include <algorithm>
#include <map>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_widget.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

// Known by the row's key: rows come, go and change places while a person reads.
class RowAccessible : public QAccessibleInterface, public QAccessibleActionInterface {
public:
    RowAccessible(TimelineWidget* timeline, std::string key) : m_timeline(timeline), m_key(std::move(key)) {}

    const std::string& key() const { return m_key; }
    bool isValid() const override { return m_timeline && row(); }
    QObject* object() const override { return nullptr; }
    QAccessibleInterface* parent() const override { return QAccessible::queryAccessibleInterface(m_timeline); }
    QAccessibleInterface* child(int) const override { return nullptr; }
    QAccessibleInterface* childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface*) const override { return -1; }
    QAccessible::Role role() const override { return QAccessible::ListItem; }

    QString text(QAccessible::Text what) const override {
        const std::optional<size_t> at = row();
        if (!at) return {};
        switch (what) {
            case QAccessible::Name:
                return m_timeline->rowName(*at);
            case QAccessible::Value:
                return m_timeline->rowValue(*at);
            default:
                return {};
        }
    }
    void setText(QAccessible::Text, const QString&) override {}

    QRect rect() const override {
        const std::optional<size_t> at = row();
        if (!at) return {};
        QRect box = m_timeline->headerBox(*at);
        box.setRight(m_timeline->viewport()->width() - 1);
        return {m_timeline->viewport()->mapToGlobal(box.topLeft()), box.size()};
    }

    QAccessible::State state() const override {
        QAccessible::State state;
        const std::optional<size_t> at = row();
        if (!at) {
            state.invalid = true;
            return state;
        }
        const TimelineRow& shown = *m_timeline->index().rows()[*at];
        const QRect box = m_timeline->headerBox(*at);
        state.focusable = true;
        state.selectable = true;
        state.focused = m_timeline->hasFocus() && m_timeline->focusedRow() == m_key;
        state.selected = m_timeline->selectedRow() == at;
        state.offscreen = !box.intersects(m_timeline->parts().headers);
        state.expandable = !shown.folds.empty();
        state.expanded = state.expandable && !shown.folded;
        state.collapsed = state.expandable && shown.folded;
        return state;
    }

    void* interface_cast(QAccessible::InterfaceType type) override {
        return type == QAccessible::ActionInterface ? static_cast<QAccessibleActionInterface*>(this) : nullptr;
    }
    QStringList actionNames() const override {
        QStringList names{setFocusAction()};
        if (const std::optional<size_t> at = row(); at && !m_timeline->index().rows()[*at]->folds.empty())
            names.append(toggleAction());
        return names;
    }
    void doAction(const QString& name) override {
        if (!row()) return;
        m_timeline->setFocus(Qt::OtherFocusReason);
        m_timeline->focusRow(m_key);
        if (name == toggleAction()) m_timeline->actOnRow(m_key, TimelineWidget::RowAct::ToggleFold);
    }
    QStringList keyBindingsForAction(const QString&) const override { return {}; }

private:
    std::optional<size_t> row() const { return m_timeline ? m_timeline->rowOfKey(m_key) : std::nullopt; }

    QPointer<TimelineWidget> m_timeline;
    const std::string m_key;
};

// Its rows, then the widgets in it.
class TimelineAccessible : public QAccessibleWidget {
public:
    explicit TimelineAccessible(TimelineWidget* timeline) : QAccessibleWidget(timeline, QAccessible::List) {}
    ~TimelineAccessible() override {
        for (const auto& [key, id] : m_rows)
            QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override { return rowCount() + QAccessibleWidget::childCount(); }
    QAccessibleInterface* child(int index) const override {
        if (index < 0 || index >= rowCount()) return QAccessibleWidget::child(index - rowCount());
        const std::string& key = timeline().index().rows()[static_cast<size_t>(index)]->key;
        const auto known = m_rows.find(key);
        if (known != m_rows.end()) return QAccessible::accessibleInterface(known->second);
        auto* row = new RowAccessible(&timeline(), key);
        m_rows[key] = QAccessible::registerAccessibleInterface(row);
        return row;
    }
    int indexOfChild(const QAccessibleInterface* child) const override {
        if (const auto* row = dynamic_cast<const RowAccessible*>(child)) {
            const std::optional<size_t> at = timeline().rowOfKey(row->key());
            return at ? static_cast<int>(*at) : -1;
        }
        const int at = QAccessibleWidget::indexOfChild(child);
        return at < 0 ? at : at + rowCount();
    }
    QAccessibleInterface* childAt(int x, int y) const override {
        for (int i = 0; i < rowCount(); ++i)
            if (QAccessibleInterface* row = child(i); !row->state().offscreen && row->rect().contains(x, y)) return row;
        return QAccessibleWidget::childAt(x, y);
    }
    QAccessibleInterface* focusChild() const override {
        if (timeline().hasFocus())
            if (const std::optional<size_t> at = timeline().rowOfKey(timeline().focusedRow()))
                return child(static_cast<int>(*at));
        return QAccessibleWidget::focusChild();
    }
    QString text(QAccessible::Text what) const override {
        return what == QAccessible::Value ? timeline().visibleText() : QAccessibleWidget::text(what);
    }

private:
    TimelineWidget& timeline() const { return *static_cast<TimelineWidget*>(widget()); }
    int rowCount() const { return static_cast<int>(timeline().index().rows().size()); }

    mutable std::map<std::string, QAccessible::Id> m_rows;
};

QAccessibleInterface* make(const QString&, QObject* object) {
    auto* timeline = qobject_cast<TimelineWidget*>(object);
    return timeline ? new TimelineAccessible(timeline) : nullptr;
}

}  // namespace

void installTimelineAccessibility() {
    QAccessible::installFactory(make);  // one that is there already is not added again
}

std::optional<size_t> TimelineWidget::selectedRow() const {
    const TimelineIndex::Place place = selectedPlace();
    if (place.row < 0) return std::nullopt;
    return static_cast<size_t>(place.row);
}

QString TimelineWidget::rowName(size_t at) const {
    const TimelineRow& row = *m_index->rows()[at];
    const std::string name = row.detail.empty()                                ? row.title
                             : row.detail.find(row.title) != std::string::npos ? row.detail
                                                                               : row.title + ": " + row.detail;
    return gapscope::text(name) + (row.pinned ? tr(", pinned") : QString());
}

QString TimelineWidget::rowValue(size_t at) {
    ensureFrame();
    const TimelineRow& row = *m_index->rows()[at];
    QStringList parts;
    if (const TimelineIndex::Place place = selectedPlace(); place.row == static_cast<int>(at)) {
        const LaneItem item = row.lanes.lanes()[place.lane][place.item];
        parts.append(tr("selected: %1, %2")
                         .arg(labels().name(row, item.row), gapscope::text(formatDuration(item.durationNs()))));
    }
    if (at < m_frame.busy.size() && m_frame.busy[at])
        parts.append(tr("busy for %1 of what is seen").arg(gapscope::text(formatPercent(*m_frame.busy[at]))));
    if (row.lanes.itemCount() > 0)
        parts.append(counted(static_cast<int64_t>(row.lanes.itemCount()), tr("%1 item"), tr("%1 items")));
    return parts.join(QStringLiteral(", "));
}

QString TimelineWidget::visibleText() const {
    const TimeRange visible = m_session.visibleRange();
    return tr("%1 seen, from %2")
        .arg(gapscope::text(formatDuration(visible.durationNs())), gapscope::text(formatMoment(visible.startNs)));
}

void TimelineWidget::tellRowFocus() {
    const std::optional<size_t> at = rowOfKey(m_focusedRow);
    if (!at || !QAccessible::isActive()) return;
    QAccessibleEvent event(this, QAccessible::Focus);
    event.setChild(static_cast<int>(*at));
    QAccessible::updateAccessibility(&event);
}

}  // namespace gapscope
