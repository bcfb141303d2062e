// The window on machines with GPUs: what the device menu offers, a GPU that goes away, one that fails for good, and the
// libraries. The machine and its failures are made up.
#include <QAction>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QLabel>
#include <QLayout>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStandardItemModel>
#include <QTemporaryDir>
#include <QTest>
#include <mutex>

#include "app/gui/views/banner.h"
#include "app/gui/views/gpu_libraries_dialog.h"
#include "app/gui/window/command_line.h"
#include "app/gui/window/main_window.h"
#include "core/base/cuda_folder_setting.h"
#include "core/export/session_writer.h"
#include "core/runner/devices.h"
#include "core/runner/model_catalog.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class GpuWindowTest : public QObject {
    Q_OBJECT

private:
    static RunDevice h200() {
        return {.id = "cuda:0",
                .name = "NVIDIA H200",
                .modes = {Mode::Eager, Mode::Graph},
                .precisions = {Precision::File, Precision::Bf16},
                .memoryBytes = 150'100'000'000,
                .pciBusId = "0000:3b:00.0"};
    }

    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;
    std::mutex m_mutex;  // the window looks from another thread
    FoundDevices m_machine;
    QStringList m_restarted;
    bool m_canRestart = true;

    QString path(const char* name) const { return m_folder.filePath(QLatin1String(name)); }
    QComboBox& deviceBox() { return *m_window->findChild<QComboBox*>(QStringLiteral("deviceBox")); }
    QStringList deviceTexts() {
        QStringList texts;
        for (int i = 0; i < deviceBox().count(); ++i)
            texts << deviceBox().itemText(i);
        return texts;
    }
    bool isEnabled(int item) { return qobject_cast<QStandardItemModel*>(deviceBox().model())->item(item)->isEnabled(); }
    void setMachine(FoundDevices machine) {
        const std::lock_guard lock(m_mutex);
        m_machine = std::move(machine);
    }
    // The window looks again, as at its start.
    void haveMachine(FoundDevices machine) {
        setMachine(std::move(machine));
        m_window->setDeviceLook([this] {
            const std::lock_guard lock(m_mutex);
            return m_machine;
        });
        QTRY_VERIFY(m_window->settled());
    }
    void haveGpu() { haveMachine({{h200(), cpuDevice()}, {}}); }
    QString onlyBanner() {
        return m_window->banners().count() == 1 ? m_window->banners().sentences().first() : QString();
    }
    QPushButton* bannerButton(const QString& text) {
        const QLayout& banners = *m_window->banners().layout();  // a closed one is gone from it before it is deleted
        for (int i = 0; i < banners.count(); ++i)
            for (QPushButton* button : banners.itemAt(i)->widget()->findChildren<QPushButton*>())
                if (button->text() == text) return button;
        return nullptr;
    }
    // A run on the GPU that ended as runs do when CUDA refuses all further work.
    void failForGood() {
        m_window->session().setTrace(sampleTrace(3));
        const QString session = path("failed.gapscope");
        QVERIFY(saveSession(*sampleTrace(3), session.toStdString()));
        Q_EMIT m_window->runs().finished(
            {.error = QStringLiteral("The GPU stopped at launching q_proj of layer 3: an illegal memory access was "
                                     "encountered (cudaErrorIllegalAddress)."),
             .kind = ErrorKind::GpuUnusable,
             .sessionPath = session});
    }

private Q_SLOTS:
    void init() {
        for (const char* variable : {"XDG_STATE_HOME", "XDG_CONFIG_HOME"})
            qputenv(variable, m_folder.path().toLocal8Bit());
        qunsetenv("GAPSCOPE_CUDA_LIBRARIES");
        QFile::remove(path("settings.ini"));
        m_restarted.clear();
        m_canRestart = true;
        m_settings = std::make_unique<AppSettings>(path("settings.ini"));
        RunChoices quick;
        quick.modelPath = QString::fromStdString((resourceFolder() / "tiny-random-gemma3.gguf").string());
        quick.tokens = 4;
        m_settings->setRunChoices(quick);
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->setNoticesWanted(false);
        m_window->setRestart([this](const QStringList& arguments) {
            m_restarted = arguments;
            return m_canRestart;
        });
        m_window->resize(1366, 768);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }
    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }

    // The device menu

    void theMenuNamesEachGpuWithItsMemoryAndTheCpuWithItsCores() {
        haveGpu();
        const QString cores =
            physicalCores() == 1 ? QStringLiteral("1 core") : QStringLiteral("%1 cores").arg(physicalCores());
        QCOMPARE(deviceTexts(),
                 (QStringList{"Automatic", "NVIDIA H200 · 150 GB", "CPU · " + cores, "", "GPU libraries…"}));
        QVERIFY(deviceBox().itemData(1, Qt::ToolTipRole).toString().contains(QStringLiteral("0000:3b:00.0")));
        QCOMPARE(m_window->runBar().device()->id, std::string("cuda:0"));
        auto* precisions = m_window->findChild<QComboBox*>(QStringLiteral("precisionBox"));
        QVERIFY(precisions->findText(QStringLiteral("bf16")) >= 0);
        deviceBox().setCurrentIndex(2);
        QVERIFY(precisions->findText(QStringLiteral("bf16")) < 0);
        QVERIFY(precisions->findText(QStringLiteral("fp32")) >= 0);
    }

    void withoutAGpuAnEntrySaysWhyAndCannotBeChosen() {
        haveMachine({{cpuDevice()}, "No GPU can be used: no CUDA-capable device is detected."});
        QCOMPARE(deviceBox().itemText(2), QStringLiteral("No GPU can be used: no CUDA-capable device is detected."));
        deviceBox().setCurrentIndex(1);
        deviceBox().setFocus();
        QTest::keyClick(&deviceBox(), Qt::Key_Down);
        QCOMPARE(deviceBox().currentIndex(), 1);
        QCOMPARE(m_window->runBar().device()->id, std::string("cpu"));
        QVERIFY(m_window->runBar().gpuVerdict().contains(QStringLiteral("Runs take the CPU")));
    }

    void theLibrariesItemOpensThemAndLeavesTheChoice() {
        haveGpu();
        deviceBox().setCurrentIndex(1);
        deviceBox().setCurrentIndex(deviceBox().count() - 1);
        QCOMPARE(deviceBox().currentIndex(), 1);
        auto* dialog = m_window->findChild<GpuLibrariesDialog*>();
        QVERIFY(dialog && dialog->isVisible() && !dialog->isModal());
        m_window->findChild<QAction*>(QStringLiteral("gpuLibrariesAction"))->trigger();  // the one that is open
        QCOMPARE(m_window->findChildren<GpuLibrariesDialog*>().size(), 1);
        QTRY_VERIFY(dialog->settled());
        QStringList words;
        for (const QLabel* label : dialog->findChildren<QLabel*>())
            words << label->text();
        const QString all = words.join(QLatin1Char('\n'));
        for (const char* name : {"CUDA driver", "CUPTI", "cuBLASLt", "NVML"})
            QVERIFY2(words.contains(QLatin1String(name)), name);
        QVERIFY2(all.contains(QStringLiteral("Runs can use NVIDIA H200.")), qPrintable(all));
        for (const GpuLibrary& library : findGpuLibraryFacts().libraries)  // as `doctor` has them
            QVERIFY(
                all.contains(QString::fromStdString(library.found.empty() ? library.install : library.path.string())));
        QVERIFY(dialog->findChild<QListWidget*>(QStringLiteral("lookedIn"))->count() >= 1);
    }

    void foldersAreKeptForBothPrograms() {
        m_window->findChild<QAction*>(QStringLiteral("gpuLibrariesAction"))->trigger();
        auto* dialog = m_window->findChild<GpuLibrariesDialog*>();
        QTRY_VERIFY(dialog->settled());
        auto* folders = dialog->findChild<QPlainTextEdit*>(QStringLiteral("libraryFolders"));
        auto* save = dialog->findChild<QPushButton*>(QStringLiteral("saveFolders"));
        auto* again = dialog->findChild<QPushButton*>(QStringLiteral("restartForLibraries"));
        QVERIFY(!save->isEnabled() && !again->isVisible());
        QVERIFY(QDir(m_folder.path()).mkpath(QStringLiteral("my libraries")));
        folders->setPlainText(path("my libraries") + QStringLiteral("\n\n"));
        QVERIFY(save->isEnabled());
        save->click();
        QTRY_VERIFY(dialog->settled());
        QCOMPARE(readCudaFolderSetting(), (std::vector<std::filesystem::path>{path("my libraries").toStdString()}));
        QCOMPARE(folders->toPlainText(), path("my libraries"));
        auto* looked = dialog->findChild<QListWidget*>(QStringLiteral("lookedIn"));
        QCOMPARE(looked->item(0)->text(), path("my libraries"));
        // What a run has looked for already is looked for again by the next start only.
        QVERIFY(again->isVisible());
        again->click();
        QTRY_VERIFY(!m_window->isVisible());
        QVERIFY(m_restarted.isEmpty());  // nothing was open
        QVERIFY(writeCudaFolderSetting({}));
    }

    void foldersThatCannotBeKeptSaySo() {
        qputenv("XDG_CONFIG_HOME", "/proc/nowhere");
        m_window->findChild<QAction*>(QStringLiteral("gpuLibrariesAction"))->trigger();
        auto* dialog = m_window->findChild<GpuLibrariesDialog*>();
        QTRY_VERIFY(dialog->settled());
        dialog->findChild<QPlainTextEdit*>(QStringLiteral("libraryFolders"))->setPlainText(QStringLiteral("/b"));
        dialog->findChild<QPushButton*>(QStringLiteral("saveFolders"))->click();
        QVERIFY(dialog->findChild<QLabel*>(QStringLiteral("libraryNote"))
                    ->text()
                    .contains(QStringLiteral("could not be kept in /proc/nowhere")));
    }

    // A GPU that goes away

    void aGpuThatIsGoneIsToldBeforeTheRunAndTheListIsRefreshed() {
        haveGpu();
        setMachine({{cpuDevice()}, "NVIDIA H200 at 0000:3b:00.0 cannot be reached any more: GPU is lost (15)."});
        m_window->run();
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!m_window->runs().running());
        QVERIFY2(onlyBanner().startsWith(QStringLiteral("NVIDIA H200 at 0000:3b:00.0 cannot be reached any more: GPU "
                                                        "is lost (15). Nothing was run.")),
                 qPrintable(onlyBanner()));
        QVERIFY(deviceBox().findText(QStringLiteral("NVIDIA H200 · 150 GB")) < 0);
        QCOMPARE(m_window->runBar().device()->id, std::string("cpu"));
        QVERIFY(m_window->findChild<QAction*>(QStringLiteral("runAction"))->isEnabled());
    }

    void anotherGpuInItsPlaceIsNotTakenForIt() {
        haveGpu();
        RunDevice other = h200();
        other.pciBusId = "0000:5e:00.0";
        setMachine({{other, cpuDevice()}, {}});
        m_window->run();
        QTRY_VERIFY(m_window->settled());
        QVERIFY2(onlyBanner().startsWith(QStringLiteral("NVIDIA H200 is not there any more.")),
                 qPrintable(onlyBanner()));
        QCOMPARE(m_window->runBar().device()->pciBusId, std::string("0000:5e:00.0"));
    }

    void aGpuThatIsStillThereIsTried() {
        haveGpu();
        deviceBox().setCurrentIndex(1);
        m_window->run();
        QTRY_VERIFY(m_window->settled());
        // This build or machine has none: the run itself says so, not the look before it.
        QVERIFY(!onlyBanner().contains(QStringLiteral("Nothing was run")));
    }

    // A GPU that fails for good

    void aFailureForGoodKeepsTheSessionAndOffersTheCpuAndARestart() {
        haveGpu();
        failForGood();
        QVERIFY2(onlyBanner().contains(QStringLiteral("cudaErrorIllegalAddress")) &&
                     onlyBanner().contains(QStringLiteral("The session up to there is kept")) &&
                     onlyBanner().contains(QStringLiteral("until it is started again")),
                 qPrintable(onlyBanner()));
        QVERIFY(bannerButton(QStringLiteral("Run on the CPU")));
        QVERIFY(bannerButton(QStringLiteral("Restart Gapscope")));
        QVERIFY(m_window->document().isModified());
        QCOMPARE(m_window->session().trace()->tokens().index.size(), size_t(3));
        QTest::qWait(50);
        QCOMPARE(m_window->banners().count(), 1);  // it stays until it is closed
        // No further run can pick the GPU, not even by "automatic".
        QVERIFY(!isEnabled(1));
        deviceBox().setCurrentIndex(0);
        QCOMPARE(m_window->runBar().device()->id, std::string("cpu"));
        QCOMPARE(m_window->runBar().recordingSettings(QStringLiteral("Once"))->generate.device, std::string("cpu"));
        // An error of another kind offers neither.
        m_window->banners().closeAll();
        Q_EMIT m_window->runs().finished({.error = QStringLiteral("The model is broken.")});
        QVERIFY(!bannerButton(QStringLiteral("Restart Gapscope")));
    }

    void runOnTheCpuRunsThere() {
        haveGpu();
        deviceBox().setCurrentIndex(1);
        failForGood();
        m_window->document().discard();  // no question about the failed session
        bannerButton(QStringLiteral("Run on the CPU"))->click();
        QCOMPARE(deviceBox().currentData().toString(), QStringLiteral("cpu"));
        QVERIFY(m_window->runs().running());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->settled(), 60'000);
        QVERIFY(m_window->banners().sentences().isEmpty());
    }

    void restartOpensTheSameUnsavedSession() {
        haveGpu();
        failForGood();
        const QString session = path("failed.gapscope");
        m_canRestart = false;
        bannerButton(QStringLiteral("Restart Gapscope"))->click();
        QVERIFY(m_window->isVisible());
        QVERIFY(onlyBanner().contains(QStringLiteral("could not be started again")));
        QVERIFY(m_window->document().isModified());

        m_canRestart = true;
        failForGood();
        bannerButton(QStringLiteral("Restart Gapscope"))->click();
        QTRY_VERIFY(!m_window->isVisible());
        QCOMPARE(m_restarted, (QStringList{QStringLiteral("--resume"), session}));
        QVERIFY(QFile::exists(session));  // it is the new window's now

        // What the new one does with these arguments.
        const auto line = parseCommandLine({"--resume", session.toStdString()});
        QVERIFY(line.has_value() && line->resume == session.toStdString());
        MainWindow next(*m_settings);
        next.document().recover(QString::fromStdString(*line->resume));
        QTRY_VERIFY(next.settled());
        QVERIFY(next.document().isModified());
        QCOMPARE(next.session().trace()->tokens().index.size(), size_t(3));
        next.document().discard();
        QVERIFY(!QFile::exists(session));
    }
};

QTEST_MAIN(GpuWindowTest)
#include "gpu_window_test.moc"
