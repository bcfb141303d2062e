// Chrome traces in the dialects that PyTorch wrote since 2021 and that other programs write (tests/traces/chrome).
#include "core/import/chrome_trace.h"

#include <gtest/gtest.h>

#include "core/import/chrome_rows.h"
#include "tests/core/import/describe_trace.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

using Lines = std::vector<std::string>;

TracePtr sample(const std::string& name) {
    const auto trace = readChromeTrace(test::repositoryFile("tests/traces/chrome/" + name));
    EXPECT_TRUE(trace) << trace.error().message;
    return trace ? *trace : TraceBuilder().snapshot();
}

TracePtr read(const std::string& text) {
    ByteSource source = ByteSource::over(text, "memory");
    const auto trace = readChromeTrace(source);
    EXPECT_TRUE(trace) << trace.error().message << " of " << text;
    return trace ? *trace : TraceBuilder().snapshot();
}

std::string events(const std::string& list) {
    return "{\"traceEvents\":[" + list + "]}";
}

int64_t countOf(const TracePtr& trace, const char* name) {
    return trace->diagnostics().countOf(name);
}

}  // namespace

TEST(ChromeTrace, PyTorch2021) {
    const TracePtr trace = sample("pytorch-2021.json");
    EXPECT_EQ(describeRows(*trace),
              (Lines{"kernel 30000-70000 volta_scudnn_128x64_relu_interior_nn_v1 gemm device 0 context 1 stream 7 "
                     "process 700 #41 grid 64,2,1 block 128,1,1 registers 128 shared 12544 occupancy 25",
                     "copy 115000-120000 Memcpy DtoH (Device -> Pageable) copy device 0 context 1 stream 7 process 700 "
                     "#42 131072 B",
                     "set 125000-126000 Memset (Device) set device 0 context 1 stream 7 process 700 #43 1024 B",
                     "runtime 10000-22000 cudaLaunchKernel on 700/700 #41",
                     "runtime 100000-110000 cudaMemcpyAsync on 700/700 #42", "op 0-60000 aten::conv2d on 700/700"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(700, 700)), "thread 700 (python)");
    EXPECT_EQ(trace->devices()[0].name, "Tesla V100-SXM2-32GB");
    EXPECT_EQ(trace->devices()[0].totalMemoryBytes, 34079637504);
    EXPECT_EQ(trace->devices().size(), 1u) << "devices without operations are not shown";
    EXPECT_EQ(trace->origin().utcEpochNs, 1623142623460100000);
    EXPECT_EQ(describeDiagnostics(*trace),
              (Lines{"flow_event 2", "profiler_span 1", "instant_event 2", "memory_event 1"}));
}

TEST(ChromeTrace, PyTorch2022) {
    for (const char* name : {"pytorch-2022-summer.json", "pytorch-2022-autumn.json"}) {
        SCOPED_TRACE(name);
        const TracePtr trace = sample(name);
        Lines rows = describeRows(*trace);
        std::erase_if(rows, [](const std::string& row) { return row.starts_with("counter"); });
        EXPECT_EQ(rows,
                  (Lines{"kernel 35000-42000 void "
                         "cutlass::Kernel<cutlass_80_tensorop_s1688gemm_64x64_16x6_nn_align4>(cutlass_80_tensorop_"
                         "s1688gemm_64x64_16x6_nn_align4::Params) gemm device 3 context 1 stream 7 process 3113 #9 "
                         "grid 64,1,1 block 128,1,1 registers 90 shared 49152 occupancy 4",
                         "runtime 20000-28000 cudaLaunchKernel on 3113/3126 #9",
                         "runtime 50000-90000 cudaDeviceSynchronize on 3113/3113 #10",
                         "user 0-100000 ProfilerStep#7 on 3113/3113", "op 10000-60000 aten::addmm on 3113/3126"}));
        EXPECT_EQ(trace->devices()[0].id, 3u);
        EXPECT_EQ(trace->threadName(makeGlobalTid(3113, 3126)), "thread 3126 (pt_autograd_0)");
        EXPECT_EQ(countOf(trace, "flow_event"), 3);
    }
}

TEST(ChromeTrace, CountersOfDevices) {
    const TracePtr trace = sample("counters.json");
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-100000 step on 9/9", "wait 20000-30000 Event Sync on 1/1000007",
                                           "counter 10000 memory allocated by PyTorch = 512 bytes of device 1",
                                           "counter 10000 memory reserved by PyTorch = 2097152 bytes of device 1",
                                           "counter 12000 smsp__cycles_active.avg = 77 number of device 0",
                                           "counter 15000 memory allocated by PyTorch = 0 bytes of device 1",
                                           "counter 15000 memory reserved by PyTorch = 2097152 bytes of device 1"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(1, 1000007)), "process 1: stream 7 (sync)");
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"gpu_wait_without_call 1", "memory_event 2", "counter_event 1"}));
}

TEST(ChromeTrace, PyTorch2024WithAbsoluteTimesThatADoubleCannotHold) {
    const TracePtr trace = sample("pytorch-2024-spring.json");
    EXPECT_EQ(
        describeRows(*trace),
        (Lines{"kernel 60457-65385 void at::native::vectorized_elementwise_kernel<4, "
               "at::native::BinaryFunctor<float, float, float, at::native::binary_internal::DivFunctor<float> > "
               ">(int) elementwise device 0 context 1 stream 7 process 1102 #135071 grid 4,106,1 block 128,1,1 "
               "registers 30 shared 0 occupancy 33",
               "runtime 10123-51891 cudaLaunchKernel on 1102/1262 #135071", "op 0-63813 aten::div on 1102/1262"}));
    EXPECT_EQ(trace->origin().utcEpochNs, 1712195495519690000);
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"flow_event 1", "gpu_annotation 1"}));
}

TEST(ChromeTrace, PyTorch2025) {
    const TracePtr trace = sample("pytorch-2025.json");
    const std::string gemm = " nvjet_sm90_tst_64x8_64x16_1x1_h_bz_TNT gemm device 0 context 1 stream 7 process 500 #";
    const std::string gemmConfig = " grid 132,1,1 block 384,1,1 registers 168 shared 163840 occupancy 18";
    EXPECT_EQ(
        describeRows(*trace),
        (Lines{"kernel 5250-8750" + gemm + "11" + gemmConfig,
               "copy 9000-10250 Memcpy HtoD (Pageable -> Device) copy device 0 context 1 stream 7 process 500 #12 "
               "4096 B",
               "kernel 10500-11500 triton_poi_fused_gelu_mul_6 elementwise device 0 context 1 stream 7 process 500 #13 "
               "grid 8,1,1 block 128,1,1 registers 32 shared 0 occupancy 50",
               "kernel 14000-16000 triton_red_fused_add_mean_mul_pow_rsqrt_7 norm device 0 context 1 stream 7 process "
               "500 #14 node 12884901888 grid 8,1,1 block 128,1,1 registers 32 shared 0 occupancy 50",
               "kernel 16000-17500" + gemm + "14 node 12884901889" + gemmConfig,
               "set 17750-18000 Memset (Device) set device 0 context 1 stream 7 process 500 #15 512 B",
               "runtime 2000-4000 cudaLaunchKernel on 500/500 #11", "runtime 7000-8000 cudaMemcpyAsync on 500/500 #12",
               "driver 9500-10000 cuLaunchKernel on 500/500 #13", "runtime 12000-13500 cudaGraphLaunch on 500/500 #14",
               "runtime 14000-14500 cudaMemsetAsync on 500/500 #15",
               "runtime 15000-18500 cudaStreamSynchronize on 500/500 #16", "user 0-20000 model_inference on 500/500",
               "python 0-18000 model.py(10): forward \"caf\xC3\xA9\" on 500/500", "op 500-6500 aten::linear on 500/500",
               "op 1000-5500 aten::mm on 500/500", "wait 15000-18400 Stream Sync on 500/500",
               "overhead 8000-8900 Activity Buffer Request on 500/0"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(500, 500)), "thread 500 (python3)");
    EXPECT_EQ(trace->origin().utcEpochNs, 1790857026000000000 + 4597554206001000);
    EXPECT_EQ(describeDiagnostics(*trace),
              (Lines{"flow_event 9", "gpu_annotation 1", "profiler_span 1", "instant_event 2"}));
}

TEST(ChromeTrace, PyTorchOnRocm) {
    EXPECT_EQ(describeRows(*sample("pytorch-rocm.json")),
              (Lines{"kernel 19000-30000 Cijk_Ailk_Bljk_HHS_BH_MT64x64x16_gemm gemm device 2 context 0 stream 0 "
                     "process 77 #12 grid 64,1,1 block 256,1,1 registers 0 shared 0",
                     "runtime 0-9000 hipExtModuleLaunchKernel on 77/78 #12"}));
}

TEST(ChromeTrace, ProcessesThatShareCorrelationIds) {
    const TracePtr trace = sample("two-processes.json");
    EXPECT_EQ(
        describeRows(*trace),
        (Lines{"kernel 3000-7000 sgemm gemm device 0 context 1 stream 7 process 100 #5 grid 0,0,0 block 0,0,0 "
               "registers 0 shared 0",
               "kernel 43000-47000 sgemm gemm device 1 context 1 stream 7 process 200 #5 grid 0,0,0 block 0,0,0 "
               "registers 0 shared 0",
               "copy 48000-49000 Memcpy PtoP (Device -> Device) copy device 1 context 2 stream 9 process 200 #6 "
               "64 B",
               "runtime 0-2000 cudaLaunchKernel on 100/100 #5", "runtime 40000-42000 cudaLaunchKernel on 200/200 #5",
               "runtime 44000-46000 cudaLaunchKernel on 200/200 #6"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(100, 100)), "rank 0 100: thread 100");
    EXPECT_EQ(trace->threadName(makeGlobalTid(200, 200)), "rank 1 200: main");
    EXPECT_EQ(trace->devices()[1].name, "NVIDIA B");
}

TEST(ChromeTrace, ChromeTracing) {
    const TracePtr trace = sample("chrome-tracing.json");
    // "io thread" is no number: it takes the last that 24 bits hold.
    EXPECT_EQ(describeRows(*trace),
              (Lines{"user 0-400500 Task on 10/20", "user 50000-90000 Request on 11/16777215",
                     "user 60000-100000 Request on 11/16777215", "user 70000-70000 Redirect on 11/16777215",
                     "user 100000-300000 Layout on 10/20", "user 150000-175000 Style on 10/20",
                     "user 200000-200250 Read on 11/16777215", "user 210000-210000 Paint mark on 10/20",
                     "user 250000-254000 sched_switch on 11/3", "user 380000-400500 Never ends on 10/20",
                     "user 390000-400500 Without duration on 10/20"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(10, 20)), "Renderer 10: CrRendererMain");
    EXPECT_EQ(trace->threadName(makeGlobalTid(11, 0xFFFFFF)), "Browser 11: io thread");
    EXPECT_EQ(trace->origin().utcEpochNs, 0);
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"range_without_end 2", "range_without_begin 1", "instant_event 1",
                                                  "counter_event 1", "other_event 1"}));
}

TEST(ChromeTrace, OtherPrograms) {
    EXPECT_EQ(describeRows(*sample("jax-xla.json")),
              (Lines{"user 0-120576 PjitFunction(step) on 701/4242", "user 65683-75183 gemm_fusion_dot_3 on 1/2",
                     "user 77933-87933 copy on 1/2"}));
    EXPECT_EQ(describeDiagnostics(*sample("jax-xla.json")), Lines{});
    EXPECT_EQ(describeRows(*sample("viztracer.json")), (Lines{"user 0-30500 fib (/home/user/fib.py:3) on 31/31",
                                                              "user 1100-13850 fib (/home/user/fib.py:3) on 31/31"}));
}

TEST(ChromeTrace, KeysInAnyOrderAndValuesOfTheWrongKind) {
    const TracePtr trace = read(events(
        R"({"args":{"grid":[2,[3],4.5,9],"block":7,"stream":"7","correlation":5,"device":0,"bytes":{}},"dur":1,"ts":"2.5",)"
        R"("tid":7,"pid":0,"name":"k","cat":"kernel","ph":"X"},{"ph":"X","ts":1,"dur":2,"name":{"a":1},"pid":[1],"tid":null,)"
        R"("cat":7},{"ph":12,"ts":0},{"ph":"X","ts":{},"dur":1},{"ph":"X","ts":1,"dur":-1},{"ph":"X","ts":1e40,"dur":1},)"
        R"({"name":"no phase","ts":1},{})"));
    EXPECT_EQ(
        describeRows(*trace),
        (Lines{"kernel 1500-2500 k other device 0 context 0 stream 7 process 0 #5 grid 2,0,4 block 0,0,0 registers "
               "0 shared 0",
               "user 0-2000  on 16777215/16777215"}));
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"row_without_time 3", "not_an_event 1", "other_event 1"}));
}

TEST(ChromeTrace, CountersWithoutValues) {
    const TracePtr trace =
        read(events(R"({"ph":"i","name":"[memory]","ts":1},{"ph":"C","pid":"GPU 0 Counters","name":"c","ts":1},)"
                    R"({"ph":"C","pid":"GPU 0 Counters","name":"c","ts":1,"args":7},)"
                    R"({"ph":"C","pid":"GPU 0 Counters","name":"c","ts":1,"args":{"a":"x","b":[1],"c":1e999}},)"
                    R"({"ph":"C","pid":"GPU -1 Counters","name":"c","ts":1,"args":{"a":1}})"));
    EXPECT_EQ(describeRows(*trace), Lines{});
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"memory_event 1", "counter_event 1"}));
}

TEST(ChromeTrace, DeviceOperationsWithoutDurationAreLeftOut) {
    const TracePtr trace =
        read(events(R"({"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":1,"args":{"stream":7}},)"
                    R"({"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":1,"dur":1,"args":{"stream":7}})"));
    EXPECT_EQ(trace->deviceOps().startNs.size(), 1u);
    EXPECT_EQ(countOf(trace, "device_operation_without_end"), 1);
}

TEST(ChromeTrace, ATimeFarFromAllOthersIsNoTime) {
    std::string list = R"({"ph":"X","name":"zero","ts":0,"dur":1,"pid":1,"tid":1},)"
                       R"({"ph":"X","name":"far","ts":9e14,"dur":9e14,"pid":1,"tid":1})";
    for (int i = 0; i < 10; ++i)
        list += R"(,{"ph":"X","name":"good","dur":1,"pid":1,"tid":1,"ts":170000000000000)" + std::to_string(i) + "}";
    const TracePtr trace = read(events(list));
    EXPECT_EQ(trace->ranges().startNs.size(), 10u);
    EXPECT_EQ(trace->extent(), (TimeRange{0, 10'000}));
    EXPECT_EQ(countOf(trace, "row_without_time"), 2);
}

TEST(ChromeTrace, NumbersThatDoNotFitAndTextsShareNoNumber) {
    const TracePtr trace = read(events(
        R"({"ph":"X","name":"a","ts":0,"dur":1,"pid":1,"tid":139934567890},{"ph":"X","name":"b","ts":0,"dur":1,"pid":1,)"
        R"("tid":16777215},{"ph":"X","name":"c","ts":0,"dur":1,"pid":1,"tid":"main"},{"ph":"X","name":"d","ts":0,"dur":1,)"
        R"("pid":1,"tid":-5},{"ph":"X","name":"e","ts":0,"dur":1,"pid":1,"tid":"16777215"})"));
    EXPECT_EQ(describeRows(*trace),
              (Lines{"user 0-1000 a on 1/16777214", "user 0-1000 b on 1/16777215", "user 0-1000 c on 1/16777213",
                     "user 0-1000 d on 1/16777212", "user 0-1000 e on 1/16777215"}));
    EXPECT_EQ(trace->threadName(makeGlobalTid(1, 16777214)), "thread 139934567890");
    EXPECT_EQ(trace->threadName(makeGlobalTid(1, 16777213)), "main");
}

TEST(ChromeTrace, MoreThreadsThanCanBeShownAreOne) {
    std::string list;
    for (int i = 0; i < 8300; ++i)
        list += (i ? "," : "") + std::string(R"({"ph":"X","name":"a","ts":0,"dur":1,"pid":1,"tid":)") +
                std::to_string(i) + "}";
    const TracePtr trace = read(events(list));
    EXPECT_EQ(trace->ranges().startNs.size(), 8300u);
    EXPECT_LE(trace->threads().size(), 8193u);
    EXPECT_EQ(countOf(trace, "too_many_threads"), 8300 - 8192);
}

TEST(ChromeTrace, LongNamesAreCut) {
    const TracePtr trace = read(events(R"({"ph":"X","name":")" + std::string(kMostNameBytes + 10, 'n') +
                                       R"(","ts":0,"dur":1,"pid":1,"tid":1})"));
    EXPECT_EQ(trace->string(trace->ranges().name[0]).size(), kMostNameBytes);
    EXPECT_EQ(countOf(trace, "long_name_cut"), 1);
}

TEST(ChromeTrace, TheObjectAroundTheEventsMayHoldAnything) {
    const TracePtr trace = read(
        "\xEF\xBB\xBF {\"a\":[1,{\"traceEvents\":[]}],\"baseTimeNanoseconds\":1000000000000000000,"
        "\"traceEvents\":[{\"ph\":\"X\",\"name\":\"n\",\"ts\":5,\"dur\":1,\"pid\":1,\"tid\":1}],"
        "\"deviceProperties\":{},\"traceEvents\":[{\"ph\":\"X\",\"name\":\"m\",\"ts\":6,\"dur\":1,"
        "\"pid\":1,\"tid\":1},],\"b\":null}\n\n");
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-1000 n on 1/1", "user 1000-2000 m on 1/1"}));
    EXPECT_EQ(trace->origin().utcEpochNs, 1'000'000'000'000'005'000);
    EXPECT_EQ(describeDiagnostics(*trace), Lines{});
}

TEST(ChromeTrace, JsonThatIsNoTrace) {
    const auto sentence = [](const std::string& text) {
        ByteSource source = ByteSource::over(text, "x.json");
        const auto trace = readChromeTrace(source);
        return trace ? "(opened)" : trace.error().message;
    };
    EXPECT_EQ(sentence(R"({"model_type":"gemma3"})"), "x.json is JSON but no trace: it has no list named traceEvents.");
    EXPECT_EQ(sentence("{"), "x.json is JSON but no trace: it has no list named traceEvents.");
    EXPECT_EQ(sentence("[1,2,3]"), "x.json is JSON but no trace: nothing in it is a trace event.");
    EXPECT_EQ(sentence("[]"), "x.json is JSON but no trace: nothing in it is a trace event.");
    EXPECT_EQ(sentence(R"([{"a":1},{"b":2}])"), "x.json is JSON but no trace: nothing in it is a trace event.");
    EXPECT_EQ(sentence("hello"), "x.json does not begin like JSON.");
    EXPECT_EQ(sentence(R"({"traceEvents":[]})"), "(opened)");
}

TEST(ChromeTrace, StopsWhenAskedTo) {
    std::stop_source stop;
    ByteSource source = ByteSource::over(R"({"traceEvents":[]})", "x.json");
    stop.request_stop();
    const auto trace = readChromeTrace(source, {}, {}, stop.get_token());
    ASSERT_FALSE(trace);
    EXPECT_EQ(trace.error().kind, ErrorKind::Cancelled);
}

TEST(ChromeTrace, ProgressGoesUpToOne) {
    std::string list;
    for (int i = 0; i < 5000; ++i)
        list += (i ? "," : "") + std::string(R"({"ph":"X","name":"a","dur":1,"pid":1,"tid":1,"ts":)") +
                std::to_string(i) + "}";
    std::vector<double> shares;
    const std::string text = events(list);
    ByteSource source = ByteSource::over(text, "m");
    ASSERT_TRUE(readChromeTrace(source, {.chunkBytes = 10'000}, [&](double share) { shares.push_back(share); }));
    ASSERT_GT(shares.size(), 10u);
    EXPECT_TRUE(std::ranges::is_sorted(shares));
    EXPECT_EQ(shares.back(), 1);
}

}  // namespace gapscope
