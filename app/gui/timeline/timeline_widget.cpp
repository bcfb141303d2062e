#include "app/gui/timeline/timeline_widget.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyle>
#include <QThreadPool>
#include <QToolButton>
#include <QToolTip>
#include <algorithm>
#include <chrono>
#include <functional>

#include "app/gui/timeline/note_editor.h"
#include "app/gui/timeline/timeline_accessible.h"
#include "core/base/format.h"
#include "core/layout/parallel_frame.h"

namespace gapscope {

namespace {

constexpr int kEaseMs = 120;
constexpr int kSettleMs = 250;
// Rows of larger traces are built off the UI thread; below it takes a few milliseconds at most.
constexpr size_t kMostEventsAtOnce = 20'000;
// Of each table, a turn of the event loop: the same of what a run brings.
constexpr size_t kMostRowsATurn = 8'000;

// Freeing millions of rows takes a moment, which is nobody's to wait for.
void dropElsewhere(std::shared_ptr<void> rows) {
    if (!rows) return;
    QThreadPool::globalInstance()->start([rows = std::move(rows)] {});
}

QString duration(int64_t ns) {
    return QString::fromStdString(formatDuration(ns));
}

// Whether the ruler tells how long the selection is. An item's length is in its details.
bool hasReadout(const Selection& selection, const TimelineIndex::Place& place) {
    return !selection.range.empty() && (place.row < 0 || selection.kind == Selection::Kind::Token);
}

}  // namespace

TimelineWidget::TimelineWidget(Session& session, QWidget* parent)
    : QAbstractScrollArea(parent),
      m_session(session),
      m_index(std::make_shared<TimelineIndex>(apiTintOf)),
      m_noteEditor(new NoteEditor(viewport())),
      m_follow(new QToolButton(viewport())) {
    installTimelineAccessibility();
    setObjectName(QStringLiteral("timeline"));
    setAccessibleName(tr("Timeline"));
    setAccessibleDescription(tr("Tokens, CPU calls, gaps and kernels over time"));
    setFocusPolicy(Qt::StrongFocus);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    viewport()->setAttribute(Qt::WA_OpaquePaintEvent);

    m_follow->setObjectName(QStringLiteral("timelineFollow"));
    m_follow->setText(tr("Follow"));
    m_follow->setToolTip(tr("Keep the newest at the right edge"));
    m_follow->setCursor(Qt::ArrowCursor);
    m_follow->setFocusPolicy(Qt::TabFocus);
    m_follow->hide();
    connect(m_follow, &QToolButton::clicked, this, [this] {
        settle();
        m_session.setFollowing(true);
    });

    m_animation.setDuration(kEaseMs);
    m_animation.setStartValue(0.0);
    m_animation.setEndValue(1.0);
    m_animation.setEasingCurve(QEasingCurve::OutCubic);
    connect(&m_animation, &QVariantAnimation::valueChanged, this, [this](const QVariant& value) {
        if (!m_target) return;
        const double share = value.toDouble();
        const auto between = [share](int64_t from, int64_t to) {
            return from + std::llround(static_cast<double>(to - from) * share);
        };
        m_moving = true;
        m_session.setVisibleRange(share >= 1 ? *m_target
                                             : TimeRange{between(m_animationStart.startNs, m_target->startNs),
                                                         between(m_animationStart.endNs, m_target->endNs)},
                                  ZoomStep::Transient);
        m_moving = false;
        if (share >= 1) m_target.reset();
    });
    m_settleTimer.setSingleShot(true);
    m_settleTimer.setInterval(kSettleMs);
    connect(&m_settleTimer, &QTimer::timeout, this, &TimelineWidget::settle);

    m_overviewTurn.setSingleShot(true);
    connect(&m_overviewTurn, &QTimer::timeout, this, [this] {
        makeOverview();
        m_cacheDirty = true;
        viewport()->update();
    });
    m_moreRows.setSingleShot(true);
    connect(&m_moreRows, &QTimer::timeout, this, &TimelineWidget::layMoreRows);

    connect(&session, &Session::traceChanged, this, &TimelineWidget::takeTrace);
    connect(&session, &Session::visibleRangeChanged, this, &TimelineWidget::takeVisibleRange);
    connect(&session, &Session::selectionChanged, this, &TimelineWidget::takeSelection);
    connect(&session, &Session::rowArrangementChanged, this, [this] { takeArrangement(m_session.rowArrangement()); });
    connect(&session, &Session::followingChanged, this, &TimelineWidget::placeFollowButton);
    connect(&session, &Session::notesChanged, this, &TimelineWidget::takeNotes);
    connect(m_noteEditor, &NoteEditor::written, this, &TimelineWidget::takeNoteText);
    connect(m_noteEditor, &NoteEditor::givenUp, this, &TimelineWidget::leaveNoteEditor);
    connect(&m_gapFeed, &GapFeed::gapsReady, this, &TimelineWidget::takeGaps);
    makeCommands();
    takeNotes();
    takeTrace();
}

TimelineWidget::~TimelineWidget() = default;

void TimelineWidget::setLive(bool live) {
    // Launches of operations that came before their calls, or calls before what they launched, are known now.
    const bool tellsLaunches = m_colourBy == ColourBy::Stream || m_colourBy == ColourBy::LaunchLatency;
    if (m_live && !live && tellsLaunches) buildIndex();
    m_live = live;
    placeFollowButton();
}

std::shared_ptr<TimelineIndex> TimelineWidget::layOut(TracePtr trace, ColourBy colourBy) {
    auto index = std::make_shared<TimelineIndex>(apiTintOf, colourBy);
    index->setTrace(std::move(trace));
    return index;
}

void TimelineWidget::takeGaps(TraceGapsPtr gaps) {
    dropElsewhere(std::exchange(m_gaps, std::move(gaps)));
    takePendingGaps();
    m_hover.reset();
    findLaunch();
    updateScrollBar();
    markDirty();
}

// Rows that are still being built take them when they are there.
void TimelineWidget::takePendingGaps() {
    if (m_indexJobs.running() || m_index->isBehind() || !m_gaps || m_gaps->taken) return;
    m_gaps->taken = true;
    auto former = std::make_shared<std::pair<GapLanes, DerivedRows>>(m_index->takeGaps(), m_index->takeDerived());
    m_index->setGaps(std::move(m_gaps->lanes));
    m_index->setDerived(std::move(m_gaps->derived));
    dropElsewhere(std::move(former));
    noteRows();
}

void TimelineWidget::takeTrace() {
    const TracePtr trace = m_session.trace();
    m_overviewDirty = true;
    m_hover.reset();
    if (m_indexJobs.running()) {
        // A later snapshot of the trace that is being read: the rest is taken up when the job is done.
        if (isLaterSnapshot(*m_indexedTrace, *trace)) return m_gapFeed.setTrace(trace, false);
    }
    const bool another = !m_index->isContinuedBy(*trace);
    m_indexJobs.cancel();
    if (another) {
        m_overview.clear();
        m_legend.clear();
        dropElsewhere(std::exchange(m_gaps, nullptr));
        m_measure.reset();
        m_mark.reset();
        m_noteEditor->giveUp();  // its note is of the trace before
        m_rowKeys.clear();       // the same rows of another trace are news, too
        verticalScrollBar()->setValue(0);
    }
    m_gapFeed.setTrace(trace, another);
    const std::shared_ptr<TimelineIndex> laidOut = m_session.takeLaidOut();
    if (another && laidOut && &laidOut->trace() == trace.get() && laidOut->colourBy() == m_colourBy) {
        dropElsewhere(std::exchange(m_index, laidOut));
        m_index->setArrangement(m_session.rowArrangement());
        noteRows();
    } else if (another && trace->eventCount() > kMostEventsAtOnce) {
        dropElsewhere(std::exchange(m_index, std::make_shared<TimelineIndex>(apiTintOf, m_colourBy)));
        buildIndex();
    } else {
        layRows(trace);
        takeRows();
    }
    findLaunch();
    updateScrollBar();
    markDirty();
}

// A turn's worth of them; the event loop goes on before the rest.
void TimelineWidget::layRows(const TracePtr& trace) {
    m_index->setTrace(trace, trace->eventCount() > kMostEventsAtOnce ? kMostRowsATurn : SIZE_MAX);
    if (m_index->isBehind()) m_moreRows.start(0);
}

void TimelineWidget::takeRows() {
    noteRows();
    takePendingGaps();
}

void TimelineWidget::layMoreRows() {
    if (m_indexJobs.running() || !m_index->isBehind()) return;
    layRows(m_session.trace());
    if (m_index->isBehind()) return;
    takeRows();
    m_overviewDirty = true;
    m_hover.reset();
    findLaunch();
    updateScrollBar();
    markDirty();
}

void TimelineWidget::buildIndex() {
    m_indexedTrace = m_session.trace();
    m_indexJobs.start(
        [trace = m_indexedTrace, colourBy = m_colourBy](std::stop_token) { return layOut(trace, colourBy); },
        [this](std::shared_ptr<TimelineIndex> index) {
            m_indexedTrace.reset();
            takeIndex(std::move(index));
        });
}

// In place of the one so far, whose gaps are handed on if newer ones have not come meanwhile.
void TimelineWidget::takeIndex(std::shared_ptr<TimelineIndex> index) {
    const std::shared_ptr<TimelineIndex> former = std::exchange(m_index, std::move(index));
    GapLanes gaps = former->takeGaps();
    DerivedRows derived = former->takeDerived();
    dropElsewhere(former);
    layRows(m_session.trace());
    m_index->setArrangement(m_session.rowArrangement());
    m_index->setGaps(std::move(gaps));
    m_index->setDerived(std::move(derived));
    takeRows();
    m_overviewDirty = true;
    m_hover.reset();
    findLaunch();
    updateScrollBar();
    markDirty();
}

void TimelineWidget::setColourBy(ColourBy colourBy) {
    if (colourBy == m_colourBy) return;
    m_colourBy = colourBy;
    if (m_indexJobs.running() || m_session.trace()->eventCount() > kMostEventsAtOnce) return buildIndex();
    takeIndex(std::make_shared<TimelineIndex>(apiTintOf, colourBy));
}

void TimelineWidget::takeVisibleRange() {
    if (!m_moving) {
        // Somebody else moved the view (undo, another panel, the run): what we were easing to is no longer wanted.
        m_animation.stop();
        m_target.reset();
        m_settleTimer.stop();
        m_unsettled = false;
    }
    m_hover.reset();
    markDirty();
}

void TimelineWidget::takeSelection() {
    m_rowFocusMoved = false;
    findLaunch();
    m_cacheDirty = true;  // some selections dim what they leave out
    const TimelineIndex::Place place = selectedPlace();
    QString spoken = tr("Tokens, CPU calls, gaps and kernels over time");
    if (place.row >= 0) {
        ensureFrame();
        const TimelineRow& row = *m_index->rows()[static_cast<size_t>(place.row)];
        const LaneItem item = row.lanes.lanes()[place.lane][place.item];
        const TimelineLabels labels = this->labels();
        spoken = tr("Selected: %1, %2").arg(labels.name(row, item.row), duration(item.durationNs()));
        const RowPlace& where = m_frame.places[static_cast<size_t>(place.row)];
        const int y = where.laneY(place.lane);
        if (!where.pinned &&
            (y < m_frame.scrollY + m_frame.pinnedHeight || y + where.laneHeight > m_frame.scrollY + m_frame.height))
            verticalScrollBar()->setValue(y - (m_frame.height + m_frame.pinnedHeight) / 2);
    }
    setAccessibleDescription(spoken);
    viewport()->update();
}

void TimelineWidget::markDirty() {
    m_frameDirty = true;
    m_cacheDirty = true;
    if (!m_index->isBehind()) viewport()->update();  // the rest of a snapshot comes in a moment
}

TimeScale TimelineWidget::scale() const {
    TimeRange range = m_session.visibleRange();
    if (range.empty()) range.endNs = range.startNs + 1;
    return {range, std::max(1.0, static_cast<double>(parts().rows.width()))};
}

TimeScale TimelineWidget::wholeScale() const {
    TimeRange range = whole();
    if (range.empty()) range.endNs = range.startNs + 1;
    return {range, std::max(1.0, static_cast<double>(parts().overview.width()))};
}

const TimelineFrame& TimelineWidget::frame() {
    ensureFrame();
    return m_frame;
}

void TimelineWidget::ensureFrame() {
    if (!m_frameDirty) return;
    m_frameDirty = false;
    ++m_frameCount;
    m_frame = makeFrame(*m_index, scale(), parts().rows.height(), verticalScrollBar()->value(),
                        [](std::function<void()> help) { QThreadPool::globalInstance()->start(std::move(help)); });
    m_ticks = rulerTicks(scale(), std::clamp(scale().width / 3, 76.0, 110.0));  // some label also where it is narrow
    if (!m_overviewDirty) return;
    m_overviewDirty = false;
    if (m_index->trace().eventCount() > kMostEventsAtOnce && m_overview.empty())
        m_overviewTurn.start(0);  // the first rows of a trace are not to wait for it
    else
        makeOverview();
}

void TimelineWidget::makeOverview() {
    m_overview.clear();
    m_legend = legendOf(*m_index);
    for (const Lane* lane : m_index->devicesBusy())
        m_overview.push_back(densityColumns(*lane, wholeScale(), 2));
}

void TimelineWidget::updateScrollBar() {
    const int page = parts().rows.height();
    const std::vector<RowPlace> places = placeRows(*m_index, page);
    const int content = places.empty() ? 0 : places.back().y + places.back().height + kGroupSpacing;
    verticalScrollBar()->setRange(0, std::max(0, content - page));
    verticalScrollBar()->setPageStep(page);
    verticalScrollBar()->setSingleStep(kTrackHeight);
}

QFont TimelineWidget::rowFont() const {
    QFont small = font();
    small.setPixelSize(11);
    return small;
}

TimelineLabels TimelineWidget::labels() {
    if (!m_labelCache || m_labelCache->font() != rowFont()) m_labelCache = std::make_unique<LabelCache>(rowFont());
    return {*m_index, m_gaps, *m_labelCache};
}

TimelinePainter TimelineWidget::painterFor(const TimelineLabels& labels) const {
    return TimelinePainter(theme(), *m_index, labels);
}

void TimelineWidget::ensureCache() {
    ensureFrame();
    const double ratio = viewport()->devicePixelRatioF();
    const QSize size = viewport()->size() * ratio;
    if (!m_cacheDirty && m_cache.size() == size && m_cache.devicePixelRatio() == ratio) return;
    m_cacheDirty = false;
    if (m_cache.size() != size) m_cache = QImage(size, QImage::Format_RGB32);
    m_cache.setDevicePixelRatio(ratio);
    QPainter painter(&m_cache);
    paintStill(painter);
}

// All but the marks.
void TimelineWidget::paintStill(QPainter& painter) {
    const TimelineLabels labels = this->labels();
    const TimelinePainter painting = painterFor(labels);
    const TimelineParts where = parts();
    painting.paintRows(painter, m_frame, where.rows, m_session.selection());
    painting.paintHeaders(painter, m_frame, where.headers);
    painting.paintOverview(painter, m_overview, where.overview);
    painting.paintRuler(painter, m_ticks, where.ruler, where.ruler.left());
    paintNotes(painter);
    if (!where.legend.isEmpty()) paintLegend(painter, theme(), m_legend, m_index->colourBy(), rowFont(), where.legend);
    if (m_index->rows().empty()) {
        painter.setPen(theme().mutedText);
        painter.setFont(font());
        painter.drawText(where.rows, Qt::AlignCenter,
                         m_indexJobs.running() ? tr("Laying out %L1 events").arg(m_session.trace()->eventCount())
                                               : tr("No events yet"));
    }
}

void TimelineWidget::paintEvent(QPaintEvent*) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    ensureFrame();
    const Clock::time_point built = Clock::now();
    ensureCache();
    QPainter painter(viewport());
    painter.drawImage(0, 0, m_cache);
    const TimelineLabels labels = this->labels();
    paintMarks(painter, painterFor(labels));
    m_frameTimes.add({.buildNs = std::chrono::nanoseconds(built - begin).count(),
                      .paintNs = std::chrono::nanoseconds(Clock::now() - built).count()});
    if (m_frameTimeShown) paintFrameTimes(painter);
}

std::optional<QRectF> TimelineWidget::boxOf(const TimelineIndex::Place& place) const {
    if (place.row < 0 || static_cast<size_t>(place.row) >= m_frame.places.size()) return std::nullopt;
    const auto at = static_cast<size_t>(place.row);
    const RowPlace& row = m_frame.places[at];
    const Lane& lane = m_index->rows()[static_cast<size_t>(place.row)]->lanes.lanes()[place.lane];
    const QRect rows = parts().rows;
    // Far outside, doubles would lose the pixel grid: a little beyond the edge is as good.
    const double x0 = std::max(-8.0, m_frame.scale.xOf(lane.startNs(place.item)));
    const double x1 = std::min(m_frame.scale.width + 8, m_frame.scale.xOf(lane.endNs(place.item)));
    const QRect area = TimelinePainter::areaOf(m_frame, rows, row.pinned);
    const int top = rows.top() + m_frame.laneY(at, place.lane);
    const int seenTop = std::max(top, area.top());
    if (top + row.laneHeight <= seenTop) return std::nullopt;  // under the pinned rows
    return QRectF(rows.left() + x0, seenTop, std::max(0.0, x1 - x0), top + row.laneHeight - seenTop);
}

void TimelineWidget::paintMarks(QPainter& painter, const TimelinePainter& painting) {
    const TimelineParts where = parts();
    if (!m_index->rows().empty()) painting.paintOverviewHandle(painter, overviewHandle(), where.overview);
    paintFound(painter, painting);
    const TimeScale now = m_frame.scale;
    if (m_drag == Drag::Range) {
        painting.paintRange(painter, now.xOf(m_dragged.startNs), now.xOf(m_dragged.endNs), where.rows, where.ruler,
                            duration(m_dragged.durationNs()));
        if (m_snapped) paintSnap(painter);
    } else {
        paintSelected(painter, painting);
        if (!m_measuring && m_pointer && where.rows.united(where.ruler).contains(*m_pointer) && m_drag == Drag::None) {
            const int64_t timeNs = now.timeAt(m_pointer->x() - where.rows.left());
            const int64_t stepNs = roundStep(std::max(1.0, now.nsPerPx()));
            const int64_t largestNs = std::max(std::abs(now.range.startNs), std::abs(now.range.endNs));
            const TimeRange selected = m_session.selection().range;
            const QRectF readout = hasReadout(m_session.selection(), selectedPlace())
                                       ? painting.readoutBox(now.xOf(selected.startNs), now.xOf(selected.endNs),
                                                             where.ruler, duration(selected.durationNs()))
                                       : QRectF();
            painting.paintPointer(painter, m_pointer->x(), where.rows, where.ruler,
                                  QString::fromStdString(formatTick(timeNs, stepNs, largestNs)), readout);
        }
    }
    const auto plot = std::ranges::find_if(
        m_frame.counters, [&](const FrameCounter& shown) { return m_hover && shown.row == m_hover->row; });
    if (plot != m_frame.counters.end()) {
        const TimelineRow& row = *m_index->rows()[plot->row];
        const double value = row.series.empty() ? m_hover->column.mean : row.series.value(m_hover->item);
        painting.paintReading(painter, *plot, where.rows, m_hover->span.x0 + 0.5, value, plotValue(row, value));
    } else if (m_hover && m_hover->span.count > 0 && m_hover->row < m_frame.places.size()) {
        const RowPlace& row = m_frame.places[m_hover->row];
        const double x0 = std::max(-8.0, m_hover->span.x0);
        const double x1 = std::min(now.width + 8, m_hover->span.x1);
        painter.save();
        painter.setClipRect(TimelinePainter::areaOf(m_frame, where.rows, row.pinned));
        painting.paintOutline(
            painter,
            QRectF(where.rows.left() + x0, where.rows.top() + m_frame.laneY(m_hover->row, m_hover->lane), x1 - x0,
                   row.laneHeight),
            theme().hover, 1);
        painter.restore();
    }
    paintRowMarks(painter, painting);
    paintMeasure(painter);
    // As the style frames text fields and tables that have it.
    if (hasFocus() && painter.device() == viewport())
        painting.paintOutline(painter, QRectF(viewport()->rect()).adjusted(1, 1, -1, -1),
                              palette().color(QPalette::Highlight), 1);
}

void TimelineWidget::paintSelected(QPainter& painter, const TimelinePainter& painting) {
    const Selection& selection = m_session.selection();
    const TimelineParts where = parts();
    const TimelineIndex::Place place = selectedPlace();
    if (hasReadout(selection, place)) {
        painting.paintRange(painter, m_frame.scale.xOf(selection.range.startNs),
                            m_frame.scale.xOf(selection.range.endNs), where.rows, where.ruler,
                            duration(selection.range.durationNs()));
    }
    painter.save();
    painter.setClipRect(where.rows);
    if (const std::optional<QRectF> box = boxOf(place)) painting.paintOutline(painter, *box, theme().accent, 2);
    paintLaunch(painter, painting);
    painter.restore();
}

// The selection's launch and what it launched, with arrows from the one to the other: to the operation that the
// selection is about or, from a selected call, to its first and last.
void TimelineWidget::paintLaunch(QPainter& painter, const TimelinePainter& painting) {
    if (!m_launch) return;
    constexpr size_t kMostOutlined = 2000;  // a graph launch may own thousands
    const bool isCallSelected = m_session.selection().kind == Selection::Kind::ApiCall;
    const bool isOpSelected = m_session.selection().kind == Selection::Kind::DeviceOp;
    const std::optional<QRectF> callBox = boxOf(m_index->placeOf(RowKind::ApiCall, m_launch->call));
    for (size_t i = 0; i < m_launch->operations.size(); ++i) {
        const bool isEnd = i == 0 || i + 1 == m_launch->operations.size();
        const bool isTarget = m_launch->operations[i] == m_launch->target;
        if (i >= kMostOutlined && !isEnd && !isTarget) continue;
        const std::optional<QRectF> box = boxOf(m_index->placeOf(RowKind::Stream, m_launch->operations[i]));
        if (!box) continue;
        if (!isTarget || !isOpSelected) painting.paintOutline(painter, *box, theme().launchLink, 1.5);
        if (!callBox || !(isCallSelected ? isEnd : isTarget)) continue;
        const bool down = box->top() > callBox->top();
        painting.paintLink(
            painter,
            {callBox->left() + std::min(callBox->width() / 2, 12.0), down ? callBox->bottom() : callBox->top()},
            {box->left() + 1, down ? box->top() : box->bottom()});
    }
    if (callBox && !isCallSelected) painting.paintOutline(painter, *callBox, theme().launchLink, 1.5);
}

QRectF TimelineWidget::overviewHandle() const {
    const TimeScale whole = wholeScale();
    const QRect overview = parts().overview;
    const TimeRange visible = m_session.visibleRange();
    double x0 = std::clamp(whole.xOf(visible.startNs), -2.0, whole.width + 2);
    double x1 = std::clamp(whole.xOf(visible.endNs), -2.0, whole.width + 2);
    if (x1 - x0 < 6) {  // never too thin to see and grab
        const double middle = (x0 + x1) / 2;
        x0 = middle - 3;
        x1 = middle + 3;
    }
    return QRectF(overview.left() + x0, overview.top() + 1, x1 - x0, overview.height() - 2);
}

void TimelineWidget::placeFollowButton() {
    m_follow->setVisible(m_live && !m_session.following());
    m_follow->adjustSize();
    m_follow->move(viewport()->width() - m_follow->width() - 8, parts().rows.top() + 8);
}

bool TimelineWidget::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        // Its own keys belong to the timeline while it has the focus.
        auto* key = static_cast<QKeyEvent*>(event);
        if (commandOf(*key)) event->accept();
        // The window's own undo knows nothing of a zoom that is still under way, its Escape nothing of a drag.
        const bool isUndo = key->key() == Qt::Key_Left || key->key() == Qt::Key_Right;
        if (key->modifiers() == Qt::AltModifier && isUndo) event->accept();
        if (key->key() == Qt::Key_Escape &&
            (m_measuring || m_drag == Drag::Range || m_drag == Drag::RowMove || m_drag == Drag::RowHeight))
            event->accept();
    }
    return QAbstractScrollArea::event(event);
}

bool TimelineWidget::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::Leave) setHover(std::nullopt, std::nullopt);
    if (event->type() == QEvent::ToolTip) {
        const QPoint position = static_cast<QHelpEvent*>(event)->pos();
        ensureFrame();
        const TimelineLabels labels = this->labels();
        QString tip;
        if (const std::optional<NoteFlag> flag = noteAt(position)) {
            tip = noteTip(*flag);
        } else if (const std::optional<FrameHit> hit = hitAt(position)) {
            tip = labels.tooltip(*hit);
        } else if (parts().headers.contains(position)) {
            if (const std::optional<size_t> row = headerRowAt(position))
                tip = labels.rowTooltip(*row, m_frame.busy[*row]);
        }
        if (tip.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), tip, viewport());
        return true;
    }
    return QAbstractScrollArea::viewportEvent(event);
}

void TimelineWidget::resizeEvent(QResizeEvent*) {
    m_overviewDirty = true;
    updateScrollBar();
    placeFollowButton();
    markDirty();
}

void TimelineWidget::scrollContentsBy(int, int) {
    m_hover.reset();
    markDirty();
}

void TimelineWidget::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) markDirty();
    QAbstractScrollArea::changeEvent(event);
}

}  // namespace gapscope
