// The person's category rules and the open trace: reads the rule file, keeps each change in it at once, and sorts the
// trace's kernels again, off the UI thread and without reading the trace anew.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/session.h"
#include "core/analysis/kernel_rules.h"
#include "core/base/rule_file.h"

namespace gapscope {

using RulesPtr = std::shared_ptr<const CategoryRules>;

class KernelRules : public QObject {
    Q_OBJECT

public:
    explicit KernelRules(Session& session, QObject* parent = nullptr);

    RulesPtr rules() const { return m_rules; }  // one's own, then the built-in; never null
    std::vector<CategoryRule> own() const { return m_file.rules(); }
    QString path() const;
    QStringList problems() const;  // of the file: a sentence each

    // Each change is in the file when these return, or failed() was told and nothing changed.
    void addFirst(const CategoryRule& rule);
    void replace(size_t index, const CategoryRule& rule);
    void remove(size_t index);
    void swapWithNext(size_t index);
    bool canUndo() const { return !m_undo.empty(); }
    void undo();

    // The names in the open trace that rules decide about, with the rule that does.
    struct Names {
        TracePtr trace;  // that the names lie in
        std::vector<KernelName> names;
        int64_t totalNs = 0;
        std::vector<const KernelName*> unknown() const;
    };
    std::shared_ptr<const Names> names() const { return m_names; }  // never null
    bool settled() const { return !m_sorting.running(); }

Q_SIGNALS:
    void changed();       // the rules
    void namesChanged();  // or what decides about them
    void failed(const QString& sentence);

private:
    void change(RuleFile file, bool isUndo);
    void sortTrace();

    Session& m_session;
    std::filesystem::path m_path;
    RuleFile m_file;
    QString m_unreadable;  // why the file could not be read; then it is not written either
    RulesPtr m_rules;
    std::vector<std::string> m_undo;  // texts of the file before
    std::shared_ptr<const Names> m_names;
    JobTracker m_sorting;
};

}  // namespace gapscope
