#include "app/gui/models/stream_idle_model.h"

namespace gapscope {
namespace {

enum Column { kStream, kClass, kTime, kShare, kCount, kMedian };

QString classTitle(StreamIdleClass of) {
    switch (of) {
        case StreamIdleClass::HostWait:
            return StreamIdleModel::tr("host wait");
        case StreamIdleClass::KernelWait:
            return StreamIdleModel::tr("kernel wait");
        case StreamIdleClass::Other:
            return StreamIdleModel::tr("other");
    }
    return {};
}

}  // namespace

void StreamIdleModel::show(const Trace& trace, const std::vector<StreamIdle>& streams) {
    beginResetModel();
    m_rows.clear();
    for (const StreamIdle& stream : streams) {
        int64_t idleNs = 0;
        for (const Distribution& times : stream.classes)
            idleNs += times.totalNs;
        for (int of = 0; of < kStreamIdleClassCount; ++of) {
            Row row{.track = trace.tracks()[stream.track.value], .of = static_cast<StreamIdleClass>(of)};
            row.times = stream[row.of];
            if (idleNs != 0) row.share = static_cast<double>(row.times.totalNs) / static_cast<double>(idleNs);
            m_rows.push_back(row);
        }
    }
    endResetModel();
}

int StreamIdleModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& StreamIdleModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Stream"), tr("Device and stream"), false},
        {tr("Class"),
         tr("host wait: the next launch was called after the stream had run dry; kernel wait: it was queued, "
            "and the wait is below the threshold; other: the rest"),
         false},
        {tr("Time"), tr("From one operation's end to the next one's begin; below 0 where operations overlap")},
        {tr("Share"), tr("Of the stream's idle time")},
        {tr("Waits"), {}},
        {tr("Median"), {}},
    };
    return columns;
}

TableCell StreamIdleModel::cell(int row, int column) const {
    const Row& shown = m_rows[static_cast<size_t>(row)];
    switch (column) {
        case kStream:
            return textCell(tr("Device %1, stream %2").arg(shown.track.deviceId).arg(shown.track.streamId));
        case kClass:
            return textCell(classTitle(shown.of));
        case kTime:
            return durationCell(shown.times.totalNs);
        case kShare:
            return shareCell(shown.share);
        case kCount:
            return countCell(shown.times.count);
        case kMedian:
            return durationCell(static_cast<qint64>(shown.times.medNs));
        default:
            return {};
    }
}

}  // namespace gapscope
