#include "app/gui/session/kernel_rules.h"

#include "app/gui/session/selection_text.h"

namespace gapscope {

std::vector<const KernelName*> KernelRules::Names::unknown() const {
    std::vector<const KernelName*> unknown;
    for (const KernelName& name : names)
        if (!name.rule) unknown.push_back(&name);
    return unknown;
}

KernelRules::KernelRules(Session& session, QObject* parent)
    : QObject(parent), m_session(session), m_path(userRuleFile()), m_names(std::make_shared<Names>()) {
    auto file = RuleFile::read(m_path);
    if (file)
        m_file = std::move(*file);
    else
        m_unreadable = text(file.error().message);
    m_rules = std::make_shared<const CategoryRules>(CategoryRules::beforeBuiltIn(m_file.rules()));
    connect(&session, &Session::traceChanged, this, &KernelRules::sortTrace);
}

QString KernelRules::path() const {
    return QString::fromStdString(m_path.string());
}

QStringList KernelRules::problems() const {
    if (!m_unreadable.isEmpty()) return {m_unreadable};
    QStringList sentences;
    for (const std::string& problem : m_file.problems())
        sentences << tr("%1, %2").arg(path(), text(problem));
    return sentences;
}

void KernelRules::addFirst(const CategoryRule& rule) {
    RuleFile file = m_file;
    file.addFirst(rule);
    change(std::move(file), false);
}

void KernelRules::replace(size_t index, const CategoryRule& rule) {
    RuleFile file = m_file;
    file.replace(index, rule);
    change(std::move(file), false);
}

void KernelRules::remove(size_t index) {
    RuleFile file = m_file;
    file.remove(index);
    change(std::move(file), false);
}

void KernelRules::swapWithNext(size_t index) {
    RuleFile file = m_file;
    file.swapWithNext(index);
    change(std::move(file), false);
}

void KernelRules::undo() {
    if (!m_undo.empty()) change(RuleFile::parse(m_undo.back()), true);
}

void KernelRules::change(RuleFile file, bool isUndo) {
    // An editor may have the file, too: what it wrote meanwhile is not overwritten.
    const auto now = RuleFile::read(m_path);
    if (!now) {
        Q_EMIT failed(text(now.error().message));
        return;
    }
    if (m_unreadable.isEmpty() && now->text() != m_file.text()) {
        m_undo.clear();
        m_file = *now;
        m_rules = std::make_shared<const CategoryRules>(CategoryRules::beforeBuiltIn(m_file.rules()));
        Q_EMIT changed();
        Q_EMIT failed(
            tr("%1 was changed by another program and is read again. Look, then repeat the change.").arg(path()));
        sortTrace();
        return;
    }
    if (const Status kept = file.write(m_path); !kept) {
        Q_EMIT failed(text(kept.error().message));
        return;
    }
    m_unreadable.clear();
    if (isUndo)
        m_undo.pop_back();
    else
        m_undo.push_back(m_file.text());
    m_file = std::move(file);
    m_rules = std::make_shared<const CategoryRules>(CategoryRules::beforeBuiltIn(m_file.rules()));
    Q_EMIT changed();
    sortTrace();
}

void KernelRules::sortTrace() {
    const TracePtr trace = m_session.trace();
    if (trace->run()) {  // has its categories by what its kernels do
        m_sorting.cancel();
        if (m_names->names.empty()) return;
        m_names = std::make_shared<Names>();
        Q_EMIT namesChanged();
        return;
    }
    struct Sorted {
        TracePtr trace;
        std::shared_ptr<const Names> names;
    };
    m_sorting.start(
        [trace, rules = m_rules](std::stop_token stop) {
            Sorted sorted{.trace = categorized(trace, *rules, stop)};
            auto names = std::make_shared<Names>();
            names->trace = trace;
            const TimeRange all{trace->extent().startNs, trace->extent().endNs + 1};
            names->names = kernelNames(*trace, all, *rules, stop);
            for (const KernelName& name : names->names)
                names->totalNs += name.ns;
            sorted.names = std::move(names);
            return sorted;
        },
        [this, trace](Sorted sorted) {
            m_names = std::move(sorted.names);
            if (sorted.trace != trace && m_session.trace() == trace) m_session.replaceTrace(std::move(sorted.trace));
            Q_EMIT namesChanged();
        });
}

}  // namespace gapscope
