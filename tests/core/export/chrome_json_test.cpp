#include "core/export/chrome_json.h"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "core/export/output_file.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

std::string readFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// One launch of two kernels (a graph), one copy without a call, a driver call, a range of each kind, from 1 ns before
// time 0 on.
TraceBuilder smallTrace() {
    TraceBuilder builder;
    const uint64_t thread = makeGlobalTid(4321, 4322);
    const TrackId track = builder.internTrack({makeGlobalTid(4321, 0), 1, 2, 7});
    builder.add(ApiCallRow{-1, 1500, builder.intern("cudaGraphLaunch"), thread, 77, ApiClass::Runtime});
    builder.add(ApiCallRow{1600, 1700, builder.intern("cuLaunchKernel"), thread, 78, ApiClass::Driver});
    const LaunchConfigId config = builder.internLaunchConfig({.fullName = builder.intern("void gemv<int>(char)"),
                                                              .grid = {3, 2, 1},
                                                              .block = {128, 1, 1},
                                                              .registersPerThread = 40,
                                                              .staticSharedBytes = 16,
                                                              .dynamicSharedBytes = 32});
    for (const int64_t startNs : {2000, 3001}) {
        builder.add(DeviceOpRow{.startNs = startNs,
                                .endNs = startNs + 999,
                                .name = builder.intern("gemv"),
                                .track = track,
                                .correlationId = 77,
                                .config = config,
                                .graphNodeId = 5});
    }
    builder.add(DeviceOpRow{.startNs = 5000,
                            .endNs = 5001,
                            .name = builder.intern("[CUDA memcpy Host-to-Device]"),
                            .track = track,
                            .kind = DeviceOpKind::Copy,
                            .correlationId = 99,
                            .copyBytes = 4096});
    builder.add(RangeRow{0, 9000, builder.intern("a \"quoted\"\n name"), thread, RangeKind::User});
    builder.add(RangeRow{1, 2, builder.intern("aten::mm"), thread, RangeKind::CpuOp});
    builder.add(OverheadRow{3, 4, builder.intern("flush"), makeGlobalTid(4321, 0)});
    builder.setThread(thread, "main");
    builder.setDevice({.id = 1, .kind = DeviceKind::Cuda, .name = "H200", .totalMemoryBytes = 141});
    builder.setOrigin({.steadyNs = 1000, .utcEpochNs = 1790857026000000000});
    return builder;
}

}  // namespace

TEST(ChromeJson, WritesPytorchsDialect) {
    const TempFolder folder;
    const auto report = exportChromeJson(*smallTrace().snapshot(), folder / "t.json");
    ASSERT_TRUE(report) << report.error().message;
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.load((folder / "t.json").string());
    EXPECT_EQ(int64_t(root["schemaVersion"]), 1);
    EXPECT_EQ(std::string_view(root["displayTimeUnit"]), "ms");
    EXPECT_EQ(int64_t(root["baseTimeNanoseconds"]), 1790857025999999999);
    EXPECT_EQ(std::string_view(root["deviceProperties"].at(0)["name"]), "H200");
    std::map<std::string, int> categories;
    for (const simdjson::dom::element event : root["traceEvents"].get_array()) {
        std::string_view category;
        if (!event["cat"].get(category)) ++categories[std::string(event["ph"]) + " " + std::string(category)];
    }
    const std::map<std::string, int> expected = {
        {"X kernel", 2}, {"X gpu_memcpy", 1}, {"X cuda_runtime", 1}, {"X cuda_driver", 1}, {"X user_annotation", 1},
        {"X cpu_op", 1}, {"X overhead", 1},   {"s ac2g", 1},         {"f ac2g", 2}};
    EXPECT_EQ(categories, expected);
    // Times are exact decimal text, counted from the earliest moment.
    const std::string text = readFile(folder / "t.json");
    for (const char* part :
         {R"x({"ph":"X","cat":"kernel","name":"gemv","pid":1,"tid":7,"ts":2.001,"dur":0.999,"args":{"device":1,)x"
          R"x("context":2,"stream":7,"correlation":77,"graph node id":5,"registers per thread":40,"shared memory":48,)x"
          R"x("static shared memory":16,"grid":[3,2,1],"block":[128,1,1],"full name":"void gemv<int>(char)",)x"
          R"x("category":"other"}})x",
          R"x("cat":"cuda_runtime","name":"cudaGraphLaunch","pid":4321,"tid":4322,"ts":0.000,"dur":1.501,"args":{)x"
          R"x("correlation":77}})x",
          R"x({"ph":"s","cat":"ac2g","name":"ac2g","pid":4321,"tid":4322,"ts":0.000,"id":77})x",
          R"x({"ph":"f","cat":"ac2g","name":"ac2g","pid":1,"tid":7,"ts":3.002,"id":77,"bp":"e"})x",
          R"x("cat":"gpu_memcpy","name":"Memcpy HtoD","pid":1,"tid":7,"ts":5.001,"dur":0.001)x", R"x("bytes":4096)x",
          R"x("name":"a \"quoted\"\n name")x",
          R"x({"name":"thread_name","ph":"M","ts":0.000,"pid":4321,"tid":4322,"args":{"name":"main"}})x"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin " << text;
    EXPECT_EQ(report->bytes, static_cast<int64_t>(text.size()));
    ASSERT_EQ(report->notRepresented.size(), 1u);
    EXPECT_EQ(report->notRepresented[0].name, "launchesOutsideTrace");
}

TEST(ChromeJson, StreamsOfTwoProcessesHaveRowsOfTheirOwn) {
    TraceBuilder builder;
    for (const uint32_t process : {10u, 20u}) {
        const TrackId track = builder.internTrack({makeGlobalTid(process, 0), 0, 1, 7});
        builder.add(DeviceOpRow{.startNs = 0, .endNs = 1, .name = builder.intern("k"), .track = track});
    }
    builder.internTrack({makeGlobalTid(10, 0), 10, 1, 7});  // a device with a process's number
    const TempFolder folder;
    ASSERT_TRUE(exportChromeJson(*builder.snapshot(), folder / "t.json"));
    const std::string text = readFile(folder / "t.json");
    EXPECT_NE(text.find(R"("pid":0,"tid":7,"ts":0.000,"dur")"), std::string::npos);
    EXPECT_NE(text.find(R"("pid":0,"tid":8,"ts":0.000,"dur")"), std::string::npos);
    EXPECT_NE(text.find(R"("pid":16777226,"tid":7)"), std::string::npos);
}

TEST(ChromeJson, AFailedExportKeepsWhatWasThere) {
    const TempFolder folder;
    const auto path = folder / "t.json.gz";
    const TracePtr trace = RandomTrace(1).build().snapshot();
    ASSERT_TRUE(exportChromeJson(*trace, path));
    const std::string before = readFile(path);
    EXPECT_TRUE(before.starts_with("\x1F\x8B"));
    std::stop_source stop;
    stop.request_stop();
    const auto cancelled = exportChromeJson(*trace, path, Identity::LeftOut, stop.get_token());
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().kind, ErrorKind::Cancelled);
    EXPECT_EQ(readFile(path), before);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
    const auto nowhere = exportChromeJson(*trace, folder / "no" / "t.json");
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().message.find("cannot be written: No such file or directory."), std::string::npos);
    EXPECT_FALSE(exportChromeJson(*trace, folder.path()));
}

TEST(ChromeJson, AFileThatCannotGrowIsAnError) {
    const TempFolder folder;
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 4096;
    const auto oldHandler = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto report = exportChromeJson(*RandomTrace(1).build().snapshot(), folder / "t.json");
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, oldHandler);
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().message.find("t.json cannot be written: File too large."), std::string::npos)
        << report.error().message;
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ChromeJson, WhatLiesInTheWayIsNotWrittenThrough) {
    const TempFolder folder;
    const auto path = folder / "t.json";
    std::ofstream(folder / "precious") << "kept";
    std::filesystem::create_symlink(folder / "precious", partPathOf(path));
    ASSERT_TRUE(exportChromeJson(*smallTrace().snapshot(), path));
    EXPECT_EQ(readFile(folder / "precious"), "kept");
}

}  // namespace gapscope
