#include "tests/bench/synthetic_nsys.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/export/session_schema.h"

namespace gapscope::bench {

namespace {

struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Base = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

Base open(const std::filesystem::path& path, int flags) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Base base(raw);
    return code == SQLITE_OK ? std::move(base) : nullptr;
}
bool execute(const Base& base, const std::string& sql) {
    return sqlite3_exec(base.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}
Statement prepare(const Base& base, const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    sqlite3_prepare_v2(base.get(), sql.c_str(), -1, &raw, nullptr);
    return Statement(raw);
}

// Binds them from the first on and runs the statement; what is not told is NULL.
template <class... Values>
bool insert(const Statement& statement, Values... values) {
    int at = 0;
    (sqlite3_bind_int64(statement.get(), ++at, static_cast<sqlite3_int64>(values)), ...);
    const bool done = sqlite3_step(statement.get()) == SQLITE_DONE;
    return sqlite3_reset(statement.get()) == SQLITE_OK && done;
}

// Integer columns of one table, as vectors.
bool readColumns(const Base& base, const char* sql, size_t columns, std::vector<std::vector<int64_t>>& into) {
    const Statement statement = prepare(base, sql);
    if (!statement) return false;
    into.assign(columns, {});
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement.get())) == SQLITE_ROW)
        for (size_t column = 0; column < columns; ++column)
            into[column].push_back(sqlite3_column_int64(statement.get(), static_cast<int>(column)));
    return code == SQLITE_DONE;
}

}  // namespace

bool writeSyntheticNsys(const std::filesystem::path& path, int64_t kernelCount, SyntheticSums& sums) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    const Base base = open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!base || !execute(base, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN") ||
        !execute(base, sessionSchemaSql()))
        return false;
    for (const char* own : {"META", "RUN", "PROMPT_TOKEN", "REPEAT", "TOKEN", "TRACK", "OP", "LAUNCH_CONFIG",
                            "DEVICE_OP", "DEVICE", "COUNTER", "COUNTER_SAMPLE", "DIAGNOSTIC"})
        if (!execute(base, std::string("DROP TABLE GAPSCOPE_") + own)) return false;
    constexpr int kNames = 60;
    std::string names = "INSERT INTO StringIds VALUES (1, 'cudaLaunchKernel_v7000'), (2, 'forward')";
    for (int i = 0; i < kNames; ++i)
        names += ", (" + std::to_string(10 + i) + ", 'void at::native::vectorized_elementwise_kernel<4, Functor" +
                 std::to_string(i) + ", std::array<char*, 3ul> >(int, Functor, std::array<char*, 3ul>)')";
    if (!execute(base, names)) return false;
    const Statement kernel = prepare(
        base,
        "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL (start, end, deviceId, contextId, streamId, correlationId, globalPid, "
        "demangledName, shortName, mangledName, launchType, cacheConfig, registersPerThread, gridX, gridY, gridZ, "
        "blockX, "
        "blockY, blockZ, staticSharedMemory, dynamicSharedMemory, localMemoryPerThread, localMemoryTotal, gridId, "
        "sharedMemoryExecuted, sharedMemoryLimitConfig, clusterX, clusterY, clusterZ, tensorSizeMinusOneElements) "
        "VALUES "
        "(?, ?, 0, 1, 7, ?, ?, ?, ?, ?, 0, 0, ?, ?, 1, 1, ?, 1, 1, ?, ?, 0, 52953088, ?, 32768, 0, 0, 0, 0, '')");
    const Statement call = prepare(base, "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (?, ?, 0, ?, ?, 1, 0, NULL)");
    const Statement range = prepare(
        base,
        "INSERT INTO NVTX_EVENTS (start, end, eventType, globalTid, textId, domainId) VALUES (?, ?, 59, ?, 2, 0)");
    if (!kernel || !call || !range) return false;
    std::mt19937 random(1);
    const auto number = [&](int64_t from, int64_t to) { return from + static_cast<int64_t>(random() % (to - from)); };
    constexpr int64_t kTid = int64_t{1} << 56 | 4242LL << 24 | 4242, kPid = int64_t{1} << 56 | 4242LL << 24;
    constexpr int64_t kKernelsARange = 700;
    sums = {.kernelCount = kernelCount};
    int64_t hostNs = 1'000'000, freeNs = 0, rangeNs = hostNs;
    bool done = true;
    for (int64_t i = 0; done && i < kernelCount; ++i) {
        const int64_t name = 10 + number(0, kNames), durationNs = number(2'000, 9'000);
        hostNs += number(4'000, 6'000);
        done = insert(call, hostNs, hostNs + number(1'200, 2'000), kTid, i + 1);
        const int64_t startNs = std::max(freeNs, hostNs + 3'000);
        // A kernel runs in two or three ways, as in real exports.
        done = done && insert(kernel, startNs, startNs + durationNs, i + 1, kPid, name, name, name, 16 + name,
                              32 * name + number(1, 4), 128, 1024 * (name % 48), 0, i + 1);
        freeNs = startNs + durationNs + number(400, 1'200);
        sums.selfGpuNs += durationNs;
        if ((i + 1) % kKernelsARange != 0) continue;
        done = done && insert(range, rangeNs, hostNs, kTid);
        rangeNs = hostNs;
    }
    sums.busyNs = sums.selfGpuNs;
    return done && execute(base, "COMMIT");
}

int64_t readBareSqlite(const std::filesystem::path& path) {
    const Base base = open(path, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX);
    if (!base) return -1;
    std::unordered_map<int64_t, std::string> texts;
    const Statement strings = prepare(base, "SELECT id, value FROM StringIds");
    if (!strings) return -1;
    while (sqlite3_step(strings.get()) == SQLITE_ROW)
        texts.emplace(sqlite3_column_int64(strings.get(), 0),
                      reinterpret_cast<const char*>(sqlite3_column_text(strings.get(), 1)));
    std::vector<std::vector<int64_t>> kernels, calls, ranges;
    const bool whole =
        readColumns(
            base,
            "SELECT rowid, start, end, deviceId, contextId, streamId, correlationId, globalPid, graphNodeId, "
            "demangledName, registersPerThread, gridX, gridY, gridZ, blockX, blockY, blockZ, staticSharedMemory, "
            "dynamicSharedMemory FROM CUPTI_ACTIVITY_KIND_KERNEL ORDER BY rowid",
            19, kernels) &&
        readColumns(base,
                    "SELECT rowid, start, end, eventClass, globalTid, correlationId, nameId FROM "
                    "CUPTI_ACTIVITY_KIND_RUNTIME ORDER BY rowid",
                    7, calls) &&
        readColumns(base, "SELECT rowid, start, end, eventType, globalTid, textId FROM NVTX_EVENTS ORDER BY rowid", 6,
                    ranges);
    if (!whole) return -1;
    int64_t sum = 0;
    for (size_t row = 0; row < kernels[1].size(); ++row)
        sum += kernels[2][row] - kernels[1][row];
    return sum;
}

}  // namespace gapscope::bench
