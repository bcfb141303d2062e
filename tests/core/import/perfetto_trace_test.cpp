// Hand-made packets: what Perfetto's writers do that ours does not, and what damage does. Whole traces made with
// Perfetto's own definitions: tests/external; our own exports: tests/core/export/round_trip_test.cpp.
#include "core/import/perfetto_trace.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "core/base/perfetto_format.h"
#include "core/export/perfetto_trace.h"
#include "core/export/proto_message.h"
#include "core/import/perfetto_packets.h"
#include "core/import/proto_reader.h"
#include "tests/core/import/describe_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

namespace pf = perfetto;
using Lines = std::vector<std::string>;

std::string packet(const ProtoMessage& content) {
    return ProtoMessage().message(pf::kTracePacket, content).bytes();
}

ProtoMessage timed(uint64_t timestamp, uint32_t sequence = 1) {
    return ProtoMessage().number(pf::packet::kTimestamp, timestamp).number(pf::packet::kSequenceId, sequence);
}

std::string slice(uint64_t timestamp, uint64_t type, uint64_t track, std::string_view name = {},
                  std::string_view category = {}) {
    ProtoMessage event;
    event.number(pf::event::kType, type).number(pf::event::kTrack, track);
    if (!name.empty()) event.text(pf::event::kName, name);
    if (!category.empty()) event.text(pf::event::kCategories, category);
    return packet(timed(timestamp).message(pf::packet::kTrackEvent, event));
}
std::string begin(uint64_t timestamp, uint64_t track, std::string_view name, std::string_view category = {}) {
    return slice(timestamp, pf::event::kSliceBegin, track, name, category);
}
std::string end(uint64_t timestamp, uint64_t track) {
    return slice(timestamp, pf::event::kSliceEnd, track);
}

std::string track(uint64_t uuid, uint64_t parent, std::string_view name, int pid = -1, int tid = -1) {
    ProtoMessage descriptor;
    descriptor.number(pf::track::kUuid, uuid);
    if (parent != 0) descriptor.number(pf::track::kParent, parent);
    if (!name.empty()) descriptor.text(pf::track::kName, name);
    ProtoMessage part;
    if (pid >= 0) part.number(pf::process::kPid, static_cast<uint64_t>(pid));
    if (tid >= 0) part.number(pf::thread::kTid, static_cast<uint64_t>(tid));
    if (pid >= 0) descriptor.message(tid >= 0 ? pf::track::kThread : pf::track::kProcess, part);
    return packet(ProtoMessage().message(pf::packet::kTrackDescriptor, descriptor));
}

std::string snapshot(std::initializer_list<std::pair<uint32_t, uint64_t>> clocks) {
    ProtoMessage message;
    for (const auto& [id, time] : clocks)
        message.message(pf::clocks::kClocks,
                        ProtoMessage().number(pf::clocks::kId, id).number(pf::clocks::kTime, time));
    return packet(ProtoMessage().message(pf::packet::kClockSnapshot, message));
}

TracePtr readBytes(const std::string& bytes) {
    ByteSource source = ByteSource::over(bytes, "t.pftrace");
    auto trace = readPerfettoTrace(source);
    EXPECT_TRUE(trace.has_value()) << (trace ? "" : trace.error().message);
    return trace.value_or(nullptr);
}

std::string deflated(const std::string& bytes) {
    std::string packed(compressBound(bytes.size()), '\0');
    uLongf size = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
             bytes.size());
    packed.resize(size);
    return packed;
}

}  // namespace

TEST(ProtoReader, ReadsEveryWireTypeAndStopsAtDamage) {
    ProtoMessage message;
    message.number(1, 300).fixed64(2, 0x1122334455667788).text(3, "abc").signedNumber(4, -1).real(5, 0.5);
    ProtoReader reader(message.bytes());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.number(), 300u);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.number(), 0x1122334455667788u);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.bytes(), "abc");
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.signedNumber(), -1);
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.real(), 0.5);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.isDamaged());
    for (const std::string_view bad : {"\x0A\x05"
                                       "abc",
                                       "\x0B", "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                                       "\x09"
                                       "1234567",
                                       "\x02"}) {
        ProtoReader damaged(bad);
        EXPECT_FALSE(damaged.next());
        EXPECT_TRUE(damaged.isDamaged()) << bad;
    }
}

TEST(PerfettoTrace, IsToldByItsFirstBytes) {
    EXPECT_TRUE(beginsLikePerfetto(begin(1, 2, "a")));
    EXPECT_TRUE(beginsLikePerfetto(snapshot({{6, 1}})));
    for (const std::string_view json : {"\n{\"traceEvents\":[]}", "\n{ }", "\n  {\n    \"schemaVersion\": 1,", "\n[\n{",
                                        "{\"a\":1}", "SQLite format 3"})
        EXPECT_FALSE(beginsLikePerfetto(json)) << json;
    const TempFolder folder;
    ASSERT_TRUE(exportPerfettoTrace(*RandomTrace(1).build().snapshot(), folder / "t.bin"));
    EXPECT_TRUE(openTrace(folder / "t.bin"));
    std::ofstream(folder / "text.pftrace") << "\nSome text that begins with an empty line.";
    const auto text = openTrace(folder / "text.pftrace");
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message.find("no whole packet of a Perfetto trace"), std::string::npos);
}

TEST(PerfettoTrace, SlicesNestAndGoToTheThreadAroundTheirTrack) {
    const std::string bytes = track(1, 0, "", 10) + track(2, 1, "", 10, 11) + track(3, 2, "beside") +
                              track(4, 1, "work queue") + track(5, 0, "loose") + begin(100, 2, "outer", "cpu_op") +
                              begin(110, 2, "inner", "python_function") + end(120, 2) + end(130, 2) +
                              begin(105, 3, "of the thread") + end(106, 3) + begin(140, 4, "of the process") +
                              end(141, 4) + begin(150, 5, "of nobody") + end(151, 5);
    const TracePtr trace = readBytes(bytes);
    ASSERT_TRUE(trace);
    const auto& ranges = trace->ranges();
    ASSERT_EQ(ranges.startNs.size(), 5u);
    const Lines lines = describeRows(*trace);
    EXPECT_EQ(lines[0], "op 0-30 outer on 10/11");
    EXPECT_EQ(lines[1], "user 5-6 of the thread on 10/11");
    EXPECT_EQ(lines[2], "python 10-20 inner on 10/11");
    EXPECT_EQ(processIdOf(ranges.globalTid[3]), 10u);
    EXPECT_EQ(trace->threadName(ranges.globalTid[3]), "process 10: work queue");
    EXPECT_EQ(trace->threadName(ranges.globalTid[4]), "tracks: loose");
    EXPECT_TRUE(trace->diagnostics().entries().empty());
}

TEST(PerfettoTrace, MissingEndsAndBeginnings) {
    const TracePtr trace = readBytes(track(2, 0, "", 10, 11) + end(90, 2) + begin(100, 2, "open") +
                                     begin(110, 2, "closed") + end(150, 2) + begin(120, 3, "kernel", "gpu"));
    ASSERT_TRUE(trace);
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-50 open on 10/11", "user 10-50 closed on 10/11"}));
    EXPECT_EQ(describeDiagnostics(*trace),
              (Lines{"range_without_end 1", "range_without_begin 1", "device_operation_without_end 1"}));
}

TEST(PerfettoTrace, ClocksAreJoinedBySnapshots) {
    // Monotonic is told beside boottime, a clock of the GPU (131) beside monotonic alone; another (140) beside nothing.
    std::string bytes = snapshot({{6, 1000}, {3, 400}}) + snapshot({{3, 500}, {131, 7}}) +
                        snapshot({{3, 900}, {131, 107}}) + snapshot({{6, 1200}, {1, 1'700'000'000'000'000'000}}) +
                        track(2, 0, "", 10, 11);
    const auto instant = [](uint64_t time, uint32_t clock, std::string_view name) {
        ProtoMessage event;
        event.number(pf::event::kType, pf::event::kInstant).number(pf::event::kTrack, 2).text(pf::event::kName, name);
        return packet(timed(time).number(pf::packet::kClockId, clock).message(pf::packet::kTrackEvent, event));
    };
    bytes += instant(1100, 6, "boottime") + instant(600, 3, "monotonic") + instant(107, 131, "gpu") +
             instant(1150, 140, "unknown");
    const TracePtr trace = readBytes(bytes);
    ASSERT_TRUE(trace);
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-0 boottime on 10/11", "user 50-50 unknown on 10/11",
                                           "user 100-100 monotonic on 10/11", "user 400-400 gpu on 10/11"}));
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"unknown_clock 1"}));
    EXPECT_EQ(trace->origin(), (TraceOrigin{.steadyNs = 500, .utcEpochNs = 1'699'999'999'999'999'900}));
}

TEST(PerfettoTrace, OlderEventsCountMicrosecondsFromTheirThread) {
    const auto event = [](uint32_t field, uint64_t us, char phase, std::string_view name) {
        ProtoMessage legacy, message;
        legacy.number(pf::legacy::kPhase, static_cast<uint64_t>(phase)).number(pf::legacy::kUnscopedId, 5);
        if (phase == 'X') legacy.number(pf::legacy::kDurationUs, 3);
        message.number(field, us).message(pf::event::kLegacy, legacy);
        if (!name.empty()) message.text(pf::event::kName, name);
        return packet(ProtoMessage().number(pf::packet::kSequenceId, 3).message(pf::packet::kTrackEvent, message));
    };
    ProtoMessage thread;
    thread.number(pf::thread::kPid, 10).number(pf::thread::kTid, 12).number(pf::thread::kReferenceUs, 1000);
    const std::string bytes =
        packet(ProtoMessage().number(pf::packet::kSequenceId, 3).message(pf::packet::kThreadDescriptor, thread)) +
        event(pf::event::kTimeDeltaUs, 1, 'B', "pair") + event(pf::event::kTimeDeltaUs, 2, 'X', "whole") +
        event(pf::event::kTimeDeltaUs, 4, 'E', "") + event(pf::event::kTimeUs, 1020, 'b', "async") +
        event(pf::event::kTimeUs, 1030, 'e', "") + event(pf::event::kTimeUs, 1040, 'P', "sample");
    const TracePtr trace = readBytes(bytes);
    ASSERT_TRUE(trace);
    EXPECT_EQ(describeRows(*trace),
              (Lines{"user 0-6000 pair on 10/12", "user 2000-5000 whole on 10/12", "user 19000-29000 async on 10/12"}));
    EXPECT_EQ(trace->diagnostics().countOf("other_event"), 1);
}

TEST(PerfettoTrace, GpuCountersAreRowsOfTheirGpu) {
    ProtoMessage spec, descriptor, value, message;
    spec.number(pf::gpu_counter::kSpecId, 4).text(pf::gpu_counter::kSpecName, "power");
    spec.number(pf::gpu_counter::kSpecUnits, pf::gpu_counter::kWatt);
    descriptor.message(pf::gpu_counter::kSpecs, spec);
    value.number(pf::gpu_counter::kValueId, 4).real(pf::gpu_counter::kValueDouble, 71.5);
    message.message(pf::gpu_counter::kDescriptor, descriptor).message(pf::gpu_counter::kValues, value);
    message.number(pf::gpu_counter::kGpu, 1);
    const TracePtr trace = readBytes(packet(timed(100).message(pf::packet::kGpuCounterEvent, message)));
    ASSERT_TRUE(trace);
    ASSERT_EQ(trace->counters().size(), 1u);
    EXPECT_EQ(trace->string(trace->counters()[0].name), "power");
    EXPECT_EQ(trace->counters()[0].unit, CounterUnit::Watt);
    EXPECT_EQ(trace->counters()[0].deviceId, 1u);
    EXPECT_EQ(trace->counterSamples().value[0], 71.5);
}

TEST(PerfettoTrace, EventsTellCountersBesideThemselves) {
    ProtoMessage defaults, eventDefaults;
    eventDefaults.number(pf::event::kExtraTracks, 30).number(pf::event::kExtraTracks, 31);
    defaults.message(pf::defaults::kTrackEvent, eventDefaults);
    const auto counter = [](uint64_t uuid, std::string_view name, const ProtoMessage& about) {
        return packet(ProtoMessage().message(pf::packet::kTrackDescriptor, ProtoMessage()
                                                                               .number(pf::track::kUuid, uuid)
                                                                               .text(pf::track::kName, name)
                                                                               .message(pf::track::kCounter, about)));
    };
    std::string bytes =
        track(2, 0, "", 10, 11) + counter(30, "cpu time", ProtoMessage().number(pf::counter::kMultiplier, 1000)) +
        counter(31, "steps", ProtoMessage().number(pf::counter::kIncremental, 1)) + counter(32, "load", {}) +
        packet(ProtoMessage()
                   .number(pf::packet::kSequenceId, 1)
                   .number(pf::packet::kSequenceFlags, pf::packet::kStateClearedFlag)
                   .message(pf::packet::kDefaults, defaults));
    const auto event = [](uint64_t type) {
        return ProtoMessage().number(pf::event::kType, type).number(pf::event::kTrack, 2);
    };
    const auto values = [](ProtoMessage message, std::initializer_list<int64_t> list) {
        for (const int64_t value : list)
            message.signedNumber(pf::event::kExtraValues, value);
        return message;
    };
    bytes += packet(timed(100).message(pf::packet::kTrackEvent,
                                       values(event(pf::event::kSliceBegin).text(pf::event::kName, "a"), {5, 2})));
    bytes += packet(timed(110).message(pf::packet::kTrackEvent, values(event(pf::event::kSliceEnd), {-6, 3, 9})));
    bytes += packet(timed(120).message(
        pf::packet::kTrackEvent,
        event(pf::event::kInstant).number(pf::event::kExtraDoubleTracks, 32).real(pf::event::kExtraDoubleValues, 0.5)));
    const TracePtr trace = readBytes(bytes);
    ASSERT_TRUE(trace);
    std::vector<std::string> samples;
    for (size_t row = 0; row < trace->counterSamples().timeNs.size(); ++row) {
        const CounterSampleRow sample = rowAt(trace->counterSamples(), row);
        samples.push_back(std::to_string(sample.timeNs) + " " +
                          std::string(trace->string(trace->counters()[sample.counter.value].name)) + " " +
                          std::to_string(sample.value));
    }
    EXPECT_EQ(samples, (Lines{"0 cpu time 5000.000000", "0 steps 2.000000", "10 cpu time -6000.000000",
                              "10 steps 5.000000", "20 load 0.500000"}));
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"counter_sample_unusable 1"}));
    EXPECT_EQ(trace->ranges().startNs.size(), 2u);
}

// As a producer for CUDA writes them: kernels are interned, and a call names the stages that it submitted.
TEST(PerfettoTrace, GpuStagesHaveKernelsAndTheirCalls) {
    const auto named = [](uint64_t iid, std::string_view text) {
        return ProtoMessage().number(pf::interned::kIid, iid).text(pf::interned::kText, text);
    };
    const auto arg = [](uint64_t nameIid, uint64_t value) {
        return ProtoMessage().number(pf::stage::kArgNameIid, nameIid).number(pf::stage::kArgUnsigned, value);
    };
    ProtoMessage kernel = named(1, "_Z4gemvv").text(pf::stage::kDemangledName, "void gemv<int>()");
    kernel.message(pf::stage::kKernelArgs, arg(1, 40)).message(pf::stage::kKernelArgs, arg(2, 7));
    ProtoMessage interned;
    interned.message(pf::interned::kGpuSpecifications, named(1, "Stream 7"))
        .message(pf::interned::kGpuSpecifications, named(2, "Kernel"))
        .message(pf::interned::kComputeKernels, kernel)
        .message(pf::interned::kComputeArgNames, named(1, "registers_per_thread"))
        .message(pf::interned::kComputeArgNames, named(2, "maxThreads"))
        .message(pf::interned::kComputeArgNames, named(3, "shared_mem_dynamic"));
    const auto stage = [&](uint64_t id) {
        ProtoMessage launch;
        launch.message(pf::stage::kGrid, ProtoMessage().number(1, 4)).message(pf::stage::kLaunchArgs, arg(3, 512));
        return ProtoMessage()
            .number(pf::stage::kEventId, id)
            .number(pf::stage::kDuration, 10)
            .number(pf::stage::kQueueIid, 1)
            .number(pf::stage::kStageIid, 2)
            .number(pf::stage::kSubmission, 3)
            .number(pf::stage::kKernelIid, id == 99 ? 5 : 1)
            .message(pf::stage::kLaunch, launch);
    };
    ProtoMessage call;
    call.number(pf::event::kType, pf::event::kSliceBegin).number(pf::event::kTrack, 2);
    call.text(pf::event::kName, "cuLaunchKernel").number(pf::event::kGpuApi, 4);
    call.message(pf::event::kGpuCorrelation,
                 ProtoMessage().number(pf::event::kSubmittedStages, 500).number(pf::event::kSubmittedStages, 501));
    const std::string bytes = track(2, 0, "", 10, 11) + packet(timed(100).message(pf::packet::kTrackEvent, call)) +
                              end(105, 2) +
                              packet(timed(110)
                                         .message(pf::packet::kInternedData, interned)
                                         .message(pf::packet::kGpuRenderStageEvent, stage(500))) +
                              packet(timed(130).message(pf::packet::kGpuRenderStageEvent, stage(501))) +
                              packet(timed(150).message(pf::packet::kGpuRenderStageEvent, stage(99)));
    const TracePtr trace = readBytes(bytes);
    ASSERT_TRUE(trace);
    ASSERT_EQ(trace->apiCalls().startNs.size(), 1u);
    ASSERT_EQ(trace->deviceOps().startNs.size(), 3u);
    const DeviceOpRow op = rowAt(trace->deviceOps(), 0);
    EXPECT_EQ(trace->string(op.name), "void gemv<int>()");
    EXPECT_EQ(trace->tracks()[op.track.value].streamId, 7u);
    const LaunchConfigRow& config = trace->launchConfigs()[op.config.value];
    EXPECT_EQ(config.registersPerThread, 40);
    EXPECT_EQ(config.dynamicSharedBytes, 512);
    EXPECT_EQ(config.grid[0], 4);
    EXPECT_NE(op.correlationId, 0u);
    EXPECT_EQ(op.correlationId, trace->apiCalls().correlationId[0]);
    EXPECT_EQ(op.correlationId, trace->deviceOps().correlationId[1]);
    EXPECT_EQ(trace->deviceOps().correlationId[2], 3u);  // named by no call
    // One attribute of the kernel without a column, each time that it is used; one kernel that is not in the file.
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"event_arguments 2", "unknown_name 1"}));
}

TEST(PerfettoTrace, GpuCountersShareAnInternedDescription) {
    ProtoMessage spec, interned, value;
    spec.number(pf::gpu_counter::kSpecId, 4).text(pf::gpu_counter::kSpecName, "clock");
    spec.number(pf::gpu_counter::kSpecUnits, pf::gpu_counter::kHertz);
    interned.number(pf::interned::kIid, 8).number(pf::gpu_counter::kInternedGpu, 2);
    interned.message(pf::gpu_counter::kInternedDescriptor, ProtoMessage().message(pf::gpu_counter::kSpecs, spec));
    value.number(pf::gpu_counter::kValueId, 4).number(pf::gpu_counter::kValueSigned, 1700);
    const ProtoMessage event =
        ProtoMessage().number(pf::gpu_counter::kDescriptorIid, 8).message(pf::gpu_counter::kValues, value);
    const TracePtr trace = readBytes(packet(
        timed(100)
            .message(pf::packet::kInternedData, ProtoMessage().message(pf::interned::kGpuCounterDescriptors, interned))
            .message(pf::packet::kGpuCounterEvent, event)));
    ASSERT_TRUE(trace);
    ASSERT_EQ(trace->counters().size(), 1u);
    EXPECT_EQ(trace->string(trace->counters()[0].name), "clock");
    EXPECT_EQ(trace->counters()[0].unit, CounterUnit::Hertz);
    EXPECT_EQ(trace->counters()[0].deviceId, 2u);
}

TEST(PerfettoTrace, WhatIsNotReadIsCounted) {
    const ProtoMessage names = ProtoMessage().message(
        pf::interned::kNames, ProtoMessage().number(pf::interned::kIid, 1).text(pf::interned::kText, "a"));
    constexpr uint32_t kPerfSample = 66, kCallStack = 55, kTaskExecution = 5;
    ProtoMessage event;
    event.number(pf::event::kType, pf::event::kInstant).number(pf::event::kTrack, 2).number(pf::event::kNameIid, 1);
    event.text(kCallStack, "").text(kTaskExecution, "").fixed64(pf::event::kFlows, 1).fixed64(pf::event::kFlows, 2);
    const TracePtr trace =
        readBytes(track(2, 0, "", 10, 11) +
                  packet(timed(1).message(pf::packet::kInternedData, names).message(kPerfSample, ProtoMessage())) +
                  packet(timed(2).message(pf::packet::kTrackEvent, event)));
    ASSERT_TRUE(trace);
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-0 a on 10/11"}));
    EXPECT_EQ(describeDiagnostics(*trace), (Lines{"packet_not_read 1", "event_arguments 3"}));
}

TEST(PerfettoTrace, ACutOrDamagedFileKeepsWhatIsWhole) {
    const std::string good = track(2, 0, "", 10, 11) + begin(100, 2, "first") + end(110, 2);
    const std::string next = begin(120, 2, "second");
    for (size_t cut = 1; cut < next.size(); ++cut) {
        const TracePtr trace = readBytes(good + next.substr(0, cut));
        ASSERT_TRUE(trace);
        EXPECT_EQ(describeRows(*trace), (Lines{"user 0-10 first on 10/11"})) << cut;
        EXPECT_EQ(describeDiagnostics(*trace), (Lines{"packets_cut_short 1"})) << cut;
        EXPECT_NE(trace->diagnostics().entries()[0].text.find("at byte " + std::to_string(good.size()) + ";"),
                  std::string::npos);
    }
    const TracePtr garbage = readBytes(good + "this is none");
    ASSERT_TRUE(garbage);
    EXPECT_EQ(describeDiagnostics(*garbage), (Lines{"packets_cut_short 1"}));
    const TracePtr bad = readBytes(good + packet(ProtoMessage().text(8, "x").text(11, "\xFF")) + "\x0A\x01\xFF");
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->diagnostics().countOf("packet_damaged"), 1);
    EXPECT_EQ(bad->ranges().startNs.size(), 1u);
}

TEST(PerfettoTrace, PackedPacketsAndTheirBounds) {
    const std::string good = track(2, 0, "", 10, 11) + begin(100, 2, "first") + end(110, 2);
    const auto packed = [](const std::string& bytes) {
        return packet(ProtoMessage().text(pf::packet::kCompressedPackets, bytes));
    };
    const TracePtr trace = readBytes(packed(deflated(good)));
    ASSERT_TRUE(trace);
    EXPECT_EQ(describeRows(*trace), (Lines{"user 0-10 first on 10/11"}));
    EXPECT_TRUE(trace->diagnostics().entries().empty());

    const TracePtr damaged = readBytes(good + packed("no zlib data"));
    ASSERT_TRUE(damaged);
    EXPECT_EQ(describeDiagnostics(*damaged), (Lines{"packed_packets_damaged 1"}));

    const std::string bomb = packed(deflated(std::string(size_t{70} << 20, '\0')));
    ByteSource source = ByteSource::over(bomb, "bomb.pftrace");
    const auto refused = readPerfettoTrace(source);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
              "bomb.pftrace holds packed packets that grow to more than a trace can: it was not read further.");
}

TEST(PerfettoTrace, AKernelWithoutANameIsOneAllTheSame) {
    const TracePtr trace = readBytes(begin(100, 3, "", "gpu") + end(110, 3));
    ASSERT_TRUE(trace);
    ASSERT_EQ(trace->deviceOps().startNs.size(), 1u);
    EXPECT_EQ(trace->deviceOps().category[0], Category::Other);
}

TEST(PerfettoTrace, TracksInARingAndTimesOutOfAllBounds) {
    const TracePtr trace = readBytes(track(2, 3, "a") + track(3, 2, "b") + begin(100, 2, "x") + end(110, 2) +
                                     begin(~uint64_t{0}, 2, "never") + begin(uint64_t{1} << 60, 3, "late"));
    ASSERT_TRUE(trace);
    EXPECT_EQ(trace->ranges().startNs.size(), 1u);
    EXPECT_EQ(trace->diagnostics().countOf("row_without_time"), 2);
}

TEST(PerfettoTrace, CanBeCancelled) {
    const std::string bytes = begin(1, 2, "a") + end(2, 2);
    ByteSource source = ByteSource::over(bytes, "t.pftrace");
    std::stop_source stop;
    stop.request_stop();
    const auto trace = readPerfettoTrace(source, {}, stop.get_token());
    ASSERT_FALSE(trace);
    EXPECT_EQ(trace.error().kind, ErrorKind::Cancelled);
}

}  // namespace gapscope
