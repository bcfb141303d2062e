#include "app/gui/views/idle_panel.h"

#include <QDoubleSpinBox>
#include <QLabel>
#include <QSplitter>
#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"

namespace gapscope {

IdlePanel::IdlePanel(Analyst& analyst, QWidget* parent) : QWidget(parent), m_analyst(analyst) {
    auto* split = new QSplitter(Qt::Horizontal, this);
    split->addWidget(makeCulprits());
    split->addWidget(makeStreams());
    split->setSizes({m_culpritTable->neededWidth(), m_culpritTable->neededWidth() / 2});
    split->setStretchFactor(0, 2);
    split->setStretchFactor(1, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(split);
    connect(&analyst, &Analyst::reportChanged, this, &IdlePanel::request);
}

QWidget* IdlePanel::makeCulprits() {
    auto* side = new QWidget(this);
    QVBoxLayout* column = columnIn(side);
    m_caption = new ElidedLabel(LabelRole::Quiet, {}, side);
    captionRowIn(column)->addWidget(m_caption);
    m_culpritTable = new DataTable(m_culprits, tr("Who left the device idle"), side);
    m_culpritTable->setObjectName(QStringLiteral("culpritTable"));
    m_culpritTable->setColumnCharacters({24, 8, 7, 7, 8, 18}, 0);
    m_culpritTable->sortAtFirst(1, Qt::DescendingOrder);
    column->addWidget(m_culpritTable, 1);
    const auto gapOf = [this](int row) {
        return m_shown->analysis.gaps.gaps[m_culprits.culprit(row).longestGap].range;
    };
    connect(m_culpritTable, &DataTable::chosen, this, [this, gapOf](int row) {
        if (row < 0 || !m_shown) return;
        m_analyst.session().select(
            {.kind = Selection::Kind::Gap, .range = gapOf(row), .row = m_culprits.culprit(row).longestGap});
    });
    connect(m_culpritTable, &DataTable::doubleChosen, this, [this, gapOf](int row) {
        if (row < 0 || !m_shown) return;
        const TimeRange range = gapOf(row);
        m_analyst.session().setFollowing(false);
        m_analyst.session().setVisibleRange(
            {range.startNs - range.durationNs() / 4, range.endNs + range.durationNs() / 4});
    });
    return side;
}

QWidget* IdlePanel::makeStreams() {
    auto* side = new QWidget(this);
    QVBoxLayout* column = columnIn(side);
    QHBoxLayout* row = captionRowIn(column);
    row->addWidget(new ElidedLabel(LabelRole::Quiet, tr("Streams in HTA's classes"), side), 1);
    auto* below = new Label(LabelRole::Quiet, tr("&kernel wait below"), side);
    row->addWidget(below);
    m_threshold = new QDoubleSpinBox(side);
    m_threshold->setObjectName(QStringLiteral("kernelWaitThreshold"));
    m_threshold->setAccessibleName(tr("Threshold of kernel wait in microseconds"));
    m_threshold->setToolTip(
        tr("A wait for a launch that was queued already is kernel wait if it is shorter than this, "
           "else other. HTA's default works out as 30 µs."));
    m_threshold->setRange(0, 1'000'000);
    m_threshold->setDecimals(3);
    m_threshold->setSuffix(tr(" µs"));
    m_threshold->setValue(static_cast<double>(kHtaKernelWaitNs) / 1000);
    m_threshold->setKeyboardTracking(false);
    below->setBuddy(m_threshold);
    row->addWidget(m_threshold);
    m_streamTable = new DataTable(m_streams, tr("Idle time of streams"), side);
    m_streamTable->setObjectName(QStringLiteral("streamIdleTable"));
    m_streamTable->setColumnCharacters({15, 11, 9, 7, 7, 8}, 0);
    column->addWidget(m_streamTable, 1);
    connect(m_threshold, &QDoubleSpinBox::valueChanged, this, &IdlePanel::request);
    return side;
}

void IdlePanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    request();
}

int IdlePanel::rowOf(TimeRange longestGap) const {
    if (!m_shown) return -1;
    const GapList& gaps = m_shown->analysis.gaps.gaps;
    for (int row = 0; row < m_culprits.rowCount(); ++row)
        if (gaps[m_culprits.culprit(row).longestGap].range == longestGap) return row;
    return -1;
}

void IdlePanel::request() {
    const ReportPtr report = m_analyst.report();
    if (!report || !isVisible()) return;
    const auto thresholdNs = static_cast<int64_t>(std::llround(m_threshold->value() * 1000));
    if (report == m_shown && thresholdNs == m_shownThresholdNs) return;
    // A gap that was chosen here leaves the table as it is, or choosing a row would empty it.
    const Selection& selection = report->selection;
    if (thresholdNs == m_shownThresholdNs && selection.kind == Selection::Kind::Gap && rowOf(selection.range) >= 0)
        return;
    m_jobs.start(
        [report, thresholdNs](std::stop_token stop) {
            return Answer{report, culprits(*report->trace, report->analysis.gaps.gaps, stop),
                          streamIdle(*report->trace, report->prepared->join(), report->window, thresholdNs, stop)};
        },
        [this, thresholdNs](Answer answer) {
            m_shownThresholdNs = thresholdNs;
            take(std::move(answer));
        });
}

void IdlePanel::take(Answer answer) {
    m_shown = std::move(answer.report);
    m_culprits.show(std::move(answer.culprits));
    m_streams.show(*m_shown->trace, answer.streams);
    m_caption->setFullText(tr("Who left the device idle, for %1; a row chooses the longest of its gaps")
                               .arg(describe(*m_shown->trace, m_shown->selection)));
}

}  // namespace gapscope
