#include "core/analysis/host_activity.h"

#include <algorithm>
#include <limits>

#include "core/analysis/api_calls.h"

namespace gapscope {

namespace {

// Ranges of one thread nest; a file in which more than this many are open at once is broken, and the outer ones are
// then left out of the search for the innermost.
constexpr size_t kMostOpenRanges = 256;

bool coversMost(TimeRange range, TimeRange host) {
    return range.clippedTo(host).durationNs() * 2 > host.durationNs();
}

// What is asked about: the host's part, or all of a gap whose parts are not known.
TimeRange hostPartOf(const Gap& gap) {
    return {gap.range.startNs, gap.unknown ? gap.range.endNs : gap.hostEndNs};
}

}  // namespace

void HostActivity::buildAll() {
    if (m_built) return;
    m_built = true;
    const ApiCalls& calls = m_trace.apiCalls();
    const Ranges& ranges = m_trace.ranges();
    const Overheads& overheads = m_trace.overheads();
    const ApiNames names(m_trace);
    struct Lists {
        std::vector<TimeRange> waiting, api, profiler;
    };
    std::map<uint64_t, Lists> lists;
    Lists* list = nullptr;
    uint64_t listTid = 0;
    for (uint32_t row = 0; row < calls.startNs.size(); ++row) {
        const uint64_t tid = calls.globalTid[row];
        if (!list || tid != listTid) list = &lists[listTid = tid];
        const TimeRange range{calls.startNs[row], calls.endNs[row]};
        list->api.push_back(range);
        if (names[calls.name[row]].waits) list->waiting.push_back(range);
        if (m_outermost[row] == row) m_threads[tid].outermost.push_back(row);
    }
    std::vector<TimeRange> everywhere;  // the profiler's cost on a thread that the file does not name
    for (size_t row = 0; row < overheads.startNs.size(); ++row) {
        const TimeRange range{overheads.startNs[row], overheads.endNs[row]};
        if (threadIdOf(overheads.globalTid[row]) == 0) {
            everywhere.push_back(range);
        } else {
            lists[overheads.globalTid[row]].profiler.push_back(range);
        }
    }
    for (uint32_t row = 0; row < ranges.startNs.size(); ++row) {
        if (ranges.kind[row] == RangeKind::Wait) continue;  // what a synchronizing call does, not who called it
        if (const auto it = m_threads.find(ranges.globalTid[row]); it != m_threads.end())
            it->second.ranges.push_back(row);
    }
    for (auto& [tid, of] : m_threads) {
        Lists& own = lists[tid];
        own.profiler.insert(own.profiler.end(), everywhere.begin(), everywhere.end());
        own.profiler.insert(own.profiler.end(), own.api.begin(), own.api.end());
        of.waiting = Coverage(std::move(own.waiting));
        of.api = Coverage(std::move(own.api));
        of.apiAndProfiler = Coverage(std::move(own.profiler));
        const auto callBefore = [&](uint32_t a, uint32_t b) {
            return calls.startNs[a] != calls.startNs[b] ? calls.startNs[a] < calls.startNs[b] : a < b;
        };
        const auto rangeBefore = [&](uint32_t a, uint32_t b) {
            if (ranges.startNs[a] != ranges.startNs[b]) return ranges.startNs[a] < ranges.startNs[b];
            if (ranges.endNs[a] != ranges.endNs[b]) return ranges.endNs[a] > ranges.endNs[b];
            return a < b;
        };
        if (!std::ranges::is_sorted(of.outermost, callBefore)) std::ranges::sort(of.outermost, callBefore);
        if (!std::ranges::is_sorted(of.ranges, rangeBefore)) std::ranges::sort(of.ranges, rangeBefore);
    }
}

HostActivity::Thread& HostActivity::thread(uint64_t globalTid) {
    buildAll();
    return m_threads[globalTid];
}

bool HostActivity::callsApi(uint64_t globalTid) {
    return globalTid != kNoThread && !thread(globalTid).outermost.empty();
}

void HostActivity::split(uint64_t globalTid, TimeRange range, GapCauses& causes) {
    if (range.empty()) return;
    Thread& of = thread(globalTid);
    const int64_t waiting = of.waiting.coveredNs(range, of.waitingHint);
    const int64_t api = of.api.coveredNs(range, of.apiHint);
    const int64_t known = of.apiAndProfiler.coveredNs(range, of.apiAndProfilerHint);
    causes[GapCause::HostWaiting] += waiting;
    causes[GapCause::HostApi] += api - waiting;
    causes[GapCause::Profiler] += known - api;
    causes[GapCause::HostOutside] += range.durationNs() - known;
}

StringId HostActivity::callCoveringMost(const Thread& of, TimeRange host) const {
    const ApiCalls& calls = m_trace.apiCalls();
    const int64_t middle = host.startNs + host.durationNs() / 2;  // whatever covers most of it covers its middle
    const auto startOf = [&](uint32_t row) { return calls.startNs[row]; };
    auto it = std::ranges::upper_bound(of.outermost, middle, {}, startOf);
    // Outermost calls that overlap (a broken file) end in the order in which they begin.
    StringId name;
    int64_t mostNs = 0;
    for (size_t looked = 0; it != of.outermost.begin() && looked < kMostOpenRanges; ++looked) {
        const uint32_t row = *--it;
        const TimeRange range{calls.startNs[row], calls.endNs[row]};
        if (range.endNs <= middle) break;
        const int64_t covered = range.clippedTo(host).durationNs();
        if (!coversMost(range, host) || covered <= mostNs) continue;
        mostNs = covered;
        name = calls.name[row];
    }
    return name;
}

void HostActivity::nameHosts(std::span<Gap> gaps, std::span<const uint64_t> threads, std::stop_token stop) {
    const Ranges& ranges = m_trace.ranges();
    struct Question {
        uint64_t globalTid;
        int64_t middleNs;
        size_t gap;
        auto operator<=>(const Question&) const = default;
    };
    std::vector<Question> questions;
    for (size_t i = 0; i < gaps.size(); ++i) {
        const TimeRange host = hostPartOf(gaps[i]);
        if (host.empty() || threads[i] == kNoThread) continue;
        gaps[i].hostCall = gaps[i].hostName = callCoveringMost(thread(threads[i]), host);
        questions.push_back({threads[i], host.startNs + host.durationNs() / 2, i});
    }
    std::ranges::sort(questions);
    std::vector<uint32_t> open;  // ranges that began before the question and have not ended, outer first
    size_t nextRange = 0;
    const Thread* of = nullptr;
    for (size_t q = 0; q < questions.size(); ++q) {
        if ((q & 0xFFF) == 0 && stop.stop_requested()) return;
        const Question& question = questions[q];
        if (q == 0 || question.globalTid != questions[q - 1].globalTid) {
            of = &thread(question.globalTid);
            open.clear();
            nextRange = 0;
        }
        for (; nextRange < of->ranges.size() && ranges.startNs[of->ranges[nextRange]] <= question.middleNs;
             ++nextRange) {
            const uint32_t row = of->ranges[nextRange];
            if (ranges.endNs[row] <= question.middleNs) continue;
            while (!open.empty() && ranges.endNs[open.back()] <= ranges.startNs[row])
                open.pop_back();
            open.push_back(row);
            if (open.size() > kMostOpenRanges) open.erase(open.begin());
        }
        std::erase_if(open, [&](uint32_t row) { return ranges.endNs[row] <= question.middleNs; });
        const TimeRange host = hostPartOf(gaps[question.gap]);
        int64_t shortest = std::numeric_limits<int64_t>::max();
        for (const uint32_t row : open) {
            const TimeRange range{ranges.startNs[row], ranges.endNs[row]};
            if (!coversMost(range, host)) continue;
            if (range.durationNs() > shortest) continue;
            shortest = range.durationNs();
            gaps[question.gap].hostName = ranges.name[row];
        }
    }
}

}  // namespace gapscope
