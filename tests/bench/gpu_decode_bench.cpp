// Decode speed on the GPU, untraced: tokens a second of each mode, beside the time that reading the weights once a
// token takes at the measured memory rate. Prints one JSON object a mode.
// gpu_decode_bench [--precision NAME] MODEL [TOKENS] [REPEATS] [MODE...]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/runner/generate.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace {

using namespace gapscope;

int run(const Model& model, const char* name, Precision precision, Mode mode, int64_t tokens, int64_t repeats,
        double bytesPerSecond, double pastNs) {
    GenerateSettings settings;
    settings.precision = precision;
    settings.device = "cuda";
    settings.mode = mode;
    for (int32_t i = 0; i < 20; ++i)
        settings.promptIds.push_back(static_cast<int32_t>((i * 7919 + 11) % model.config().vocabulary));
    settings.maxNewTokens = tokens;
    settings.ignoreEos = true;
    settings.warmup = 2;
    settings.repeats = repeats;
    ActivityLog log(TraceLevel::Off);
    PreparedInfo prepared;
    GenerateEvents events;
    events.onPrepared = [&](const PreparedInfo& info) { prepared = info; };
    const auto result = generate(model, settings, log, events);
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        return 1;
    }
    std::vector<double> rates;
    std::vector<double> firsts;
    for (const RepeatResult& repeat : result->repeats) {
        rates.push_back(repeat.tokensPerSecond());
        firsts.push_back(static_cast<double>(repeat.timeToFirstTokenNs) * 1e-6);
    }
    std::sort(rates.begin(), rates.end());
    std::sort(firsts.begin(), firsts.end());
    const double rate = rates[rates.size() / 2];
    const double floorNs = static_cast<double>(result->weightBytes) / bytesPerSecond * 1e9;
    std::printf(
        "{\"model\":\"%s\",\"device\":\"%s\",\"precision\":\"%s\",\"mode\":\"%s\",\"newTokens\":%lld,\"repeats\":%zu,"
        "\"tokensPerSecond\":%.1f,\"tokensPerSecondMin\":%.1f,\"tokensPerSecondMax\":%.1f,"
        "\"msPerToken\":%.4f,\"timeToFirstTokenMs\":%.3f,\"weightBytes\":%lld,\"readBytesPerSecond\":%.4g,"
        "\"floorMsPerToken\":%.4f,\"shareOfFloor\":%.3f,\"processSeconds\":%.1f}\n",
        name, prepared.deviceName.c_str(), std::string(precisionName(precision)).c_str(),
        std::string(modeName(mode)).c_str(), static_cast<long long>(tokens), rates.size(), rate, rates.front(),
        rates.back(), 1e3 / rate, firsts[firsts.size() / 2], static_cast<long long>(result->weightBytes),
        bytesPerSecond, floorNs * 1e-6, floorNs * 1e-9 * rate, pastNs * 1e-9);
    std::fflush(stdout);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    gapscope::Precision precision = gapscope::Precision::File;
    if (arguments.size() > 1 && arguments[0] == "--precision") {
        const auto named = gapscope::precisionFromName(arguments[1]);
        if (!named) {
            std::fprintf(stderr, "There is no precision %s.\n", arguments[1].c_str());
            return 2;
        }
        precision = *named;
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    if (arguments.empty()) {
        std::fprintf(stderr, "gpu_decode_bench [--precision NAME] MODEL [TOKENS] [REPEATS] [MODE...]\n");
        return 2;
    }
    const int64_t tokens = arguments.size() > 1 ? std::atoll(arguments[1].c_str()) : 128;
    const int64_t repeats = arguments.size() > 2 ? std::atoll(arguments[2].c_str()) : 7;
    std::vector<gapscope::Mode> modes;
    for (size_t i = 3; i < arguments.size(); ++i) {
        const auto mode = gapscope::modeFromName(arguments[i]);
        if (!mode) {
            std::fprintf(stderr, "There is no mode %s.\n", arguments[i].c_str());
            return 2;
        }
        modes.push_back(*mode);
    }
    if (modes.empty()) modes = {gapscope::Mode::Graph, gapscope::Mode::Fused, gapscope::Mode::Eager};
    const int64_t startNs = gapscope::nowNs();
    const auto measured = gapscope::cuda::measureReadBandwidth(0);
    if (!measured.error.empty()) {
        std::fprintf(stderr, "No GPU can be used: %s\n", measured.error.c_str());
        return 1;
    }
    const auto model = gapscope::Model::load(arguments[0]);
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().message.c_str());
        return 1;
    }
    int failed = 0;
    for (const gapscope::Mode mode : modes)
        failed |= run(**model, (*model)->config().name.c_str(), precision, mode, tokens, repeats,
                      measured.bytesPerSecond, static_cast<double>(gapscope::nowNs() - startNs));
    return failed;
}
