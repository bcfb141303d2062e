#include "app/gui/models/launch_model.h"

#include <cmath>

#include "app/gui/session/selection_text.h"

namespace gapscope {
namespace {

enum Column { kKernel, kApi, kCount, kTotal, kCallAverage, kQueueAverage, kKernelAverage, kQueued, kThread, kDevice };

TableCell averageCell(const Distribution& times) {
    return times.count > 0 ? durationCell(std::llround(times.avgNs)) : TableCell{};
}

}  // namespace

void LaunchModel::show(TracePtr trace, std::vector<KernelExecutionRow> rows) {
    beginResetModel();
    m_trace = std::move(trace);
    m_rows = std::move(rows);
    endResetModel();
}

int LaunchModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& LaunchModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Kernel"), {}, false},
        {tr("API call"), tr("That launched it"), false},
        {tr("Count"), tr("Kernels whose launch call begins in the window")},
        {tr("Total"), tr("From the call's begin to the end of call or kernel, whichever is later; summed")},
        {tr("Call"), tr("How long the launch call took, on average")},
        {tr("Queue"), tr("From the call's end to the kernel's begin, where there is any; on average")},
        {tr("Kernel time"), tr("How long the kernel ran, on average")},
        {tr("Queued"), tr("Kernels that began after their call had returned")},
        {tr("Thread"), tr("That called")},
        {tr("Device"), {}},
    };
    return columns;
}

TableCell LaunchModel::cell(int row, int column) const {
    const KernelExecutionRow& launches = m_rows[static_cast<size_t>(row)];
    switch (column) {
        case kKernel:
            return textCell(text(m_trace->string(launches.kernelName)));
        case kApi:
            return textCell(text(m_trace->string(launches.apiName)));
        case kCount:
            return countCell(launches.total.count);
        case kTotal:
            return durationCell(launches.total.totalNs);
        case kCallAverage:
            return averageCell(launches.api);
        case kQueueAverage:
            return averageCell(launches.queue);
        case kKernelAverage:
            return averageCell(launches.kernel);
        case kQueued:
            return countCell(launches.queue.count);
        case kThread: {
            const uint32_t thread = threadIdOf(launches.globalTid);
            return {.shown = QString::number(thread), .raw = thread};
        }
        case kDevice:
            return countCell(launches.deviceId);
        default:
            return {};
    }
}

}  // namespace gapscope
