#include "core/analysis/launch_statistics.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string_view>

namespace gapscope {

namespace {

// The calls that get_cuda_kernel_launch_stats looks at.
constexpr std::array<std::string_view, 4> kHtaCalls = {"cudaLaunchKernel", "cudaLaunchKernelExC", "cudaMemcpyAsync",
                                                       "cudaMemsetAsync"};

size_t binOf(int64_t value) {  // 0: below 1; k: from 2^(k - 1) on
    return static_cast<size_t>(std::bit_width(static_cast<uint64_t>(value)));
}

}  // namespace

Percentiles percentilesOf(std::vector<int64_t> values) {
    Percentiles result;
    if (values.empty()) return result;
    auto from = values.begin();  // what is below is sorted off already
    const auto rank = [&](size_t percent) {
        const size_t place = (values.size() * percent + 99) / 100 - 1;
        const auto at = values.begin() + static_cast<ptrdiff_t>(place);
        std::nth_element(from, at, values.end());
        from = at;
        return *at;
    };
    result.p50Ns = rank(50);
    result.p90Ns = rank(90);
    result.p99Ns = rank(99);
    return result;
}

std::vector<HistogramBin> histogramOf(std::span<const int64_t> values) {
    std::array<int64_t, 64> counts{};
    size_t first = counts.size(), last = 0;
    for (const int64_t value : values) {
        if (value < 0) continue;
        const size_t bin = binOf(value);
        ++counts[bin];
        first = std::min(first, bin);
        last = std::max(last, bin);
    }
    std::vector<HistogramBin> bins;
    for (size_t bin = first; bin <= last && bin < counts.size(); ++bin) {
        const int64_t fromNs = bin == 0 ? 0 : int64_t{1} << (bin - 1);
        const int64_t toNs = bin == 63 ? INT64_MAX : int64_t{1} << bin;
        bins.push_back({fromNs, toNs, counts[bin]});
    }
    return bins;
}

LaunchStatistics launchStatistics(const Trace& trace, const LaunchJoin& join, std::span<const Launch> launches,
                                  const LaunchThresholds& thresholds, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    const ApiCalls& calls = trace.apiCalls();
    LaunchStatistics result{.thresholds = thresholds};
    std::vector<bool> isHtaCall(trace.stringCount());
    for (uint32_t id = 0; id < trace.stringCount(); ++id)
        isHtaCall[id] = std::ranges::find(kHtaCalls, trace.string(StringId{id})) != kHtaCalls.end();
    std::vector<int64_t> latencies, delays;
    for (uint32_t i = 0; i < launches.size(); ++i) {
        if ((i & 0xFFFF) == 0 && stop.stop_requested()) return result;
        const Launch& launch = launches[i];
        const int64_t callNs = calls.endNs[launch.call] - calls.startNs[launch.call];
        const StringId name = calls.name[launch.call];
        const bool ofHta = name.valid() && isHtaCall[name.value];
        int64_t deviceNs = 0;
        for (const uint32_t op : join.opsOf(launch.call)) {
            const int64_t opNs = ops.endNs[op] - ops.startNs[op];
            deviceNs += opNs;
            if (!ofHta) continue;
            ++result.hta.operationCount;
            if (callNs <= thresholds.runtimeNs && opNs < callNs) ++result.hta.shortCount;
            if (callNs > thresholds.runtimeNs) ++result.hta.runtimeOutlierCount;
            if (ops.startNs[op] - calls.endNs[launch.call] > thresholds.delayNs) ++result.hta.delayOutlierCount;
        }
        if (deviceNs < callNs) {
            result.shortLaunches.push_back(i);
            result.shortDeviceNs += deviceNs;
            result.shortCallNs += callNs;
        }
        if (callNs > thresholds.runtimeNs) result.runtimeOutliers.push_back(i);
        if (launch.latencyNs >= 0) latencies.push_back(launch.latencyNs);
        if (!launch.queueDelayNs) continue;
        delays.push_back(*launch.queueDelayNs);
        if (*launch.queueDelayNs > thresholds.delayNs) result.delayOutliers.push_back(i);
    }
    result.latencyHistogram = histogramOf(latencies);
    result.queueDelayHistogram = histogramOf(delays);
    result.latency = percentilesOf(std::move(latencies));
    result.queueDelay = percentilesOf(std::move(delays));
    return result;
}

}  // namespace gapscope
