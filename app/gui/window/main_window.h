// The window: lays the panels out around one Session and routes between run, file and panels.
#pragma once

#include <QMainWindow>
#include <QTimer>
#include <functional>
#include <memory>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/analyst.h"
#include "app/gui/session/comparer.h"
#include "app/gui/session/document.h"
#include "app/gui/session/example.h"
#include "app/gui/session/finder.h"
#include "app/gui/session/folder_watch.h"
#include "app/gui/session/ladder_climber.h"
#include "app/gui/session/run_controller.h"
#include "app/gui/settings/app_settings.h"
#include "app/gui/views/run_bar.h"
#include "app/gui/window/actions.h"
#include "core/export/export_texts.h"
#include "core/import/recover_session.h"

class QMenu;
class QSplitter;
class QStackedWidget;
class QTabWidget;

namespace gapscope {

class BannerArea;
class ComparePage;
class FindBar;
class InsightPanel;
class KernelPanel;
class KernelRulesDialog;
class LadderPanel;
class NotePanel;
class RooflinePanel;
class PromptPanel;
class StatusStrip;
class TimelineWidget;
class Welcome;

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(AppSettings& settings, QWidget* parent = nullptr);
    ~MainWindow() override;

    Session& session() { return m_session; }
    Document& document() { return m_document; }
    Analyst& analyst() { return m_analyst; }
    RunController& runs() { return m_runs; }
    LadderClimber& climber() { return m_climber; }
    FolderWatch& folderWatch() { return m_folderWatch; }
    BannerArea& banners() { return *m_banners; }
    RunBar& runBar() { return *m_runBar; }
    PromptPanel& promptPanel() { return *m_prompt; }

    void openFile(const QString& path);        // asks first about an unsaved session
    void openFiles(const QStringList& paths);  // several: as one trace
    void compareWith(const QString& path);     // the open session with this file
    void compareWhenOpened(const QString& path) { m_compareWanted = path; }
    bool comparing() const;
    void exportReport(const QString& path);                    // of the selection's window, or of the comparison
    void exportTrace(const QString& path, Identity identity);  // the format by the name
    void leaveCompare();
    Comparer& comparer() { return m_comparer; }
    void run();
    void runWhenReady();  // as soon as it is known what this machine has
    // Nothing runs, opens, saves or is analysed.
    bool settled() const;
    void setNoticesWanted(bool wanted) { m_noticesWanted = wanted; }

    // Starts this program again with these arguments; false: it could not. Given by who knows how it was started.
    using Restart = std::function<bool(const QStringList& arguments)>;
    void setRestart(Restart restart) { m_restart = std::move(restart); }
    // Another way to look for devices, for tests. Looks at once.
    using DeviceLook = std::function<FoundDevices()>;
    void setDeviceLook(DeviceLook look);

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void makeMenus();
    void makeToolBar();
    void makeWorkspace();
    void makeTimelineMenus();
    void connectSession();
    void connectDocument();
    void connectRuns();
    void connectFind();
    void connectCompare();
    void askForComparison();
    void showComparison(ComparedSide before, ComparedSide after);
    void cancelComparison();
    // Windows of the open trace: the selection with a baseline, or with another window of it by its name.
    void makeCompareMenu(QMenu* menu);
    void updateSelectionActions();
    WindowChoice selectedWindow() const;
    void setBaseline();
    void compareWithBaseline();
    void compareSelectionWith(const QString& windowName);
    void askForReport();
    void askForTraceExport();
    void cancelReport();
    void offerComparison();
    void connectAnswers();
    void showKernelRules(const QString& kernelName = {});
    void connectFolderWatch();
    QString viewCaption() const;
    void exportTimeline();
    void printTimeline();
    void lookAround();
    void offerRecovery(const std::vector<UnfinishedSession>& unfinished);
    void showMachine(const Machine& machine);

    void askForFile();
    void askForFolder();
    void watch(const QString& folder);
    void offerNewTraces(const QStringList& paths);
    void openOffered(const QStringList& paths);
    void takeBackOffer();
    void showAlignment();
    void askForAlignment();
    void finishWriting();  // a note that is being written is taken as it stands
    void save(std::function<void()> then = {});
    void saveAs(std::function<void()> then = {});
    // Calls `then` once the unsaved session is saved or given up; never, if the person cancels.
    void settleUnsaved(const QString& question, std::function<void()> then);

    bool recording() const;  // a run, or a ladder of them
    void stopRecording();
    // Looks again whether the run bar's device is there; else says so and calls nothing.
    void whenDeviceIsThere(std::function<void()> then);
    bool beginRun();  // false: it did not, and the window says why
    void showRunProgress();
    void runRemedy(const QString& mode, double predictedNsPerToken);
    void runInMode(const QString& mode);
    void showPrediction();
    struct Earlier {
        TracePtr trace;  // null: none
        QString name;
    };
    void setEarlier(Earlier earlier);
    bool compareWithPrediction();  // false: there is nothing to compare, or it was not asked for
    void runFinished(const RunEnd& end);
    void showGpuFailure(const QString& error, const QString& kept);
    void restart();
    void startAgain();
    void showGpuLibraries();
    void connectLadder();
    void climbLadder();
    void ladderFinished(const QString& problem, bool gpuLost);
    void chooseModelFile();
    void easeToDecode();
    void showGeneratedText();

    void showWorkspace();
    void updateActions();
    void updateTitle();
    void updateFacts();
    void updateRecent();
    void chooseTheme(ThemeChoice theme);
    void showError(const QString& sentence);
    void restoreLayout();
    void saveLayout();

    AppSettings& m_settings;
    Session m_session;
    Analyst m_analyst;
    Finder m_finder;
    Comparer m_comparer;
    JobTracker m_reportJob;
    JobTracker m_compareJob;  // opens the other trace
    KernelRules m_kernelRules;
    QStringList m_recentCommands;  // object names of actions, the last first
    Document m_document;
    RunController m_runs;
    LadderClimber m_climber;
    FolderWatch m_folderWatch;
    QStringList m_newTraces;  // that are offered
    QString m_offer;          // the sentence that does
    QString m_alignment;      // the sentence that says how files meet
    Actions m_actions;
    JobTracker m_machineJob;
    JobTracker m_recoveryJob;
    JobTracker m_deviceJob;  // the look before a run on a GPU
    DeviceLook m_lookAtDevices;
    Restart m_restart;
    QTimer m_factsTimer;

    RunBar* m_runBar = nullptr;
    BannerArea* m_banners = nullptr;
    QStackedWidget* m_pages = nullptr;
    Welcome* m_welcome = nullptr;
    ComparePage* m_compare = nullptr;
    QSplitter* m_outer = nullptr;   // work | insight
    QSplitter* m_middle = nullptr;  // top / tabs
    QSplitter* m_top = nullptr;     // prompt | timeline
    PromptPanel* m_prompt = nullptr;
    TimelineWidget* m_timeline = nullptr;
    FindBar* m_findBar = nullptr;
    QWidget* m_foundPanel = nullptr;
    InsightPanel* m_insight = nullptr;
    KernelRulesDialog* m_rulesDialog = nullptr;  // while it is open
    KernelPanel* m_kernels = nullptr;
    QWidget* m_tokens = nullptr;
    QWidget* m_launches = nullptr;
    QWidget* m_layers = nullptr;
    RooflinePanel* m_roofline = nullptr;
    LadderPanel* m_ladder = nullptr;
    NotePanel* m_notes = nullptr;
    QTabWidget* m_tabs = nullptr;
    QWidget* m_gaps = nullptr;
    QWidget* m_idle = nullptr;
    QWidget* m_details = nullptr;
    QWidget* m_events = nullptr;
    StatusStrip* m_status = nullptr;
    QMenu* m_recentMenu = nullptr;
    QMenu* m_viewMenu = nullptr;
    QMenu* m_timelineMenu = nullptr;
    QMenu* m_rowsMenu = nullptr;

    bool m_machineKnown = false;
    bool m_runWanted = false;      // until then
    bool m_modelIsRandom = false;  // of the run going on
    QString m_runName;
    ComparedSide m_baseline;   // no trace: none was set
    QString m_baselineBanner;  // the sentence that tells of it
    QAction* m_compareBeforeToken = nullptr;
    QMenu* m_compareMenu = nullptr;
    Earlier m_earlier;                 // the session that the last run took the place of
    QString m_comparisonOffer;         // the sentence that offers to compare with it
    bool m_runFailed = false;          // the run that the open session is of
    QString m_compareWanted;           // file to compare with once a session is open
    std::string m_predictedDevice;     // where what was predicted from ran
    double m_predictedNsPerToken = 0;  // of the run going on, by the median; 0: nothing was predicted
    bool m_noticesWanted = true;
    bool m_closeAfterRun = false;
    bool m_closeSettled = false;
};

}  // namespace gapscope
