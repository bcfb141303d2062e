// Which of NVIDIA's libraries are on this machine, where they were looked for, what to install, and the folders that
// the person adds to the search: the facts of `gapscope-cli doctor`. Not modal; looks off the UI thread.
#pragma once

#include <QDialog>
#include <functional>

#include "app/gui/jobs/job_tracker.h"
#include "core/recording/gpu_facts.h"

class QListWidget;
class QPlainTextEdit;
class QPushButton;

namespace gapscope {

class Card;
class Label;

class GpuLibrariesDialog : public QDialog {
    Q_OBJECT

public:
    // `verdict` says whether runs can use a GPU now, and if not why.
    GpuLibrariesDialog(const QString& verdict, QWidget* parent);

    bool settled() const { return !m_jobs.running(); }

Q_SIGNALS:
    void restartWanted();

private:
    void look();
    void showFacts(const GpuLibraryFacts& facts);
    void fitHeight();
    void addFolder();
    void save();

    JobTracker m_jobs;
    Card* m_card;
    QWidget* m_list;  // in the card, made anew by each look
    QListWidget* m_looked;
    QPlainTextEdit* m_folders;
    QPushButton* m_save;
    QPushButton* m_restart;
    Label* m_note;
    QString m_saved;  // the folders as the setting has them
};

}  // namespace gapscope
