// A small SQLite file laid out as Nsight Systems exports it: two processes on two GPUs, launches, copies, a set, a
// graph as a whole, nested and open ranges, a mark, overhead, names of threads and devices.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/base/sqlite.h"

namespace gapscope {

enum class NsysSchema {
    V2,     // of 2021: no graph, context or overhead tables, ranges with their text in the row
    V3_25,  // of 2026
};

inline void writeSmallNsysExport(const std::filesystem::path& path, NsysSchema schema) {
    auto database = Database::open(path, Database::Mode::Create);
    const auto run = [&](const std::string& sql) {
        if (!database || !database->execute(sql)) std::abort();  // the test itself is wrong
    };
    const bool isNew = schema == NsysSchema::V3_25;
    const std::string green = isNew ? "greenContextId INTEGER, " : "", none = isNew ? "NULL, " : "";
    run("BEGIN");
    run("CREATE TABLE StringIds (id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL)");
    run("INSERT INTO StringIds VALUES (1, '[Unknown]'), (2, 'cudaLaunchKernel_v7000'), (3, 'cudaMemcpyAsync_v3020'), "
        "(4, 'cudaStreamSynchronize_v3020'), (5, 'void gemv2T_kernel_val<int>(int)'), (6, 'gemv2T_kernel_val'), "
        "(7, 'ncclDevKernel_AllReduce'), (8, 'python3'), (9, 'layer 0'), (10, 'cudaGraphLaunch_v10000'), "
        "(11, 'CUDA profiling data flush overhead'), (12, 'cuLaunchKernel')");
    run("CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER "
        "NOT "
        "NULL, globalTid INTEGER, correlationId INTEGER, nameId INTEGER NOT NULL, returnValue INTEGER NOT NULL, "
        "callchainId INTEGER)");
    // Process 5 on thread 6, process 7 on thread 8: HW and VM in the upper bits.
    const std::string first = std::to_string((int64_t{1} << 56) | (5 << 24) | 6);
    const std::string firstPid = std::to_string((int64_t{1} << 56) | (5 << 24));
    const std::string second = std::to_string((int64_t{1} << 56) | (7 << 24) | 8);
    const std::string secondPid = std::to_string((int64_t{1} << 56) | (7 << 24));
    run("INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1000, 1500, 0, " + first +
        ", 41, 2, 0, NULL), (2000, 2400, 0, " + first + ", 42, 3, 0, NULL), (2500, 9000, 0, " + first +
        ", 43, 4, 0, NULL), (1100, 1300, 1, " + second + ", 41, 12, 0, NULL), (4000, 4300, 0, " + second +
        ", 44, 10, 0, NULL)");
    run("CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT "
        "NULL, "
        "contextId INTEGER NOT NULL, " +
        green +
        "streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER, "
        "demangledName INTEGER NOT NULL, shortName INTEGER NOT NULL, registersPerThread INTEGER NOT NULL, gridX "
        "INTEGER "
        "NOT NULL, gridY INTEGER NOT NULL, gridZ INTEGER NOT NULL, blockX INTEGER NOT NULL, blockY INTEGER NOT NULL, "
        "blockZ INTEGER NOT NULL, staticSharedMemory INTEGER NOT NULL, dynamicSharedMemory INTEGER NOT NULL, "
        "graphNodeId INTEGER)");
    run("INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (1800, 2900, 0, 1, " + none + "7, 41, " + firstPid +
        ", 5, 6, 92, 2048, 1, 1, 128, 1, 1, 0, 4096, NULL), (1700, 3900, 1, 1, " + none + "7, 41, " + secondPid +
        ", 7, 7, 96, 24, 1, 1, 512, 1, 1, 16, 0, NULL)");
    run("CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER NOT "
        "NULL, "
        "contextId INTEGER NOT NULL, " +
        green +
        "streamId INTEGER NOT NULL, correlationId INTEGER, globalPid INTEGER, "
        "bytes INTEGER NOT NULL, copyKind INTEGER NOT NULL)");
    run("INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (3000, 3200, 0, 1, " + none + "7, 42, " + firstPid + ", 8, 2)");
    run("CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, text TEXT, "
        "globalTid "
        "INTEGER" +
        std::string(isNew ? ", textId INTEGER, domainId INTEGER" : "") + ")");
    const std::string named = isNew ? ", NULL, 0" : "", byId = isNew ? ", 9, 0" : "";
    run("INSERT INTO NVTX_EVENTS VALUES (900, 9500, 59, 'token 0', " + first + named + "), (1000, 2200, 60, " +
        (isNew ? "NULL" : "'layer 0'") + ", " + first + byId + "), (1200, NULL, 59, 'open', " + second + named +
        "), (1300, NULL, 34, 'mark', " + second + named + ")");
    run("CREATE TABLE ThreadNames (nameId INTEGER NOT NULL, priority INTEGER, globalTid INTEGER)");
    run("INSERT INTO ThreadNames VALUES (8, NULL, " + first + ")");
    run("CREATE TABLE TARGET_INFO_SESSION_START_TIME (utcEpochNs INTEGER, utcTime TEXT, localTime TEXT)");
    run("INSERT INTO TARGET_INFO_SESSION_START_TIME VALUES (1700000000000000000, '2023-11-14 22:13:20', '')");
    run("CREATE TABLE TARGET_INFO_GPU (id INTEGER NOT NULL, name TEXT, totalMemory INTEGER)");
    run("INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA H100', 85899345920), (1, 'NVIDIA H100', 85899345920)");
    run("CREATE TABLE TARGET_INFO_CUDA_DEVICE (gpuId INTEGER NOT NULL, cudaId INTEGER NOT NULL, pid INTEGER NOT NULL)");
    run("INSERT INTO TARGET_INFO_CUDA_DEVICE VALUES (0, 0, 5), (1, 1, 7)");
    if (isNew) {
        run("CREATE TABLE CUPTI_ACTIVITY_KIND_MEMSET (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER "
            "NOT "
            "NULL, contextId INTEGER NOT NULL, greenContextId INTEGER, streamId INTEGER NOT NULL, correlationId "
            "INTEGER, "
            "globalPid INTEGER, value INTEGER NOT NULL, bytes INTEGER NOT NULL, graphNodeId INTEGER, memKind INTEGER)");
        run("INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET VALUES (3300, 3350, 0, 1, NULL, 7, 43, " + firstPid +
            ", 0, 512, NULL, 2)");
        run("CREATE TABLE CUPTI_ACTIVITY_KIND_GRAPH_TRACE (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId "
            "INTEGER "
            "NOT NULL, contextId INTEGER NOT NULL, greenContextId INTEGER, streamId INTEGER NOT NULL, correlationId "
            "INTEGER, globalPid INTEGER, graphId INTEGER NOT NULL, graphExecId INTEGER NOT NULL)");
        run("INSERT INTO CUPTI_ACTIVITY_KIND_GRAPH_TRACE VALUES (4500, 6500, 1, 1, NULL, 7, 44, " + secondPid +
            ", 3, 4)");
        run("CREATE TABLE PROFILER_OVERHEAD (start INTEGER NOT NULL, end INTEGER NOT NULL, globalTid INTEGER, nameId "
            "INTEGER NOT NULL, overheadType INTEGER NOT NULL)");
        run("INSERT INTO PROFILER_OVERHEAD VALUES (7000, 7600, " + first + ", 11, 3)");
        run("CREATE TABLE CUPTI_ACTIVITY_KIND_SYNCHRONIZATION (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId "
            "INTEGER NOT NULL, contextId INTEGER NOT NULL, greenContextId INTEGER, streamId INTEGER NOT NULL, "
            "correlationId INTEGER, globalPid INTEGER, syncType INTEGER NOT NULL, eventId INTEGER NOT NULL)");
        run("INSERT INTO CUPTI_ACTIVITY_KIND_SYNCHRONIZATION VALUES (2600, 8900, 0, 1, NULL, 7, 43, " + firstPid +
            ", 3, 0), (4100, 4200, 1, 1, NULL, 7, 999, " + secondPid + ", 4, 0)");
        run("CREATE TABLE CUBLAS_EVENTS (start INTEGER NOT NULL, end INTEGER NOT NULL, eventClass INTEGER NOT NULL, "
            "globalTid INTEGER, nameId INTEGER NOT NULL)");
        run("INSERT INTO StringIds VALUES (13, 'cublasGemmEx')");
        run("INSERT INTO CUBLAS_EVENTS VALUES (950, 1600, 29, " + first + ", 13)");
        run("CREATE TABLE PROCESSES (globalPid INTEGER, pid INTEGER, name TEXT)");
        run("INSERT INTO PROCESSES VALUES (" + secondPid + ", 7, 'server'), (" + firstPid + ", 5, 'client')");
        run("CREATE TABLE TARGET_INFO_GPU_METRICS (typeId INTEGER NOT NULL, sourceId INTEGER NOT NULL, typeName TEXT "
            "NOT NULL, metricId INTEGER NOT NULL, metricName TEXT NOT NULL)");
        run("INSERT INTO TARGET_INFO_GPU_METRICS VALUES (72057594037927937, 1, 'General Metrics', 4, 'SMs Active')");
        run("CREATE TABLE GPU_METRICS (rawTimestamp INTEGER, timestamp INTEGER, typeId INTEGER NOT NULL, metricId "
            "INTEGER NOT NULL, value INTEGER NOT NULL)");
        run("INSERT INTO GPU_METRICS VALUES (0, 3000, 72057594037927937, 4, 80), (0, 2000, 72057594037927937, 4, 35)");
        run("CREATE TABLE DIAGNOSTIC_EVENT (timestamp INTEGER NOT NULL, timestampType INTEGER NOT NULL, source INTEGER "
            "NOT NULL, severity INTEGER NOT NULL, text TEXT NOT NULL, globalPid INTEGER)");
        run("INSERT INTO DIAGNOSTIC_EVENT VALUES (1, 1, 1, 2, 'Some events were lost.', NULL), (2, 1, 1, 2, 'Some "
            "events "
            "were lost.', NULL), (3, 1, 1, 1, 'Profiling started.', NULL)");
        run("CREATE TABLE CUPTI_ACTIVITY_KIND_CUDA_EVENT (timestamp INTEGER, deviceId INTEGER NOT NULL)");
        run("INSERT INTO CUPTI_ACTIVITY_KIND_CUDA_EVENT VALUES (1, 0), (2, 0)");
        run("CREATE TABLE META_DATA_EXPORT (name TEXT NOT NULL, value TEXT)");
        run("INSERT INTO META_DATA_EXPORT VALUES ('EXPORT_SCHEMA_VERSION', '3.25.0')");
    }
    run("COMMIT");
    if (!database->close()) std::abort();
}

}  // namespace gapscope
