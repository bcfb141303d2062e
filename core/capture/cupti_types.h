// What CUPTI's C interface looks like in memory, written down here so that every build form compiles it, also where no
// toolkit (or one without CUPTI's headers, as from pip) is installed. A test compares all of it with NVIDIA's headers
// where those are present.
//
// Records: a loaded library fills in its own newest layout, and newer layouts only append. So each struct here ends
// with the last field that we read, all of which exist since CUDA 12.0, and is copied out of the buffer, never cast:
// sizeof() is what we need of a record, not what it occupies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/wait_name.h"

namespace gapscope::cupti {

// CUptiResult
inline constexpr int32_t kSuccess = 0;
inline constexpr int32_t kMaxLimitReached = 12;  // no further record in the buffer
inline constexpr int32_t kInvalidKind = 21;
inline constexpr int32_t kInsufficientPrivileges = 35;
inline constexpr int32_t kMultipleSubscribers = 39;
inline constexpr int32_t kUnknownError = 999;  // also: no driver

enum class Kind : uint32_t {
    Invalid = 0,
    Memcpy = 1,
    Memset = 2,
    Kernel = 3,  // serialises kernels when enabled; only ever read
    Driver = 4,
    Runtime = 5,
    ConcurrentKernel = 10,
    Overhead = 17,
    Synchronization = 38,
    ExternalCorrelation = 39,
    GraphTrace = 51,
};

enum class CopyKind : uint8_t {
    Unknown = 0,
    HostToDevice = 1,
    DeviceToHost = 2,
    HostToArray = 3,
    ArrayToHost = 4,
    ArrayToArray = 5,
    ArrayToDevice = 6,
    DeviceToArray = 7,
    DeviceToDevice = 8,
    HostToHost = 9,
    PeerToPeer = 10,
};

enum class MemoryKind : uint8_t {
    Unknown = 0,
    Pageable = 1,
    Pinned = 2,
    Device = 3,
    Array = 4,
    Managed = 5,
    DeviceStatic = 6,
    ManagedStatic = 7,
};

using SyncType = WaitKind;

enum class OverheadKind : uint32_t {
    Unknown = 0,
    DriverCompiler = 1,
    BufferFlush = 1U << 16,
    Instrumentation = 2U << 16,
    Resource = 3U << 16,
    ModuleLoading = 4U << 16,
    LazyFunctionLoading = 5U << 16,
    CommandBufferFull = 6U << 16,
    BufferRequest = 7U << 16,
    UvmInit = 8U << 16,
};

enum class ObjectKind : uint32_t { Unknown = 0, Process = 1, Thread = 2, Device = 3, Context = 4, Stream = 5 };

inline constexpr uint32_t kExternalKindCustom0 = 3;  // the only one that we push
inline constexpr uint32_t kFlushForced = 1;
inline constexpr int32_t kAttributeZeroedBuffers = 5;
inline constexpr int32_t kThreadIdSystem = 1;  // gettid(), the ids that our own ranges carry
inline constexpr int32_t kDomainDriver = 1;
inline constexpr int32_t kDomainRuntime = 2;
inline constexpr int32_t kDomainResource = 3;
inline constexpr uint32_t kGraphNodeCreated = 13;
inline constexpr uint32_t kGraphNodeCloned = 20;
inline constexpr size_t kRecordAlignment = 8;
inline constexpr uint64_t kNoTimestamp = 0;

struct Record {
    Kind kind;
};

struct KernelRecord {  // 208 bytes in CUDA 12, 216 in 13
    Kind kind;
    uint8_t cacheConfig;
    uint8_t sharedMemoryConfig;
    uint16_t registersPerThread;
    uint32_t partitionedGlobalCacheRequested;
    uint32_t partitionedGlobalCacheExecuted;
    uint64_t start;
    uint64_t end;
    uint64_t completed;
    uint32_t deviceId;
    uint32_t contextId;
    uint32_t streamId;
    int32_t grid[3];
    int32_t block[3];
    int32_t staticSharedMemory;
    int32_t dynamicSharedMemory;
    uint32_t localMemoryPerThread;
    uint32_t localMemoryTotal;
    uint32_t correlationId;
    int64_t gridId;
    const char* name;  // mangled; valid for the life of the process
    void* reserved0;
    uint64_t queued;
    uint64_t submitted;
    uint8_t launchType;
    uint8_t isSharedMemoryCarveoutRequested;
    uint8_t sharedMemoryCarveoutRequested;
    uint8_t padding;
    uint32_t sharedMemoryExecuted;
    uint64_t graphNodeId;  // 0: not launched by a graph
    uint32_t shmemLimitConfig;
    uint32_t graphId;
};
static_assert(sizeof(KernelRecord) == 160);
static_assert(offsetof(KernelRecord, start) == 16);
static_assert(offsetof(KernelRecord, correlationId) == 92);
static_assert(offsetof(KernelRecord, name) == 104);
static_assert(offsetof(KernelRecord, graphNodeId) == 144);

struct MemcpyRecord {  // 96 bytes in CUDA 13
    Kind kind;
    CopyKind copyKind;
    MemoryKind srcKind;
    MemoryKind dstKind;
    uint8_t flags;
    uint64_t bytes;
    uint64_t start;
    uint64_t end;
    uint32_t deviceId;
    uint32_t contextId;
    uint32_t streamId;
    uint32_t correlationId;
    uint32_t runtimeCorrelationId;
    uint32_t padding;
    void* reserved0;
    uint64_t graphNodeId;
    uint32_t graphId;
    uint32_t channelId;
};
static_assert(sizeof(MemcpyRecord) == 80);
static_assert(offsetof(MemcpyRecord, correlationId) == 44);
static_assert(offsetof(MemcpyRecord, graphNodeId) == 64);

struct MemsetRecord {  // 88 bytes in CUDA 13
    Kind kind;
    uint32_t value;
    uint64_t bytes;
    uint64_t start;
    uint64_t end;
    uint32_t deviceId;
    uint32_t contextId;
    uint32_t streamId;
    uint32_t correlationId;
    uint16_t flags;
    uint16_t memoryKind;
    uint32_t padding;
    void* reserved0;
    uint64_t graphNodeId;
    uint32_t graphId;
    uint32_t channelId;
};
static_assert(sizeof(MemsetRecord) == 80);
static_assert(offsetof(MemsetRecord, graphNodeId) == 64);

struct ApiRecord {
    Kind kind;  // Runtime or Driver
    uint32_t cbid;
    uint64_t start;
    uint64_t end;
    uint32_t processId;
    uint32_t threadId;
    uint32_t correlationId;
    uint32_t returnValue;
};
static_assert(sizeof(ApiRecord) == 40);

struct SynchronizationRecord {  // 56 bytes in CUDA 13
    Kind kind;
    SyncType type;
    uint64_t start;
    uint64_t end;
    uint32_t correlationId;
    uint32_t contextId;
    uint32_t streamId;
    uint32_t cudaEventId;
};
static_assert(sizeof(SynchronizationRecord) == 40);

struct OverheadRecord {  // 56 bytes in CUDA 13
    Kind kind;
    OverheadKind overheadKind;
    ObjectKind objectKind;
    uint32_t processId;  // where objectKind is Process or Thread
    uint32_t threadId;
    uint32_t objectId2;
    uint64_t start;
    uint64_t end;
};
static_assert(sizeof(OverheadRecord) == 40);

struct ExternalCorrelationRecord {
    Kind kind;
    uint32_t externalKind;
    uint64_t externalId;
    uint32_t correlationId;
    uint32_t reserved;
};
static_assert(sizeof(ExternalCorrelationRecord) == 24);

struct GraphTraceRecord {  // 56 bytes in CUDA 13
    Kind kind;
    uint32_t correlationId;
    uint64_t start;
    uint64_t end;
    uint32_t deviceId;
    uint32_t graphId;
    uint32_t contextId;
    uint32_t streamId;
};
static_assert(sizeof(GraphTraceRecord) == 40);

// What a resource callback gets about a graph's node.
struct GraphData {
    void* graph;
    void* originalGraph;
    void* node;
    void* originalNode;
    int32_t nodeType;
    void* dependency;
    void* graphExec;
};

struct ResourceData {
    void* context;
    void* stream;
    void* resourceDescriptor;  // GraphData* for the callbacks above
};

using TimestampCallback = uint64_t();
using BufferRequested = void(uint8_t** buffer, size_t* size, size_t* maxNumRecords);
using BufferCompleted = void(void* context, uint32_t streamId, uint8_t* buffer, size_t size, size_t validSize);
using ResourceCallback = void(void* userData, int32_t domain, uint32_t cbid, const void* data);

}  // namespace gapscope::cupti
