// A Chrome trace from untrusted bytes, plain or packed: read at one go and in small pieces, which must tell the same.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/export/chrome_json.h"
#include "core/import/chrome_trace.h"
#include "tests/core/testing/packed.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/test_files.h"

namespace {

// What the rows add up to. Names and places are told by their length and number, which changes little else.
uint64_t digestOf(const gapscope::Trace& trace) {
    uint64_t digest = 0;
    const auto add = [&](uint64_t value) { digest = digest * 1099511628211u + value; };
    const auto addTimes = [&](const auto& rows) {
        add(rows.startNs.size());
        for (size_t row = 0; row < rows.startNs.size(); ++row) {
            add(static_cast<uint64_t>(rows.startNs[row]));
            add(static_cast<uint64_t>(rows.endNs[row]));
            add(trace.string(rows.name[row]).size());
        }
    };
    addTimes(trace.deviceOps());
    addTimes(trace.apiCalls());
    addTimes(trace.ranges());
    addTimes(trace.overheads());
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row) {
        const gapscope::TrackRow& track = trace.tracks()[trace.deviceOps().track[row].value];
        add(track.globalPid + track.deviceId + track.streamId);
        add(static_cast<uint64_t>(trace.deviceOps().category[row]) +
            static_cast<uint64_t>(trace.deviceOps().token[row]));
        if (trace.deviceOps().op[row].valid())
            add(trace.string(trace.ops()[trace.deviceOps().op[row].value].shapes).size());
        if (trace.deviceOps().config[row].valid())
            add(static_cast<uint64_t>(trace.launchConfigs()[trace.deviceOps().config[row].value].grid[0]));
    }
    for (size_t row = 0; row < trace.ranges().startNs.size(); ++row)
        add(trace.ranges().globalTid[row]);
    for (size_t row = 0; row < trace.counterSamples().timeNs.size(); ++row)
        add(static_cast<uint64_t>(trace.counterSamples().timeNs[row]) + trace.counterSamples().counter[row].value);
    for (size_t row = 0; row < trace.tokens().emittedNs.size(); ++row)
        add(static_cast<uint64_t>(trace.tokens().emittedNs[row]) + trace.string(trace.tokens().text[row]).size());
    for (const gapscope::DeviceRow& device : trace.devices())
        add(device.id + device.name.size());
    if (trace.run()) add(trace.run()->promptTokens.size() + trace.run()->prompt.size());
    for (const gapscope::ThreadRow& thread : trace.threads())
        add(trace.string(thread.name).size());
    for (const gapscope::Diagnostic& entry : trace.diagnostics().entries()) {
        add(static_cast<uint64_t>(entry.count));
        for (const char c : entry.text)
            add(static_cast<unsigned char>(c));
    }
    return digest;
}

uint64_t digestOf(std::string_view bytes, const gapscope::ChunkOptions& options) {
    gapscope::ByteSource source = gapscope::ByteSource::over(bytes, "input");
    const auto trace = gapscope::readChromeTrace(source, options);
    return trace ? digestOf(**trace) : trace.error().message.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // No threads: they would cost more than the reading. What they do is tested elsewhere.
    const uint64_t whole = digestOf(bytes, {.chunkBytes = size_t{1} << 16, .workers = 0});
    if (digestOf(bytes, {.chunkBytes = 200, .workers = 0}) != whole) {
        std::fputs("In pieces the trace reads differently.\n", stderr);
        std::abort();
    }
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    std::vector<FuzzSeed> seeds;
    for (const char* const name :
         {"pytorch-2021", "pytorch-2022-summer", "pytorch-2022-autumn", "pytorch-2024-spring", "pytorch-2025",
          "pytorch-rocm", "counters", "two-processes", "chrome-tracing", "jax-xla", "viztracer"})
        seeds.push_back({readText(repositoryFile("tests/traces/chrome/" + std::string(name) + ".json"))});
    const TempFolder folder;
    const RandomTraceShape few{
        .deviceOps = 8, .calls = 6, .ranges = 5, .overheads = 2, .tokens = 2, .manyPlaces = true};
    if (!exportChromeJson(*RandomTrace(1, few).build().snapshot(), folder / "own.json")) std::abort();
    seeds.push_back({readText(folder / "own.json")});
    seeds.push_back({gzipped(seeds[3].bytes)});
    seeds.push_back({zstdPacked(seeds[4].bytes)});
    seeds.push_back({gzipped(seeds[7].bytes.substr(0, 900)) + gzipped(seeds[7].bytes.substr(900))});
    return seeds;
}
