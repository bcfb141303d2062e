// The file side of the session: what is open, whether it is saved, and the jobs that open and save.
#pragma once

#include <QDateTime>
#include <QObject>
#include <QString>
#include <QStringList>
#include <functional>
#include <optional>
#include <vector>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/kernel_rules.h"
#include "core/base/result.h"
#include "core/import/join_traces.h"

namespace gapscope {

// Files that are open as one trace.
struct FilesTogether {
    QStringList paths;
    JoinAlignment alignment;  // that was asked for
    AlignedBy by = AlignedBy::WallClock;
    bool clocksMeet = false;
    std::vector<std::string> names;  // that they could be aligned at
};

class Document : public QObject {
    Q_OBJECT

public:
    explicit Document(Session& session, QObject* parent = nullptr);
    ~Document() override;

    bool isEmpty() const { return m_empty; }
    // It is a session file, as it was when it was opened or saved: it can be saved there again. Files of other
    // programs, and sessions that something else writes, stay as they are.
    bool canSaveInPlace() const;
    // Not saved, or with other notes than were opened or saved last.
    bool isModified() const;
    // Modified, or a session whose rows stand otherwise than they did: that is saved along, but nobody is asked about
    // it.
    bool hasSomethingToSave() const;
    QString path() const { return m_path; }  // empty: never saved
    QString name() const;                    // for the title
    qint64 savedMsecsAgo() const;            // -1: not saved by this window
    bool busy() const { return m_jobs.running(); }

    // The session's trace now is that of a run, written to `temporaryPath`; it is the person's to save.
    void adoptRun(const QString& name, const QString& temporaryPath);
    // Forgets the unsaved session and removes its temporary file.
    void discard();
    // For a window that takes this one's place: the arguments that open the same there, and letting go of it here.
    QStringList reopenArguments() const;
    void handOver();

    // What traces of other programs have their kernels' categories by.
    void setRules(RulesPtr rules) { m_rules = std::move(rules); }
    // Makes the rows of a trace's timeline ready while it is read, off the UI thread.
    using LayOut = std::function<std::shared_ptr<TimelineIndex>(TracePtr)>;
    void setLayOut(LayOut layOut) { m_layOut = std::move(layOut); }
    // What is open stays as it was until the new trace is complete, and for good if it cannot be read.
    void open(const QString& path);
    // Several files (the ranks of one run) as one trace, which no file holds until it is saved.
    void openTogether(const QStringList& paths, const JoinAlignment& alignment = {});
    // What is open came from several files.
    const std::optional<FilesTogether>& filesTogether() const { return m_together; }
    // A run that nobody has saved, of a window that has ended: mends it where it broke off, opens it, and treats it as
    // unsaved.
    void recover(const QString& path);
    void saveAs(const QString& path, std::function<void()> then = {});
    void cancelJob();

Q_SIGNALS:
    void changed();                    // name, path or modified mark
    void opened(const QString& path);  // the session holds the new trace
    void saved(const QString& path);
    void failed(const QString& sentence);
    void progress(const QString& text, double share);  // while busy; share < 0: unknown
    void idle();

private:
    void removeTemporary();
    struct Opened {
        TracePtr trace;
        std::shared_ptr<TimelineIndex> laidOut;
    };
    static Result<Opened> laidOut(Result<TracePtr> trace, const LayOut& layOut, std::stop_token stop);
    void adopt(Opened file, const QString& path, std::optional<FilesTogether> together = std::nullopt);

    Session& m_session;
    JobTracker m_jobs;
    RulesPtr m_rules = std::make_shared<const CategoryRules>(CategoryRules::builtIn());
    LayOut m_layOut;
    QString m_path;
    QString m_unsavedName;
    QString m_temporaryPath;
    std::optional<FilesTogether> m_together;
    qint64 m_savedAtMsecs = -1;
    bool isSession() const;

    bool m_modified = false;
    QDateTime m_fileTime;  // of what is at the path
    bool m_empty = true;
};

}  // namespace gapscope
