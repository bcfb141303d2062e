// A Perfetto trace from untrusted bytes.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "core/base/perfetto_format.h"
#include "core/export/perfetto_trace.h"
#include "core/export/proto_message.h"
#include "core/import/perfetto_trace.h"
#include "core/trace/trace_builder.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace gapscope;

volatile size_t sink;

// Every table once, as our exporter writes it.
std::string exported() {
    TraceBuilder builder;
    const uint64_t thread = makeGlobalTid(10, 11);
    const TrackId track = builder.internTrack({makeGlobalTid(10, 0), 0, 1, 7});
    builder.add(ApiCallRow{0, 5, builder.intern("cudaLaunchKernel"), thread, 3});
    builder.add(DeviceOpRow{.startNs = 6,
                            .endNs = 9,
                            .name = builder.intern("gemv"),
                            .track = track,
                            .correlationId = 3,
                            .op = builder.internOp({.name = builder.intern("q_proj"), .layer = 1}),
                            .config = builder.internLaunchConfig({.grid = {1, 2, 3}, .block = {4, 5, 6}})});
    builder.add(RangeRow{0, 20, builder.intern("forward"), thread});
    builder.add(RangeRow{10, 30, builder.intern("crossing"), thread});
    builder.add(OverheadRow{1, 2, builder.intern("flush"), thread});
    builder.add(TokenRow{.emittedNs = 9, .text = builder.intern(" the")});
    builder.add(CounterSampleRow{3, builder.internCounter({.name = builder.intern("power")}), 4.5});
    builder.setThread(thread, "main");
    builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "GPU"});
    builder.setRun({.modelName = "m", .promptTokens = {1, 2}, .repeatTimes = {{1, 2, 3, 4}}});
    builder.setOrigin({.steadyNs = 1000, .utcEpochNs = 2000});
    const auto path =
        std::filesystem::temp_directory_path() / ("gapscope-fuzz-" + std::to_string(getpid()) + ".pftrace");
    if (!exportPerfettoTrace(*builder.snapshot(), path)) return {};
    std::ifstream file(path, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove(path);
    return bytes;
}

// What others write: a GPU's render stages and counters, clocks of sequences, events of the older form.
std::string foreign() {
    namespace pf = perfetto;
    const auto packet = [](const ProtoMessage& content) {
        return ProtoMessage().message(pf::kTracePacket, content).bytes();
    };
    ProtoMessage clock, snapshot, specification, interned, stage, launch, legacy, event, spec, counters;
    clock.number(pf::clocks::kId, 64).number(pf::clocks::kTime, 5).number(pf::clocks::kIncremental, 1);
    clock.number(pf::clocks::kMultiplier, 1000);
    snapshot.message(pf::clocks::kClocks, clock);
    snapshot.message(pf::clocks::kClocks, ProtoMessage().number(pf::clocks::kId, 6).number(pf::clocks::kTime, 9));
    specification.number(pf::interned::kIid, 1).text(pf::interned::kText, "Queue 3");
    interned.message(pf::interned::kGpuSpecifications, specification);
    launch.message(pf::stage::kGrid, ProtoMessage().number(1, 4).number(2, 5));
    stage.number(pf::stage::kDuration, 7).number(pf::stage::kQueueIid, 1).message(pf::stage::kLaunch, launch);
    stage.text(pf::stage::kName, "Memcpy");
    legacy.number(pf::legacy::kPhase, 'X').number(pf::legacy::kDurationUs, 4).number(pf::legacy::kPid, 3);
    legacy.number(pf::legacy::kTid, 4);
    event.message(pf::event::kLegacy, legacy).text(pf::event::kName, "old").number(pf::event::kTimeDeltaUs, 3);
    spec.number(pf::gpu_counter::kSpecId, 2).text(pf::gpu_counter::kSpecName, "power");
    counters.message(pf::gpu_counter::kDescriptor, ProtoMessage().message(pf::gpu_counter::kSpecs, spec));
    counters.message(pf::gpu_counter::kValues, ProtoMessage().number(pf::gpu_counter::kValueId, 2).real(3, 1.5));
    ProtoMessage kernel, called, described;
    kernel.number(pf::interned::kIid, 1).text(pf::stage::kDemangledName, "gemv");
    kernel.message(pf::stage::kKernelArgs,
                   ProtoMessage().number(pf::stage::kArgNameIid, 1).number(pf::stage::kArgInt, 9));
    interned.message(pf::interned::kComputeKernels, kernel);
    interned.message(pf::interned::kComputeArgNames,
                     ProtoMessage().number(pf::interned::kIid, 1).text(pf::interned::kText, "registers_per_thread"));
    stage.number(pf::stage::kKernelIid, 1).number(pf::stage::kEventId, 5);
    called.number(pf::event::kType, 3).number(pf::event::kTrack, 4).number(pf::event::kGpuApi, 4);
    called.number(pf::event::kExtraTracks, 6)
        .number(pf::event::kExtraValues, 7)
        .number(pf::event::kExtraDoubleTracks, 6);
    called.real(pf::event::kExtraDoubleValues, 0.5);
    called.message(pf::event::kGpuCorrelation, ProtoMessage().number(pf::event::kSubmittedStages, 5));
    described.number(pf::interned::kIid, 3)
        .message(pf::gpu_counter::kInternedDescriptor, ProtoMessage().message(pf::gpu_counter::kSpecs, spec));
    interned.message(pf::interned::kGpuCounterDescriptors, described);
    counters.number(pf::gpu_counter::kDescriptorIid, 3);
    const auto timed = [&](uint32_t clockId) {
        return ProtoMessage()
            .number(pf::packet::kTimestamp, 3)
            .number(pf::packet::kClockId, clockId)
            .number(pf::packet::kSequenceId, 2);
    };
    return packet(ProtoMessage().number(pf::packet::kSequenceId, 2).message(pf::packet::kClockSnapshot, snapshot)) +
           packet(timed(64)
                      .number(pf::packet::kSequenceFlags, 1)
                      .message(pf::packet::kInternedData, interned)
                      .message(pf::packet::kGpuRenderStageEvent, stage)) +
           packet(timed(6).message(pf::packet::kGpuCounterEvent, counters)) +
           packet(timed(6).message(pf::packet::kTrackEvent, called)) +
           packet(ProtoMessage().number(pf::packet::kSequenceId, 2).message(pf::packet::kTrackEvent, event));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    ByteSource source = ByteSource::over({reinterpret_cast<const char*>(data), size}, "fuzz.pftrace");
    if (const auto trace = readPerfettoTrace(source)) sink = sink + (*trace)->eventCount();
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    return {{exported()}, {foreign()}};
}
