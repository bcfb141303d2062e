#include "core/analysis/range_projection.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace gapscope {

namespace {

// What the calls of one thread launched onto one stream, by begin of the call, with the extremes of whole blocks so
// that a range that holds a million calls is not a walk over them.
class Launched {
public:
    struct Call {
        int64_t startNs, endNs;   // of the call
        int64_t firstNs, lastNs;  // of its operations
    };
    void add(const Call& call) { m_calls.push_back(call); }
    void finish() {
        std::ranges::stable_sort(m_calls, {}, &Call::startNs);
        for (size_t i = 0; i < m_calls.size(); i += kBlock)
            m_blocks.push_back(extremes(i, std::min(i + kBlock, m_calls.size())));
    }
    // First and last time of what was launched by calls inside [startNs, endNs]; first > last: nothing was.
    std::pair<int64_t, int64_t> within(int64_t startNs, int64_t endNs) const {
        const auto at = [this](int64_t timeNs) {
            return static_cast<size_t>(std::ranges::lower_bound(m_calls, timeNs, {}, &Call::startNs) - m_calls.begin());
        };
        size_t from = at(startNs);
        size_t to = at(endNs);
        while (to > from && m_calls[to - 1].endNs > endNs)
            --to;
        std::pair<int64_t, int64_t> found{INT64_MAX, INT64_MIN};
        const auto take = [&](const std::pair<int64_t, int64_t>& more) {
            found = {std::min(found.first, more.first), std::max(found.second, more.second)};
        };
        while (from < to) {
            if (from % kBlock == 0 && from + kBlock <= to) {
                take(m_blocks[from / kBlock]);
                from += kBlock;
            } else {
                take({m_calls[from].firstNs, m_calls[from].lastNs});
                ++from;
            }
        }
        return found;
    }

private:
    static constexpr size_t kBlock = 256;

    std::pair<int64_t, int64_t> extremes(size_t from, size_t to) const {
        std::pair<int64_t, int64_t> found{INT64_MAX, INT64_MIN};
        for (size_t i = from; i < to; ++i)
            found = {std::min(found.first, m_calls[i].firstNs), std::max(found.second, m_calls[i].lastNs)};
        return found;
    }
    std::vector<Call> m_calls;
    std::vector<std::pair<int64_t, int64_t>> m_blocks;
};

}  // namespace

std::vector<ProjectedRange> projectRanges(const Trace& trace, const LaunchJoin& join, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    const ApiCalls& calls = trace.apiCalls();
    std::map<uint64_t, std::map<TrackId, Launched>> threads;
    for (uint32_t call = 0; call + size_t{1} < join.firstOpOf.size(); ++call) {
        const std::span<const uint32_t> owned = join.opsOf(call);
        if (owned.empty()) continue;
        if (call % 65536 == 0 && stop.stop_requested()) return {};
        auto& tracks = threads[calls.globalTid[call]];
        // A graph launch may use several streams.
        for (size_t i = 0; i < owned.size();) {
            const TrackId track = ops.track[owned[i]];
            Launched::Call launched{calls.startNs[call], calls.endNs[call], INT64_MAX, INT64_MIN};
            for (; i < owned.size() && ops.track[owned[i]] == track; ++i) {
                launched.firstNs = std::min(launched.firstNs, ops.startNs[owned[i]]);
                launched.lastNs = std::max(launched.lastNs, ops.endNs[owned[i]]);
            }
            tracks[track].add(launched);
        }
    }
    for (auto& [tid, tracks] : threads)
        for (auto& [track, launched] : tracks)
            launched.finish();

    std::vector<ProjectedRange> projected;
    const Ranges& ranges = trace.ranges();
    for (size_t row = 0; row < ranges.startNs.size(); ++row) {
        if (row % 4096 == 0 && stop.stop_requested()) return {};
        if (ranges.kind[row] != RangeKind::User) continue;
        const auto tracks = threads.find(ranges.globalTid[row]);
        if (tracks == threads.end()) continue;
        for (const auto& [track, launched] : tracks->second) {
            const auto [firstNs, lastNs] = launched.within(ranges.startNs[row], ranges.endNs[row]);
            if (firstNs <= lastNs) projected.push_back({static_cast<uint32_t>(row), track, firstNs, lastNs});
        }
    }
    return projected;
}

}  // namespace gapscope
