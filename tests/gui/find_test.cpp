// Search, command palette and pictures of the view, as a person uses them.
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QFile>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QSvgRenderer>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QXmlStreamReader>

#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/find_bar.h"
#include "app/gui/window/command_palette.h"
#include "app/gui/window/export_view.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/core/testing/persistent_run.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class FindTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QWidget* bar() { return m_window->findChild<QWidget*>(QStringLiteral("findBar")); }
    QLineEdit* textField() { return m_window->findChild<QLineEdit*>(QStringLiteral("findText")); }
    QString count() { return m_window->findChild<QLabel*>(QStringLiteral("findCount"))->text(); }
    TimelineWidget* timeline() { return m_window->findChild<TimelineWidget*>(QStringLiteral("timeline")); }
    DataTable* foundTable() { return m_window->findChild<DataTable*>(QStringLiteral("foundTable")); }
    QAction& action(const char* name) { return *m_window->findChild<QAction*>(QLatin1String(name)); }
    void type(const QString& text) {
        textField()->selectAll();
        QTest::keyClicks(textField(), text);
    }
    CommandPalette* palette() { return m_window->findChild<CommandPalette*>(QStringLiteral("commandPalette")); }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        m_settings = std::make_unique<AppSettings>(m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        const QString file = m_folder.filePath(QStringLiteral("run.gapscope"));
        QVERIFY(saveSession(*sampleTrace(6), file.toStdString()).has_value());
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
        timeline()->setAnimated(false);
        timeline()->setFocus();
    }
    void cleanup() { m_window.reset(); }

    void slashSearchesAndEnterGoesOn() {
        QVERIFY(!bar()->isVisible());
        QTest::keyClick(timeline(), Qt::Key_Slash);
        QVERIFY(bar()->isVisible());
        QVERIFY(textField()->hasFocus());
        type(QStringLiteral("DECODE_"));
        QTRY_COMPARE(count(), QStringLiteral("6 found"));
        QTest::keyClick(textField(), Qt::Key_Return);
        QCOMPARE(count(), QStringLiteral("1 of 6"));
        const Selection first = m_window->session().selection();
        QCOMPARE(first.kind, Selection::Kind::DeviceOp);
        const Trace& trace = *m_window->session().trace();
        QCOMPARE(trace.string(trace.deviceOps().name[first.row]), std::string_view("decode_gemm"));
        QTest::keyClick(textField(), Qt::Key_Return);
        QCOMPARE(count(), QStringLiteral("2 of 6"));
        QVERIFY(m_window->session().selection().range.startNs > first.range.startNs);
        QTest::keyClick(textField(), Qt::Key_Return, Qt::ShiftModifier);
        QTest::keyClick(textField(), Qt::Key_Return, Qt::ShiftModifier);
        QCOMPARE(count(), QStringLiteral("6 of 6"));  // over the beginning to the end
        action("findNextAction").trigger();
        QCOMPARE(count(), QStringLiteral("1 of 6"));

        QTest::keyClick(textField(), Qt::Key_Escape);
        QVERIFY(!bar()->isVisible());
        QVERIFY(timeline()->hasFocus());
        QVERIFY(m_window->session().selection().kind != Selection::Kind::None);  // Escape was the bar's
        QVERIFY(!action("findNextAction").isEnabled());
    }

    void whatIsOutOfSightComesIntoSight() {
        const TimeRange whole = m_window->session().trace()->extent();
        m_window->session().setVisibleRange({whole.startNs, whole.startNs + whole.durationNs() / 20});
        action("findAction").trigger();
        type(QStringLiteral("decode 5"));
        QTRY_COMPARE(count(), QStringLiteral("1 found"));
        QTest::keyClick(textField(), Qt::Key_Return);
        const TimeRange range = m_window->session().selection().range;
        const TimeRange visible = m_window->session().visibleRange();
        QVERIFY(visible.startNs <= range.startNs && range.endNs <= visible.endNs);
        QCOMPARE(m_window->session().selection().kind, Selection::Kind::UserRange);
    }

    void notesAreFoundByTheirWordsAndGoneTo() {
        Session& session = m_window->session();
        const TimeRange whole = session.trace()->extent();
        const TimeRange late{whole.endNs - 3000, whole.endNs - 1000};
        session.addNote({{whole.startNs + 500, whole.startNs + 500}, "warm caches"});
        session.addNote({late, "Caches are cold again"});
        session.setVisibleRange({whole.startNs, whole.startNs + whole.durationNs() / 20});
        action("findAction").trigger();
        type(QStringLiteral("caches"));
        QTRY_COMPARE(count(), QStringLiteral("2 found"));
        QCOMPARE(foundTable()->model()->index(1, 0).data().toString(), QStringLiteral("Caches are cold again"));
        QCOMPARE(foundTable()->model()->index(1, 1).data().toString(), QStringLiteral("note"));
        const QColor found = Theme::of(timeline()->palette()).found;
        const auto outline = [&] {
            const QRect box = timeline()->noteFlags()[0].box.toRect();
            const QImage picture = timeline()->viewport()->grab(box.adjusted(-2, -2, 2, 2)).toImage();
            int count = 0;
            for (int y = 0; y < picture.height(); ++y)
                for (int x = 0; x < picture.width(); ++x)
                    count += picture.pixelColor(x, y) == found;
            return count;
        };
        const int thin = outline();
        QVERIFY2(thin > 20, qPrintable(QString::number(thin)));
        QTest::keyClick(textField(), Qt::Key_Return);
        QCOMPARE(count(), QStringLiteral("1 of 2"));
        QCOMPARE(session.selection().kind, Selection::Kind::None);  // a moment
        QVERIFY(outline() > thin + 10);                             // which of them
        QTest::keyClick(textField(), Qt::Key_Return);
        QCOMPARE(count(), QStringLiteral("2 of 2"));
        QCOMPARE(session.selection(), (Selection{.kind = Selection::Kind::Range, .range = late}));
        QVERIFY(session.visibleRange().contains(late.startNs) && late.endNs <= session.visibleRange().endNs);
        // What is written or removed meanwhile counts.
        session.setNoteText(1, "gone");
        QTRY_COMPARE(count(), QStringLiteral("1 found"));
        session.removeNotes({0, 1});
        QTRY_COMPARE(count(), QStringLiteral("Nothing found"));
        m_window->document().discard();
    }

    void expressionsAndNothing() {
        action("findAction").trigger();
        type(QStringLiteral("/^rms_norm$/"));
        QTRY_COMPARE(count(), QStringLiteral("6 found"));
        type(QStringLiteral("/(/"));
        QTRY_COMPARE(count(), QStringLiteral("No expression"));
        type(QStringLiteral("no such thing"));
        QTRY_COMPARE(count(), QStringLiteral("Nothing found"));
        QTest::keyClick(textField(), Qt::Key_Return);  // nothing to go to
        type(QString(QStringLiteral("upon")));
        QTRY_COMPARE(count(), QStringLiteral("1 found"));  // a token's text
        QTest::keyClick(textField(), Qt::Key_Return);
        QCOMPARE(m_window->session().selection().kind, Selection::Kind::Token);
    }

    void theListGoesToWhatIsChosen() {
        action("findAction").trigger();
        type(QStringLiteral("norm"));
        QTRY_COMPARE(foundTable()->model()->rowCount(), 6);
        for (QToolButton* button : bar()->findChildren<QToolButton*>())
            if (button->text() == QStringLiteral("List")) QTest::mouseClick(button, Qt::LeftButton);
        QTRY_VERIFY(foundTable()->isVisible());
        const QModelIndex third = foundTable()->model()->index(2, 0);
        QTest::mouseClick(foundTable()->viewport(), Qt::LeftButton, {}, foundTable()->visualRect(third).center());
        QCOMPARE(count(), QStringLiteral("3 of 6"));
        QCOMPARE(foundTable()->sourceRow(foundTable()->currentIndex()), 2);
    }

    void stagesAreFoundAndShown() {
        const QString file = m_folder.filePath(QStringLiteral("persistent.gapscope"));
        QVERIFY(saveSession(*persistentTrace({.layers = 3, .tokens = 4}), file.toStdString()).has_value());
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
        const Trace& trace = *m_window->session().trace();
        auto* facts = m_window->findChild<ElidedLabel*>(QStringLiteral("statusFacts"));
        const qsizetype all = static_cast<qsizetype>(trace.eventCount() + trace.stages().startNs.size());
        QTRY_VERIFY2(facts->fullText().contains(QStringLiteral(" %1 events").arg(all)), qPrintable(facts->fullText()));
        m_window->session().setVisibleRange({0, 10'000});
        action("findAction").trigger();
        type(QStringLiteral("down_proj: in"));
        QTRY_COMPARE(count(), QStringLiteral("12 found"));
        QTest::keyClick(textField(), Qt::Key_Return);
        const Selection found = m_window->session().selection();
        QCOMPARE(found.kind, Selection::Kind::Stage);
        QCOMPARE(trace.string(trace.stages().name[found.row]), std::string_view("down_proj: input"));
        QCOMPARE(found.range.startNs, trace.stages().startNs[found.row]);
        QCOMPARE(found.range.endNs, trace.stages().endNs[found.row]);
        const TimeRange visible = m_window->session().visibleRange();
        QVERIFY(visible.startNs <= found.range.startNs && found.range.endNs <= visible.endNs);
        QCOMPARE(foundTable()->model()->index(0, 1).data().toString(), QStringLiteral("stage"));
        // It stands on the row of stages, and its details say where it is.
        const TimelineIndex::Place place =
            timeline()->index().placeOf(RowKind::Stage, static_cast<uint32_t>(found.row));
        QVERIFY(place.row >= 0);
        const TimelineFrame& frame = timeline()->frame();
        const RowPlace& shownAt = frame.places[static_cast<size_t>(place.row)];
        const QRect rows = timeline()->parts().rows;
        const QPoint middle(
            rows.left() + static_cast<int>(frame.scale.xOf((found.range.startNs + found.range.endNs) / 2)),
            rows.top() + shownAt.laneY(place.lane) - frame.scrollY + shownAt.laneHeight / 2);
        QVERIFY(rows.contains(middle));
        // It alone is outlined: the row of its kernel looks as without it.
        const auto strip = [&](const RowPlace& of) {
            const QImage picture = timeline()->viewport()->grab().toImage();
            return picture.copy(rows.left(), rows.top() + of.y - frame.scrollY + 2, rows.width(), of.height - 4);
        };
        size_t stream = 0;
        while (timeline()->index().rows()[stream]->kind != RowKind::Stream)
            ++stream;
        const QImage outlined = strip(shownAt), kernel = strip(frame.places[stream]);
        m_window->session().clearSelection();
        QVERIFY(strip(shownAt) != outlined);
        QVERIFY(strip(frame.places[stream]) == kernel);
        QTest::mouseClick(timeline()->viewport(), Qt::LeftButton, {}, middle);
        QVERIFY(m_window->session().selection() == found);
        QTRY_VERIFY(m_window->settled());
        auto* details = m_window->findChild<DataTable*>(QStringLiteral("detailsTable"));
        const auto detail = [&](const QString& name) {
            for (int row = 0; details && row < details->model()->rowCount(); ++row)
                if (details->model()->index(row, 0).data().toString() == name)
                    return details->model()->index(row, 1).data().toString();
            return QString();
        };
        QTRY_COMPARE(detail(QStringLiteral("Inside")), QStringLiteral("persistent_decode_bf16"));
        QCOMPARE(detail(QStringLiteral("Layer")), QStringLiteral("0"));
        QCOMPARE(detail(QStringLiteral("Token")), QStringLiteral("0"));
        QVERIFY2(detail(QStringLiteral("Kernel took")).endsWith(QStringLiteral("% of it this stage")),
                 qPrintable(detail(QStringLiteral("Kernel took"))));
        QVERIFY2(detail(QStringLiteral("All stages of this name")).contains(QStringLiteral("12 times")),
                 qPrintable(detail(QStringLiteral("All stages of this name"))));
        // The list of events has them too, alone if wanted.
        m_window->session().clearSelection();
        auto* events = m_window->findChild<DataTable*>(QStringLiteral("eventTable"));
        auto* kinds = m_window->findChild<QComboBox*>(QStringLiteral("eventKinds"));
        m_window->findChild<QTabWidget*>(QStringLiteral("tabs"))->setCurrentWidget(events->parentWidget());
        kinds->setCurrentText(QStringLiteral("Stages of kernels"));
        QTRY_COMPARE(events->model()->rowCount(), 4 * (9 * 3 + 4));
        QTest::mouseClick(events->viewport(), Qt::LeftButton, {},
                          events->visualRect(events->model()->index(2, 0)).center());
        QCOMPARE(m_window->session().selection().kind, Selection::Kind::Stage);
        QCOMPARE(m_window->session().selection().row, size_t(2));
    }

    void hitsAreMarkedOnTheRuler() {
        const auto ticks = [this] {
            const QImage picture = timeline()->viewport()->grab().toImage();
            const TimelineParts parts = timeline()->parts();
            int count = 0;
            for (int x = parts.ruler.left(); x < parts.ruler.right(); ++x)
                count += picture.pixelColor(x, parts.ruler.bottom() - 2) == Theme::of(timeline()->palette()).found;
            return count;
        };
        QCOMPARE(ticks(), 0);
        action("findAction").trigger();
        type(QStringLiteral("decode_gemm"));
        QTRY_COMPARE(count(), QStringLiteral("6 found"));
        QCOMPARE(ticks(), 12);  // two px each
        QTest::keyClick(textField(), Qt::Key_Escape);
        QCOMPARE(ticks(), 0);
    }

    void thePaletteDoesWhatItIsAskedFor() {
        m_window->session().setVisibleRange({0, 100'000});
        QTest::keyClick(m_window.get(), Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(palette() && palette()->isVisible());
        auto* text = palette()->findChild<QLineEdit*>(QStringLiteral("commandText"));
        auto* list = palette()->findChild<QListView*>(QStringLiteral("commandList"));
        const int all = list->model()->rowCount();
        QVERIFY(all > 15);
        QTest::keyClicks(text, QStringLiteral("whtr"));
        QVERIFY(list->model()->rowCount() < all);
        QCOMPARE(list->currentIndex().data().toString(), QStringLiteral("Whole trace"));
        QTest::keyClick(text, Qt::Key_Return);
        QTRY_VERIFY(!palette());
        QCOMPARE(m_window->session().visibleRange(), m_window->session().trace()->extent());
        // What was done last comes first.
        action("commandPaletteAction").trigger();
        QTRY_VERIFY(palette());
        list = palette()->findChild<QListView*>(QStringLiteral("commandList"));
        QCOMPARE(list->model()->index(0, 0).data().toString(), QStringLiteral("Whole trace"));
        // What cannot be done now cannot be chosen.
        text = palette()->findChild<QLineEdit*>(QStringLiteral("commandText"));
        QTest::keyClicks(text, QStringLiteral("stop"));
        QTest::keyClick(text, Qt::Key_Return);
        QVERIFY(palette()->isVisible());
        palette()->reject();
    }

    void lettersInTheirOrderFit() {
        QCOMPARE(fuzzyScore(QStringLiteral("xyz"), QStringLiteral("Whole trace")), -1);
        QVERIFY(fuzzyScore(QStringLiteral("save"), QStringLiteral("Save")) >
                fuzzyScore(QStringLiteral("save"), QStringLiteral("Show all events")));
        QVERIFY(fuzzyScore(QStringLiteral("sa"), QStringLiteral("Save as")) > 0);
        QCOMPARE(fuzzyScore(QString(), QStringLiteral("Save")), 0);
    }

    void theViewAsAPictureHasWhatIsSeen() {
        const QString png = m_folder.filePath(QStringLiteral("view.png"));
        QVERIFY(exportView(*timeline(), QStringLiteral("run.gapscope"), png).has_value());
        const QImage image(png);
        QCOMPARE(image.size(), (timeline()->viewport()->size() + QSize(0, 24)) * 2);
        // The colours of kernels are in it.
        const QColor gemm = Theme::of(timeline()->palette()).category(Category::Gemm);
        int found = 0;
        for (int y = 0; y < image.height(); y += 3)
            for (int x = 0; x < image.width(); x += 3)
                found += image.pixelColor(x, y) == gemm;
        QVERIFY2(found > 20, qPrintable(QString::number(found)));
        QVERIFY(!exportView(*timeline(), QString(), QStringLiteral("/nowhere/view.png")).has_value());

        const QString svg = m_folder.filePath(QStringLiteral("view.svg"));
        QVERIFY(exportView(*timeline(), QStringLiteral("run.gapscope & more"), svg).has_value());
        QVERIFY(QSvgRenderer(svg).isValid());
        QFile file(svg);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QXmlStreamReader xml(&file);
        int texts = 0, images = 0, shapes = 0;
        bool caption = false;
        while (!xml.atEnd()) {
            if (xml.readNext() == QXmlStreamReader::Characters)
                caption |= xml.text() == QStringLiteral("run.gapscope & more");
            if (!xml.isStartElement()) continue;
            texts += xml.name() == QStringLiteral("text");
            images += xml.name() == QStringLiteral("image");
            shapes += xml.name() == QStringLiteral("rect") || xml.name() == QStringLiteral("path");
        }
        QVERIFY(!xml.hasError());
        QVERIFY(caption);
        QVERIFY(texts > 5);
        QVERIFY(shapes > 20);
        QCOMPARE(images, 0);  // drawn, not photographed
    }

    void copyingPutsItOnTheClipboard() {
        QApplication::clipboard()->clear();
        action("copyViewAction").trigger();
        QVERIFY(!QApplication::clipboard()->image().isNull());
    }
};

QTEST_MAIN(FindTest)
#include "find_test.moc"
