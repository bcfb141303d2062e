// Golden tests through the program itself: a session written by hand -> a command -> the text or JSON in expected/.
// `cli_golden_test --update-golden` rewrites expected/; look at the difference before you commit it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/export/session_writer.h"
#include "core/trace/trace_builder.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

bool g_updateGolden = false;

// Ten microseconds of a run with three tokens, one stream, every time on paper. Per token:
//   prompt:  launch 1100-1200, sync 1200-3600, kernel 1500-3500
//   token 1: launches 4100-4200-4300, sync 4300-6100, kernels 4300-4500-6000
//   token 2: copy call 7100-7200, launch 7200-7400, sync 7400-9700, copy 7400-7600, kernel 7600-9600
// In the window 1000-11000 that is: busy 2000 + 1700 + 2200 = 5900, idle 4100 in four gaps (500, 800, 1400, 1400),
// whose causes are waiting 300, outside 2900, launch calls 300, latency 600; API calls 7100, of them waiting 6500.
TracePtr threeTokens() {
    TraceBuilder b;
    constexpr uint64_t kThread = makeGlobalTid(41, 42);
    b.setThread(kThread, "main");
    b.setDevice({.id = 0,
                 .kind = DeviceKind::Cpu,
                 .name = "Test CPU",
                 .totalMemoryBytes = 1 << 30,
                 .peakBytesPerSecond = 1e10,
                 .peakFlopsPerSecond = 1e10});
    const TrackId track = b.internTrack({.globalPid = makeGlobalTid(41, 0), .contextId = 1, .streamId = 7});
    const OpId gemm = b.internOp({.name = b.intern("q_proj"),
                                  .shapes = b.intern("[1,640] x [1024,640]"),
                                  .dtype = b.intern("q5_0"),
                                  .layer = 0,
                                  .bytes = 16000,
                                  .flops = 4000});
    const OpId thinGemm = b.internOp({.name = b.intern("q_proj"),
                                      .shapes = b.intern("[1,640] x [1024,640]"),
                                      .dtype = b.intern("q5_0"),
                                      .layer = 0,
                                      .bytes = 12000,
                                      .flops = 3000});
    const OpId norm = b.internOp(
        {.name = b.intern("input_norm"), .shapes = b.intern("[1,640]"), .dtype = b.intern("f32"), .layer = 0});
    const auto call = [&](int64_t start, int64_t end, const char* name, uint32_t correlation) {
        b.add(ApiCallRow{.startNs = start,
                         .endNs = end,
                         .name = b.intern(name),
                         .globalTid = kThread,
                         .correlationId = correlation});
    };
    const auto kernel = [&](int64_t start, int64_t end, const char* name, uint32_t correlation, int32_t token,
                            Category category, OpId op) {
        b.add(DeviceOpRow{.startNs = start,
                          .endNs = end,
                          .name = b.intern(name),
                          .track = track,
                          .category = category,
                          .correlationId = correlation,
                          .op = op,
                          .token = token});
    };
    const auto range = [&](int64_t start, int64_t end, const char* name) {
        b.add(RangeRow{.startNs = start, .endNs = end, .name = b.intern(name), .globalTid = kThread});
    };
    const auto token = [&](int64_t ns, int32_t index, int32_t id, const char* text) {
        b.add(TokenRow{.emittedNs = ns, .index = index, .id = id, .text = b.intern(text)});
    };
    call(1100, 1200, "cpuLaunchKernel", 1);
    call(1200, 3600, "cpuStreamSynchronize", 2);
    kernel(1500, 3500, "matmul_q5_0", 1, -1, Category::Gemm, gemm);
    token(3700, 0, 108, "\n");
    call(4100, 4200, "cpuLaunchKernel", 3);
    call(4200, 4300, "cpuLaunchKernel", 4);
    call(4300, 6100, "cpuStreamSynchronize", 5);
    kernel(4300, 4500, "rms_norm", 3, 1, Category::Norm, norm);
    kernel(4500, 6000, "matmul_q5_0", 4, 1, Category::Gemm, thinGemm);
    token(6200, 1, 818, "The");
    call(7100, 7200, "cpuMemcpyAsync", 6);
    call(7200, 7400, "cpuLaunchKernel", 7);
    call(7400, 9700, "cpuStreamSynchronize", 8);
    b.add(DeviceOpRow{.startNs = 7400,
                      .endNs = 7600,
                      .name = b.intern("copy HtoD"),
                      .track = track,
                      .kind = DeviceOpKind::Copy,
                      .category = Category::Copy,
                      .correlationId = 6,
                      .token = 2,
                      .copyBytes = 2560});
    kernel(7600, 9600, "matmul_q5_0", 7, 2, Category::Gemm, gemm);
    token(9800, 2, 7217, " sky \xE2\x82\xAC \"blue\"");
    range(1000, 4000, "prefill");
    range(4000, 7000, "decode 1");
    range(7000, 11000, "decode 2");
    range(1000, 11000, "model_inference");
    b.diagnostics().add("lost_records", Severity::DataLoss, 2, "Two records did not fit.");
    b.setOrigin({.steadyNs = 5, .utcEpochNs = 1790857026000000000});
    b.setRun({.modelName = "Gemma 3 test",
              .device = "cpu",
              .deviceName = "Test CPU, 2 threads",
              .precision = "file",
              .mode = "eager",
              .traceLevel = "full",
              .prompt = "Why?",
              .promptTokens = {2, 11355, 236881},
              .maxNewTokens = 3,
              .reusedPromptTokens = 2,
              .stopReason = "length",
              .repeatTimes = {{2600, 2700, 6100, 3}}});
    return b.snapshot();
}

struct Ran {
    int exitCode = -1;
    std::string output;  // stdout and stderr together
};

Ran runCli(const std::string& arguments) {
    Ran ran;
    const std::string command = std::string("'") + GAPSCOPE_CLI + "' " + arguments + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return ran;
    std::array<char, 4096> buffer;
    for (size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
        ran.output.append(buffer.data(), got);
    const int status = ::pclose(pipe);
    ran.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ran;
}

// A small trace in the way PyTorch writes them; see the folder.
std::filesystem::path chromeTrace(const char* name) {
    return std::filesystem::path(GAPSCOPE_TRACES_FOLDER) / "chrome" / name;
}

std::string readFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class CliGolden : public testing::Test {
protected:
    CliGolden() { EXPECT_TRUE(saveSession(*threeTokens(), session())); }
    std::filesystem::path session() const { return m_folder / "three_tokens.gapscope"; }

    void expectGolden(const std::string& command, const std::string& options, const std::string& expectedName) {
        expectGoldenOf(session(), command, options, expectedName);
    }
    void expectGoldenOf(const std::filesystem::path& file, const std::string& command, const std::string& options,
                        const std::string& expectedName) {
        SCOPED_TRACE(expectedName);
        Ran ran = runCli(command + " '" + file.string() + "' " + options);
        EXPECT_EQ(ran.exitCode, 0) << ran.output;
        const std::string folder = m_folder.path().string();
        for (size_t at; (at = ran.output.find(folder)) != std::string::npos;)
            ran.output.replace(at, folder.size(), "FOLDER");
        const std::filesystem::path expected = std::filesystem::path(GAPSCOPE_GOLDEN_FOLDER) / expectedName;
        if (g_updateGolden) {
            std::ofstream(expected, std::ios::binary) << ran.output;
            return;
        }
        EXPECT_EQ(ran.output, readFile(expected));
    }

    TempFolder m_folder;
};

}  // namespace

TEST_F(CliGolden, Json) {
    for (const char* command : {"summary", "kernels", "gaps", "launches", "tokens", "layers", "roofline"})
        expectGolden(command, "--json", std::string(command) + ".json");
    expectGolden("summary", "--json --window 'decode 1'", "summary_decode_1.json");
    expectGolden("gaps", "--json --window 3500:4300", "gaps_one.json");
    expectGolden("gaps", "--json --hta --threshold 500", "gaps_hta.json");
    expectGolden("launches", "--json --by name --trace --series --runtime-outlier 150 --delay-outlier 50",
                 "launches_all.json");
}

TEST_F(CliGolden, Text) {
    for (const char* command : {"summary", "kernels", "gaps", "launches", "tokens", "layers", "roofline"})
        expectGolden(command, "", std::string(command) + ".txt");
    expectGolden("gaps", "--hta", "gaps_hta.txt");
    expectGolden("launches", "--by name", "launches_by_name.txt");
    expectGolden("launches", "--trace --top 2", "launches_trace.txt");
}

TEST_F(CliGolden, Csv) {
    for (const char* command : {"summary", "kernels", "gaps", "launches", "tokens", "layers", "roofline", "ranks"})
        expectGolden(command, "--csv", std::string(command) + ".csv");
    expectGolden("gaps", "--csv --hta --threshold 500", "gaps_hta.csv");
    expectGolden("gaps", "--csv --culprits", "gaps_culprits.csv");
    expectGolden("launches", "--csv --by name", "launches_by_name.csv");
    expectGolden("launches", "--csv --trace", "launches_trace.csv");
    const Ran both = runCli("kernels --csv --json '" + session().string() + "'");
    EXPECT_EQ(both.exitCode, 2) << both.output;
}

TEST_F(CliGolden, CompareTwoTokens) {
    const std::string windows = "--window-before token:1 --window-after token:2 ";
    expectGolden("compare", windows, "compare.txt");
    expectGolden("compare", windows + "--csv", "compare.csv");
    // The file's name stands in it.
    const Ran json = runCli("compare --json " + windows + "'" + session().string() + "'");
    EXPECT_EQ(json.exitCode, 0);
    for (const char* part :
         {"{\"sentence\":\"", "\"before\":{\"file\":", "\"name\":\"windowNs\",\"title\":\"window\",\"unit\":\"ns\",",
          "\"better\":\"less\",\"before\":2500,\"after\":3600,\"difference\":1100,\"changePercent\":44}",
          "\"presence\":\"gone\"", "\"regressions\":[]}"})
        EXPECT_NE(json.output.find(part), std::string::npos) << part << "\nin " << json.output;
}

TEST_F(CliGolden, CompareFailsPastTheRegression) {
    const std::string file = " '" + session().string() + "' ";
    const std::string slower = "compare --window-before token:1 --window-after token:2" + file;  // 44 % slower
    EXPECT_EQ(runCli("compare" + file + file + " --fail-above 0").exitCode, 0);
    EXPECT_EQ(runCli(slower).exitCode, 0);
    EXPECT_EQ(runCli(slower + " --fail-above 44").exitCode, 0);
    const Ran failed = runCli(slower + " --fail-above 43.9");
    EXPECT_EQ(failed.exitCode, 3);
    EXPECT_TRUE(failed.output.ends_with("tokens.medNs: 44.0 % worse, limit 43.9 %: regression\n")) << failed.output;
    const Ran json = runCli(slower + " --fail-above 43.9 --json");
    EXPECT_EQ(json.exitCode, 3);
    EXPECT_NE(json.output.find("gapscope-cli: tokens.medNs: 44.0 % worse, limit 43.9 %: regression\n"),
              std::string::npos);
    EXPECT_NE(json.output.find("\"regressions\":[{\"figure\":\"tokens.medNs\",\"percent\":44,\"limitPercent\":43.9,"
                               "\"exceeded\":true}]}\n"),
              std::string::npos)
        << json.output;
    EXPECT_EQ(runCli(slower + " --fail-above 0 --fail-on kernelCount").exitCode, 0);
    EXPECT_EQ(runCli(slower + " --fail-above 0 --fail-on kernelCount,windowNs").exitCode, 3);
    // Exchanged it is faster.
    EXPECT_EQ(runCli("compare --window-before token:2 --window-after token:1 --fail-above 0" + file).exitCode, 0);
    const std::pair<std::string, int> wrong[] = {
        {"compare" + file, 2},
        {slower + " --fail-on windowNs", 2},
        {slower + " --fail-above -1", 2},
        {slower + " --fail-above 1 --fail-on bogus", 2},
        {slower + " --fail-above 1 --fail-on tokens.count", 2},
        {slower + " --window-after token:9", 2},
        {"compare" + file + "/nowhere", 1},
        // A later run that lost what is asked about must not pass.
        {"compare" + file + "'" + chromeTrace("pytorch-2025.json").string() + "' --fail-above 5 --fail-on tokens.medNs",
         1},
    };
    for (const auto& [arguments, exitCode] : wrong) {
        const Ran ran = runCli(arguments);
        EXPECT_EQ(ran.exitCode, exitCode) << arguments << ": " << ran.output;
        EXPECT_EQ(std::ranges::count(ran.output, '\n'), 1) << ran.output;
    }
}

TEST_F(CliGolden, ReportIsOnePageAndReplacesNothingUnasked) {
    const std::string file = " '" + session().string() + "' ";
    const auto path = m_folder / "page.html";
    const std::string out = " -o '" + path.string() + "'";
    EXPECT_EQ(runCli("report" + file + out).exitCode, 0);
    const std::string page = readFile(path);
    EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
    EXPECT_NE(page.find("matmul_q5_0"), std::string::npos);
    EXPECT_EQ(runCli("report" + file + out).exitCode, 1);
    EXPECT_EQ(readFile(path), page);
    EXPECT_EQ(runCli("report" + file + file + out + " --force").exitCode, 0);
    EXPECT_NE(readFile(path).find("what changed"), std::string::npos);
    EXPECT_EQ(runCli("report --window-before token:1 --window-after token:2 --force" + file + out).exitCode, 0);
    EXPECT_NE(readFile(path).find("1.44 times as long"), std::string::npos);
    EXPECT_EQ(runCli("report --window nothing --force" + file + out).exitCode, 2);
    EXPECT_EQ(runCli("report /nowhere --force" + out).exitCode, 1);
    EXPECT_EQ(runCli("report" + file + "-o /nowhere/at/all.html").exitCode, 1);
}

TEST_F(CliGolden, FiguresWorkedOutByHand) {
    const std::string json = runCli("summary --json '" + session().string() + "'").output;
    for (const char* part :
         {"\"windowNs\":10000,", "\"selfGpuNs\":5900,", "\"selfCpuNs\":7100,", "\"gpuBusyNs\":5900,",
          "\"gpuIdleNs\":4100,", "\"cpuLaunchingNs\":600,", "\"hostNs\":2900,", "\"kernelCount\":4,",
          "\"copyCount\":1,", "\"launchCount\":5,", "\"gapCount\":4,",
          "\"gapCauseNs\":{\"hostWaiting\":300,\"hostApi\":0,\"hostOutside\":2900,\"profiler\":0,\"launchCall\":300,"
          "\"deviceLatency\":600,\"unknown\":0}",
          "\"twoWayNs\":{\"gemm\":5500,\"elementwise\":200,\"other\":200}", "\"bound\":\"memory-bound\"",
          "\"promptTokenCount\":3,\"newTokenCount\":3,\"timeToFirstTokenNs\":2700,\"prefillNs\":2600,\"decodeNs\":"
          "6100,",
          "\"tokensPerSecond\":327868.8524590164,", "\"trace\":\"full\""})
        EXPECT_NE(json.find(part), std::string::npos) << part << "\nin " << json;
}

TEST_F(CliGolden, OfAPyTorchTrace) {
    for (const char* command : {"summary", "kernels", "gaps", "launches"}) {
        const std::string name = std::string("pytorch_2025_") + command;
        expectGoldenOf(chromeTrace("pytorch-2025.json"), command, "--json", name + ".json");
        expectGoldenOf(chromeTrace("pytorch-2025.json"), command, "", name + ".txt");
    }
    expectGoldenOf(chromeTrace("chrome-tracing.json"), "summary", "", "chrome_tracing_summary.txt");
}

// In the window of model_inference, 1.000 to 21.000 us of the file, the device is busy
//   6.250-9.750 gemm, 10.000-11.250 copy, 11.500-12.500 gelu, 15.000-17.000 norm, 17.000-18.500 gemm, 18.750-19.000 set
// so 9500 ns, and idle in six gaps. By the calls that launched what ends them (3.000-5.000, 8.000-9.000, 10.500-11.000,
// 13.000-14.500, 15.000-15.500; the synchronizing one is 16.000-19.500):
//   1.000- 6.250  host outside 2000, launch call 2000, latency 1250
//   9.750-10.000, 11.250-11.500, 18.500-18.750  latency 250 each
//  12.500-15.000  host outside 500, launch call 1500, latency 500
//  19.000-21.000  host waiting 500, host outside 1500
TEST_F(CliGolden, FiguresOfAPyTorchTraceWorkedOutByHand) {
    const std::string json = runCli("summary --json '" + chromeTrace("pytorch-2025.json").string() + "'").output;
    for (const char* part :
         {"\"windowNs\":20000,", "\"windowStartNs\":0,", "\"selfGpuNs\":9500,", "\"selfCpuNs\":9000,",
          "\"gpuBusyNs\":9500,", "\"gpuIdleNs\":10500,", "\"cpuLaunchingNs\":5500,", "\"hostWaitNs\":3500,",
          "\"hostNs\":11000,", "\"kernelCount\":4,", "\"copyCount\":2,", "\"launchCount\":5,", "\"gapCount\":6,",
          "\"gapCauseNs\":{\"hostWaiting\":500,\"hostApi\":0,\"hostOutside\":4000,\"profiler\":0,\"launchCall\":3500,"
          "\"deviceLatency\":2500,\"unknown\":0}",
          "\"twoWayNs\":{\"gemm\":5000,\"elementwise\":3000,\"other\":1500}"})
        EXPECT_NE(json.find(part), std::string::npos) << part << "\nin " << json;
}

TEST_F(CliGolden, WrongUseIsTwoAndFailureIsOneWithOneSentence) {
    const std::string file = "'" + session().string() + "'";
    const std::pair<std::string, int> cases[] = {
        {"", 2},
        {"summary", 2},
        {"bogus", 2},
        {"summary " + file + " --bogus", 2},
        {"summary " + file + " --window nothing", 2},
        {"summary " + file + " --window 5:4", 2},
        {"summary " + file + " --window -9223372036854775808:9223372036854775807", 2},
        {"summary " + file + " --device 3", 2},
        {"summary " + file + " --device x", 2},
        {"tokenize --text a --text-file b", 2},
        {"run", 2},
        {"run --model /nowhere --prompt a --prompt b --batch 0", 2},
        {"run --model /nowhere --prompt a --prompt b --batch 17", 2},
        {"run --model /nowhere --prompt a --prompt ' '", 2},
        {"run --model /nowhere --prompt a --prompt b --speculative ngram", 2},
        {"run --model /nowhere --prompt a --prompts b", 2},
        {"run --model /nowhere --prompt a --speculative ngarm", 2},
        {"ladder /nowhere --out /nowhere/at/all --speculative ngarm", 2},
        {"run --model /nowhere --prompts /dev/null", 2},
        {"run --model /nowhere --prompts /nowhere/at/all.txt", 1},
        {"summary /nowhere/at/all.gapscope", 1},
        {"summary '" + m_folder.path().string() + "'", 1},
        {"tokenize --model /nowhere --text a", 1},
    };
    for (const auto& [arguments, exitCode] : cases) {
        const Ran ran = runCli(arguments);
        EXPECT_EQ(ran.exitCode, exitCode) << arguments << ": " << ran.output;
        EXPECT_TRUE(ran.output.starts_with("gapscope-cli: ")) << ran.output;
        EXPECT_EQ(std::ranges::count(ran.output, '\n'), 1) << ran.output;
    }
    EXPECT_NE(runCli("bogus").output.find("no command 'bogus'"), std::string::npos);
    for (const char* help : {"--help", "summary --help"})
        EXPECT_EQ(runCli(help).exitCode, 0);
}

TEST_F(CliGolden, ForceKeepsTheSessionOfARunThatCannotBegin) {
    const std::string before = readFile(session());
    const std::string out = " --prompt a --force --out '" + session().string() + "'";
    EXPECT_EQ(runCli("run --model /nowhere" + out).exitCode, 1);
    EXPECT_EQ(runCli("run --model '" + m_folder.path().string() + "' --max-new-tokens 0" + out).exitCode, 2);
    EXPECT_EQ(readFile(session()), before);
}

TEST_F(CliGolden, DeviceAndMachineReports) {
    const std::string file = "'" + session().string() + "'";
    EXPECT_EQ(runCli("summary --json --device 0 " + file).output, runCli("summary --json " + file).output);
    for (const char* command : {"doctor", "models"}) {
        EXPECT_EQ(runCli(command).exitCode, 0);
        const Ran json = runCli(std::string(command) + " --json");
        EXPECT_EQ(json.exitCode, 0);
        EXPECT_TRUE(json.output.starts_with("{\"") && json.output.ends_with("}\n")) << json.output;
    }
}

TEST_F(CliGolden, DoctorNamesTheSettingForGpuLibraries) {
    const std::string config = m_folder.path().string();
    const std::string named = config + "/my libraries";
    std::filesystem::create_directories(config + "/gapscope");
    std::filesystem::create_directories(named);
    std::ofstream(config + "/gapscope/cuda-library-folders") << named << "\n";
    const char* const former = std::getenv("XDG_CONFIG_HOME");
    const std::string kept = former ? former : "";
    setenv("XDG_CONFIG_HOME", config.c_str(), 1);
    const Ran text = runCli("doctor");
    const Ran json = runCli("doctor --json");
    if (former)
        setenv("XDG_CONFIG_HOME", kept.c_str(), 1);
    else
        unsetenv("XDG_CONFIG_HOME");
    EXPECT_NE(text.output.find("one a line, in " + config + "/gapscope/cuda-library-folders\n  " + named),
              std::string::npos)
        << text.output;
    EXPECT_NE(json.output.find("\"libraryFolders\":[\"" + named + "\""), std::string::npos) << json.output;
    EXPECT_NE(json.output.find("\"setFolders\":[\"" + named + "\"]"), std::string::npos) << json.output;
    EXPECT_NE(json.output.find("\"name\":\"NVML\""), std::string::npos) << json.output;
}

TEST_F(CliGolden, KernelsThatNoRuleKnows) {
    const auto trace = m_folder / "foreign.json";
    const auto kernel = [](const std::string& name, int startUs, int us) {
        return "{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"" + name +
               "\",\"pid\":0,\"tid\":7,\"ts\":" + std::to_string(startUs) + ",\"dur\":" + std::to_string(us) +
               ",\"args\":{\"device\":0,\"stream\":7}}";
    };
    const char* odd = "void ns::odd<float>(int)";
    std::ofstream(trace) << "{\"traceEvents\":[" << kernel(odd, 1, 3) << ',' << kernel("sgemm", 5, 1) << ','
                         << kernel(odd, 7, 4) << "]}";
    const std::string file = " '" + trace.string() + "'";
    const auto rules = m_folder / "rules.txt";
    const std::string withRules = file + " --rules '" + rules.string() + "'";
    const std::string unknown =
        "{\"unknown\":[{\"name\":\"" + std::string(odd) + "\",\"count\":2,\"totalNs\":7000,\"share\":0.875}]}\n";
    EXPECT_EQ(runCli("kernels --unknown --json" + file).output, unknown);
    EXPECT_EQ(runCli("kernels --unknown" + file).output,
              " share    total  count  name\n87.5 %  7.00 µs      2  void ns::odd<float>(int)\n");
    EXPECT_EQ(runCli("kernels --unknown" + withRules).exitCode, 1);  // there is no such file
    std::ofstream(rules) << "norm nothing\nodd odd\nrope ODD float\n";
    const Ran wrongLine = runCli("kernels --unknown" + withRules);
    EXPECT_EQ(wrongLine.exitCode, 0);
    EXPECT_TRUE(wrongLine.output.starts_with("gapscope-cli: " + rules.string() + ", line 2: 'odd' is no category; "))
        << wrongLine.output;
    EXPECT_TRUE(wrongLine.output.ends_with("The rules know all kernel names in the window.\n")) << wrongLine.output;
    std::ofstream(rules) << "rope odd\n";
    EXPECT_NE(runCli("summary --json" + withRules).output.find("\"rope\":7000"), std::string::npos);
    // The person's own file is tried without being named, and a session keeps no category of a rule that is gone.
    std::filesystem::create_directories(m_folder / "config/gapscope");
    std::filesystem::rename(rules, m_folder / "config/gapscope/kernel-rules.txt");
    const std::string own = std::getenv("XDG_CONFIG_HOME");
    setenv("XDG_CONFIG_HOME", (m_folder / "config").c_str(), 1);
    const std::string saved = " '" + (m_folder / "foreign.gapscope").string() + "'";
    EXPECT_EQ(runCli("convert" + file + saved).exitCode, 0);
    EXPECT_NE(runCli("kernels --json" + saved).output.find("\"category\":\"rope\""), std::string::npos);
    EXPECT_EQ(runCli("kernels --json --unknown" + file).output, "{\"unknown\":[]}\n");
    setenv("XDG_CONFIG_HOME", own.c_str(), 1);
    EXPECT_EQ(runCli("kernels --json --unknown" + saved).output, unknown);
    EXPECT_EQ(runCli("kernels --json --unknown '" + session().string() + "'").output, "{\"unknown\":[]}\n");
}

TEST_F(CliGolden, ConvertGoesByTheNameAndTellsWhatItWrote) {
    const std::string file = "'" + session().string() + "' ";
    const auto out = [&](const char* name) { return "'" + (m_folder / name).string() + "'"; };
    EXPECT_EQ(runCli("convert --json " + file + out("t.pftrace")).exitCode, 0);
    const std::string json = runCli("convert --json " + file + out("t.json")).output;
    for (const char* part :
         {"{\"format\":\"chrome\",\"path\":", "\"written\":{\"kernels\":4,\"copies\":1,\"sets\":0,",
          "\"stages\":0,\"apiCalls\":8,\"ranges\":4,\"overheads\":0,\"tokens\":3,\"counterSamples\":0,\"notes\":0,\"flows\":5}",
          "\"notRepresented\":[]}"})
        EXPECT_NE(json.find(part), std::string::npos) << part << "\nin " << json;
    EXPECT_EQ(runCli("convert " + file + out("t.json.gz")).exitCode, 0);
    EXPECT_TRUE(readFile(m_folder / "t.json.gz").starts_with("\x1F\x8B"));
    EXPECT_EQ(runCli("convert " + file + out("anything") + " --format csv").exitCode, 0);
    for (const char* table : {"kernels", "stages", "api_calls", "ranges", "overheads", "tokens", "counters", "notes", "gaps"})
        EXPECT_TRUE(std::filesystem::exists(m_folder / "anything" / (std::string(table) + ".csv"))) << table;
    EXPECT_EQ(readFile(m_folder / "anything" / "gaps.csv").substr(0, 155),
              "device,startNs,endNs,durationNs,hostWaitingNs,hostApiNs,hostOutsideNs,profilerNs,launchCallNs,"
              "deviceLatencyNs,unknownNs,nextName,hostName,hostCall\r\n0,3500,");
    const Ran one = runCli("convert " + file + out("tokens.csv") + " --table tokens");
    EXPECT_EQ(one.exitCode, 0);
    EXPECT_NE(one.output.find("not represented: 8 otherTables."), std::string::npos) << one.output;
    // All of them answer as the session does.
    const std::string summary = runCli("summary --json --window model_inference " + file).output;
    EXPECT_EQ(runCli("summary --json --window model_inference " + out("t.pftrace")).output, summary);
    EXPECT_EQ(runCli("convert " + file + out("again.gapscope")).exitCode, 0);
    EXPECT_EQ(runCli("summary --json --window model_inference " + out("again.gapscope")).output, summary);
}

TEST_F(CliGolden, ConvertReadsTheStandardInput) {
    const std::string out = "'" + (m_folder / "t.pftrace").string() + "'";
    EXPECT_EQ(runCli("convert - " + out + " < '" + session().string() + "'").exitCode, 0);
    EXPECT_EQ(runCli("summary --json " + out).output, runCli("summary --json '" + session().string() + "'").output);
    const Ran empty = runCli("convert - " + out + " --force < /dev/null");
    EXPECT_EQ(empty.exitCode, 1);
    EXPECT_EQ(empty.output, "gapscope-cli: The standard input is empty.\n");
}

TEST_F(CliGolden, ConvertReplacesNothingUnasked) {
    const std::string file = "'" + session().string() + "' ";
    const auto path = m_folder / "t.json";
    std::ofstream(path) << "precious";
    const Ran refused = runCli("convert " + file + "'" + path.string() + "'");
    EXPECT_EQ(refused.exitCode, 1);
    EXPECT_EQ(refused.output, "gapscope-cli: " + path.string() + " exists already; --force replaces it.\n");
    EXPECT_EQ(runCli("convert /nowhere/at.all '" + path.string() + "' --force").exitCode, 1);
    EXPECT_EQ(readFile(path), "precious");
    EXPECT_EQ(runCli("convert " + file + "'" + path.string() + "' --force").exitCode, 0);
    EXPECT_TRUE(readFile(path).starts_with("{\"schemaVersion\":1,"));
    const std::pair<std::string, int> cases[] = {
        {"convert " + file, 2},
        {"convert " + file + "'" + (m_folder / "name.txt").string() + "'", 2},
        {"convert " + file + "x.csv --table bogus", 2},
        {"convert " + file + "x --format bogus", 2},
        {"convert " + file + "/nowhere/at/all/x.json", 1},
        {"convert " + file + "/dev/null/x.gapscope", 1},
    };
    for (const auto& [arguments, exitCode] : cases) {
        const Ran ran = runCli(arguments);
        EXPECT_EQ(ran.exitCode, exitCode) << arguments << ": " << ran.output;
        EXPECT_EQ(std::ranges::count(ran.output, '\n'), 1) << ran.output;
    }
}

}  // namespace gapscope

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    // The rules of whoever runs the tests are not what they are about.
    setenv("XDG_CONFIG_HOME", "/nowhere/at/all", 1);
    for (int i = 1; i < argc; ++i)
        gapscope::g_updateGolden |= std::string(argv[i]) == "--update-golden";
    return RUN_ALL_TESTS();
}
