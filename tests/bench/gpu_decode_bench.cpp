// Decode and prefill speed on the GPU, untraced: tokens a second of each mode, beside the time that reading the weights
// once a token takes at the measured memory rate; of the prompt, beside its matmuls at cuBLASLt's rate, too. Prints one
// JSON object a mode. With one new token it is the prompt alone that is measured.
// gpu_decode_bench [OPTION...] MODEL [TOKENS] [REPEATS] [MODE...]
//   --precision NAME, --prompt TOKENS
//   --head bounds|full|both: full reads the whole head where only tokens are chosen, too; both tells whether the tokens
//   are the same. The floor is that of the weights as laid out, read or not.
//   --prompts N: as many different ones
//   --draft-tokens K: new tokens are forced to repeat, so that n-grams foresee them all, and a step checks K drafts
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "core/runner/cuda_libraries.h"
#include "core/runner/cuda_peaks.h"
#include "core/runner/generate.h"
#include "core/runner/plan.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace {

using namespace gapscope;

constexpr const char* kUsage =
    "gpu_decode_bench [--precision NAME] [--prompt TOKENS] [--head bounds|full|both] [--prompts N] [--draft-tokens K]\n"
    "    MODEL [TOKENS] [REPEATS] [MODE...]\n";

struct Settings {
    Precision precision = Precision::File;
    int64_t promptTokens = 20;
    int64_t newTokens = 128;
    int64_t repeats = 7;
    int64_t prompts = 1;
    int64_t draftTokens = 0;
    bool readsWholeHead = false, boundsHead = true;  // which are measured
    std::vector<Mode> modes;
};

// What the device does a second at most, measured here and now.
struct Peaks {
    double bytesPerSecond = 0;
    double flopsPerSecond = 0;  // 0: cuBLASLt is not here
};

// Least, median and most.
struct Spread {
    explicit Spread(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        least = values.front();
        median = values[values.size() / 2];
        most = values.back();
    }
    double least = 0, median = 0, most = 0;
};

// Of the prompt's matmuls, the last token's head included.
double promptFlops(const Model& model, Precision precision, int64_t tokens) {
    PlanRequest request;
    request.flavor = PlanFlavor::Cuda;
    request.precision = precision;
    request.tokens = tokens;
    int64_t flops = 0;
    for (const PlanOp& op : makePlan(model, request).ops)
        if (op.category == Category::Gemm) flops += op.cost(0).flops;
    return static_cast<double>(flops);
}

void printPrefill(const Model& model, const Settings& settings, const Peaks& peaks, std::vector<double> milliseconds,
                  double weightFloorMs) {
    const Spread spread(std::move(milliseconds));
    const double flops = promptFlops(model, settings.precision, settings.promptTokens);
    // Products of int8 have another rate, which is not measured here.
    const bool known = peaks.flopsPerSecond > 0 && settings.precision != Precision::Int8;
    const double matmulFloorMs = known ? flops / peaks.flopsPerSecond * 1e3 : 0;
    std::printf(
        "\"promptTokens\":%lld,\"prefillMs\":%.4f,\"prefillMsMin\":%.4f,\"prefillMsMax\":%.4f,"
        "\"prefillTokensPerSecond\":%.0f,\"prefillFlops\":%.4g,\"flopsPerSecond\":%.4g,"
        "\"prefillMatmulFloorMs\":%.4f,\"prefillWeightFloorMs\":%.4f,\"prefillShareOfFloor\":%.3f,",
        static_cast<long long>(settings.promptTokens), spread.median, spread.least, spread.most,
        static_cast<double>(settings.promptTokens) * 1e3 / spread.median, flops, peaks.flopsPerSecond, matmulFloorMs,
        weightFloorMs, std::max(matmulFloorMs, weightFloorMs) / spread.median);
}

struct Variant {
    Mode mode;
    bool boundsHead;
    int64_t prompt;  // number
};

// `chosen`: the tokens of another variant with the same prompt, if there was one; now this one's.
int run(const Model& model, const Settings& asked, const Variant& variant, const Peaks& peaks, double pastNs,
        std::vector<int32_t>& chosen) {
    GenerateSettings settings;
    settings.precision = asked.precision;
    settings.device = "cuda";
    settings.mode = variant.mode;
    for (int64_t i = 0; i < asked.promptTokens; ++i)
        settings.promptIds.push_back(
            static_cast<int32_t>((i * (7919 + 101 * variant.prompt) + 11) % model.config().vocabulary));
    settings.maxNewTokens = asked.newTokens;
    if (asked.draftTokens > 0) {
        constexpr int32_t kPeriod = 7;
        settings.speculation = {Speculation::Ngram, asked.draftTokens};
        for (size_t i = 0; i < settings.promptIds.size(); ++i)
            settings.promptIds[i] = static_cast<int32_t>(10 + i % kPeriod);
        for (int64_t i = 0; i < asked.newTokens; ++i)
            settings.forceIds.push_back(static_cast<int32_t>(10 + (asked.promptTokens + i) % kPeriod));
    }
    settings.ignoreEos = true;
    settings.boundsHead = variant.boundsHead;
    settings.warmup = asked.prompts > 1 ? 0 : 2;  // many prompts are run for their tokens
    settings.repeats = asked.repeats;
    ActivityLog log(TraceLevel::Off);
    PreparedInfo prepared;
    GenerateEvents events;
    events.onPrepared = [&](const PreparedInfo& info) { prepared = info; };
    const auto result = generate(model, settings, log, events);
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        return 1;
    }
    std::vector<double> rates, firsts, prefills;
    for (const RepeatResult& repeat : result->repeats) {
        rates.push_back(repeat.tokensPerSecond());
        firsts.push_back(static_cast<double>(repeat.timeToFirstTokenNs) * 1e-6);
        prefills.push_back(static_cast<double>(repeat.prefillNs) * 1e-6);
    }
    const std::vector<int32_t> before = std::exchange(chosen, result->repeats.back().tokens);
    bool same = before.empty() || before == chosen;
    for (const RepeatResult& repeat : result->repeats)
        same = same && repeat.tokens == chosen;
    const int64_t laidOutBytes = result->weightBytes + result->unreadBytes;
    const double floorMs = static_cast<double>(laidOutBytes) / peaks.bytesPerSecond * 1e3;
    std::printf(
        "{\"model\":\"%s\",\"device\":\"%s\",\"precision\":\"%s\",\"mode\":\"%s\",\"newTokens\":%lld,\"repeats\":%zu,",
        model.config().name.c_str(), prepared.deviceName.c_str(), std::string(precisionName(asked.precision)).c_str(),
        std::string(modeName(variant.mode)).c_str(), static_cast<long long>(asked.newTokens), rates.size());
    printPrefill(model, asked, peaks, std::move(prefills), floorMs);
    if (asked.newTokens > 1) {
        const Spread rate(std::move(rates));
        std::printf(
            "\"tokensPerSecond\":%.1f,\"tokensPerSecondMin\":%.1f,\"tokensPerSecondMax\":%.1f,\"msPerToken\":%.4f,"
            "\"floorMsPerToken\":%.4f,\"shareOfFloor\":%.3f,",
            rate.median, rate.least, rate.most, 1e3 / rate.median, floorMs, floorMs * 1e-3 * rate.median);
    }
    std::printf(
        "\"head\":\"%s\",\"headRowsInFullAToken\":%.1f,\"sameTokens\":%s,\"bytesReadAToken\":%lld,"
        "\"timeToFirstTokenMs\":%.3f,\"weightBytes\":%lld,\"readBytesPerSecond\":%.4g,\"processSeconds\":%.1f}\n",
        result->unreadBytes > 0 ? "bounds" : "full",
        static_cast<double>(result->headRowsInFull) /
            static_cast<double>((asked.repeats + settings.warmup) * std::max<int64_t>(asked.newTokens - 1, 1)),
        same ? "true" : "false", static_cast<long long>(result->weightBytes), Spread(std::move(firsts)).median,
        static_cast<long long>(laidOutBytes), peaks.bytesPerSecond, pastNs * 1e-9);
    std::fflush(stdout);
    return same ? 0 : 1;
}

// 0: cuBLASLt or its memory could not be had.
double matmulRate() {
    auto cublas = CublasLt::open();
    cudaStream_t stream = nullptr;
    if (!cublas || cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess) return 0;
    const double rate = measureArithmeticRate(**cublas, stream);
    cudaStreamDestroy(stream);
    return rate;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace gapscope;
    std::vector<std::string> arguments(argv + 1, argv + argc);
    Settings settings;
    while (arguments.size() > 1 && arguments[0].starts_with("--")) {
        if (arguments[0] == "--precision") {
            const auto named = precisionFromName(arguments[1]);
            if (!named) {
                std::fprintf(stderr, "There is no precision %s.\n", arguments[1].c_str());
                return 2;
            }
            settings.precision = *named;
        } else if (arguments[0] == "--prompt" && std::atoll(arguments[1].c_str()) > 0) {
            settings.promptTokens = std::atoll(arguments[1].c_str());
        } else if (arguments[0] == "--draft-tokens" && std::atoll(arguments[1].c_str()) > 0) {
            settings.draftTokens = std::atoll(arguments[1].c_str());
        } else if (arguments[0] == "--prompts" && std::atoll(arguments[1].c_str()) > 0) {
            settings.prompts = std::atoll(arguments[1].c_str());
        } else if (arguments[0] == "--head" &&
                   (arguments[1] == "bounds" || arguments[1] == "full" || arguments[1] == "both")) {
            settings.readsWholeHead = arguments[1] != "bounds";
            settings.boundsHead = arguments[1] != "full";
        } else {
            std::fputs(kUsage, stderr);
            return 2;
        }
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    if (arguments.empty()) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    if (arguments.size() > 1) settings.newTokens = std::atoll(arguments[1].c_str());
    if (arguments.size() > 2) settings.repeats = std::atoll(arguments[2].c_str());
    for (size_t i = 3; i < arguments.size(); ++i) {
        const auto mode = modeFromName(arguments[i]);
        if (!mode) {
            std::fprintf(stderr, "There is no mode %s.\n", arguments[i].c_str());
            return 2;
        }
        settings.modes.push_back(*mode);
    }
    if (settings.modes.empty()) settings.modes = {Mode::Graph, Mode::Fused, Mode::Eager};
    const int64_t startNs = nowNs();
    const auto measured = cuda::measureReadBandwidth(0);
    if (!measured.error.empty()) {
        std::fprintf(stderr, "No GPU can be used: %s\n", measured.error.c_str());
        return 1;
    }
    const Peaks peaks{measured.bytesPerSecond, matmulRate()};
    const auto model = Model::load(arguments[0]);
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().message.c_str());
        return 1;
    }
    int failed = 0;
    for (const Mode mode : settings.modes)
        for (int64_t prompt = 0; prompt < settings.prompts; ++prompt) {
            std::vector<int32_t> chosen;
            for (const bool bounds : {false, true})
                if (bounds ? settings.boundsHead : settings.readsWholeHead)
                    failed |= run(**model, settings, {mode, bounds, prompt}, peaks,
                                  static_cast<double>(nowNs() - startNs), chosen);
        }
    return failed;
}
