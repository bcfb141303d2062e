#include "core/analysis/api_calls.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace gapscope {

namespace {

// First match wins. `Exact` rows are whole names; the others need only occur in the name, so that cudaLaunchKernelExC,
// cuLaunchKernelEx, hipLaunchKernel and _ptsz variants need no row of their own.
struct ApiRule {
    std::string_view part;
    bool exact;
    ApiTraits traits;
};
constexpr ApiTraits kLaunches{.launches = true};
constexpr ApiTraits kCopies{.copies = true};
constexpr ApiTraits kCopiesAndWaits{.copies = true, .waits = true};
constexpr ApiTraits kWaits{.waits = true};
constexpr std::array kApiRules = {
    ApiRule{"Synchronize", false, kWaits},     ApiRule{"GraphLaunch", false, kLaunches},
    ApiRule{"LaunchKernel", false, kLaunches}, ApiRule{"LaunchCooperativeKernel", false, kLaunches},
    ApiRule{"cuLaunch", true, kLaunches},      ApiRule{"cudaLaunch", true, kLaunches},
    ApiRule{"cuLaunchGrid", true, kLaunches},  ApiRule{"MemcpyAsync", false, kCopies},
    ApiRule{"MemsetAsync", false, kCopies},    ApiRule{"MemcpyBatchAsync", false, kCopies},
    ApiRule{"Memset", false, kCopies},  // returns before the device is done
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

ApiTraits apiTraits(std::string_view name) {
    for (const ApiRule& rule : kApiRules)
        if (rule.exact ? name == rule.part : contains(name, rule.part)) return rule.traits;
    if (contains(name, "Memcpy") && !contains(name, "GraphAdd") && !contains(name, "NodeSet") &&
        !contains(name, "NodeGet"))
        return contains(name, "Async") ? kCopies : kCopiesAndWaits;
    return {};
}

ApiNames::ApiNames(const Trace& trace) {
    const ApiCalls& calls = trace.apiCalls();
    std::vector<bool> known(trace.stringCount());
    m_traits.resize(trace.stringCount());
    for (size_t row = 0; row < calls.name.size(); ++row) {
        const StringId name = calls.name[row];
        if (!name.valid() || known[name.value]) continue;
        known[name.value] = true;
        m_traits[name.value] = apiTraits(trace.string(name));
    }
}

std::vector<uint32_t> outermostCalls(const Trace& trace, std::stop_token stop) {
    const ApiCalls& calls = trace.apiCalls();
    std::vector<uint32_t> outermost(calls.startNs.size());
    std::iota(outermost.begin(), outermost.end(), 0u);
    // A thread's rows mostly come in order, whatever the threads' rows are mixed with.
    std::map<uint64_t, std::vector<uint32_t>> threads;
    std::vector<uint32_t>* thread = nullptr;
    uint64_t threadTid = 0;
    for (uint32_t row = 0; row < calls.startNs.size(); ++row) {
        const uint64_t tid = calls.globalTid[row];
        if (!thread || tid != threadTid) thread = &threads[threadTid = tid];
        thread->push_back(row);
    }
    const auto before = [&](uint32_t a, uint32_t b) {
        if (calls.startNs[a] != calls.startNs[b]) return calls.startNs[a] < calls.startNs[b];
        if (calls.endNs[a] != calls.endNs[b]) return calls.endNs[a] > calls.endNs[b];
        return a < b;
    };
    for (auto& [tid, rows] : threads) {
        if (stop.stop_requested()) return outermost;
        if (!std::ranges::is_sorted(rows, before)) std::ranges::sort(rows, before);
        for (size_t i = 1, outer = 0; i < rows.size(); ++i) {
            const uint32_t out = rows[outer], row = rows[i];
            if (calls.startNs[row] < calls.endNs[out] && calls.endNs[row] <= calls.endNs[out]) {
                outermost[row] = out;
            } else {
                outer = i;
            }
        }
    }
    return outermost;
}

}  // namespace gapscope
