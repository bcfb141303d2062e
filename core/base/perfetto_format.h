// Numbers of Perfetto's trace format that its writer and its reader here share: fields of the messages in Perfetto's
// public protos/perfetto/trace/*.proto, and the words that our own exports use in them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gapscope::perfetto {

inline constexpr uint32_t kTracePacket = 1;  // Trace.packet

namespace packet {
inline constexpr uint32_t kProcessTree = 2, kClockSnapshot = 6, kTimestamp = 8, kSequenceId = 10, kTrackEvent = 11,
                          kInternedData = 12, kSequenceFlags = 13, kSynchronizationMarker = 36, kStateCleared = 41,
                          kPreviousDropped = 42, kProcessDescriptor = 43, kThreadDescriptor = 44,
                          kCompressedPackets = 50, kGpuCounterEvent = 52, kGpuRenderStageEvent = 53, kClockId = 58,
                          kDefaults = 59, kTrackDescriptor = 60, kZstdPackets = 133;
inline constexpr uint64_t kStateClearedFlag = 1, kNeedsStateFlag = 2;
}  // namespace packet

namespace clocks {
inline constexpr uint32_t kClocks = 1, kPrimary = 2;                              // ClockSnapshot
inline constexpr uint32_t kId = 1, kTime = 2, kIncremental = 3, kMultiplier = 4;  // .Clock
inline constexpr uint32_t kRealtime = 1, kMonotonic = 3, kBoottime = 6;           // builtin clocks
inline constexpr uint32_t kFirstOfSequence = 64, kFirstGlobal = 128;              // between them: of one sequence
}  // namespace clocks

namespace event {  // TrackEvent
inline constexpr uint32_t kTimeDeltaUs = 1, kCategoryIids = 3, kAnnotations = 4, kLegacy = 6, kType = 9, kNameIid = 10,
                          kTrack = 11, kTimeUs = 16, kCategories = 22, kName = 23, kCounterValue = 30, kFlowsOld = 36,
                          kDoubleValue = 44, kFlows = 47, kEndFlowsOld = 42, kEndFlows = 48, kCorrelationId = 52,
                          kExtraTracks = 31, kExtraValues = 12, kExtraDoubleTracks = 45, kExtraDoubleValues = 46,
                          kGpuCorrelation = 3000, kGpuApi = 3001;  // GpuTrackEvent
inline constexpr uint32_t kSubmittedStages = 1;                    // GpuCorrelation
inline constexpr uint64_t kSliceBegin = 1, kSliceEnd = 2, kInstant = 3, kCounter = 4;
}  // namespace event

namespace legacy {  // TrackEvent.LegacyEvent
inline constexpr uint32_t kNameIid = 1, kPhase = 2, kDurationUs = 3, kUnscopedId = 6, kLocalId = 10, kGlobalId = 11,
                          kPid = 18, kTid = 19;
}

namespace annotation {  // DebugAnnotation
inline constexpr uint32_t kNameIid = 1, kBool = 2, kUnsigned = 3, kSigned = 4, kDouble = 5, kText = 6, kPointer = 7,
                          kName = 10, kArray = 12, kTextIid = 17;
}

namespace interned {  // InternedData, and the id and text of each entry
inline constexpr uint32_t kCategories = 1, kNames = 2, kAnnotationNames = 3, kGraphicsContexts = 23,
                          kGpuSpecifications = 24, kAnnotationTexts = 29, kGpuCounterDescriptors = 47,
                          kComputeKernels = 1000, kComputeArgNames = 1001;  // GpuInternedData
inline constexpr uint32_t kIid = 1, kText = 2;
}  // namespace interned

namespace track {  // TrackDescriptor
inline constexpr uint32_t kUuid = 1, kName = 2, kProcess = 3, kThread = 4, kParent = 5, kCounter = 8, kStaticName = 10,
                          kChildOrder = 11, kRank = 12;
inline constexpr uint64_t kExplicitOrder = 3;
}  // namespace track

namespace process {  // ProcessDescriptor
inline constexpr uint32_t kPid = 1, kName = 6;
}
namespace thread {  // ThreadDescriptor
inline constexpr uint32_t kPid = 1, kTid = 2, kName = 5, kReferenceUs = 6;
}
namespace counter {  // CounterDescriptor
inline constexpr uint32_t kUnit = 3, kMultiplier = 4, kIncremental = 5, kUnitName = 6;
inline constexpr uint64_t kUnitBytes = 3;
}  // namespace counter

namespace defaults {  // TracePacketDefaults, and TrackEventDefaults within
inline constexpr uint32_t kClockId = 58, kTrackEvent = 11, kTrack = 11;  // the latter's other fields as an event's
}

namespace stage {  // GpuRenderStageEvent
inline constexpr uint32_t kEventId = 1, kDuration = 2, kQueueId = 3, kStageId = 4, kContext = 5, kExtra = 6,
                          kSpecifications = 7, kSubmission = 10, kGpu = 11, kQueueIid = 13, kStageIid = 14, kName = 17,
                          kNameIid = 20, kKernelIid = 19, kLaunch = 21;
inline constexpr uint32_t kExtraName = 1, kExtraValue = 2;         // .ExtraData
inline constexpr uint32_t kGrid = 1, kBlock = 2, kLaunchArgs = 3;  // .ComputeKernelLaunch; the first are Dim3: x, y, z
inline constexpr uint32_t kArgNameIid = 1, kArgName = 2, kArgInt = 3, kArgUnsigned = 4,
                          kArgDouble = 5;                                        // ExtraComputeArg
inline constexpr uint32_t kKernelName = 2, kDemangledName = 3, kKernelArgs = 5;  // InternedComputeKernel
inline constexpr uint32_t kQueues = 2, kStages = 3;          // .Specifications, each a Description: name first
inline constexpr uint32_t kContextIid = 1, kContextPid = 2;  // InternedGraphicsContext
}  // namespace stage

namespace gpu_counter {  // GpuCounterEvent
inline constexpr uint32_t kDescriptor = 1, kValues = 2, kGpu = 3, kDescriptorIid = 4;
inline constexpr uint32_t kInternedDescriptor = 2, kInternedGpu = 3;          // InternedGpuCounterDescriptor
inline constexpr uint32_t kSpecs = 1;                                         // GpuCounterDescriptor
inline constexpr uint32_t kSpecId = 1, kSpecName = 2, kSpecUnits = 7;         // .GpuCounterSpec
inline constexpr uint32_t kValueId = 1, kValueSigned = 2, kValueDouble = 3;   // .GpuCounter
inline constexpr uint64_t kByte = 7, kHertz = 13, kWatt = 29, kCelsius = 34;  // MeasureUnit
}  // namespace gpu_counter

// Categories of slices: PyTorch's words, and four that it lacks.
inline constexpr std::string_view kGraphCategory = "gpu_graph", kWaitCategory = "host_wait", kTokenCategory = "token",
                                  kStageCategory = "gapscope_stage";
// Instants that tell what tracks and slices have no place for: devices, the run, diagnostics, notes, where time 0 lies.
inline constexpr std::string_view kOwnCategory = "gapscope";
inline constexpr std::string_view kOriginEvent = "gapscope origin", kDeviceEvent = "gapscope device",
                                  kProcessEvent = "gapscope process", kThreadEvent = "gapscope thread",
                                  kRunEvent = "gapscope run", kRepeatEvent = "gapscope repeat",
                                  kDiagnosticEvent = "gapscope diagnostic", kNoteEvent = "gapscope note";

// Arguments of events. Interned by their place here, from 1.
enum class Arg : uint32_t {
    Device,
    Context,
    Stream,
    Process,
    Correlation,
    Grid,
    Block,
    Registers,
    StaticShared,
    DynamicShared,
    FullName,
    Op,
    Shapes,
    Dtype,
    Layer,
    BytesMoved,
    Flops,
    Category,
    Token,
    Repeat,
    Bytes,
    GraphNode,
    Index,
    Id,
    Text,
    Occupancy,
    Drafted,
    Accepted,
    Place,
    Sequence,
};
inline constexpr std::array<std::string_view, 30> kArgNames = {"device",
                                                               "context",
                                                               "stream",
                                                               "process",
                                                               "correlation",
                                                               "grid",
                                                               "block",
                                                               "registers per thread",
                                                               "static shared memory",
                                                               "dynamic shared memory",
                                                               "full name",
                                                               "op",
                                                               "shapes",
                                                               "dtype",
                                                               "layer",
                                                               "bytes moved",
                                                               "flops",
                                                               "category",
                                                               "token",
                                                               "repeat",
                                                               "bytes",
                                                               "graph node id",
                                                               "index",
                                                               "id",
                                                               "text",
                                                               "est. achieved occupancy %",
                                                               "drafted",
                                                               "accepted",
                                                               "place",
                                                               "sequence"};

}  // namespace gapscope::perfetto
