#include "core/analysis/what_if.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "core/analysis/what_if_changes.h"
#include "core/analysis/what_if_stages.h"
#include "core/base/format.h"
#include "core/trace/run_words.h"

namespace gapscope {

namespace {

constexpr double kInt8Bits = 8.5;  // q8_0: 32 weights and a 16-bit scale
constexpr double kInt4Bits = 4.5;  // q4_0
constexpr double kWorthANote = 1.05;

// A token's time runs from the last device end of the one before to its own (token_table.h).
struct TokenTimes {
    std::vector<double> ns;
    double sum = 0;
    double mean() const { return ns.empty() ? 0 : sum / static_cast<double>(ns.size()); }
    double median() const {
        if (ns.empty()) return 0;
        std::vector<double> sorted = ns;
        const auto middle = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        return *middle;
    }
};

// The chip's compute capability from a name of ours, "..., sm_90": 90; 0: not told.
int computeCapability(std::string_view deviceName) {
    const size_t at = deviceName.rfind("sm_");
    int capability = 0;
    if (at != std::string_view::npos)
        std::from_chars(deviceName.data() + at + 3, deviceName.data() + deviceName.size(), capability);
    return capability;
}

class Oracle {
public:
    Oracle(const Trace& trace, ReplayTape tape, const WhatIfSettings& settings)
        : m_trace(trace), m_tape(std::move(tape)), m_settings(settings), m_run(trace.run()) {
        findDevice();
        const Replayed recorded = replay(m_tape);
        m_recordedEndNs = recorded.endNs;
        const TokenTimes tokens = tokenTimes(recorded);
        m_result.recordedNs = m_tape.window.durationNs();
        m_result.tokenCount = static_cast<int64_t>(tokens.ns.size());
        m_result.recordedNsPerToken = tokens.mean();
        m_result.recordedMedianNsPerToken = tokens.median();
        m_recordedTokensNs = tokens.sum;
    }

    WhatIf answer(std::stop_token stop) {
        const std::string mode = m_run ? m_run->mode : "";
        const bool isGraph = mode == "graph" || mode == "persistent";
        if (mode != "fused" && !isGraph) {
            addFused();
            addFusedGraph();
        }
        if (!isGraph && !stop.stop_requested()) addGraph(mode);
        if (!stop.stop_requested()) addWeights("int8", "Weights in 8 bits", kInt8Bits);
        if (!stop.stop_requested()) addWeights("int4", "Weights in 4 bits", kInt4Bits);
        if (!stop.stop_requested()) addPerfect();
        if (!checksDrafts() && !stop.stop_requested()) addSpeculative();
        if (!isBatch() && !stop.stop_requested()) addBatch();
        return std::move(m_result);
    }

    BatchForecast forecast(int sequences) const {
        if (!lackOfBatch().empty()) return {.sequences = sequences};
        return forecast(sequences, batchSteps(sequences));
    }

private:
    void findDevice();
    TokenTimes tokenTimes(const Replayed& times) const;
    void finish(Prediction prediction, const ReplayTape& changed);
    GraphCosts graphCosts(bool ownFusedKernels) const;
    void graphAssumptions(Prediction& prediction, const GraphCosts& costs) const;
    void fusedAssumptions(Prediction& prediction) const;
    void addGraph(const std::string& mode);
    void addFused();
    void addFusedGraph();
    void addWeights(const char* name, const char* title, double bits);
    void addPerfect();
    bool multipliesPacked() const;
    CheckCosts passCosts() const;
    std::string passAssumption() const;
    TokenTimes stepsOf(int tokens, const CheckCosts& costs) const;
    void finishSteps(Prediction prediction, const TokenTimes& steps, double tokensPerStep);
    void addSpeculative();
    std::string lackOfBatch() const;
    TokenTimes batchSteps(int sequences) const;
    BatchForecast forecast(int sequences, const TokenTimes& steps) const;
    void addBatch();
    bool isBatch() const { return m_run && m_run->batch > 0; }
    bool checksDrafts() const { return m_run && speculates(*m_run); }
    // Why steps cannot be told apart; empty: they can.
    const char* lackOfTokens() const {
        if (m_result.tokenCount > 0) return "";
        return m_run ? "No token lies in the window as a whole." : "The trace does not tell tokens.";
    }
    // Whether stages tell what their products move.
    bool tellsProducts() const {
        const Stages& stages = m_trace.stages();
        for (size_t row = 0; row < stages.startNs.size(); ++row)
            if (const OpId op = stages.op[row];
                op.valid() && op.value < m_trace.ops().size() && m_trace.ops()[op.value].bytes > 0)
                return true;
        return false;
    }
    bool onCpu() const { return m_kind == DeviceKind::Cpu; }
    std::string graphTitle() const { return onCpu() ? "Graph: one launch a token" : "CUDA graph: no launch overhead"; }

    const Trace& m_trace;
    const ReplayTape m_tape;
    const WhatIfSettings m_settings;
    const RunInfo* const m_run;
    DevicePeaks m_peaks;
    DeviceKind m_kind = DeviceKind::Other;
    int m_capability = 0;
    int64_t m_recordedEndNs = 0;
    double m_recordedTokensNs = 0;
    WhatIf m_result;
};

void Oracle::findDevice() {
    std::map<uint32_t, int64_t> nsOfDevice;
    for (const ReplayOp& op : m_tape.ops) {
        const TrackId track = m_trace.deviceOps().track[op.row];
        if (track.valid() && track.value < m_trace.tracks().size())
            nsOfDevice[m_trace.tracks()[track.value].deviceId] += op.durationNs;
    }
    if (nsOfDevice.empty()) return;
    const uint32_t id = std::ranges::max_element(nsOfDevice, {}, [](const auto& entry) { return entry.second; })->first;
    const auto device = std::ranges::find(m_trace.devices(), id, &DeviceRow::id);
    if (device == m_trace.devices().end()) return;
    m_peaks = {device->peakBytesPerSecond, device->peakFlopsPerSecond};
    m_kind = device->kind;
    m_capability = computeCapability(device->name);
}

TokenTimes Oracle::tokenTimes(const Replayed& times) const {
    TokenTimes result;
    if (!m_run) return result;
    const DeviceOps& ops = m_trace.deviceOps();
    std::map<std::pair<int16_t, int32_t>, int64_t> ends;
    for (size_t place = 0; place < m_tape.ops.size(); ++place) {
        const uint32_t row = m_tape.ops[place].row;
        if (ops.token[row] == kNoToken || ops.endNs[row] > m_tape.window.endNs) continue;
        const auto [entry, isNew] = ends.try_emplace({ops.repeat[row], ops.token[row]}, times.opEndNs[place]);
        entry->second = std::max(entry->second, times.opEndNs[place]);
    }
    // A step that accepted drafts gave several tokens, which share its time; operations carry the first one's index.
    std::map<std::pair<int16_t, int32_t>, int32_t> tokensOfStep;
    const Tokens& tokens = m_trace.tokens();
    for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
        if (tokens.place[row] == 0) continue;
        int32_t& count = tokensOfStep[{tokens.repeat[row], tokens.index[row] - tokens.place[row]}];
        count = std::max(count, tokens.place[row] + 1);
    }
    const auto countOf = [&](const std::pair<int16_t, int32_t>& step) {
        const auto found = tokensOfStep.find(step);
        return found == tokensOfStep.end() ? 1 : found->second;
    };
    for (auto entry = ends.begin(); entry != ends.end(); ++entry) {
        const auto [repeat, index] = entry->first;
        if (index < 1 || entry == ends.begin()) continue;
        const auto before = std::prev(entry);
        const bool follows = before->first.first == repeat && before->first.second + countOf(before->first) == index;
        if (!follows || entry->second <= before->second) continue;
        const int32_t count = countOf(entry->first);
        const double ns = static_cast<double>(entry->second - before->second);
        result.ns.insert(result.ns.end(), static_cast<size_t>(count), ns / count);
        result.sum += ns;
    }
    return result;
}

void Oracle::finish(Prediction prediction, const ReplayTape& changed) {
    const Replayed times = replay(changed);
    const TokenTimes tokens = tokenTimes(times);
    prediction.predictedNs = std::max<int64_t>(0, m_result.recordedNs - (m_recordedEndNs - times.endNs));
    prediction.predictedNsPerToken = tokens.mean();
    prediction.predictedMedianNsPerToken = tokens.median();
    if (tokens.mean() > 0)
        prediction.factor = m_result.recordedNsPerToken / tokens.mean();
    else if (prediction.predictedNs > 0)
        prediction.factor = static_cast<double>(m_result.recordedNs) / static_cast<double>(prediction.predictedNs);
    m_result.predictions.push_back(std::move(prediction));
}

GraphCosts Oracle::graphCosts(bool ownFusedKernels) const {
    GraphCosts costs{.nodePauseNs = m_tape.backToBackNs, .prompt = onCpu() || !m_run};
    if (onCpu()) return costs;
    costs.callNsPerNode = kGraphNodeShare * static_cast<double>(m_tape.launchCallNs);
    costs.mostNodesNs = kMostGraphNodesNs;
    if (m_tape.backToBackCount == 0) costs.nodePauseNs = kAssumedNodePauseNs;
    if (ownFusedKernels && m_capability >= 90) costs.nodePauseNs = -kOverlapKernels * m_tape.shortestKernelNs;
    return costs;
}

void Oracle::graphAssumptions(Prediction& prediction, const GraphCosts& costs) const {
    if (costs.nodePauseNs < 0)
        prediction.assumptions.push_back("Kernels overlap by " + formatDuration(-costs.nodePauseNs) +
                                         ", the shortest kernel here (programmatic dependent launch).");
    else
        prediction.assumptions.push_back(
            "The device pauses " + formatDuration(costs.nodePauseNs) + " between operations" +
            (m_tape.backToBackCount > 0 || onCpu() ? ", the median here where launches came in time."
                                                   : ", assumed: no launch here came in time to show it."));
    if (costs.callNsPerNode > 0)
        prediction.assumptions.push_back("An operation adds " + formatDuration(std::llround(costs.callNsPerNode)) +
                                         " to the launch call of the graph, all of them at most " +
                                         formatDuration(std::llround(costs.mostNodesNs)) +
                                         ", with every kernel recorded.");
}

void Oracle::fusedAssumptions(Prediction& prediction) const {
    prediction.assumptions.push_back(
        "Of each run of small operations its longest remains (median of its role), without " +
        formatDuration(m_tape.shortestKernelNs) + " that a kernel takes to start and end (the shortest here).");
}

void Oracle::addGraph(const std::string& mode) {
    ReplayTape tape = m_tape;
    const GraphCosts costs = graphCosts(mode == "fused");
    Prediction prediction{.name = "graph",
                          .title = graphTitle(),
                          .description = "All that the host launches between two waits goes to the device in one call.",
                          .confidence = m_run ? "high" : "medium",
                          .mode = mode == "fused" ? "graph" : ""};
    graphAssumptions(prediction, costs);
    makeGraphs(tape, m_trace, costs);
    finish(std::move(prediction), tape);
}

void Oracle::addFused() {
    ReplayTape tape = m_tape;
    Prediction prediction{.name = "fused",
                          .title = "Fused kernels",
                          .description = "Small operations become part of their neighbours, and their launches go.",
                          .confidence = "medium",
                          .mode = m_run ? "fused" : ""};
    fusedAssumptions(prediction);
    fuse(tape, m_trace, m_peaks);
    finish(std::move(prediction), tape);
}

void Oracle::addFusedGraph() {
    ReplayTape tape = m_tape;
    const GraphCosts costs = graphCosts(m_run != nullptr);
    Prediction prediction{.name = "fused+graph",
                          .title = onCpu() ? "Fused kernels, one launch a token" : "Fused kernels in a CUDA graph",
                          .description = "Both: fewer, longer kernels, and one launch for all of a token's.",
                          .confidence = "medium",
                          .mode = m_run ? "graph" : ""};
    fusedAssumptions(prediction);
    graphAssumptions(prediction, costs);
    fuse(tape, m_trace, m_peaks);
    makeGraphs(tape, m_trace, costs);
    finish(std::move(prediction), tape);
}

void Oracle::addWeights(const char* name, const char* title, double bits) {
    ReplayTape tape = m_tape;
    Prediction prediction{.name = name,
                          .title = title,
                          .description = "Matrix products read fewer bytes; the rest of their time stays.",
                          .confidence = "medium"};
    prediction.assumptions.push_back("A weight takes " + std::string(bits == kInt8Bits ? "8.5" : "4.5") +
                                     " bits: blocks of 32 with a 16-bit scale. Unpacking is free.");
    const int64_t shrunk = shrinkWeights(tape, m_trace, bits, m_peaks);
    const int64_t shrunkByStages = shrinkStagedWeights(tape, m_trace, bits, m_peaks);
    const bool lacksStages = m_run && m_run->mode == "persistent" && !tellsProducts();
    if (lacksStages || shrunk + shrunkByStages == 0) {
        prediction.unavailable = lacksStages
                                     ? "One kernel does all of a token, and this trace does not tell its stages: "
                                       "record every kernel (trace full), and the waits inside it tell."
                                 : m_run ? "No weights here are wider than that."
                                         : "The trace does not tell the shapes and bytes of matrix products.";
        m_result.predictions.push_back(std::move(prediction));
        return;
    }
    if (shrunkByStages > 0) {
        prediction.description = "Blocks of the kernel wait less for one another, as fewer bytes are on their way.";
        prediction.confidence = "low";
        prediction.assumptions.push_back(
            "Products in the layers find their weights read ahead. Of the wait for their inputs " +
            formatPercent(kTrafficShare) +
            " goes with all traffic of weights, as measured on an H100, and less of it in proportion.");
    }
    finish(std::move(prediction), tape);
}

void Oracle::addPerfect() {
    ReplayTape tape = m_tape;
    Prediction prediction{.name = "perfect",
                          .title = "Perfect bandwidth",
                          .description = "Each operation moves its bytes and does its arithmetic at the device's peak.",
                          .confidence = "bound"};
    if (m_peaks.bytesPerSecond <= 0)
        prediction.unavailable = "The device's peak bandwidth is not known.";
    else if (runAtPeak(tape, m_trace, m_peaks) == 0)
        prediction.unavailable = "The trace does not tell bytes and flops of its operations.";
    if (!prediction.unavailable.empty()) {
        m_result.predictions.push_back(std::move(prediction));
        return;
    }
    prediction.assumptions.push_back("Launches and pauses stay as recorded; operations of unknown size too.");
    finish(std::move(prediction), tape);
}

// On a GPU, whose memory holds them as the file does; precision bf16 turns them to 16 bit.
bool Oracle::multipliesPacked() const {
    if (m_run->precision != "file") return false;
    for (size_t i = 0; i < m_trace.ops().size(); ++i) {
        const std::string_view dtype = m_trace.string(m_trace.ops()[i].dtype);
        if (dtype.starts_with('Q') || dtype == "packed") return true;
    }
    return false;
}

// A pass of several tokens by one of one.
CheckCosts Oracle::passCosts() const {
    if (!m_run) return {};
    if (onCpu()) return {.few = kFewTokensCpu, .fewTokens = kFewTokens};
    const GpuPass pass = m_run->precision == "int8" ? kInt8Pass : multipliesPacked() ? kPackedPass : kBf16Pass;
    const double asGraph = m_run->mode == "persistent" ? kGraphByPersistent : 1;
    return {.few = pass.two * asGraph, .fewTokens = 2, .more = pass.more * asGraph};
}

std::string Oracle::passAssumption() const {
    if (!m_run)
        return "A token more in a step costs what it does in prompt processing here; without a prompt, its arithmetic.";
    const CheckCosts costs = passCosts();
    char text[256];
    if (onCpu())
        std::snprintf(text, sizeof text,
                      "A product of two to %d tokens takes %.2f times that of one, by measurement; each token more "
                      "what it does in prompt processing here, or, without a longer prompt, its arithmetic.",
                      costs.fewTokens, costs.few);
    else
        std::snprintf(text, sizeof text,
                      "A pass of two tokens takes %.2f times one of one, each token more %.0f %%, by measurement.",
                      costs.few, costs.more * 100);
    return text;
}

TokenTimes Oracle::stepsOf(int tokens, const CheckCosts& costs) const {
    ReplayTape tape = m_tape;
    takeTokens(tape, m_trace, tokens, costs, m_peaks);
    return tokenTimes(replay(tape));
}

// Each of these steps gives so many tokens.
void Oracle::finishSteps(Prediction prediction, const TokenTimes& steps, double tokensPerStep) {
    prediction.predictedNsPerToken = steps.mean() / tokensPerStep;
    prediction.predictedMedianNsPerToken = steps.median() / tokensPerStep;
    prediction.predictedNs =
        std::max<int64_t>(0, m_result.recordedNs - std::llround(m_recordedTokensNs - steps.sum / tokensPerStep));
    prediction.factor = m_result.recordedNsPerToken / prediction.predictedNsPerToken;
    m_result.predictions.push_back(std::move(prediction));
}

void Oracle::addSpeculative() {
    const double a = std::clamp(m_settings.acceptance, 0.0, 1.0);
    const int k = std::clamp(m_settings.draftTokens, 1, 64);
    Prediction prediction{.name = "speculative",
                          .title = "Speculative decoding",
                          .description = "A step checks " + std::to_string(k) + " drafted tokens at once.",
                          .confidence = "low"};
    prediction.unavailable =
        isBatch() ? "Speculative decoding is for one prompt alone, and this was a batch." : lackOfTokens();
    if (!prediction.unavailable.empty()) {
        m_result.predictions.push_back(std::move(prediction));
        return;
    }
    const double tokensPerStep = a >= 1 ? k + 1 : (1 - std::pow(a, k + 1)) / (1 - a);
    char text[256];
    std::snprintf(text, sizeof text,
                  "Each drafted token is accepted with probability %.2f: (1 - a^%d) / (1 - a) = %.2f tokens a step.", a,
                  k + 1, tokensPerStep);
    prediction.assumptions = {text, "Drafting is free (n-grams of the text so far).", passAssumption()};
    finishSteps(std::move(prediction), stepsOf(k + 1, passCosts()), tokensPerStep);
}

// Why no batch can be predicted; empty: it can.
std::string Oracle::lackOfBatch() const {
    if (isBatch()) return "This was a batch.";
    if (checksDrafts()) return "A batch runs without speculative decoding, and these steps checked drafts.";
    if (m_run && !onCpu() && m_run->mode == "eager") return "Mode eager takes one prompt at a time on a GPU.";
    return lackOfTokens();
}

TokenTimes Oracle::batchSteps(int sequences) const {
    CheckCosts costs = passCosts();
    costs.ownKeys = onCpu();
    return stepsOf(sequences, costs);
}

BatchForecast Oracle::forecast(int sequences, const TokenTimes& steps) const {
    return {.sequences = sequences,
            .nsPerStep = steps.mean(),
            .medianNsPerStep = steps.median(),
            .weightBytesPerToken = static_cast<double>(m_run->weightBytes) / sequences};
}

void Oracle::addBatch() {
    Prediction prediction{.name = "batch",
                          .title = "Batch of " + std::to_string(kUsualBatch) + " prompts",
                          .description = "A step takes the next token of each prompt, and reads the weights once.",
                          .unavailable = lackOfBatch()};
    if (!prediction.unavailable.empty()) {
        m_result.predictions.push_back(std::move(prediction));
        return;
    }
    prediction.confidence = "medium";
    prediction.assumptions.push_back(passAssumption());
    if (onCpu()) prediction.assumptions.emplace_back("Attention goes over the keys of one prompt after the other.");
    if (m_run->mode == "persistent")
        prediction.assumptions.emplace_back("The steps of a batch are graphs in mode persistent, too.");
    prediction.assumptions.emplace_back("All go on for as long as this one; processing each prompt comes on top.");
    TokenTimes usual;
    for (const int sequences : kBatchSizes) {
        TokenTimes steps = batchSteps(sequences);
        prediction.batches.push_back(forecast(sequences, steps));
        if (sequences == kUsualBatch) usual = std::move(steps);
    }
    finishSteps(std::move(prediction), usual, kUsualBatch);
}

}  // namespace

std::string batchSentence(const BatchForecast& batch) {
    std::string sentence = std::to_string(batch.sequences) +
                           " prompts at once: " + formatRate(batch.tokensPerSecond(), "tokens/s") + " in all, " +
                           formatRate(batch.tokensPerSecondEach(), "tokens/s") + " each";
    if (batch.weightBytesPerToken > 0)
        sentence += ", " + formatBytes(batch.weightBytesPerToken) + " of weights a token";
    return sentence + ".";
}

const Prediction* WhatIf::best() const {
    const Prediction* best = nullptr;
    for (const Prediction& prediction : predictions)
        if (!prediction.mode.empty() && prediction.unavailable.empty() && prediction.factor >= kWorthANote &&
            (!best || prediction.factor > best->factor))
            best = &prediction;
    return best;
}

const Prediction* WhatIf::find(std::string_view name) const {
    const auto found = std::ranges::find(predictions, name, &Prediction::name);
    return found == predictions.end() ? nullptr : &*found;
}

WhatIf whatIf(const Trace& trace, const LaunchJoin& join, TimeRange window, const WhatIfSettings& settings,
              std::stop_token stop) {
    ReplayTape tape = makeReplayTape(trace, join, window, stop);
    if (stop.stop_requested() || tape.ops.empty()) return {.recordedNs = std::max<int64_t>(0, window.durationNs())};
    return Oracle(trace, std::move(tape), settings).answer(stop);
}

double speculativeNsPerToken(const Trace& trace, const LaunchJoin& join, TimeRange window, const Drafts& drafts,
                             std::stop_token stop) {
    if (drafts.steps <= 0) return 0;
    const auto perCheck =
        drafts.checks > 0 ? static_cast<double>(drafts.drafted) / static_cast<double>(drafts.checks) : 0;
    const WhatIfSettings settings{.acceptance = 1, .draftTokens = std::max(1, static_cast<int>(std::lround(perCheck)))};
    const WhatIf checked = whatIf(trace, join, window, settings, stop);
    const Prediction* prediction = checked.find("speculative");
    if (!prediction || !prediction->unavailable.empty()) return 0;
    // With all accepted a step gives its drafts and one more.
    const double checkNs = prediction->predictedNsPerToken * (settings.draftTokens + 1);
    const double share = static_cast<double>(drafts.checks) / static_cast<double>(drafts.steps);
    const double stepNs = share * checkNs + (1 - share) * checked.recordedNsPerToken;
    return stepNs * static_cast<double>(drafts.steps) / static_cast<double>(drafts.steps + drafts.accepted);
}

BatchForecast batchForecast(const Trace& trace, const LaunchJoin& join, TimeRange window, int sequences,
                            std::stop_token stop) {
    ReplayTape tape = makeReplayTape(trace, join, window, stop);
    if (stop.stop_requested() || tape.ops.empty()) return {.sequences = sequences};
    return Oracle(trace, std::move(tape), {}).forecast(sequences);
}

WhatIf whatIf(const Trace& trace, TimeRange window, const WhatIfSettings& settings, std::stop_token stop) {
    return whatIf(trace, joinLaunches(trace, stop), window, settings, stop);
}

}  // namespace gapscope
