// Our own description of CUPTI's memory against NVIDIA's headers. Built where those are installed.
#include <cupti.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "core/capture/cupti_choices.h"
#include "core/capture/cupti_library.h"
#include "core/capture/cupti_session.h"
#include "tests/core/capture/hand_made_records.h"

namespace gapscope {
namespace {

#define SAME_PLACE(Ours, ourField, Theirs, theirField)                       \
    static_assert(offsetof(Ours, ourField) == offsetof(Theirs, theirField)); \
    static_assert(sizeof(Ours::ourField) == sizeof(Theirs::theirField))
#define SAME(Ours, Theirs, field) SAME_PLACE(Ours, field, Theirs, field)

using cupti::KernelRecord;
static_assert(sizeof(KernelRecord) <= sizeof(CUpti_ActivityKernel9));
SAME(KernelRecord, CUpti_ActivityKernel9, kind);
SAME(KernelRecord, CUpti_ActivityKernel9, registersPerThread);
SAME(KernelRecord, CUpti_ActivityKernel9, start);
SAME(KernelRecord, CUpti_ActivityKernel9, end);
SAME(KernelRecord, CUpti_ActivityKernel9, completed);
SAME(KernelRecord, CUpti_ActivityKernel9, deviceId);
SAME(KernelRecord, CUpti_ActivityKernel9, contextId);
SAME(KernelRecord, CUpti_ActivityKernel9, streamId);
static_assert(offsetof(KernelRecord, grid) == offsetof(CUpti_ActivityKernel9, gridX));
static_assert(offsetof(KernelRecord, grid) + 8 == offsetof(CUpti_ActivityKernel9, gridZ));
static_assert(offsetof(KernelRecord, block) == offsetof(CUpti_ActivityKernel9, blockX));
static_assert(offsetof(KernelRecord, block) + 8 == offsetof(CUpti_ActivityKernel9, blockZ));
SAME(KernelRecord, CUpti_ActivityKernel9, staticSharedMemory);
SAME(KernelRecord, CUpti_ActivityKernel9, dynamicSharedMemory);
SAME(KernelRecord, CUpti_ActivityKernel9, correlationId);
SAME(KernelRecord, CUpti_ActivityKernel9, name);
SAME(KernelRecord, CUpti_ActivityKernel9, queued);
SAME(KernelRecord, CUpti_ActivityKernel9, submitted);
SAME(KernelRecord, CUpti_ActivityKernel9, graphNodeId);
SAME(KernelRecord, CUpti_ActivityKernel9, graphId);

using cupti::MemcpyRecord;
static_assert(sizeof(MemcpyRecord) <= sizeof(CUpti_ActivityMemcpy5));
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, copyKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, srcKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, dstKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, bytes);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, start);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, end);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, deviceId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, contextId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, streamId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, correlationId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, graphNodeId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy5, graphId);

using cupti::MemsetRecord;
static_assert(sizeof(MemsetRecord) <= sizeof(CUpti_ActivityMemset4));
SAME(MemsetRecord, CUpti_ActivityMemset4, bytes);
SAME(MemsetRecord, CUpti_ActivityMemset4, start);
SAME(MemsetRecord, CUpti_ActivityMemset4, end);
SAME(MemsetRecord, CUpti_ActivityMemset4, deviceId);
SAME(MemsetRecord, CUpti_ActivityMemset4, contextId);
SAME(MemsetRecord, CUpti_ActivityMemset4, streamId);
SAME(MemsetRecord, CUpti_ActivityMemset4, correlationId);
SAME(MemsetRecord, CUpti_ActivityMemset4, graphNodeId);

using cupti::ApiRecord;
static_assert(sizeof(ApiRecord) == sizeof(CUpti_ActivityAPI));
SAME(ApiRecord, CUpti_ActivityAPI, cbid);
SAME(ApiRecord, CUpti_ActivityAPI, start);
SAME(ApiRecord, CUpti_ActivityAPI, end);
SAME(ApiRecord, CUpti_ActivityAPI, processId);
SAME(ApiRecord, CUpti_ActivityAPI, threadId);
SAME(ApiRecord, CUpti_ActivityAPI, correlationId);
SAME(ApiRecord, CUpti_ActivityAPI, returnValue);

using cupti::SynchronizationRecord;
static_assert(sizeof(SynchronizationRecord) <= sizeof(CUpti_ActivitySynchronization));
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, type);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, start);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, end);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, correlationId);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, contextId);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization, streamId);

using cupti::OverheadRecord;
static_assert(sizeof(OverheadRecord) <= sizeof(CUpti_ActivityOverhead));
SAME(OverheadRecord, CUpti_ActivityOverhead, overheadKind);
SAME(OverheadRecord, CUpti_ActivityOverhead, objectKind);
SAME_PLACE(OverheadRecord, processId, CUpti_ActivityOverhead, objectId.pt.processId);
SAME_PLACE(OverheadRecord, threadId, CUpti_ActivityOverhead, objectId.pt.threadId);
SAME(OverheadRecord, CUpti_ActivityOverhead, start);
SAME(OverheadRecord, CUpti_ActivityOverhead, end);

using cupti::ExternalCorrelationRecord;
static_assert(sizeof(ExternalCorrelationRecord) == sizeof(CUpti_ActivityExternalCorrelation));
SAME(ExternalCorrelationRecord, CUpti_ActivityExternalCorrelation, externalKind);
SAME(ExternalCorrelationRecord, CUpti_ActivityExternalCorrelation, externalId);
SAME(ExternalCorrelationRecord, CUpti_ActivityExternalCorrelation, correlationId);

using cupti::GraphTraceRecord;
static_assert(sizeof(GraphTraceRecord) <= sizeof(CUpti_ActivityGraphTrace));
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, correlationId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, start);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, end);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, deviceId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, graphId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, contextId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace, streamId);

// Later releases only append, up to this one.
#if CUPTI_API_VERSION >= 130000
SAME(KernelRecord, CUpti_ActivityKernel10, kind);
SAME(KernelRecord, CUpti_ActivityKernel10, registersPerThread);
SAME(KernelRecord, CUpti_ActivityKernel10, start);
SAME(KernelRecord, CUpti_ActivityKernel10, end);
SAME(KernelRecord, CUpti_ActivityKernel10, completed);
SAME(KernelRecord, CUpti_ActivityKernel10, deviceId);
SAME(KernelRecord, CUpti_ActivityKernel10, contextId);
SAME(KernelRecord, CUpti_ActivityKernel10, streamId);
static_assert(offsetof(KernelRecord, grid) == offsetof(CUpti_ActivityKernel10, gridX));
static_assert(offsetof(KernelRecord, grid) + 8 == offsetof(CUpti_ActivityKernel10, gridZ));
static_assert(offsetof(KernelRecord, block) == offsetof(CUpti_ActivityKernel10, blockX));
static_assert(offsetof(KernelRecord, block) + 8 == offsetof(CUpti_ActivityKernel10, blockZ));
SAME(KernelRecord, CUpti_ActivityKernel10, staticSharedMemory);
SAME(KernelRecord, CUpti_ActivityKernel10, dynamicSharedMemory);
SAME(KernelRecord, CUpti_ActivityKernel10, correlationId);
SAME(KernelRecord, CUpti_ActivityKernel10, name);
SAME(KernelRecord, CUpti_ActivityKernel10, queued);
SAME(KernelRecord, CUpti_ActivityKernel10, submitted);
SAME(KernelRecord, CUpti_ActivityKernel10, graphNodeId);
SAME(KernelRecord, CUpti_ActivityKernel10, graphId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, copyKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, srcKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, dstKind);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, bytes);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, start);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, end);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, deviceId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, contextId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, streamId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, correlationId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, graphNodeId);
SAME(MemcpyRecord, CUpti_ActivityMemcpy6, graphId);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, type);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, start);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, end);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, correlationId);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, contextId);
SAME(SynchronizationRecord, CUpti_ActivitySynchronization2, streamId);
SAME(OverheadRecord, CUpti_ActivityOverhead3, overheadKind);
SAME(OverheadRecord, CUpti_ActivityOverhead3, objectKind);
SAME_PLACE(OverheadRecord, processId, CUpti_ActivityOverhead3, objectId.pt.processId);
SAME_PLACE(OverheadRecord, threadId, CUpti_ActivityOverhead3, objectId.pt.threadId);
SAME(OverheadRecord, CUpti_ActivityOverhead3, start);
SAME(OverheadRecord, CUpti_ActivityOverhead3, end);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, correlationId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, start);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, end);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, deviceId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, graphId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, contextId);
SAME(GraphTraceRecord, CUpti_ActivityGraphTrace2, streamId);
#endif

static_assert(sizeof(cupti::GraphData) == sizeof(CUpti_GraphData));
SAME(cupti::GraphData, CUpti_GraphData, node);
SAME(cupti::GraphData, CUpti_GraphData, originalNode);
static_assert(sizeof(cupti::ResourceData) == sizeof(CUpti_ResourceData));
SAME(cupti::ResourceData, CUpti_ResourceData, resourceDescriptor);

// The functions: parameters by size and class, since handles and enums have other types here.
template <class Ours, class Theirs>
constexpr bool sameParameter = sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>;
template <class Ours, class Theirs>
constexpr bool sameFunction = false;
template <class OurResult, class... Ours, class TheirResult, class... Theirs>
requires(sizeof...(Ours) ==
         sizeof...(Theirs)) constexpr bool sameFunction<OurResult (*)(Ours...), TheirResult (*)(Theirs...)> =
    std::is_void_v<OurResult> == std::is_void_v<TheirResult> &&
    sameParameter<std::conditional_t<std::is_void_v<OurResult>, int, OurResult>,
                  std::conditional_t<std::is_void_v<TheirResult>, int, TheirResult>> &&
    (sameParameter<Ours, Theirs> && ...);
#define SAME_FUNCTION(ours, theirs) static_assert(sameFunction<decltype(CuptiApi::ours), decltype(&theirs)>)
SAME_FUNCTION(getVersion, cuptiGetVersion);
SAME_FUNCTION(getResultString, cuptiGetResultString);
SAME_FUNCTION(registerTimestampCallback, cuptiActivityRegisterTimestampCallback);
SAME_FUNCTION(setAttribute, cuptiActivitySetAttribute);
SAME_FUNCTION(setThreadIdType, cuptiSetThreadIdType);
SAME_FUNCTION(registerCallbacks, cuptiActivityRegisterCallbacks);
SAME_FUNCTION(enable, cuptiActivityEnable);
SAME_FUNCTION(disable, cuptiActivityDisable);
SAME_FUNCTION(flushAll, cuptiActivityFlushAll);
SAME_FUNCTION(getNextRecord, cuptiActivityGetNextRecord);
SAME_FUNCTION(getNumDroppedRecords, cuptiActivityGetNumDroppedRecords);
SAME_FUNCTION(pushExternalCorrelationId, cuptiActivityPushExternalCorrelationId);
SAME_FUNCTION(popExternalCorrelationId, cuptiActivityPopExternalCorrelationId);
SAME_FUNCTION(subscribe, cuptiSubscribe);
SAME_FUNCTION(unsubscribe, cuptiUnsubscribe);
SAME_FUNCTION(enableCallback, cuptiEnableCallback);
SAME_FUNCTION(getCallbackName, cuptiGetCallbackName);
SAME_FUNCTION(getGraphNodeId, cuptiGetGraphNodeId);
SAME_FUNCTION(enableRuntimeApi, cuptiActivityEnableRuntimeApi);
SAME_FUNCTION(enableDriverApi, cuptiActivityEnableDriverApi);
static_assert(sameFunction<cupti::TimestampCallback*, CUpti_TimestampCallbackFunc>);
static_assert(sameFunction<cupti::BufferRequested*, CUpti_BuffersCallbackRequestFunc>);
static_assert(sameFunction<cupti::BufferCompleted*, CUpti_BuffersCallbackCompleteFunc>);
static_assert(sameFunction<cupti::ResourceCallback*, CUpti_CallbackFunc>);

template <class Ours, class Theirs>
constexpr bool same(Ours ours, Theirs theirs) {
    return static_cast<int64_t>(ours) == static_cast<int64_t>(theirs);
}

TEST(CuptiLayout, NumbersMeanTheSame) {
    EXPECT_TRUE(same(cupti::kSuccess, CUPTI_SUCCESS));
    EXPECT_TRUE(same(cupti::kMaxLimitReached, CUPTI_ERROR_MAX_LIMIT_REACHED));
    EXPECT_TRUE(same(cupti::kInvalidKind, CUPTI_ERROR_INVALID_KIND));
    EXPECT_TRUE(same(cupti::kInsufficientPrivileges, CUPTI_ERROR_INSUFFICIENT_PRIVILEGES));
    EXPECT_TRUE(same(cupti::kMultipleSubscribers, CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED));
    EXPECT_TRUE(same(cupti::kUnknownError, CUPTI_ERROR_UNKNOWN));
    EXPECT_TRUE(same(cupti::Kind::Memcpy, CUPTI_ACTIVITY_KIND_MEMCPY));
    EXPECT_TRUE(same(cupti::Kind::Memset, CUPTI_ACTIVITY_KIND_MEMSET));
    EXPECT_TRUE(same(cupti::Kind::Kernel, CUPTI_ACTIVITY_KIND_KERNEL));
    EXPECT_TRUE(same(cupti::Kind::Driver, CUPTI_ACTIVITY_KIND_DRIVER));
    EXPECT_TRUE(same(cupti::Kind::Runtime, CUPTI_ACTIVITY_KIND_RUNTIME));
    EXPECT_TRUE(same(cupti::Kind::ConcurrentKernel, CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL));
    EXPECT_TRUE(same(cupti::Kind::Overhead, CUPTI_ACTIVITY_KIND_OVERHEAD));
    EXPECT_TRUE(same(cupti::Kind::Synchronization, CUPTI_ACTIVITY_KIND_SYNCHRONIZATION));
    EXPECT_TRUE(same(cupti::Kind::ExternalCorrelation, CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION));
    EXPECT_TRUE(same(cupti::Kind::GraphTrace, CUPTI_ACTIVITY_KIND_GRAPH_TRACE));
    EXPECT_TRUE(same(cupti::CopyKind::HostToDevice, CUPTI_ACTIVITY_MEMCPY_KIND_HTOD));
    EXPECT_TRUE(same(cupti::CopyKind::DeviceToHost, CUPTI_ACTIVITY_MEMCPY_KIND_DTOH));
    EXPECT_TRUE(same(cupti::CopyKind::DeviceToDevice, CUPTI_ACTIVITY_MEMCPY_KIND_DTOD));
    EXPECT_TRUE(same(cupti::CopyKind::PeerToPeer, CUPTI_ACTIVITY_MEMCPY_KIND_PTOP));
    EXPECT_TRUE(same(cupti::MemoryKind::Pinned, CUPTI_ACTIVITY_MEMORY_KIND_PINNED));
    EXPECT_TRUE(same(cupti::MemoryKind::ManagedStatic, CUPTI_ACTIVITY_MEMORY_KIND_MANAGED_STATIC));
    EXPECT_TRUE(same(cupti::SyncType::Event, CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_EVENT_SYNCHRONIZE));
    EXPECT_TRUE(same(cupti::SyncType::StreamWaitEvent, CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_WAIT_EVENT));
    EXPECT_TRUE(same(cupti::SyncType::Stream, CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_STREAM_SYNCHRONIZE));
    EXPECT_TRUE(same(cupti::SyncType::Context, CUPTI_ACTIVITY_SYNCHRONIZATION_TYPE_CONTEXT_SYNCHRONIZE));
    EXPECT_TRUE(same(cupti::OverheadKind::BufferFlush, CUPTI_ACTIVITY_OVERHEAD_CUPTI_BUFFER_FLUSH));
    EXPECT_TRUE(same(cupti::OverheadKind::CommandBufferFull, CUPTI_ACTIVITY_OVERHEAD_COMMAND_BUFFER_FULL));
    EXPECT_TRUE(same(cupti::ObjectKind::Thread, CUPTI_ACTIVITY_OBJECT_THREAD));
    EXPECT_TRUE(same(cupti::kExternalKindCustom0, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0));
    EXPECT_TRUE(same(cupti::kFlushForced, CUPTI_ACTIVITY_FLAG_FLUSH_FORCED));
    EXPECT_TRUE(same(cupti::kAttributeZeroedBuffers, CUPTI_ACTIVITY_ATTR_ZEROED_OUT_ACTIVITY_BUFFER));
    EXPECT_TRUE(same(cupti::kThreadIdSystem, CUPTI_ACTIVITY_THREAD_ID_TYPE_SYSTEM));
    EXPECT_TRUE(same(cupti::kDomainDriver, CUPTI_CB_DOMAIN_DRIVER_API));
    EXPECT_TRUE(same(cupti::kDomainRuntime, CUPTI_CB_DOMAIN_RUNTIME_API));
    EXPECT_TRUE(same(cupti::kDomainResource, CUPTI_CB_DOMAIN_RESOURCE));
    EXPECT_TRUE(same(cupti::kGraphNodeCreated, CUPTI_CBID_RESOURCE_GRAPHNODE_CREATED));
    EXPECT_TRUE(same(cupti::kGraphNodeCloned, CUPTI_CBID_RESOURCE_GRAPHNODE_CLONED));
    EXPECT_TRUE(same(cupti::kRecordAlignment, ACTIVITY_RECORD_ALIGNMENT));
    EXPECT_TRUE(same(cupti::kNoTimestamp, CUPTI_TIMESTAMP_UNKNOWN));
}

// What the hand-made buffers of the other tests occupy is what this release writes.
#if CUPTI_API_VERSION >= 130000
TEST(CuptiLayout, HandMadeRecordsAreAsLongAsCuda13s) {
    using testing_support::recordBytes;
    EXPECT_EQ(recordBytes(cupti::Kind::ConcurrentKernel), sizeof(CUpti_ActivityKernel10));
    EXPECT_EQ(recordBytes(cupti::Kind::Memcpy), sizeof(CUpti_ActivityMemcpy6));
    EXPECT_EQ(recordBytes(cupti::Kind::Memset), sizeof(CUpti_ActivityMemset4));
    EXPECT_EQ(recordBytes(cupti::Kind::Runtime), sizeof(CUpti_ActivityAPI));
    EXPECT_EQ(recordBytes(cupti::Kind::Synchronization), sizeof(CUpti_ActivitySynchronization2));
    EXPECT_EQ(recordBytes(cupti::Kind::Overhead), sizeof(CUpti_ActivityOverhead3));
    EXPECT_EQ(recordBytes(cupti::Kind::GraphTrace), sizeof(CUpti_ActivityGraphTrace2));
    EXPECT_EQ(recordBytes(cupti::Kind::ExternalCorrelation), sizeof(CUpti_ActivityExternalCorrelation));
}
#endif

// The walk of the library itself takes hand-made buffers as the fake walk does, so the fake tells the truth.
TEST(CuptiLayout, TheRealWalkAgreesWithTheHandMadeOne) {
    const CuptiLibrary& library = CuptiLibrary::instance();
    if (!library || library.api.version < 130000) GTEST_SKIP() << "no CUPTI of CUDA 13 to ask";
    testing_support::HandMadeBuffer made;
    made.add(testing_support::externalId(1, 42)).add(testing_support::call(1, 2, 42));
    made.add(testing_support::kernel(3, 4, 42)).add(cupti::MemcpyRecord{.kind = cupti::Kind::Memcpy});
    made.add(cupti::MemsetRecord{.kind = cupti::Kind::Memset})
        .add(cupti::OverheadRecord{.kind = cupti::Kind::Overhead});
    made.add(cupti::GraphTraceRecord{.kind = cupti::Kind::GraphTrace});
    made.add(cupti::SynchronizationRecord{.kind = cupti::Kind::Synchronization});
    const CuptiBuffer buffer = made.buffer();
    cupti::Record *real = nullptr, *fake = nullptr;
    int count = 0;
    while (true) {
        const int32_t realResult = library.api.getNextRecord(buffer.data, buffer.validBytes, &real);
        const int32_t fakeResult = testing_support::nextRecord(buffer.data, buffer.validBytes, &fake);
        ASSERT_EQ(realResult, fakeResult) << "after " << count;
        if (realResult != cupti::kSuccess) break;
        ASSERT_EQ(real, fake) << "record " << count;
        ++count;
    }
    EXPECT_EQ(count, 8);
}

// The numbers of calls, which a comment beside each names.
TEST(CuptiLayout, ChosenCallsAreTheOnesThatWeMean) {
    constexpr auto kNoisy = std::to_array<uint32_t>({
        CUPTI_RUNTIME_TRACE_CBID_cudaGetLastError_v3020,
        CUPTI_RUNTIME_TRACE_CBID_cudaPeekAtLastError_v3020,
        CUPTI_RUNTIME_TRACE_CBID_cudaFuncGetAttributes_v3020,
        CUPTI_RUNTIME_TRACE_CBID_cudaSetDevice_v3020,
        CUPTI_RUNTIME_TRACE_CBID_cudaGetDevice_v3020,
        CUPTI_RUNTIME_TRACE_CBID_cudaDeviceGetAttribute_v5000,
        CUPTI_RUNTIME_TRACE_CBID_cudaOccupancyMaxActiveBlocksPerMultiprocessor_v6000,
        CUPTI_RUNTIME_TRACE_CBID_cudaOccupancyMaxActiveBlocksPerMultiprocessor_v6050,
        CUPTI_RUNTIME_TRACE_CBID_cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags_v7000,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamIsCapturing_v10000,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamIsCapturing_ptsz_v10000,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_v10010,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_ptsz_v10010,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_v2_v11030,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_v2_ptsz_v11030,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_v12030,
        CUPTI_RUNTIME_TRACE_CBID_cudaStreamGetCaptureInfo_ptsz_v12030,
        CUPTI_RUNTIME_TRACE_CBID_cudaThreadExchangeStreamCaptureMode_v10010,
    });
    EXPECT_EQ(kNoisyRuntimeCalls, kNoisy);
    constexpr auto kDriver = std::to_array<uint32_t>({
        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel,
        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernel_ptsz,
        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx,
        CUPTI_DRIVER_TRACE_CBID_cuLaunchKernelEx_ptsz,
        CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel,
        CUPTI_DRIVER_TRACE_CBID_cuLaunchCooperativeKernel_ptsz,
        CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch,
        CUPTI_DRIVER_TRACE_CBID_cuGraphLaunch_ptsz,
    });
    EXPECT_EQ(kDriverLaunches, kDriver);
}

}  // namespace
}  // namespace gapscope
