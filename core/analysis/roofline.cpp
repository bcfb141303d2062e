#include "core/analysis/roofline.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/analysis/own_time.h"
#include "core/analysis/token_table.h"
#include "core/trace/run_words.h"

namespace gapscope {

namespace {

void add(RooflinePoint& point, const OpRow& op, double share, int64_t ns, bool begins) {
    point.count += begins ? 1 : 0;
    point.ns += ns;
    point.bytes += static_cast<double>(op.bytes) * share;
    point.flops += static_cast<double>(op.flops) * share;
}

template <class Key>
std::vector<RooflinePoint> valuesOf(std::map<Key, RooflinePoint>& points) {
    std::vector<RooflinePoint> values;
    for (auto& [key, point] : points)
        values.push_back(point);
    return values;
}

void sortByTime(std::vector<RooflinePoint>& points) {
    std::ranges::stable_sort(points, std::ranges::greater{}, &RooflinePoint::ns);
}

std::string whatIsMissing(const Trace& trace, const Roofline& result) {
    if (result.roles.empty())
        return trace.run()
                   ? "No operation in the window has bytes and flops."
                   : "The trace does not tell the bytes and flops of its kernels: only runs of this program do.";
    if (result.peakBytesPerSecond <= 0) return "The device's peaks were not measured: points have no roof.";
    if (result.peakFlopsPerSecond <= 0)
        return "The device's peak arithmetic was not measured: the roof is that of memory alone.";
    return {};
}

// Of a step with all of a batch's prompts in it.
int64_t weightBytesOfToken(const RunInfo& run) {
    return run.weightBytes / std::max<int64_t>(1, promptsAStep(run));
}

}  // namespace

double Roofline::shareOfRoof(const RooflinePoint& point) const {
    if (point.ns <= 0) return 0;
    const double memory = peakBytesPerSecond > 0 ? point.bytesPerSecond() / peakBytesPerSecond : 0;
    const double compute = peakFlopsPerSecond > 0 ? point.flopsPerSecond() / peakFlopsPerSecond : 0;
    return std::max(memory, compute);
}

double memoryFloorNsPerToken(const Trace& trace, double peakBytesPerSecond) {
    if (!trace.run() || peakBytesPerSecond <= 0) return 0;
    return static_cast<double>(weightBytesOfToken(*trace.run())) * 1e9 / peakBytesPerSecond;
}

Roofline roofline(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    Roofline result;
    // A role's operations of all tokens are one point; ids of ops differ by position, so by what they stand for.
    std::map<std::tuple<StringId, StringId, bool>, RooflinePoint> roles;
    std::map<std::pair<Category, bool>, RooflinePoint> categories;
    std::map<int32_t, RooflinePoint> layers;
    std::map<std::pair<int16_t, int32_t>, RooflinePoint> tokens;
    std::map<uint32_t, int64_t> nsOfDevice;
    const ColumnView<int64_t> ownStarts = ownStartNs(trace, stop);
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return result;
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        const int64_t ns = range.clippedTo(window).durationNs();
        if (ns == 0) continue;
        if (ops.track[row].value < trace.tracks().size())
            nsOfDevice[trace.tracks()[ops.track[row].value].deviceId] += ns;
        const OpRow* op = knownPlanOf(trace, ops.op[row]);
        if (!op) {
            result.unknownNs += ns;
            continue;
        }
        const double share = static_cast<double>(ns) / static_cast<double>(range.durationNs());
        const int64_t own = ownNsWithin(window, ownStarts, row, range);
        const bool begins = window.contains(range.startNs);
        const bool prompt = ops.token[row] == kPrefillToken;
        RooflinePoint& role = roles[{op->name, ops.name[row], prompt}];
        role.name = op->name;
        role.kernel = ops.name[row];
        RooflinePoint& category = categories[{ops.category[row], prompt}];
        role.category = category.category = ops.category[row];
        role.prompt = category.prompt = prompt;
        add(role, *op, share, own, begins);
        add(category, *op, share, own, begins);
        if (!prompt) {
            RooflinePoint& layer = layers[op->layer];
            layer.layer = op->layer;
            add(layer, *op, share, own, begins);
        }
        if (ops.token[row] != kNoToken) {
            RooflinePoint& token = tokens[{ops.repeat[row], ops.token[row]}];
            token.repeat = ops.repeat[row];
            token.token = ops.token[row];
            token.prompt = prompt;
            add(token, *op, share, own, begins);
        }
    }
    result.roles = valuesOf(roles);
    result.categories = valuesOf(categories);
    result.layers = valuesOf(layers);
    result.tokens = valuesOf(tokens);
    sortByTime(result.roles);
    sortByTime(result.categories);
    if (!nsOfDevice.empty()) {
        result.deviceId =
            std::ranges::max_element(nsOfDevice, {}, [](const auto& entry) { return entry.second; })->first;
        const auto device = std::ranges::find(trace.devices(), result.deviceId, &DeviceRow::id);
        if (device != trace.devices().end()) {
            result.peakBytesPerSecond = device->peakBytesPerSecond;
            result.peakFlopsPerSecond = device->peakFlopsPerSecond;
        }
    }
    if (const RunInfo* run = trace.run()) {
        result.weightBytes = weightBytesOfToken(*run);
        result.floorNsPerToken = memoryFloorNsPerToken(trace, result.peakBytesPerSecond);
        const double rate = tokenTable(trace, window, stop).tokensPerSecond();
        result.recordedNsPerToken = rate > 0 ? 1e9 / rate : 0;
    }
    result.lacks = whatIsMissing(trace, result);
    return result;
}

}  // namespace gapscope
