// What a person without a pointer or without sight meets: names of everything, Tab to everything, the timeline's rows.
#include <QAccessible>
#include <QAction>
#include <QMenu>
#include <QPainter>
#include <QStyleOptionButton>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolBar>

#include "app/gui/settings/appearance.h"
#include "app/gui/theme.h"
#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class AccessibilityTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    TimelineWidget& timeline() { return *m_window->findChild<TimelineWidget*>(QStringLiteral("timeline")); }
    QTabWidget& tabs() { return *m_window->findChild<QTabWidget*>(QStringLiteral("tabs")); }

    static QString pathOf(const QWidget* widget) {
        QStringList path;
        for (; widget; widget = widget->parentWidget())
            path.prepend(widget->objectName().isEmpty() ? QString::fromLatin1(widget->metaObject()->className())
                                                        : widget->objectName());
        return path.join(QLatin1Char('/'));
    }
    // In sight, and a key or click can go there.
    QList<QWidget*> focusable(Qt::FocusPolicy policy) const {
        QList<QWidget*> found;
        for (QWidget* widget : m_window->findChildren<QWidget*>())
            if (widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & policy) == policy &&
                !widget->focusProxy() && !widget->isWindow())
                found.append(widget);
        return found;
    }
    void expectNames() {
        QStringList nameless;
        for (QWidget* widget : focusable(Qt::TabFocus)) {
            QAccessibleInterface* face = QAccessible::queryAccessibleInterface(widget);
            if (!face || face->text(QAccessible::Name).trimmed().isEmpty()) nameless.append(pathOf(widget));
        }
        QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(QLatin1Char('\n'))));
    }
    void expectTabGoesEverywhere() {
        QList<QWidget*> wanted = focusable(Qt::TabFocus);
        QVERIFY(!wanted.isEmpty());
        wanted.first()->setFocus(Qt::TabFocusReason);
        QSet<QWidget*> seen;
        for (int step = 0; step < 400; ++step) {
            QWidget* now = QApplication::focusWidget();
            if (!now) break;
            seen.insert(now);
            QTest::keyClick(now, Qt::Key_Tab);
            if (QApplication::focusWidget() == wanted.first()) break;
        }
        QStringList unseen;
        for (QWidget* widget : wanted)
            if (!seen.contains(widget)) unseen.append(pathOf(widget));
        QVERIFY2(unseen.isEmpty(), qPrintable(unseen.join(QLatin1Char('\n'))));
    }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        QFile::remove(m_folder.filePath(QStringLiteral("settings.ini")));
        m_settings = std::make_unique<AppSettings>(m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1600, 960);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QTRY_VERIFY(m_window->settled());
    }
    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }
    void open() {
        const QString file = m_folder.filePath(QStringLiteral("s.gapscope"));
        QVERIFY(saveSession(*sampleTrace(4), file.toStdString()));
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
    }

    void theFirstScreenHasNamesAndTabGoesEverywhere() {
        expectNames();
        expectTabGoesEverywhere();
    }

    void theWorkspaceHasNamesAndTabGoesEverywhereOnEachTab() {
        open();
        QVERIFY(tabs().count() >= 10);
        for (int tab = 0; tab < tabs().count(); ++tab) {
            tabs().setCurrentIndex(tab);
            QTRY_VERIFY(m_window->settled());
            expectNames();
            if (QTest::currentTestFailed()) qWarning() << "on the tab" << tabs().tabText(tab);
            expectTabGoesEverywhere();
            if (QTest::currentTestFailed()) qWarning() << "on the tab" << tabs().tabText(tab);
        }
    }

    void emptyCheckBoxesStandOutFromWhatTheyLieOn() {
        const std::unique_ptr<QStyle> style(makeStyle());
        for (const QPalette& palette : {lightPalette(), darkPalette()}) {
            QStyleOptionButton option;
            option.rect = {0, 0, 14, 14};
            option.palette = palette;
            option.state = QStyle::State_Enabled | QStyle::State_Off;
            QImage picture(option.rect.size(), QImage::Format_ARGB32_Premultiplied);
            picture.fill(palette.color(QPalette::Base));
            QPainter painter(&picture);
            style->drawPrimitive(QStyle::PE_IndicatorCheckBox, &option, &painter);
            painter.end();
            for (const QPoint edge : {QPoint(0, 7), QPoint(13, 7), QPoint(7, 0), QPoint(7, 13)})
                QVERIFY2(contrastRatio(picture.pixelColor(edge), palette.color(QPalette::Base)) >= 3,
                         qPrintable(picture.pixelColor(edge).name()));
        }
    }

    void rowsOfTheTimelineAreItsChildren() {
        open();
        QAccessibleInterface* face = QAccessible::queryAccessibleInterface(&timeline());
        QVERIFY(face);
        QCOMPARE(face->role(), QAccessible::List);
        QCOMPARE(face->text(QAccessible::Name), QStringLiteral("Timeline"));
        QVERIFY(face->text(QAccessible::Value).contains(QStringLiteral("seen, from")));
        const auto& rows = timeline().index().rows();
        QVERIFY(face->childCount() >= static_cast<int>(rows.size()));
        for (size_t i = 0; i < rows.size(); ++i) {
            QAccessibleInterface* row = face->child(static_cast<int>(i));
            QVERIFY(row && row->isValid());
            QCOMPARE(row->role(), QAccessible::ListItem);
            QVERIFY(row->text(QAccessible::Name).contains(QString::fromStdString(rows[i]->title)));
            QCOMPARE(face->indexOfChild(row), static_cast<int>(i));
            QCOMPARE(row->parent(), face);
            QCOMPARE(face->child(static_cast<int>(i)), row);  // the same each time
            const QPoint middle = row->rect().center();
            if (!row->state().offscreen) QCOMPARE(face->childAt(middle.x(), middle.y()), row);
        }
        // And the widgets in it.
        for (int i = 0; i < face->childCount(); ++i)
            QVERIFY(face->child(i));
        QVERIFY(!face->child(face->childCount()));
    }

    void theSelectionIsTheValueOfItsRow() {
        open();
        const DeviceOps& ops = m_window->session().trace()->deviceOps();
        m_window->session().select({.kind = Selection::Kind::DeviceOp, .range = {ops.startNs[0], ops.endNs[0]}});
        const std::optional<size_t> at = timeline().selectedRow();
        QVERIFY(at);
        QAccessibleInterface* row = QAccessible::queryAccessibleInterface(&timeline())->child(static_cast<int>(*at));
        QVERIFY(row->state().selected);
        const QString name = QString::fromUtf8(m_window->session().trace()->string(ops.name[0]).data());
        QVERIFY2(row->text(QAccessible::Value).startsWith(QStringLiteral("selected: ") + name),
                 qPrintable(row->text(QAccessible::Value)));
        QVERIFY(row->text(QAccessible::Value).contains(QStringLiteral("busy for")));
        QVERIFY(timeline().accessibleDescription().contains(name));
    }

    void focusAndActionsOfARow() {
        open();
        QAccessibleInterface* face = QAccessible::queryAccessibleInterface(&timeline());
        QAccessibleInterface* row = face->child(1);
        QAccessibleActionInterface* actions = row->actionInterface();
        QVERIFY(actions && actions->actionNames().contains(QAccessibleActionInterface::setFocusAction()));
        actions->doAction(QAccessibleActionInterface::setFocusAction());
        QVERIFY(timeline().hasFocus());
        QVERIFY(row->state().focused);
        QCOMPARE(face->focusChild(), row);
        for (int i = 0; i < static_cast<int>(timeline().index().rows().size()); ++i) {
            QAccessibleInterface* group = face->child(i);
            if (!group->state().expandable) continue;
            QVERIFY(group->state().expanded);
            const size_t before = timeline().index().rows().size();
            const QString name = group->text(QAccessible::Name);
            group->actionInterface()->doAction(QAccessibleActionInterface::toggleAction());
            QVERIFY(timeline().index().rows().size() < before);
            QVERIFY(group->isValid() && group->state().collapsed);
            QCOMPARE(group->text(QAccessible::Name), name);
            return;
        }
        QFAIL("no row folds");
    }

    void rowsThatAreGoneAreNotValid() {
        open();
        QAccessibleInterface* row = QAccessible::queryAccessibleInterface(&timeline())->child(0);
        QVERIFY(row->isValid());
        timeline().actOnRow(timeline().index().rows().front()->key, TimelineWidget::RowAct::Hide);
        QVERIFY(!row->isValid());
        QVERIFY(row->text(QAccessible::Name).isEmpty());
        QVERIFY(row->state().invalid);
    }
};

QTEST_MAIN(AccessibilityTest)
#include "accessibility_test.moc"
