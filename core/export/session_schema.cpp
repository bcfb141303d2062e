#include "core/export/session_schema.h"

namespace gapscope {

namespace {

// Nsight Systems' tables, schema 3.25. They have no indexes there either: readers of these files expect plain tables.
constexpr const char* kNsysTables = R"sql(
CREATE TABLE StringIds (
    "id" INTEGER NOT NULL PRIMARY KEY, "value" TEXT NOT NULL);
CREATE TABLE PROCESSES (
    "globalPid" INTEGER, "pid" INTEGER, "name" TEXT);
CREATE TABLE ThreadNames (
    "nameId" INTEGER NOT NULL, "priority" INTEGER, "globalTid" INTEGER);
CREATE TABLE TARGET_INFO_SESSION_START_TIME (
    "utcEpochNs" INTEGER, "utcTime" TEXT, "localTime" TEXT, "systemClockNs" INTEGER);
CREATE TABLE TARGET_INFO_GPU (
    "vmId" INTEGER NOT NULL, "id" INTEGER NOT NULL, "name" TEXT, "busLocation" TEXT, "isDiscrete" INTEGER,
    "l2CacheSize" INTEGER, "totalMemory" INTEGER, "memoryBandwidth" INTEGER, "clockRate" INTEGER,
    "smCount" INTEGER, "pwGpuId" INTEGER, "uuid" TEXT, "luid" INTEGER, "chipName" TEXT, "cuDevice" INTEGER,
    "ctxswDevPath" TEXT, "ctrlDevPath" TEXT, "revision" INTEGER, "nodeMask" INTEGER, "constantMemory" INTEGER,
    "maxIPC" INTEGER, "maxRegistersPerBlock" INTEGER, "maxShmemPerBlock" INTEGER,
    "maxShmemPerBlockOptin" INTEGER, "maxShmemPerSm" INTEGER, "maxRegistersPerSm" INTEGER,
    "threadsPerWarp" INTEGER, "asyncEngines" INTEGER, "maxWarpsPerSm" INTEGER, "maxBlocksPerSm" INTEGER,
    "maxThreadsPerBlock" INTEGER, "maxBlockDimX" INTEGER, "maxBlockDimY" INTEGER, "maxBlockDimZ" INTEGER,
    "maxGridDimX" INTEGER, "maxGridDimY" INTEGER, "maxGridDimZ" INTEGER, "computeMajor" INTEGER,
    "computeMinor" INTEGER, "smMajor" INTEGER, "smMinor" INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "deviceId" INTEGER NOT NULL,
    "contextId" INTEGER NOT NULL, "greenContextId" INTEGER, "streamId" INTEGER NOT NULL,
    "correlationId" INTEGER, "globalPid" INTEGER, "demangledName" INTEGER NOT NULL,
    "shortName" INTEGER NOT NULL, "mangledName" INTEGER, "launchType" INTEGER, "cacheConfig" INTEGER,
    "registersPerThread" INTEGER NOT NULL, "gridX" INTEGER NOT NULL, "gridY" INTEGER NOT NULL,
    "gridZ" INTEGER NOT NULL, "blockX" INTEGER NOT NULL, "blockY" INTEGER NOT NULL, "blockZ" INTEGER NOT NULL,
    "staticSharedMemory" INTEGER NOT NULL, "dynamicSharedMemory" INTEGER NOT NULL,
    "localMemoryPerThread" INTEGER NOT NULL, "localMemoryTotal" INTEGER NOT NULL, "gridId" INTEGER NOT NULL,
    "sharedMemoryExecuted" INTEGER, "graphNodeId" INTEGER, "sharedMemoryLimitConfig" INTEGER,
    "qmdBulkReleaseDone" INTEGER, "qmdPreexitDone" INTEGER, "qmdLastCtaDone" INTEGER, "graphId" INTEGER,
    "clusterX" INTEGER, "clusterY" INTEGER, "clusterZ" INTEGER, "clusterSchedulingPolicy" INTEGER,
    "maxPotentialClusterSize" INTEGER, "maxActiveClusters" INTEGER, "sharedMemoryRequestedPercentage" INTEGER,
    "tensorSizeMinusOneElements" TEXT NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "deviceId" INTEGER NOT NULL,
    "contextId" INTEGER NOT NULL, "greenContextId" INTEGER, "streamId" INTEGER NOT NULL,
    "correlationId" INTEGER, "globalPid" INTEGER, "bytes" INTEGER NOT NULL, "copyKind" INTEGER NOT NULL,
    "deprecatedSrcId" INTEGER, "srcKind" INTEGER, "dstKind" INTEGER, "srcDeviceId" INTEGER,
    "srcContextId" INTEGER, "dstDeviceId" INTEGER, "dstContextId" INTEGER, "migrationCause" INTEGER,
    "graphNodeId" INTEGER, "virtualAddress" INTEGER, "copyCount" INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMSET (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "deviceId" INTEGER NOT NULL,
    "contextId" INTEGER NOT NULL, "greenContextId" INTEGER, "streamId" INTEGER NOT NULL,
    "correlationId" INTEGER, "globalPid" INTEGER, "value" INTEGER NOT NULL, "bytes" INTEGER NOT NULL,
    "graphNodeId" INTEGER, "memKind" INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_GRAPH_TRACE (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "deviceId" INTEGER NOT NULL,
    "contextId" INTEGER NOT NULL, "greenContextId" INTEGER, "streamId" INTEGER NOT NULL,
    "correlationId" INTEGER, "globalPid" INTEGER, "graphId" INTEGER NOT NULL, "graphExecId" INTEGER NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "eventClass" INTEGER NOT NULL, "globalTid" INTEGER,
    "correlationId" INTEGER, "nameId" INTEGER NOT NULL, "returnValue" INTEGER NOT NULL, "callchainId" INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_OVERHEAD (
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, "eventClass" INTEGER NOT NULL, "globalTid" INTEGER,
    "correlationId" INTEGER, "nameId" INTEGER, "overheadType" INTEGER NOT NULL);
CREATE TABLE NVTX_EVENTS (
    "start" INTEGER NOT NULL, "end" INTEGER, "eventType" INTEGER NOT NULL, "rangeId" INTEGER,
    "category" INTEGER, "color" INTEGER, "text" TEXT, "globalTid" INTEGER, "endGlobalTid" INTEGER,
    "textId" INTEGER, "domainId" INTEGER, "uint64Value" INTEGER, "int64Value" INTEGER, "doubleValue" REAL,
    "uint32Value" INTEGER, "int32Value" INTEGER, "floatValue" REAL, "jsonTextId" INTEGER, "jsonText" TEXT,
    "binaryData" TEXT);
CREATE TABLE META_DATA_EXPORT (
    "name" TEXT NOT NULL, "value" TEXT);
)sql";

// What that schema has no place for.
constexpr const char* kOwnTables = R"sql(
CREATE TABLE GAPSCOPE_META (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE GAPSCOPE_RUN (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE GAPSCOPE_PROMPT_TOKEN (position INTEGER PRIMARY KEY, tokenId INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_REPEAT (
    repeat INTEGER PRIMARY KEY, prefillNs INTEGER NOT NULL, timeToFirstTokenNs INTEGER NOT NULL,
    decodeNs INTEGER NOT NULL, newTokens INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_TOKEN (
    row INTEGER PRIMARY KEY, emittedNs INTEGER NOT NULL, repeat INTEGER NOT NULL, tokenIndex INTEGER NOT NULL,
    tokenId INTEGER NOT NULL, textId INTEGER NOT NULL, drafted INTEGER NOT NULL, accepted INTEGER NOT NULL,
    place INTEGER NOT NULL, sequence INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_TRACK (
    id INTEGER PRIMARY KEY, globalPid INTEGER NOT NULL, deviceId INTEGER NOT NULL, contextId INTEGER NOT NULL,
    streamId INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_OP (
    id INTEGER PRIMARY KEY, nameId INTEGER NOT NULL, shapesId INTEGER NOT NULL, dtypeId INTEGER NOT NULL,
    layer INTEGER NOT NULL, bytes INTEGER NOT NULL, flops INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_LAUNCH_CONFIG (
    id INTEGER PRIMARY KEY, fullNameId INTEGER NOT NULL, gridX INTEGER NOT NULL, gridY INTEGER NOT NULL,
    gridZ INTEGER NOT NULL, blockX INTEGER NOT NULL, blockY INTEGER NOT NULL, blockZ INTEGER NOT NULL,
    registersPerThread INTEGER NOT NULL, staticSharedBytes INTEGER NOT NULL, dynamicSharedBytes INTEGER NOT NULL,
    occupancyPercent INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_DEVICE_OP (
    row INTEGER PRIMARY KEY, kind INTEGER NOT NULL, eventRow INTEGER NOT NULL, nameId INTEGER NOT NULL,
    trackId INTEGER NOT NULL, category INTEGER NOT NULL, opId INTEGER, configId INTEGER, token INTEGER NOT NULL,
    repeat INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_STAGE (
    row INTEGER PRIMARY KEY, start INTEGER NOT NULL, end INTEGER NOT NULL, nameId INTEGER NOT NULL,
    trackId INTEGER NOT NULL, correlationId INTEGER NOT NULL, category INTEGER NOT NULL, opId INTEGER,
    token INTEGER NOT NULL, repeat INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_DEVICE (
    id INTEGER PRIMARY KEY, place INTEGER NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
    totalMemoryBytes INTEGER NOT NULL, peakBytesPerSecond REAL NOT NULL, peakFlopsPerSecond REAL NOT NULL);
CREATE TABLE GAPSCOPE_COUNTER (
    id INTEGER PRIMARY KEY, nameId INTEGER NOT NULL, unit TEXT NOT NULL, deviceId INTEGER NOT NULL);
CREATE TABLE GAPSCOPE_COUNTER_SAMPLE (
    row INTEGER PRIMARY KEY, timeNs INTEGER NOT NULL, counterId INTEGER NOT NULL, value REAL NOT NULL);
CREATE TABLE GAPSCOPE_DIAGNOSTIC (
    place INTEGER PRIMARY KEY, name TEXT NOT NULL, severity INTEGER NOT NULL, count INTEGER NOT NULL,
    text TEXT NOT NULL);
CREATE TABLE GAPSCOPE_NOTE (
    place INTEGER PRIMARY KEY, startNs INTEGER NOT NULL, endNs INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE GAPSCOPE_ROW (
    place INTEGER PRIMARY KEY, key TEXT NOT NULL, hidden INTEGER NOT NULL, folded INTEGER NOT NULL,
    pinnedPlace INTEGER, orderPlace INTEGER, laneHeight INTEGER);
)sql";

// Enumerations of the columns we fill, with the names Nsight Systems gives them.
constexpr const char* kEnumerations = R"sql(
CREATE TABLE ENUM_NSYS_EVENT_TYPE (id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO ENUM_NSYS_EVENT_TYPE VALUES (59, 'NvtxPushPopRange', 'NvtxPushPopRange');
CREATE TABLE ENUM_NSYS_EVENT_CLASS (id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO ENUM_NSYS_EVENT_CLASS VALUES
    (0, 'TRACE_PROCESS_EVENT_CUDA_RUNTIME', 'CUDA runtime'), (1, 'TRACE_PROCESS_EVENT_CUDA_DRIVER', 'CUDA driver');
CREATE TABLE ENUM_CUDA_KERNEL_LAUNCH_TYPE (id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO ENUM_CUDA_KERNEL_LAUNCH_TYPE VALUES
    (0, 'CUDA_KERNEL_LAUNCH_TYPE_UNKNOWN', 'Unknown'), (1, 'CUDA_KERNEL_LAUNCH_TYPE_REGULAR', 'Regular');
CREATE TABLE ENUM_CUDA_MEMCPY_OPER (id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO ENUM_CUDA_MEMCPY_OPER VALUES
    (0, 'CUDA_MEMCPY_KIND_UNKNOWN', 'Unknown'), (1, 'CUDA_MEMCPY_KIND_HTOD', 'Host-to-Device'),
    (2, 'CUDA_MEMCPY_KIND_DTOH', 'Device-to-Host'), (8, 'CUDA_MEMCPY_KIND_DTOD', 'Device-to-Device'),
    (9, 'CUDA_MEMCPY_KIND_HTOH', 'Host-to-Host'), (10, 'CUDA_MEMCPY_KIND_PTOP', 'Peer-to-Peer');
CREATE TABLE ENUM_CUPTI_OVERHEAD_TYPE (id INTEGER NOT NULL PRIMARY KEY, name TEXT, label TEXT);
INSERT INTO ENUM_CUPTI_OVERHEAD_TYPE VALUES (1, 'OVERHEAD_UNKNOWN', 'Unknown');
)sql";

}  // namespace

const std::string& sessionSchemaSql() {
    static const std::string kSql = std::string(kNsysTables) + kOwnTables + kEnumerations;
    return kSql;
}

}  // namespace gapscope
