#include "app/gui/session/selection_text.h"

#include <QCoreApplication>

#include "core/analysis/gaps.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

QString tr(const char* source) {
    return QCoreApplication::translate("SelectionText", source);
}

}  // namespace

QString text(std::string_view utf8) {
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

QString counted(int64_t count, const QString& one, const QString& many) {
    return (count == 1 ? one : many).arg(text(formatCount(count)));
}

QString categoryTitle(Category category) {
    return text(categoryName(category));
}

QString deviceOpTitle(DeviceOpKind kind) {
    switch (kind) {
        case DeviceOpKind::Kernel:
            return tr("kernel");
        case DeviceOpKind::Copy:
            return tr("copy");
        case DeviceOpKind::Set:
            return tr("set");
        case DeviceOpKind::GraphLaunch:
            return tr("graph launch");
    }
    return {};
}

QString gapCauseTitle(int cause) {
    switch (static_cast<GapCause>(cause)) {
        case GapCause::HostWaiting:
            return tr("host, waiting");
        case GapCause::HostApi:
            return tr("host, other API calls");
        case GapCause::HostOutside:
            return tr("host, between calls");
        case GapCause::Profiler:
            return tr("profiler");
        case GapCause::LaunchCall:
            return tr("launch call");
        case GapCause::DeviceLatency:
            return tr("device latency");
        case GapCause::Unknown:
            break;
    }
    return tr("unknown");
}

QString describe(const Trace& trace, const Selection& selection) {
    const QString duration = text(formatDuration(selection.range.durationNs()));
    // Names, categories and causes are marked within a window; the figures stay those of the whole window.
    const auto marked = [&](const QString& what) {
        const QString window = !selection.range.empty() ? tr("a range of %1").arg(duration)
                               : trace.run()            ? tr("the whole run")
                                                        : tr("the whole trace");
        return tr("%1, with %2 marked").arg(window, what);
    };
    switch (selection.kind) {
        case Selection::Kind::None:
            break;
        case Selection::Kind::Range:
            return tr("a range of %1").arg(duration);
        case Selection::Kind::DeviceOp:
            if (selection.row < trace.deviceOps().name.size())
                return tr("%1, %2").arg(text(trace.string(trace.deviceOps().name[selection.row])), duration);
            break;
        case Selection::Kind::Stage:
            if (selection.row < trace.stages().name.size())
                return tr("stage %1, %2").arg(text(trace.string(trace.stages().name[selection.row])), duration);
            break;
        case Selection::Kind::ApiCall:
            if (selection.row < trace.apiCalls().name.size())
                return tr("%1, %2").arg(text(trace.string(trace.apiCalls().name[selection.row])), duration);
            break;
        case Selection::Kind::UserRange:
            if (selection.row < trace.ranges().name.size())
                return tr("%1, %2").arg(text(trace.string(trace.ranges().name[selection.row])), duration);
            break;
        case Selection::Kind::Token:
            if (selection.row < trace.tokens().index.size())
                return tr("token %1, %2").arg(trace.tokens().index[selection.row]).arg(duration);
            return trace.run() ? tr("the prompt, %1").arg(duration) : tr("a step, %1").arg(duration);
        case Selection::Kind::Gap:
            return tr("a gap of %1").arg(duration);
        case Selection::Kind::KernelName:
            return marked(text(trace.string(selection.name)));
        case Selection::Kind::Category:
            return marked(tr("%1 kernels").arg(categoryTitle(selection.category)));
        case Selection::Kind::GapCause:
            return marked(tr("gaps by %1").arg(gapCauseTitle(selection.cause)));
    }
    return trace.run() ? tr("the whole run") : tr("the whole trace");
}

}  // namespace gapscope
