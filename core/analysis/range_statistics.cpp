#include "core/analysis/range_statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace gapscope {

namespace {

KernelStatistics kernelStatistics(const PreparedWindow& of) {
    KernelStatistics kernels;
    double squares = 0;  // of the distances from the mean of those so far
    std::vector<int64_t> durations;
    for (const IntervalIndex::Part& part : of.ops.parts) {
        if (of.prepared.opClasses()[part.classIndex].kind != DeviceOpKind::Kernel || part.count() == 0) continue;
        durations.clear();
        of.prepared.ops().appendDurations(part, of.window, durations);
        const auto [least, most] = std::ranges::minmax(durations);
        kernels.minNs = kernels.count == 0 ? least : std::min(kernels.minNs, least);
        kernels.maxNs = std::max(kernels.maxNs, most);
        const int64_t totalNs = std::accumulate(durations.begin(), durations.end(), int64_t{0});
        const auto count = static_cast<double>(durations.size()), before = static_cast<double>(kernels.count);
        const double mean = static_cast<double>(totalNs) / count;
        for (const int64_t ns : durations) {
            const double off = static_cast<double>(ns) - mean;
            squares += off * off;
        }
        // Two sets with means of their own become one (Chan, Golub, LeVeque 1979).
        const double apart = mean - kernels.avgNs;
        squares += apart * apart * before * count / (before + count);
        kernels.count += part.count();
        kernels.totalNs += totalNs;
        kernels.avgNs = static_cast<double>(kernels.totalNs) / static_cast<double>(kernels.count);
    }
    if (kernels.count > 1) kernels.stdNs = std::sqrt(squares / static_cast<double>(kernels.count - 1));
    return kernels;
}

}  // namespace

RangeStatistics rangeStatistics(const PreparedWindow& of) {
    RangeStatistics statistics{.kernels = kernelStatistics(of), .streams = {}, .calls = {}};
    std::map<std::pair<uint32_t, TrackId>, StreamStatistics> streams;
    for (const IntervalIndex::Part& part : of.ops.parts) {
        const TrackId track = of.prepared.opClasses()[part.classIndex].track;
        const uint32_t device = of.prepared.deviceOf(track);
        StreamStatistics& stream = streams[{device, track}];
        stream.deviceId = device;
        stream.track = track;
        stream.count += part.count();
        stream.selfNs += part.ns;
    }
    for (const auto& [key, stream] : streams)
        statistics.streams.push_back(stream);

    std::map<StringId, ApiCallStatistics> calls;
    std::vector<int64_t> durations;
    for (const IntervalIndex::Part& part : of.calls.parts) {
        ApiCallStatistics& call = calls[of.prepared.callClasses()[part.classIndex].name];
        call.name = of.prepared.callClasses()[part.classIndex].name;
        call.totalNs += part.ns;
        if (part.count() == 0) continue;
        durations.clear();
        of.prepared.calls().appendDurations(part, of.window, durations);
        const auto [least, most] = std::ranges::minmax(durations);
        call.minNs = call.count == 0 ? least : std::min(call.minNs, least);
        call.maxNs = std::max(call.maxNs, most);
        call.count += part.count();
    }
    for (const auto& [name, call] : calls)
        statistics.calls.push_back(call);
    std::ranges::stable_sort(statistics.calls, std::ranges::greater{}, &ApiCallStatistics::totalNs);
    return statistics;
}

}  // namespace gapscope
