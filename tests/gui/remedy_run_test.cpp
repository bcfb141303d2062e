// A remedy from the verdict's card, run for real on the built-in model: when it is done, the window shows both sessions
// compared, with what was predicted; a run with other choices only offers that.
#include <QAction>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/models/compare_models.h"
#include "app/gui/session/comparer.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/window/main_window.h"
#include "tests/support/test_files.h"

using namespace gapscope;

class RemedyRunTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    template <class Widget>
    Widget* find(const char* name) {
        return m_window->findChild<Widget*>(QLatin1String(name));
    }
    void choose(const char* mode) {
        RunChoices choices = m_window->runBar().choices();
        choices.modelPath = QString::fromStdString(test::repositoryFile("resources/tiny-random-gemma3.gguf").string());
        choices.device = QStringLiteral("cpu");
        choices.mode = QLatin1String(mode);
        choices.tokens = 24;
        choices.warmup = 0;
        m_window->runBar().setChoices(choices);
    }
    // What was recorded before is given up, where the window asks.
    void giveUpUnsaved() {
        if (auto* box = find<QMessageBox>("unsavedBox")) box->button(QMessageBox::Discard)->click();
    }
    void run(const char* mode) {
        choose(mode);
        find<QAction>("runAction")->trigger();
        giveUpUnsaved();
        QTRY_VERIFY(m_window->runs().running());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->settled(), 60'000);
        QVERIFY(m_window->session().trace()->run());
        QCOMPARE(m_window->session().trace()->run()->mode, std::string(mode));
    }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        QFile::remove(m_folder.filePath(QStringLiteral("settings.ini")));
        m_settings = std::make_unique<AppSettings>(m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }
    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }

    void aRemedysRunOpensComparedWithItsPrediction() {
        run("eager");
        QVERIFY(!m_window->comparing());
        auto* button = find<QPushButton>("runRemedyButton");
        QTRY_VERIFY(button->isVisibleTo(m_window.get()));
        button->click();
        giveUpUnsaved();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->comparing() && m_window->settled() && m_window->comparer().result(), 60'000);
        const Comparison& comparison = m_window->comparer().result()->comparison;
        QVERIFY(comparison.prediction);
        QVERIFY(comparison.prediction->predictedNs > 0);
        QVERIFY(!find<DataTable>("compareFigures")->isColumnHidden(CompareFigureModel::kPredictedColumn));
        QVERIFY(find<QLabel>("compareSentence")->text().contains(QStringLiteral("Predicted were")));
        QVERIFY(m_window->session().trace()->run()->mode != "eager");
    }

    void whoKeepsTheSessionKeepsTheRunBar() {
        run("eager");
        auto* button = find<QPushButton>("runRemedyButton");
        QTRY_VERIFY(button->isVisibleTo(m_window.get()));
        const RunChoices before = m_window->runBar().choices();
        button->click();
        auto* box = find<QMessageBox>("unsavedBox");
        QVERIFY(box);
        box->button(QMessageBox::Cancel)->click();
        QCOMPARE(m_window->runBar().choices(), before);
        QVERIFY(m_window->settled());
        // Nor does a run that cannot begin leave its mode there.
        RunChoices broken = before;
        broken.modelPath = m_folder.filePath(QStringLiteral("gone.gguf"));
        m_window->promptPanel().setPrompt({});
        m_window->runBar().setChoices(broken);
        button->click();
        giveUpUnsaved();
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!m_window->banners().sentences().isEmpty());
        QCOMPARE(m_window->runBar().choices(), broken);
    }

    void anotherChoicesRunOffersTheComparison() {
        run("eager");
        run("fused");
        QVERIFY(!m_window->comparing());
        QVERIFY(m_window->banners().sentences().join(QChar()).contains(QStringLiteral("what changed")));
        run("fused");  // the same again: nothing changed that one could see
        QVERIFY(!m_window->banners().sentences().join(QChar()).contains(QStringLiteral("what changed")));
        // Drafts and a batch are choices as well.
        for (const bool drafts : {true, false}) {
            RunChoices choices = m_window->runBar().choices();
            choices.speculation = drafts ? QStringLiteral("ngram") : QStringLiteral("off");
            choices.draftTokens = 4;
            choices.batch = drafts ? 1 : 2;
            m_window->runBar().setChoices(choices);
            if (!drafts) m_window->promptPanel().setPrompt(QStringLiteral("One\nTwo"));
            find<QAction>("runAction")->trigger();
            giveUpUnsaved();
            QTRY_VERIFY(m_window->runs().running());
            QTRY_VERIFY_WITH_TIMEOUT(m_window->settled(), 60'000);
            QVERIFY2(m_window->banners().sentences().join(QChar()).contains(QStringLiteral("what changed")),
                     drafts ? "drafts" : "a batch");
        }
    }
};

QTEST_MAIN(RemedyRunTest)
#include "remedy_run_test.moc"
