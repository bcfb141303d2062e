#include "core/analysis/what_if_changes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace gapscope {

const OpRow* planOf(const Trace& trace, uint32_t row) {
    const OpId op = trace.deviceOps().op[row];
    return op.valid() && op.value < trace.ops().size() ? &trace.ops()[op.value] : nullptr;
}

namespace {

constexpr int64_t kLongTimeNs = int64_t{1} << 60;

int64_t wholeNsAt(double amount, double perSecond) {
    return static_cast<int64_t>(std::min(nsAt(amount, perSecond), static_cast<double>(kLongTimeNs)));
}

bool isSmall(const Trace& trace, uint32_t row) {
    if (trace.deviceOps().kind[row] != DeviceOpKind::Kernel) return false;
    switch (trace.deviceOps().category[row]) {
        case Category::Elementwise:
        case Category::Norm:
        case Category::Rope:
        case Category::Quantize:
        case Category::Reduction:
        case Category::Copy:
        case Category::Set:
            return true;
        default:
            return false;
    }
}

// Which product of several a role is part of; 0: of none.
int productOf(std::string_view role) {
    if (role == "q_proj" || role == "k_proj" || role == "v_proj") return 1;
    return role == "gate_proj" || role == "up_proj" ? 2 : 0;
}

// What an operation of this role takes: of its own launches in the window the median. One that something disturbed (the
// system took the core away) says nothing about the kernel that it becomes part of.
class UsualTimes {
public:
    UsualTimes(const ReplayTape& tape, const Trace& trace) : m_trace(trace), m_ns(trace.stringCount() + 1) {
        std::vector<std::vector<int64_t>> all(m_ns.size());
        for (const ReplayOp& op : tape.ops)
            if (isSmall(trace, op.row)) all[keyOf(op.row)].push_back(op.durationNs);
        for (size_t key = 0; key < all.size(); ++key) {
            if (all[key].empty()) continue;
            const auto middle = all[key].begin() + static_cast<ptrdiff_t>(all[key].size() / 2);
            std::nth_element(all[key].begin(), middle, all[key].end());
            m_ns[key] = *middle;
        }
    }
    int64_t of(const ReplayOp& op) const { return std::min(op.durationNs, m_ns[keyOf(op.row)]); }

private:
    size_t keyOf(uint32_t row) const {
        const OpRow* plan = planOf(m_trace, row);
        const StringId name = plan ? plan->name : m_trace.deviceOps().name[row];
        return std::min<size_t>(name.value, m_ns.size() - 1);
    }

    const Trace& m_trace;
    std::vector<int64_t> m_ns;  // by StringId; the last: nameless
};

// One stream's operations from left to right. `m_small` is what the run of small ones still needs.
class Fusion {
public:
    Fusion(ReplayTape& tape, const Trace& trace, const UsualTimes& usual, const DevicePeaks& peaks)
        : m_tape(tape), m_trace(trace), m_usual(usual), m_peaks(peaks) {}

    void run(size_t first, size_t end) {
        for (size_t place = first; place < end; ++place) {
            ReplayOp& op = m_tape.ops[place];
            if (!sameStep(place)) closeStep();
            m_step = place;
            if (isSmall(m_trace, op.row)) {
                addSmall(op);
                continue;
            }
            if (joinsProduct(op)) continue;
            const bool attention = m_trace.deviceOps().category[op.row] == Category::Attention;
            if (attention && m_anchor != kNone && m_runIsEmpty &&
                m_trace.deviceOps().category[m_tape.ops[m_anchor].row] == Category::Attention) {
                m_tape.ops[m_anchor].durationNs += std::max<int64_t>(0, op.durationNs - m_tape.shortestKernelNs);
                remove(op);
                continue;
            }
            op.durationNs += takeSmall();
            m_anchor = place;
            startProduct(op);
        }
        closeStep();
    }

private:
    static constexpr size_t kNone = SIZE_MAX;

    bool sameStep(size_t place) const {
        if (m_step == kNone) return true;
        const DeviceOps& ops = m_trace.deviceOps();
        const uint32_t before = m_tape.ops[m_step].row, row = m_tape.ops[place].row;
        return ops.token[before] == ops.token[row] && ops.repeat[before] == ops.repeat[row];
    }

    static void remove(ReplayOp& op) {
        op.removed = true;
        op.durationNs = 0;
    }

    void addSmall(ReplayOp& op) {
        const OpRow* plan = planOf(m_trace, op.row);
        int64_t restNs = std::max<int64_t>(0, m_usual.of(op) - m_tape.shortestKernelNs);
        if (plan) restNs = std::max(restNs, wholeNsAt(static_cast<double>(plan->bytes), m_peaks.bytesPerSecond));
        m_smallNs = std::max(m_smallNs, std::min(restNs, op.durationNs));
        m_runIsEmpty = false;
        remove(op);
        m_lastSmall = static_cast<size_t>(&op - m_tape.ops.data());
    }

    int64_t takeSmall() {
        m_runIsEmpty = true;
        m_lastSmall = kNone;
        return std::exchange(m_smallNs, 0);
    }

    // What no operation follows goes to the one before; a step of small operations alone keeps its last.
    void closeStep() {
        if (m_lastSmall != kNone) {
            ReplayOp& last = m_tape.ops[m_lastSmall];
            if (m_anchor != kNone) {
                m_tape.ops[m_anchor].durationNs += takeSmall();
            } else {
                last.removed = false;
                last.durationNs = std::min(takeSmall() + m_tape.shortestKernelNs, rangeNs(last));
            }
        }
        m_anchor = m_product = m_step = kNone;
    }

    int64_t rangeNs(const ReplayOp& op) const {
        return m_trace.deviceOps().endNs[op.row] - m_trace.deviceOps().startNs[op.row];
    }

    void startProduct(const ReplayOp& op) {
        m_product = kNone;
        const OpRow* plan = planOf(m_trace, op.row);
        m_part = plan ? productOf(m_trace.string(plan->name)) : 0;
        if (m_part == 0 || op.durationNs <= 0) return;
        m_product = m_anchor;
        m_productBytes = static_cast<double>(plan->bytes);
        m_productRate = m_productBytes / static_cast<double>(rangeNs(op));
        m_layer = plan->layer;
    }

    bool joinsProduct(ReplayOp& op) {
        const OpRow* plan = planOf(m_trace, op.row);
        if (m_product == kNone || !plan || plan->layer != m_layer) return false;
        if (productOf(m_trace.string(plan->name)) != m_part || rangeNs(op) <= 0) return false;
        ReplayOp& product = m_tape.ops[m_product];
        const auto bytes = static_cast<double>(plan->bytes);
        m_productBytes += bytes;
        m_productRate = std::max(m_productRate, bytes / static_cast<double>(rangeNs(op)));
        const auto together = static_cast<int64_t>(std::llround(m_productBytes / m_productRate));
        product.durationNs = std::min(product.durationNs + rangeNs(op), together);
        remove(op);
        return true;
    }

    ReplayTape& m_tape;
    const Trace& m_trace;
    const UsualTimes& m_usual;
    const DevicePeaks m_peaks;
    size_t m_step = kNone;    // the operation before
    size_t m_anchor = kNone;  // the last one that stays
    size_t m_product = kNone;
    size_t m_lastSmall = kNone;
    int64_t m_smallNs = 0;
    bool m_runIsEmpty = true;
    int m_part = 0;
    int32_t m_layer = -1;
    double m_productBytes = 0, m_productRate = 0;
};

// What operations of several tokens take, from those of one (decode) and of many (the prompt's).
class SeveralTokens {
public:
    SeveralTokens(const ReplayTape& tape, const Trace& trace, const CheckCosts& costs)
        : m_trace(trace), m_costs(costs) {
        const DeviceOps& ops = trace.deviceOps();
        for (uint32_t row = 0; row < ops.startNs.size(); ++row)
            if (ops.token[row] == kPrefillToken && ops.repeat[row] >= 0) addPrompt(row);
        for (const ReplayOp& op : tape.ops)
            if (const OpRow* plan = planOf(trace, op.row); plan && !op.removed && ops.token[op.row] > 0)
                addSingle(op, *plan);
        std::vector<double> counts;
        double ns = 0, flops = 0;
        for (auto& [key, role] : m_roles) {
            if (role.singles > 0) role.singleNs /= static_cast<double>(role.singles);
            if (!role.product || role.promptNs <= 0 || role.singles == 0 || role.singleFlops <= 0) continue;
            counts.push_back(role.promptFlops / role.singleFlops);
            if (counts.back() <= from()) continue;
            ns += std::max(0.0, role.promptNs - firstNs(role.singleNs));
            flops += role.promptFlops - from() * role.singleFlops;
        }
        if (!counts.empty()) {
            std::ranges::sort(counts);
            m_promptTokens = counts[counts.size() / 2];
        }
        if (flops > 0) m_nsPerFlop = ns / flops;
    }

    int64_t nsOf(const ReplayOp& op, const OpRow& plan, int tokens) const {
        const auto ns = static_cast<double>(op.durationNs);
        const auto found = m_roles.find({plan.name.value, plan.layer});
        const Role& role = found->second;  // every operation of a decode step has one
        const auto known = [&](double from) {
            return role.promptFlops > from * role.singleFlops && m_promptTokens > from;
        };
        double several = 0;
        if (m_costs.more > 0) {
            several = ns * (m_costs.few + (tokens - from()) * m_costs.more);
        } else if (role.product) {
            const double more = known(from())
                                    ? std::max(0.0, role.promptNs - firstNs(role.singleNs)) / (m_promptTokens - from())
                                    : m_nsPerFlop * role.singleFlops;
            several = firstNs(ns) + std::max(0.0, tokens - from()) * more;
        } else if (m_costs.ownKeys && m_trace.deviceOps().category[op.row] == Category::Attention) {
            several = ns * tokens;
        } else if (known(1)) {
            several = ns + std::max(0.0, role.promptNs - role.singleNs) * (tokens - 1) / (m_promptTokens - 1);
        } else {
            several = ns * tokens;
        }
        return static_cast<int64_t>(std::min(std::max(ns, several), static_cast<double>(kLongTimeNs)));
    }

private:
    struct Role {
        bool product = false;
        double promptNs = 0, promptFlops = 0;  // of the prompt's largest part; 0: none
        double singleNs = 0, singleFlops = 0;  // of a decode step; the time is the mean
        int64_t singles = 0;
    };

    // Where the line begins.
    double from() const { return m_costs.fewTokens; }
    double firstNs(double singleNs) const { return m_costs.few * singleNs; }

    void addPrompt(uint32_t row) {
        const OpRow* plan = planOf(m_trace, row);
        if (!plan) return;
        Role& role = m_roles[{plan->name.value, plan->layer}];
        const auto ns = static_cast<double>(m_trace.deviceOps().endNs[row] - m_trace.deviceOps().startNs[row]);
        const auto flops = static_cast<double>(plan->flops);
        if (role.promptNs > 0 && (flops < role.promptFlops || (flops == role.promptFlops && ns >= role.promptNs)))
            return;
        role.promptNs = ns;
        role.promptFlops = flops;
    }

    void addSingle(const ReplayOp& op, const OpRow& plan) {
        Role& role = m_roles[{plan.name.value, plan.layer}];
        role.product = m_trace.deviceOps().category[op.row] == Category::Gemm;
        role.singleNs += static_cast<double>(op.durationNs);
        role.singleFlops = static_cast<double>(plan.flops);
        ++role.singles;
    }

    const Trace& m_trace;
    const CheckCosts m_costs;
    std::map<std::pair<uint32_t, int32_t>, Role> m_roles;  // by name and layer
    double m_promptTokens = 0;                             // of its largest part; 0: no prompt was recorded
    double m_nsPerFlop = 0;                                // of a product's tokens beyond from()
};

}  // namespace

int64_t weightElements(std::string_view shapes) {
    const size_t times = shapes.find(" x [");
    if (times == std::string_view::npos) return 0;
    int64_t product = 1;
    for (const char* at = shapes.data() + times + 4; at < shapes.data() + shapes.size();) {
        int64_t size = 0;
        const auto [end, error] = std::from_chars(at, shapes.data() + shapes.size(), size);
        if (error != std::errc() || size <= 0 || size > (int64_t{1} << 40) / product) return 0;
        product *= size;
        if (end == shapes.data() + shapes.size()) return 0;
        if (*end == ']') return product;
        at = end + 1;
    }
    return 0;
}

void makeGraphs(ReplayTape& tape, const Trace& trace, const GraphCosts& costs) {
    std::vector<uint32_t> opsOfCall(tape.calls.size());
    std::vector<bool> isPrompt(tape.calls.size());
    for (const ReplayOp& op : tape.ops) {
        if (op.call == kNoRow || op.removed) continue;
        ++opsOfCall[op.call];
        if (trace.deviceOps().token[op.row] == kPrefillToken) isPrompt[op.call] = true;
    }
    constexpr uint32_t kOutside = kNoRow;
    std::vector<uint32_t> graphOf(tape.calls.size(), kOutside);  // first call of the graph it becomes part of
    for (size_t thread = 0; thread + 1 < tape.threads.size(); ++thread) {
        for (size_t first = tape.threads[thread]; first < tape.threads[thread + 1]; ++first) {
            const auto taken = [&](size_t place) {
                return tape.calls[place].launches && (costs.prompt || !isPrompt[place]);
            };
            if (!taken(first)) continue;
            // What lies between launches goes into the graph with them; a wait ends it, because a graph holds none.
            size_t last = first;
            int64_t nodes = opsOfCall[first];
            int64_t wholeNs = tape.calls[first].ownNs;
            int64_t sinceLastNs = 0;
            for (size_t place = first + 1; place < tape.threads[thread + 1]; ++place) {
                if (tape.calls[place].waitsFor != kNoRow || (tape.calls[place].launches && !taken(place))) break;
                sinceLastNs += tape.calls[place].ownNs + tape.calls[place].thinkNs;
                if (!tape.calls[place].launches) continue;
                wholeNs += sinceLastNs;
                sinceLastNs = 0;
                nodes += opsOfCall[place];
                last = place;
            }
            if (last == first) continue;
            ReplayCall& launch = tape.calls[first];
            const double nodesNs = std::min(costs.mostNodesNs, static_cast<double>(nodes) * costs.callNsPerNode);
            launch.ownNs = std::min(wholeNs, launch.ownNs + static_cast<int64_t>(std::llround(nodesNs)));
            for (size_t place = first; place <= last; ++place) {
                graphOf[place] = static_cast<uint32_t>(first);
                if (place == first) continue;
                tape.calls[place].ownNs = 0;
                tape.calls[place].thinkNs = std::min<int64_t>(tape.calls[place].thinkNs, 0);
            }
            first = last;
        }
    }
    const ApiCalls& calls = trace.apiCalls();
    std::vector<int64_t> firstAfterNs(tape.calls.size(), -1);
    for (ReplayOp& op : tape.ops) {
        if (op.call == kNoRow || op.removed || graphOf[op.call] == kOutside) continue;
        const uint32_t graph = graphOf[op.call];
        const uint32_t ownRow = tape.calls[op.call].row, graphRow = tape.calls[graph].row;
        if (firstAfterNs[graph] < 0) {
            // The device starts when the longer call is done, as late after it as it was recorded.
            const int64_t recordedOwnNs = calls.endNs[ownRow] - calls.startNs[ownRow];
            op.afterCallNs += std::max<int64_t>(0, tape.calls[graph].ownNs - recordedOwnNs);
            firstAfterNs[graph] = op.afterCallNs;
        } else {
            op.afterCallNs =
                std::min(op.afterCallNs + calls.startNs[ownRow] - calls.startNs[graphRow], firstAfterNs[graph]);
            op.afterPreviousNs = std::min(op.afterPreviousNs, costs.nodePauseNs);
        }
        op.call = graph;
    }
}

void fuse(ReplayTape& tape, const Trace& trace, const DevicePeaks& peaks) {
    const UsualTimes usual(tape, trace);
    for (size_t track = 0; track + 1 < tape.tracks.size(); ++track)
        Fusion(tape, trace, usual, peaks).run(tape.tracks[track], tape.tracks[track + 1]);
    // A call all of whose operations are gone goes too, with what the host did before it.
    std::vector<uint8_t> kept(tape.calls.size()), gone(tape.calls.size());
    for (const ReplayOp& op : tape.ops)
        if (op.call != kNoRow) (op.removed ? gone : kept)[op.call] = 1;
    for (size_t place = 0; place < tape.calls.size(); ++place) {
        ReplayCall& call = tape.calls[place];
        if (!gone[place] || kept[place] || !call.launches) continue;
        call.ownNs = 0;
        call.thinkNs = std::min<int64_t>(call.thinkNs, 0);
    }
}

int64_t shrinkWeights(ReplayTape& tape, const Trace& trace, double bitsPerWeight, const DevicePeaks& peaks) {
    int64_t changed = 0;
    for (ReplayOp& op : tape.ops) {
        const OpRow* plan = planOf(trace, op.row);
        if (!plan || op.removed || plan->bytes <= 0 || trace.deviceOps().category[op.row] != Category::Gemm) continue;
        const int64_t weights = weightElements(trace.string(plan->shapes));
        const double bytes = static_cast<double>(weights) * bitsPerWeight / 8;
        if (weights == 0 || bytes >= static_cast<double>(plan->bytes)) continue;
        // Only the bytes go; the rest of its time is latency that does not. What it reached is the least it can reach.
        const double reached =
            op.durationNs > 0 ? static_cast<double>(plan->bytes) * 1e9 / static_cast<double>(op.durationNs) : 0;
        const int64_t ns = op.durationNs -
                           wholeNsAt(static_cast<double>(plan->bytes) - bytes, std::max(reached, peaks.bytesPerSecond));
        const int64_t leastNs =
            std::max(tape.shortestKernelNs, wholeNsAt(static_cast<double>(plan->flops), peaks.flopsPerSecond));
        op.durationNs = std::min(op.durationNs, std::max(ns, leastNs));
        ++changed;
    }
    return changed;
}

int64_t runAtPeak(ReplayTape& tape, const Trace& trace, const DevicePeaks& peaks) {
    int64_t changed = 0;
    for (ReplayOp& op : tape.ops) {
        const OpRow* plan = planOf(trace, op.row);
        if (!plan || op.removed || (plan->bytes <= 0 && plan->flops <= 0)) continue;
        const int64_t ns = std::max(wholeNsAt(static_cast<double>(plan->bytes), peaks.bytesPerSecond),
                                    wholeNsAt(static_cast<double>(plan->flops), peaks.flopsPerSecond));
        op.durationNs = std::min(op.durationNs, ns);
        ++changed;
    }
    return changed;
}

void takeTokens(ReplayTape& tape, const Trace& trace, int tokens, const CheckCosts& costs, const DevicePeaks& peaks) {
    const SeveralTokens several(tape, trace, costs);
    for (ReplayOp& op : tape.ops) {
        const OpRow* plan = planOf(trace, op.row);
        if (!plan || op.removed || trace.deviceOps().token[op.row] <= 0) continue;
        op.durationNs = std::max(several.nsOf(op, *plan, tokens),
                                 wholeNsAt(static_cast<double>(plan->flops) * tokens, peaks.flopsPerSecond));
    }
}

}  // namespace gapscope
