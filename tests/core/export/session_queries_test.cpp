// A session is an Nsight Systems export to tools that know no other: the queries that NVIDIA's documentation of the
// SQLite export gives as examples, and those behind `nsys stats`, run on a session of ours as they stand.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "core/export/session_writer.h"
#include "core/trace/trace_builder.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

constexpr uint64_t kThread = makeGlobalTid(41, 42);

TracePtr knownTrace() {
    TraceBuilder b;
    b.setThread(kThread, "main");
    b.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "NVIDIA H200", .totalMemoryBytes = 141});
    const TrackId track = b.internTrack({makeGlobalTid(41, 0), 0, 1, 7});
    const auto launch = [&](int64_t startNs, uint32_t correlation, const char* name, int64_t kernelNs) {
        b.add(ApiCallRow{startNs, startNs + 10, b.intern("cudaLaunchKernel"), kThread, correlation});
        b.add(DeviceOpRow{
            .startNs = startNs + 20,
            .endNs = startNs + 20 + kernelNs,
            .name = b.intern(name),
            .track = track,
            .correlationId = correlation,
            .config = b.internLaunchConfig(
                {.fullName = b.intern(std::string(name) + "<float>(int)"), .grid = {4, 1, 1}, .block = {64, 1, 1}})});
    };
    launch(100, 1, "gemv", 50);
    launch(200, 2, "gemv", 70);
    launch(300, 3, "norm", 5);
    b.add(ApiCallRow{400, 430, b.intern("cudaMemcpyAsync"), makeGlobalTid(41, 43), 4});
    b.add(DeviceOpRow{.startNs = 440,
                      .endNs = 460,
                      .name = b.intern("Memcpy HtoD (Pageable -> Device)"),
                      .track = track,
                      .kind = DeviceOpKind::Copy,
                      .correlationId = 4,
                      .copyBytes = 4096});
    b.add(ApiCallRow{500, 600, b.intern("cudaStreamSynchronize"), kThread, 5});
    b.add(RangeRow{90, 250, b.intern("forward"), kThread});
    b.add(RangeRow{290, 320, b.intern("forward"), kThread});
    return b.snapshot();
}

class SessionQueries : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(saveSession(*knownTrace(), m_folder / "s.sqlite"));
        ASSERT_EQ(sqlite3_open((m_folder / "s.sqlite").c_str(), &m_database), SQLITE_OK);
    }
    void TearDown() override { sqlite3_close(m_database); }

    // Rows as text: cells parted by |, rows by newlines.
    std::string ask(const char* sql) {
        std::string text;
        char* problem = nullptr;
        const auto addRow = [](void* to, int count, char** cells, char**) {
            auto& out = *static_cast<std::string*>(to);
            for (int i = 0; i < count; ++i)
                out += (i > 0 ? "|" : "") + std::string(cells[i] ? cells[i] : "NULL");
            out += '\n';
            return 0;
        };
        sqlite3_exec(m_database, sql, addRow, &text, &problem);
        EXPECT_EQ(problem, nullptr) << problem;
        sqlite3_free(problem);
        return text;
    }

private:
    TempFolder m_folder;
    sqlite3* m_database = nullptr;
};

}  // namespace

TEST_F(SessionQueries, CorrelatesKernelLaunchesWithApiCalls) {
    ask("ALTER TABLE CUPTI_ACTIVITY_KIND_RUNTIME ADD COLUMN name TEXT;"
        "ALTER TABLE CUPTI_ACTIVITY_KIND_RUNTIME ADD COLUMN kernelName TEXT;"
        "UPDATE CUPTI_ACTIVITY_KIND_RUNTIME SET kernelName = "
        "(SELECT value FROM StringIds JOIN CUPTI_ACTIVITY_KIND_KERNEL AS cuda_gpu ON cuda_gpu.shortName = StringIds.id "
        "AND CUPTI_ACTIVITY_KIND_RUNTIME.correlationId = cuda_gpu.correlationId);"
        "UPDATE CUPTI_ACTIVITY_KIND_RUNTIME SET name = (SELECT value FROM StringIds WHERE nameId = StringIds.id);");
    EXPECT_EQ(ask("SELECT name, kernelName, start, end FROM CUPTI_ACTIVITY_KIND_RUNTIME "
                  "WHERE kernelName IS NOT NULL ORDER BY end - start LIMIT 10"),
              "cudaLaunchKernel|gemv|100|110\ncudaLaunchKernel|gemv|200|210\ncudaLaunchKernel|norm|300|310\n");
}

TEST_F(SessionQueries, SumsKernelsByName) {
    EXPECT_EQ(ask("SELECT s.value, COUNT(*), SUM(k.end - k.start), AVG(k.end - k.start), MIN(k.end - k.start), "
                  "MAX(k.end - k.start) FROM CUPTI_ACTIVITY_KIND_KERNEL AS k JOIN StringIds AS s ON s.id = "
                  "k.demangledName GROUP BY k.demangledName ORDER BY 3 DESC"),
              "gemv<float>(int)|2|120|60.0|50|70\nnorm<float>(int)|1|5|5.0|5|5\n");
}

TEST_F(SessionQueries, SumsApiCallsByThread) {
    EXPECT_EQ(
        ask("SELECT r.globalTid / 0x1000000 % 0x1000000 AS PID, r.globalTid % 0x1000000 AS TID, t.value, s.value, "
            "COUNT(*), SUM(r.end - r.start) FROM CUPTI_ACTIVITY_KIND_RUNTIME AS r JOIN StringIds AS s ON s.id = "
            "r.nameId LEFT JOIN ThreadNames AS n ON n.globalTid = r.globalTid LEFT JOIN StringIds AS t ON t.id = "
            "n.nameId GROUP BY r.globalTid, r.nameId ORDER BY 2, 6 DESC"),
        "41|42|main|cudaStreamSynchronize|1|100\n41|42|main|cudaLaunchKernel|3|30\n"
        "41|43|NULL|cudaMemcpyAsync|1|30\n");
}

TEST_F(SessionQueries, ListsCopiesByKindAndDevice) {
    EXPECT_EQ(
        ask("SELECT o.label, g.name, COUNT(*), SUM(m.bytes), SUM(m.end - m.start) FROM CUPTI_ACTIVITY_KIND_MEMCPY "
            "AS m JOIN ENUM_CUDA_MEMCPY_OPER AS o ON o.id = m.copyKind JOIN TARGET_INFO_GPU AS g ON g.cuDevice = "
            "m.deviceId GROUP BY m.copyKind"),
        "Host-to-Device|NVIDIA H200|1|4096|20\n");
}

TEST_F(SessionQueries, ListsNvtxRangesAndTheKernelsLaunchedInThem) {
    EXPECT_EQ(ask("SELECT COALESCE(n.text, s.value), COUNT(*), SUM(n.end - n.start) FROM NVTX_EVENTS AS n LEFT JOIN "
                  "StringIds AS s ON s.id = n.textId WHERE n.eventType IN (59, 60) GROUP BY 1"),
              "forward|2|190\n");
    EXPECT_EQ(
        ask("SELECT COALESCE(n.text, s.value), n.start, COUNT(k.start), SUM(k.end - k.start) FROM NVTX_EVENTS AS n "
            "LEFT JOIN StringIds AS s ON s.id = n.textId JOIN CUPTI_ACTIVITY_KIND_RUNTIME AS r ON r.globalTid = "
            "n.globalTid AND r.start >= n.start AND r.end <= n.end JOIN CUPTI_ACTIVITY_KIND_KERNEL AS k ON "
            "k.correlationId = r.correlationId AND k.globalPid = r.globalTid & ~0xFFFFFF "
            "GROUP BY n.rowid ORDER BY n.start"),
        "forward|90|2|120\nforward|290|1|5\n");
}

TEST_F(SessionQueries, TellsWhatItIs) {
    EXPECT_EQ(ask("SELECT value FROM META_DATA_EXPORT WHERE name = 'EXPORT_SCHEMA_VERSION'"), "3.25.0\n");
    EXPECT_EQ(
        ask("SELECT DISTINCT e.name FROM CUPTI_ACTIVITY_KIND_RUNTIME AS r JOIN ENUM_NSYS_EVENT_CLASS AS e ON e.id = "
            "r.eventClass"),
        "TRACE_PROCESS_EVENT_CUDA_RUNTIME\n");
    EXPECT_EQ(ask("SELECT count(*) FROM META_DATA_EXPORT WHERE name LIKE '%USER%' OR name LIKE '%HOST%'"), "0\n");
}

}  // namespace gapscope
