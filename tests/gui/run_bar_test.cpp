// The run bar: what was chosen becomes the settings of a run, and wrong choices a sentence.
#include "app/gui/views/run_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "app/gui/settings/appearance.h"
#include "app/gui/views/prompt_panel.h"
#include "app/gui/window/command_line.h"

using namespace gapscope;

class RunBarTest : public QObject {
    Q_OBJECT

private:
    static Machine machine() {
        Machine machine;
        machine.models = {{.name = "first", .path = "/models/first.gguf", .format = "gguf", .bytes = 1000},
                          {.name = "second", .path = "/models/second.gguf", .format = "gguf", .bytes = 2000}};
        machine.found.devices = {{.id = "cpu",
                                  .name = "a processor",
                                  .modes = {Mode::Eager, Mode::Fused, Mode::Graph},
                                  .precisions = {Precision::File, Precision::Fp32}}};
        machine.found.gpuProblem = "No GPU can be used: there is none.";
        machine.defaultModel = machine.models.front();
        return machine;
    }

private Q_SLOTS:
    void runsWithNoChoiceMade() {
        RunBar bar;
        bar.showMachine(machine());
        const auto settings = bar.recordingSettings(QStringLiteral("Once"));
        QVERIFY(settings.has_value());
        QCOMPARE(settings->modelPath, std::filesystem::path("/models/first.gguf"));
        QCOMPARE(settings->generate.maxNewTokens, 64);
        QCOMPARE(settings->generate.warmup, 1);
        QCOMPARE(settings->generate.repeats, 1);
        QVERIFY(!settings->generate.mode.has_value());
        QCOMPARE(settings->generate.speculation.kind, Speculation::Off);
        QCOMPARE(settings->generate.chat, std::optional(false));
        QCOMPARE(settings->generate.device, std::string("auto"));
    }

    void choicesGoIntoTheSettings() {
        RunBar bar;
        bar.showMachine(machine());
        bar.findChild<QSpinBox*>(QStringLiteral("tokensBox"))->setValue(7);
        bar.findChild<QSpinBox*>(QStringLiteral("warmupBox"))->setValue(0);
        bar.findChild<QSpinBox*>(QStringLiteral("repeatsBox"))->setValue(3);
        bar.findChild<QCheckBox*>(QStringLiteral("chatBox"))->setChecked(true);
        bar.findChild<QComboBox*>(QStringLiteral("modelBox"))->setCurrentIndex(1);
        auto* mode = bar.findChild<QComboBox*>(QStringLiteral("modeBox"));
        mode->setCurrentIndex(mode->findText(modeTitle(Mode::Graph)));
        auto* precision = bar.findChild<QComboBox*>(QStringLiteral("precisionBox"));
        precision->setCurrentIndex(precision->findText(precisionTitle(Precision::Fp32)));
        auto* speculation = bar.findChild<QComboBox*>(QStringLiteral("speculationBox"));
        speculation->setCurrentIndex(speculation->findText(speculationTitle(Speculation::Ngram, 8)));
        const auto settings = bar.recordingSettings(QStringLiteral("Once"));
        QVERIFY(settings.has_value());
        QCOMPARE(settings->generate.speculation.kind, Speculation::Ngram);
        QCOMPARE(settings->generate.speculation.draftTokens, 8);
        QCOMPARE(settings->modelPath, std::filesystem::path("/models/second.gguf"));
        QCOMPARE(settings->generate.maxNewTokens, 7);
        QCOMPARE(settings->generate.warmup, 0);
        QCOMPARE(settings->generate.repeats, 3);
        QCOMPARE(settings->generate.chat, std::optional(true));
        QCOMPARE(settings->generate.mode, std::optional(Mode::Graph));
        QCOMPARE(settings->generate.precision, Precision::Fp32);
    }

    void choicesAreRememberedAndGivenBack() {
        const QTemporaryDir folder;
        RunBar bar;
        bar.showMachine(machine());
        RunChoices choices = bar.choices();
        choices.modelPath = QStringLiteral("/models/second.gguf");
        choices.mode = QStringLiteral("graph");
        choices.speculation = QStringLiteral("ngram");
        choices.draftTokens = 2;
        choices.tokens = 12;
        choices.batch = 5;
        {
            AppSettings settings(folder.filePath(QStringLiteral("settings.ini")));
            settings.setRunChoices(choices);
        }
        const AppSettings settings(folder.filePath(QStringLiteral("settings.ini")));
        QCOMPARE(settings.runChoices(), choices);
        bar.setChoices(settings.runChoices());
        QCOMPARE(bar.choices(), choices);
    }

    void anyModelMayDraft() {
        QTemporaryDir folder;
        const QString small = folder.filePath(QStringLiteral("small one.gguf"));
        Machine found = machine();
        found.models[1].path = folder.filePath(QStringLiteral("second.gguf")).toStdString();
        RunBar bar;
        bar.showMachine(found);
        auto* speculation = bar.findChild<QComboBox*>(QStringLiteral("speculationBox"));
        const int item = speculation->findText(QStringLiteral("Model 4: second"));
        QVERIFY(item > 0);
        speculation->setCurrentIndex(item);
        auto settings = bar.recordingSettings(QStringLiteral("Once"));
        QVERIFY2(!settings && settings.error().message.find("second.gguf") != std::string::npos, "it is not there");
        for (const QString& path : {QString::fromStdString(found.models[1].path.string()), small})
            QVERIFY(QFile(path).open(QIODevice::WriteOnly));
        settings = bar.recordingSettings(QStringLiteral("Once"));
        QVERIFY(settings.has_value());
        QCOMPARE(settings->generate.speculation.kind, Speculation::Model);
        QCOMPARE(settings->generate.speculation.draftTokens, 4);
        QCOMPARE(settings->generate.speculation.draftModel, found.models[1].path);
        // Also one that no search finds, in a folder with spaces, with other numbers of drafts.
        RunChoices choices = bar.choices();
        choices.draftModel = small;
        choices.draftTokens = 7;
        bar.setChoices(choices);
        QCOMPARE(bar.choices(), choices);
        settings = bar.recordingSettings(QStringLiteral("Once"));
        QCOMPARE(settings->generate.speculation.draftModel.string(), small.toStdString());
        QCOMPARE(settings->generate.speculation.draftTokens, 7);
    }

    // What a narrow box leaves out ends in dots, and its tooltip has it.
    void aNarrowBoxLeavesOutTheEndOfItsText() {
        const std::unique_ptr<QStyle> style(makeStyle());
        constexpr int kWidth = 110;
        const auto picture = [&](const QString& shown, const QIcon& icon) {
            QComboBox box;
            box.setStyle(style.get());
            box.addItem(icon, shown);
            box.resize(kWidth, 26);
            return box.grab().toImage();
        };
        QPixmap square(16, 16);
        square.fill(Qt::red);
        const QString full = QStringLiteral("Model 4: gemma-3-270m-q4_k_m");
        for (const QIcon& icon : {QIcon(), QIcon(square)}) {
            // The shortest text with dots that looks the same is one that fits.
            QString shown = full;
            for (qsizetype length = full.size() - 1; length > 0; --length)
                if (const QString dotted = full.left(length) + QChar(0x2026);
                    picture(dotted, icon) == picture(full, icon))
                    shown = dotted;
            const int iconWidth = icon.isNull() ? 0 : 20;
            QVERIFY2(QFontMetrics(QComboBox().font()).horizontalAdvance(shown) + iconWidth < kWidth - 15,
                     qPrintable(shown));
            QVERIFY(shown.size() > 5);
        }
        RunBar bar;
        bar.showMachine(machine());
        auto* speculation = bar.findChild<QComboBox*>(QStringLiteral("speculationBox"));
        speculation->setCurrentIndex(speculation->findText(QStringLiteral("Model 4: second")));
        QVERIFY2(speculation->toolTip().endsWith(QStringLiteral("\nChosen: Model 4: second")),
                 qPrintable(speculation->toolTip()));
        QVERIFY(speculation->toolTip().startsWith(QStringLiteral("Lookup: ")));
        for (const QString& line : speculation->toolTip().split(QLatin1Char('\n')))
            QVERIFY2(line.size() <= 90, qPrintable(line));
    }

    void theLinesOfABatchArePromptsOfTheirOwn() {
        RunBar bar;
        bar.showMachine(machine());
        auto* batch = bar.findChild<QSpinBox*>(QStringLiteral("batchBox"));
        const QString lines = QStringLiteral("One\n\n  two \nthree\n");
        QCOMPARE(batch->value(), 1);
        QVERIFY(bar.recordingSettings(lines)->generate.prompts.empty());
        QCOMPARE(bar.recordingSettings(lines)->generate.prompt, lines.toStdString());
        batch->setValue(2);
        const GenerateSettings several = bar.recordingSettings(lines)->generate;
        QCOMPARE(several.prompts, (std::vector<std::string>{"One", "  two ", "three"}));
        QCOMPARE(several.batch, int64_t{2});
        QVERIFY(bar.recordingSettings(QStringLiteral("One alone"))->generate.prompts.empty());
        batch->setValue(99);
        QCOMPARE(batch->value(), static_cast<int>(kMostBatch));
        auto* speculation = bar.findChild<QComboBox*>(QStringLiteral("speculationBox"));
        speculation->setCurrentIndex(1);
        const auto refused = bar.recordingSettings(lines);
        QVERIFY(!refused.has_value());
        QVERIFY(QString::fromStdString(refused.error().message).contains(QStringLiteral("one prompt alone")));

        PromptPanel panel;
        auto* edit = panel.findChild<QPlainTextEdit*>(QStringLiteral("promptEdit"));
        QCOMPARE(edit->accessibleName(), QStringLiteral("Prompt"));
        panel.setBatch(2);
        QCOMPARE(edit->accessibleName(), QStringLiteral("Prompts, one a line"));
        QVERIFY(edit->placeholderText().contains(QStringLiteral("each line is a prompt")));
    }

    void whatThereIsNoRoomForGoesBehindAButton() {
        RunBar bar;
        bar.showMachine(machine());
        bar.resize(bar.sizeHint());
        bar.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bar));
        const auto field = [&](const char* name) { return bar.findChild<QWidget*>(QLatin1String(name)); };
        auto* more = bar.findChild<QToolButton*>(QStringLiteral("moreFieldsButton"));
        const QStringList names = {
            QStringLiteral("modelBox"),  QStringLiteral("deviceBox"),      QStringLiteral("precisionBox"),
            QStringLiteral("modeBox"),   QStringLiteral("speculationBox"), QStringLiteral("tokensBox"),
            QStringLiteral("warmupBox"), QStringLiteral("repeatsBox"),     QStringLiteral("batchBox"),
            QStringLiteral("chatBox"),   QStringLiteral("reuseBox")};
        const auto inSight = [&](const QString& name) {
            const auto* of = bar.findChild<QWidget*>(name);
            return of->isVisible() && bar.rect().contains(QRect(of->mapTo(&bar, QPoint()), of->size()));
        };
        for (const QString& name : names)
            QVERIFY2(inSight(name), qPrintable(name));
        QVERIFY(!more->isVisible());
        // Narrower step by step: what is in sight is whole, what matters most stays to the end.
        int before = 0;
        for (int width = bar.sizeHint().width(); width >= bar.minimumSizeHint().width(); width -= 7) {
            bar.resize(width, bar.height());
            QCoreApplication::processEvents();
            int folded = 0;
            for (const QString& name : names) {
                const bool isFolded = !bar.findChild<QWidget*>(name)->isVisible();
                folded += isFolded;
                QVERIFY2(isFolded || inSight(name), qPrintable(name + QString::number(width)));
            }
            QVERIFY(folded >= before);
            QCOMPARE(more->isVisible(), folded > 0);
            before = folded;
        }
        QCOMPARE(before, 7);
        for (const char* name : {"modelBox", "deviceBox", "modeBox", "tokensBox"})
            QVERIFY2(field(name)->isVisible(), name);
        QVERIFY(more->toolTip().contains(QStringLiteral("Speculation")));
        // It opens, says how much is set there, and closes.
        more->click();
        QVERIFY(field("batchBox")->isVisible());
        QVERIFY(field("precisionBox")->hasFocus());
        bar.findChild<QSpinBox*>(QStringLiteral("batchBox"))->setValue(4);
        QCOMPARE(more->text(), QStringLiteral("1 set"));
        QCOMPARE(bar.choices().batch, 4);
        QTest::keyClick(field("precisionBox"), Qt::Key_Escape);
        QVERIFY(!field("batchBox")->isVisible());
        // Where it is narrower than the bar it stays within, but for the frame that a platform may add.
        bar.resize((bar.minimumSizeHint().width() + bar.sizeHint().width()) / 2, bar.height());
        QCoreApplication::processEvents();
        more->click();
        const auto* rest = bar.findChild<QWidget*>(QStringLiteral("moreFields"));
        QVERIFY(rest->isVisible() && rest->width() < bar.width());
        QVERIFY(rest->geometry().right() <= bar.mapToGlobal(bar.rect().topRight()).x() + 4);
        QTest::keyClick(field("batchBox"), Qt::Key_Escape);
        bar.resize(bar.sizeHint());
        QCoreApplication::processEvents();
        for (const QString& name : names)
            QVERIFY2(inSight(name), qPrintable(name));
    }

    void withoutAModelASentenceSaysSo() {
        RunBar bar;
        bar.showMachine({});
        const auto settings = bar.recordingSettings(QStringLiteral("Once"));
        QVERIFY(!settings.has_value());
        QVERIFY(QString::fromStdString(settings.error().message).contains(QStringLiteral("model")));
    }

    void anEmptyPromptIsRefused() {
        RunBar bar;
        bar.showMachine(machine());
        QVERIFY(!bar.recordingSettings(QString()).has_value());
    }

    void theCommandLineIsReadAndChecked() {
        const auto line =
            parseCommandLine({"--size", "1366x768", "--theme", "dark", "--screenshot", "p.png", "a.gapscope"});
        QVERIFY(line.has_value());
        QCOMPARE(line->width, 1366);
        QCOMPARE(line->height, 768);
        QCOMPARE(line->files, std::vector<std::string>{"a.gapscope"});
        QCOMPARE(line->screenshot, std::optional<std::string>("p.png"));
        QVERIFY(parseCommandLine({"--", "--run"})->files == std::vector<std::string>{"--run"});
        for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--nonsense"},
                                                      {"--size", "wide"},
                                                      {"--size", "10x10"},
                                                      {"--screenshot"},
                                                      {"--theme", "pink"},
                                                      {"--run", "a.gapscope"}})
            QVERIFY(!parseCommandLine(wrong).has_value());
    }
};

QTEST_MAIN(RunBarTest)
#include "run_bar_test.moc"
