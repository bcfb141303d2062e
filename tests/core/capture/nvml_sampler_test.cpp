// Sampling a made-up card: what comes into the trace, what a card does not tell, and that nothing is left running.
#include "core/capture/nvml_sampler.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <map>

#include "core/base/activity.h"

namespace gapscope {
namespace {

namespace fs = std::filesystem;

// The table of functions has no room for a context, so the card is a global of the test.
struct FakeCard {
    std::atomic<int> started{0};
    std::atomic<int> rounds{0};
    std::atomic<int> lostAfter{1 << 30};
    std::string askedFor;
    int32_t powerResult = nvml::kSuccess;
    int32_t initResult = nvml::kSuccess;
    int32_t handleResult = nvml::kSuccess;
};
FakeCard* card = nullptr;
constexpr int32_t kNotSupported = 3;

bool lost() {
    return card->rounds > card->lostAfter;
}

NvmlLibrary fakeLibrary() {
    NvmlLibrary library;
    library.path = "/fake/libnvidia-ml.so.1";
    NvmlApi& api = library.api;
    api.init = [] {
        ++card->started;
        return card->initResult;
    };
    api.shutdown = [] {
        --card->started;
        return nvml::kSuccess;
    };
    api.errorString = [](int32_t result) { return result == kNotSupported ? "Not Supported" : "some error"; };
    api.deviceByPciBusId = [](const char* pciBusId, void** device) {
        card->askedFor = pciBusId;
        *device = card;
        return card->handleResult;
    };
    api.memoryInfo = [](void* device, nvml::Memory* memory) {
        EXPECT_EQ(device, card);
        ++card->rounds;  // asked first in each round
        memory->usedBytes = 2'000'000'000u + static_cast<uint64_t>(card->rounds);
        return lost() ? nvml::kGpuIsLost : nvml::kSuccess;
    };
    api.clockMegahertz = [](void*, int32_t clock, uint32_t* megahertz) {
        *megahertz = clock == nvml::kClockSm ? 1980 : 0;
        return lost() ? nvml::kGpuIsLost : nvml::kSuccess;
    };
    api.powerMilliwatts = [](void*, uint32_t* milliwatts) {
        *milliwatts = 312'500;
        return lost() ? nvml::kGpuIsLost : card->powerResult;
    };
    api.temperatureCelsius = [](void*, int32_t sensor, uint32_t* celsius) {
        *celsius = sensor == nvml::kTemperatureGpu ? 41 : 0;
        return lost() ? nvml::kGpuIsLost : nvml::kSuccess;
    };
    api.clockEventReasons = [](void*, uint64_t* reasons) {
        *reasons = 0x24;
        return lost() ? nvml::kGpuIsLost : nvml::kSuccess;
    };
    return library;
}

struct NvmlSamplerTest : testing::Test {
    FakeCard fake;
    TraceBuilder builder;
    TraceOrigin origin{.steadyNs = nowNs()};
    NvmlSettings settings{.pciBusId = "0000:3b:00.0", .deviceId = 1, .period = std::chrono::milliseconds(1)};
    void SetUp() override { card = &fake; }

    TracePtr sampled(NvmlLibrary library, int rounds) {
        NvmlSampler sampler(std::move(library), settings);
        while (fake.rounds < rounds)
            std::this_thread::yield();
        sampler.take(builder, origin);  // some now, the rest after the stop
        sampler.stop();
        sampler.take(builder, origin);
        return builder.snapshot();
    }
    static std::map<std::string, int> countsByName(const Trace& trace) {
        std::map<std::string, int> counts;
        for (size_t row = 0; row < trace.counterSamples().timeNs.size(); ++row)
            ++counts[std::string(trace.string(trace.counters()[trace.counterSamples().counter[row].value].name))];
        return counts;
    }
};

TEST_F(NvmlSamplerTest, EverySampleComesIntoTheTraceInSiUnits) {
    const TracePtr trace = sampled(fakeLibrary(), 5);
    const int64_t endNs = nowNs() - origin.steadyNs;
    EXPECT_EQ(fake.askedFor, "0000:3b:00.0");
    EXPECT_EQ(fake.started, 0) << "each start of NVML wants its end";
    ASSERT_EQ(trace->counters().size(), 5u);
    std::map<std::string, double> latest;
    std::vector<int64_t> previousNs(5, 0);
    const CounterSamples& samples = trace->counterSamples();
    ASSERT_EQ(samples.timeNs.size(), static_cast<size_t>(fake.rounds) * 5);
    for (size_t row = 0; row < samples.timeNs.size(); ++row) {
        const CounterRow& counter = trace->counters()[samples.counter[row].value];
        EXPECT_EQ(counter.deviceId, 1u);
        latest[std::string(trace->string(counter.name))] = samples.value[row];
        EXPECT_GE(samples.timeNs[row], previousNs[samples.counter[row].value]);
        EXPECT_LE(samples.timeNs[row], endNs);
        previousNs[samples.counter[row].value] = samples.timeNs[row];
    }
    EXPECT_EQ(latest["memory used"], 2'000'000'000.0 + fake.rounds);
    EXPECT_EQ(latest["SM clock"], 1.98e9);
    EXPECT_EQ(latest["power"], 312.5);
    EXPECT_EQ(latest["temperature"], 41);
    EXPECT_EQ(latest["clock limits"], 0x24);
    EXPECT_EQ(trace->counters()[0].unit, CounterUnit::Bytes);
    EXPECT_TRUE(trace->diagnostics().entries().empty());
}

TEST_F(NvmlSamplerTest, WhatTheCardDoesNotTellIsLeftOutAndCountedOnce) {
    fake.powerResult = kNotSupported;
    NvmlLibrary library = fakeLibrary();
    library.api.temperatureCelsius = nullptr;  // an old driver
    const TracePtr trace = sampled(std::move(library), 5);
    const std::map<std::string, int> counts = countsByName(*trace);
    EXPECT_EQ(counts.size(), 3u);
    EXPECT_FALSE(counts.contains("power"));
    ASSERT_EQ(trace->diagnostics().entries().size(), 1u);
    const Diagnostic& entry = trace->diagnostics().entries()[0];
    EXPECT_EQ(entry.name, "nvml_not_told");
    EXPECT_EQ(entry.severity, Severity::Info);
    EXPECT_EQ(entry.count, 1);
    EXPECT_NE(entry.text.find("power (Not Supported (3)), temperature (not in this driver)"), std::string::npos)
        << entry.text;
}

TEST_F(NvmlSamplerTest, ACardThatGetsLostKeepsWhatItToldBefore) {
    fake.lostAfter = 3;
    NvmlSampler sampler(fakeLibrary(), settings);
    while (builder.diagnostics().countOf("nvml_stopped_telling") == 0) {
        sampler.take(builder, origin);
        std::this_thread::yield();
    }
    sampler.stop();
    sampler.take(builder, origin);
    for (const auto& [name, count] : countsByName(*builder.snapshot()))
        EXPECT_EQ(count, 3) << name;
    EXPECT_EQ(fake.started, 0);
}

TEST_F(NvmlSamplerTest, WithoutNvmlOrTheCardOneSentenceSaysSo) {
    const fs::path empty = fs::path(testing::TempDir()) / "nvml_none";
    fs::create_directories(empty);
    const std::array<fs::path, 1> folders = {empty};
    const NvmlLibrary none = NvmlLibrary::openIn(folders);
    EXPECT_FALSE(none);
    ASSERT_EQ(none.attempts.size(), 1u);
    EXPECT_EQ(none.attempts[0].outcome, "not there");
    NvmlSampler missing(none, settings);
    missing.take(builder, origin);
    EXPECT_EQ(builder.diagnostics().countOf("nvml_missing"), 1);
    EXPECT_NE(builder.diagnostics().entries()[0].text.find("libnvidia-ml.so.1"), std::string::npos);

    fake.handleResult = nvml::kNotFound;
    TraceBuilder unknown;
    {
        NvmlSampler sampler(fakeLibrary(), settings);
        while (unknown.diagnostics().entries().empty()) {
            sampler.take(unknown, origin);
            std::this_thread::yield();
        }
    }
    EXPECT_EQ(unknown.diagnostics().countOf("nvml_missing"), 1);
    EXPECT_NE(unknown.diagnostics().entries()[0].text.find("0000:3b:00.0"), std::string::npos);
    EXPECT_EQ(fake.started, 0);

    fake.initResult = 9;
    TraceBuilder notStarted;
    NvmlSampler refused(fakeLibrary(), settings);
    while (notStarted.diagnostics().entries().empty()) {
        refused.take(notStarted, origin);
        std::this_thread::yield();
    }
    EXPECT_NE(notStarted.diagnostics().entries()[0].text.find("did not start"), std::string::npos);
}

TEST_F(NvmlSamplerTest, AFileThatIsNotNvmlIsRefusedByName) {
    const fs::path folder = fs::path(testing::TempDir()) / "nvml_wrong";
    fs::remove_all(folder);
    fs::create_directories(folder);
    constexpr std::array<std::string_view, 1> names = {"libm.so.6"};
    fs::copy_file(CudaLibrary::open(names).path(), folder / "libnvidia-ml.so.1");
    const std::array<fs::path, 1> folders = {folder};
    const NvmlLibrary library = NvmlLibrary::openIn(folders);
    EXPECT_FALSE(library);
    EXPECT_NE(library.problem.find("nvmlInit_v2"), std::string::npos) << library.problem;
}

}  // namespace
}  // namespace gapscope
