#include "core/layout/packed_gaps.h"

#include <algorithm>

namespace gapscope {

namespace {

// "None" becomes -1, near to the small ones.
int64_t packed(uint32_t number) {
    return static_cast<int32_t>(number);
}
uint32_t unpacked(int64_t number) {
    return static_cast<uint32_t>(number);
}

// What a gap's edges let one expect of its causes.
GapCauses expectedCauses(const Gap& gap) {
    GapCauses causes;
    if (gap.unknown) {
        causes[GapCause::Unknown] = gap.range.durationNs();
        return causes;
    }
    causes[GapCause::LaunchCall] = gap.launchEndNs - gap.hostEndNs;
    causes[GapCause::DeviceLatency] = gap.range.endNs - gap.launchEndNs;
    causes[GapCause::HostOutside] = gap.hostEndNs - gap.range.startNs;
    return causes;
}

// The host's parts together are expected in HostOutside: what the others have is taken from there.
void moveHostParts(GapCauses& causes, int64_t sign) {
    for (const GapCause part : {GapCause::HostWaiting, GapCause::HostApi, GapCause::Profiler})
        causes[GapCause::HostOutside] += sign * causes[part];
}

}  // namespace

PackedGaps::PackedGaps(std::span<const Gap> gaps) {
    for (size_t i = 0; i < gaps.size(); ++i) {
        const Gap& gap = gaps[i];
        if (m_devices.empty() || m_devices.back().id != gap.deviceId) m_devices.push_back({gap.deviceId, i});
        m_starts.push_back(gap.range.startNs);
        m_durations.push_back(gap.range.durationNs());
        m_hostEnds.push_back(gap.hostEndNs - gap.range.startNs);
        m_launchEnds.push_back(gap.launchEndNs - gap.range.startNs);
        m_unknown.push_back(gap.unknown);
        GapCauses causes = gap.causes;
        moveHostParts(causes, 1);
        const GapCauses expected = expectedCauses(gap);
        for (size_t cause = 0; cause < m_causes.size(); ++cause)
            m_causes[cause].push_back(causes.ns[cause] - expected.ns[cause]);
        m_nextOps.push_back(packed(gap.nextOp));
        m_calls.push_back(packed(gap.call));
        m_hostNames.push_back(packed(gap.hostName.value));
        m_hostCalls.push_back(packed(gap.hostCall.value));
    }
}

TimeRange PackedGaps::range(size_t index) const {
    return {m_starts[index], m_starts[index] + m_durations[index]};
}

Gap PackedGaps::operator[](size_t index) const {
    const auto device = std::ranges::upper_bound(m_devices, index, {}, &Device::first) - 1;
    Gap gap{.deviceId = device->id,
            .range = range(index),
            .hostEndNs = m_starts[index] + m_hostEnds[index],
            .launchEndNs = m_starts[index] + m_launchEnds[index],
            .unknown = m_unknown[index] != 0,
            .causes = {},
            .nextOp = unpacked(m_nextOps[index]),
            .call = unpacked(m_calls[index]),
            .hostName = StringId{unpacked(m_hostNames[index])},
            .hostCall = StringId{unpacked(m_hostCalls[index])}};
    gap.causes = expectedCauses(gap);
    for (size_t cause = 0; cause < m_causes.size(); ++cause)
        gap.causes.ns[cause] += m_causes[cause][index];
    moveHostParts(gap.causes, -1);
    return gap;
}

std::optional<size_t> PackedGaps::find(TimeRange range) const {
    for (size_t d = 0; d < m_devices.size(); ++d) {
        size_t low = m_devices[d].first;
        const size_t end = d + 1 < m_devices.size() ? m_devices[d + 1].first : size();
        for (size_t high = end; low < high;) {
            const size_t middle = low + (high - low) / 2;
            if (m_starts[middle] < range.startNs)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < end && m_starts[low] == range.startNs; ++low)
            if (this->range(low) == range) return low;
    }
    return std::nullopt;
}

size_t PackedGaps::memoryBytes() const {
    size_t bytes = 0;
    for (const PackedNumbers* list : {&m_starts, &m_durations, &m_hostEnds, &m_launchEnds, &m_unknown, &m_nextOps,
                                      &m_calls, &m_hostNames, &m_hostCalls})
        bytes += list->memoryBytes();
    for (const PackedNumbers& list : m_causes)
        bytes += list.memoryBytes();
    return bytes;
}

}  // namespace gapscope
