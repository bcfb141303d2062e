// Marks and notes on the timeline: their flags under the ruler, the mark that lasts until the next one, and writing a
// note where the selection or the pointer is. The session holds the notes and their undo.
#include <QAction>
#include <QContextMenuEvent>
#include <QMenu>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/gui/plain_tip.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/note_editor.h"
#include "app/gui/timeline/timeline_widget.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

constexpr double kFlagWidth = 9;  // of one without text
constexpr double kWidestFlag = 220;
constexpr double kFlagPadding = 5;
constexpr int kBarHeight = 3;  // along the time of a note
constexpr int kEditorWidth = 240;
constexpr int kMostLettersShown = 80;
constexpr size_t kMostNotesTold = 8;  // in one tip

QString timeText(TimeRange range) {
    if (range.empty()) return TimelineWidget::tr("at %1").arg(text(formatMoment(range.startNs)));
    return TimelineWidget::tr("%1 from %2")
        .arg(text(formatDuration(range.durationNs())), text(formatMoment(range.startNs)));
}

}  // namespace

void TimelineWidget::takeNotes() {
    const auto& notes = m_session.notes();
    m_noteOrder.resize(notes.size());
    std::iota(m_noteOrder.begin(), m_noteOrder.end(), size_t{0});
    std::ranges::stable_sort(m_noteOrder, {}, [&](size_t place) { return notes[place].range.startNs; });
    if (m_noteEditor->isVisible() && m_editedNote && *m_editedNote >= notes.size()) m_noteEditor->hide();
    takeNoteStrip();
}

// It takes its height from the rows.
void TimelineWidget::takeNoteStrip() {
    updateScrollBar();
    placeFollowButton();
    markDirty();
}

TimelineParts TimelineWidget::parts() const {
    const bool shown = !m_session.notes().empty() || m_mark || m_noteEditor->isVisible();
    return timelineParts(viewport()->size(), shown ? NoteStrip::Shown : NoteStrip::Hidden);
}

// What a mark or note is put at: what was measured, else the selection, else the time at the pointer.
TimeRange TimelineWidget::timeToNote() const {
    if (const std::optional<TimeRange> range = measured(); range && !range->empty()) return *range;
    if (!m_session.selection().range.empty()) return m_session.selection().range;
    const int64_t timeNs = scale().timeAt(anchorX());
    return {timeNs, timeNs};
}

void TimelineWidget::toggleMark() {
    const TimeRange range = timeToNote();
    if (m_mark == range)
        m_mark.reset();
    else
        m_mark = range;
    setAccessibleDescription(m_mark ? tr("Marked: %1").arg(timeText(range)) : tr("Mark removed"));
    takeNoteStrip();
}

void TimelineWidget::setNotesKept(bool kept) {
    m_notesKept = kept;
    for (const char* name : {"addNoteAction", "keepMarkAction"})
        command(name)->setEnabled(kept);
}

void TimelineWidget::keepMark() {
    if (!m_notesKept) return;
    const TimeRange range = timeToNote();
    m_mark.reset();
    const bool isNoted = std::ranges::find(m_session.notes(), range, &Note::range) != m_session.notes().end();
    if (!isNoted && !m_session.addNote({range, {}})) return sayTooManyNotes();
    setAccessibleDescription(tr("Mark kept: %1").arg(timeText(range)));
    takeNoteStrip();
}

void TimelineWidget::writeNote() {
    if (!m_notesKept) return;
    const TimeRange range = timeToNote();
    const auto there = std::ranges::find(m_session.notes(), range, &Note::range);
    if (there != m_session.notes().end()) return editNote(static_cast<size_t>(there - m_session.notes().begin()));
    m_editedNote.reset();
    openNoteEditor(range, {});
}

void TimelineWidget::editNote(size_t place) {
    if (!m_notesKept || place >= m_session.notes().size()) return;
    const Note note = m_session.notes()[place];
    reveal(note.range);
    m_editedNote = place;
    openNoteEditor(note.range, text(note.text));
}

void TimelineWidget::openNoteEditor(TimeRange range, const QString& text) {
    m_editedRange = range;
    const QRect strip = timelineParts(viewport()->size(), NoteStrip::Shown).notes;
    const int width = std::min(kEditorWidth, strip.width());
    const double x =
        std::clamp(TimeScale{target(), scale().width}.xOf(range.startNs), 0.0, std::max(0.0, scale().width - width));
    m_noteEditor->open(text, {strip.left() + static_cast<int>(x), strip.top(), width,
                              std::max(strip.height(), m_noteEditor->sizeHint().height())});
    takeNoteStrip();
    Q_EMIT noteWritingChanged();
}

bool TimelineWidget::isWritingNote() const {
    return m_noteEditor->isVisible();
}

void TimelineWidget::finishNote() {
    m_noteEditor->finish();
}

void TimelineWidget::takeNoteText(const QString& written) {
    if (m_editedNote)
        m_session.setNoteText(*m_editedNote, written.toStdString());
    else if (!written.isEmpty() && !m_session.addNote({m_editedRange, written.toStdString()}))
        sayTooManyNotes();
    if (!written.isEmpty()) setAccessibleDescription(tr("Note: %1, %2").arg(written, timeText(m_editedRange)));
    leaveNoteEditor();
}

void TimelineWidget::leaveNoteEditor() {
    m_editedNote.reset();
    takeNoteStrip();
    Q_EMIT noteWritingChanged();
}

void TimelineWidget::sayTooManyNotes() {
    QToolTip::showText(viewport()->mapToGlobal(parts().ruler.center()),
                       tr("A trace keeps %L1 notes and no more.").arg(kMostNotes), viewport());
}

// From the left; where several begin within a flag's width, the first stands for them.
std::vector<TimelineWidget::NoteFlag> TimelineWidget::noteFlags() const {
    const QRect strip = parts().notes;
    const TimeScale now = scale();
    const QFontMetricsF metrics(rowFont());
    std::vector<NoteFlag> flags;
    for (const size_t place : m_noteOrder) {
        const Note& note = m_session.notes()[place];
        if (note.range.startNs >= now.range.endNs) break;
        if (std::max(note.range.startNs, note.range.endNs) < now.range.startNs) continue;
        const double x = strip.left() + std::max(0.0, std::floor(now.xOf(note.range.startNs)));
        if (!flags.empty() && x - flags.back().box.left() < kFlagWidth) {
            flags.back().places.push_back(place);
            continue;
        }
        if (!flags.empty()) flags.back().box.setRight(std::min(flags.back().box.right(), x - 2));
        double width = kFlagWidth;
        if (!note.text.empty())
            width = std::min(kWidestFlag, std::ceil(metrics.horizontalAdvance(text(note.text).left(kMostLettersShown)) +
                                                    2 * kFlagPadding));
        if (x + width > strip.right()) width = std::max(kFlagWidth, strip.right() - x);
        flags.push_back({.places = {place}, .box = QRectF(x, strip.top() + 1, width, strip.height() - kBarHeight - 3)});
    }
    return flags;
}

std::optional<TimelineWidget::NoteFlag> TimelineWidget::noteAt(QPoint position) const {
    if (!parts().notes.contains(position)) return std::nullopt;
    for (const NoteFlag& flag : noteFlags())
        if (flag.box.adjusted(-1, -1, 1, kBarHeight + 2).contains(position)) return flag;
    return std::nullopt;
}

// One has its words and its time on lines of their own, several a line each, as in: "load the weights (at 1.20 ms)".
QString TimelineWidget::noteTip(const NoteFlag& flag) const {
    const auto words = [](const Note& note) { return note.text.empty() ? tr("Mark") : text(note.text); };
    const Note& first = m_session.notes()[flag.places.front()];
    if (flag.places.size() == 1) return plainTip(words(first) + QLatin1Char('\n') + timeText(first.range));
    QStringList lines;
    for (const size_t place : flag.places) {
        if (lines.size() == static_cast<qsizetype>(kMostNotesTold)) break;
        const Note& note = m_session.notes()[place];
        QString shown = words(note);
        if (shown.size() > kMostLettersShown) shown = shown.left(kMostLettersShown).trimmed() + QChar(0x2026);
        lines << tr("%1 (%2)").arg(shown, timeText(note.range));
    }
    if (flag.places.size() > kMostNotesTold)
        lines << tr("and %L1 more here: zoom in, or see Notes").arg(flag.places.size() - kMostNotesTold);
    return plainTip(lines.join(QLatin1Char('\n')));
}

bool TimelineWidget::pressNote(QPoint position) {
    const std::optional<NoteFlag> flag = noteAt(position);
    if (flag) m_session.goTo(m_session.notes()[flag->places.front()].range);
    return flag.has_value();
}

QMenu* TimelineWidget::noteMenu(size_t place) {
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("noteMenu"));
    const auto add = [&](const char* name, const QString& text, auto act) {
        QAction* action = menu->addAction(text);
        action->setObjectName(QLatin1String(name));
        connect(action, &QAction::triggered, this, act);
    };
    add("goToNote", tr("&Go there"), [this, place] {
        if (place < m_session.notes().size()) m_session.goTo(m_session.notes()[place].range);
    });
    if (!m_notesKept) return menu;
    add("renameNote", tr("&Write…"), [this, place] { editNote(place); });
    add("removeNote", tr("&Remove"), [this, place] { m_session.removeNotes({place}); });
    return menu;
}

void TimelineWidget::paintNotes(QPainter& painter) {
    const TimelineParts where = parts();
    if (where.notes.isEmpty()) return;
    const QColor color = theme().note;
    const QRect strip = where.notes;
    painter.save();
    painter.setFont(rowFont());
    painter.fillRect(QRect(0, strip.top(), strip.right() + 1, strip.height()), theme().headerBackground);
    painter.setPen(theme().mutedText);
    painter.drawText(QRect(8, strip.top(), strip.left() - 12, strip.height()), Qt::AlignLeft | Qt::AlignVCenter,
                     tr("Notes"));
    painter.fillRect(QRect(0, strip.bottom(), strip.right() + 1, 1), theme().lineStrong);
    painter.setClipRect(strip.united(where.rows));
    const double pixel = 1.0 / painter.device()->devicePixelRatioF();
    const TimeScale& now = m_frame.scale;
    const auto xOf = [&](int64_t timeNs) {
        return std::round((strip.left() + std::clamp(now.xOf(timeNs), -9.0, now.width + 9)) / pixel) * pixel;
    };
    QColor pole = color;
    pole.setAlpha(150);
    const auto paintPoles = [&](TimeRange range, Qt::PenStyle style) {
        painter.setPen(QPen(pole, pixel, style));
        const double top = strip.top() + 1, bottom = where.rows.bottom() + 1;
        for (const double x : {xOf(range.startNs), xOf(range.endNs)})
            painter.drawLine(QPointF(x + pixel / 2, top), QPointF(x + pixel / 2, bottom));
        if (!range.empty())
            painter.fillRect(QRectF(xOf(range.startNs), strip.bottom() - kBarHeight,
                                    std::max(pixel, xOf(range.endNs) - xOf(range.startNs)), kBarHeight),
                             pole);
    };
    const auto pennant = [&](const QRectF& box) {
        return QPolygonF({box.topLeft(), {box.left() + kFlagWidth - 1, box.center().y()}, box.bottomLeft()});
    };
    painter.setRenderHint(QPainter::Antialiasing);
    const QFontMetricsF metrics(rowFont());
    for (const NoteFlag& flag : noteFlags()) {
        const Note& note = m_session.notes()[flag.places.front()];
        paintPoles(note.range, Qt::SolidLine);
        painter.setPen(QPen(color, 1));
        // Without words, or without room for them.
        if (note.text.empty() || flag.box.width() < kFlagWidth + 2 * kFlagPadding) {
            painter.setBrush(color);
            painter.drawPolygon(pennant(flag.box.adjusted(0.5, 0.5, 0, -0.5)));
            continue;
        }
        painter.setBrush(mixed(color, theme().headerBackground, 0.8));
        painter.drawRoundedRect(flag.box.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
        painter.setPen(theme().text);
        const QRectF room = flag.box.adjusted(kFlagPadding, 0, -kFlagPadding + 1, 0);
        painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter,
                         metrics.elidedText(text(note.text).left(kMostLettersShown), Qt::ElideRight, room.width()));
    }
    if (m_mark) {
        paintPoles(*m_mark, Qt::DashLine);
        const QRectF box(xOf(m_mark->startNs), strip.top() + 1, kFlagWidth, strip.height() - kBarHeight - 3);
        painter.setPen(QPen(color, 1));
        painter.setBrush(theme().headerBackground);
        painter.drawPolygon(pennant(box.adjusted(0.5, 0.5, 0, -0.5)));
    }
    painter.restore();
}

}  // namespace gapscope
