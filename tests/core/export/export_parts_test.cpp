// The parts that exporters share.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "core/export/chrome_json.h"
#include "core/export/csv.h"
#include "core/export/export_places.h"
#include "core/export/export_texts.h"
#include "core/export/launch_flows.h"
#include "core/export/nesting.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

std::string readFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST(ExportTexts, CutsHomeFoldersOut) {
    const std::pair<const char*, const char*> cases[] = {
        {"/home/ada/x.py(3): main", "~/x.py(3): main"},
        {"torch/nn/modules/module.py(1501): _call_impl", "torch/nn/modules/module.py(1501): _call_impl"},
        {"<'/Users/ada/a.py', '/home/bob'>", "<'~/a.py', '~'>"},
        {"/root/run.py", "~/run.py"},
        {"C:\\Users\\ada\\x.py(3)", "~\\x.py(3)"},
        {"C:\\\\Users\\\\ada\\\\x.py", "~\\\\x.py"},
        {"/data/home/ada", "/data/home/ada"},
        {"/homes/ada", "/homes/ada"},
        {"/home/", "~"},
        {"a / b", "a / b"},
        {"/home/ada\nnext", "~\nnext"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(withoutHomeFolders(text), expected);
}

TEST(ExportTexts, NoExportTellsWhoRecordedUnlessAsked) {
    RandomTrace random(3);
    TraceBuilder builder = random.build();
    RunInfo run = random.run();
    run.modelPath = "/home/ada/models/gemma.gguf";
    run.stopReason = "failed: /home/ada/models/gemma.gguf is cut short.";
    builder.setRun(run);
    builder.diagnostics().add("nsight_message_1", Severity::Info, 1,
                              "Nsight Systems said: /home/ada/nsys/report1.nsys-rep was written.");
    builder.add(RangeRow{1, 2, builder.intern("/home/ada/run.py(7): main"), makeGlobalTid(100, 100),
                         RangeKind::PythonFunction});
    builder.setThread(makeGlobalTid(100, 101), "/Users/ada/worker");
    builder.setAnnotations(
        {.notes = {{{3, 4}, "as /home/ada/plan.md says"}}, .rows = {.hidden = {"thread /Users/ada/worker"}}});
    const TracePtr trace = builder.snapshot();
    for (const Identity identity : {Identity::LeftOut, Identity::Kept}) {
        const TempFolder folder;
        ASSERT_TRUE(exportChromeJson(*trace, folder / "t.json", identity));
        ASSERT_TRUE(exportPerfettoTrace(*trace, folder / "t.pftrace", identity));
        ASSERT_TRUE(saveSession(*trace, folder / "t.gapscope", {}, identity));
        ExportReport report;
        for (const std::string_view table : csvTables())
            ASSERT_TRUE(exportCsvTable(*trace, table, folder / (std::string(table) + ".csv"), identity, report));
        int telling = 0;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            const std::string bytes = readFile(entry.path());
            for (const char* name : {"HOME=", "PATH=", "USER="})
                EXPECT_EQ(bytes.find(name), std::string::npos) << entry.path();
            const bool tells = bytes.find("ada") != std::string::npos;
            telling += tells ? 1 : 0;
            if (identity == Identity::LeftOut) {
                EXPECT_FALSE(tells) << entry.path();
            }
        }
        EXPECT_EQ(telling,
                  identity == Identity::Kept ? 7 : 0);  // of the CSV tables three name threads and one has notes
    }
}

TEST(ExportPlaces, NamesOfSeveralProcessesComeApart) {
    TraceBuilder builder;
    builder.setThread(makeGlobalTid(100, 1), "python 100: worker");
    builder.setThread(makeGlobalTid(200, 1), "process 200: thread 1");
    builder.setThread(makeGlobalTid(300, 1), "process 999: thread 1");
    builder.setThread(makeGlobalTid(400, 1), "400: x");
    const TracePtr trace = builder.snapshot();
    const ExportPlaces places = placesOf(*trace, ExportTexts(*trace, Identity::Kept));
    EXPECT_EQ(places.processes.at(makeGlobalTid(100, 0)), "python");
    EXPECT_EQ(places.threads.at(makeGlobalTid(100, 1)), "worker");
    EXPECT_EQ(places.processes.at(makeGlobalTid(200, 0)), "");
    EXPECT_EQ(places.threads.at(makeGlobalTid(200, 1)), "thread 1");
    EXPECT_EQ(places.threads.at(makeGlobalTid(300, 1)), "process 999: thread 1");
    EXPECT_EQ(places.threads.at(makeGlobalTid(400, 1)), "400: x");
}

TEST(LaunchFlows, JoinWithinAProcessToTheEarliestCall) {
    TraceBuilder builder;
    const auto call = [&](int64_t startNs, uint32_t process, uint32_t correlation) {
        builder.add(ApiCallRow{startNs, startNs + 1, {}, makeGlobalTid(process, 1), correlation});
    };
    call(5, 10, 7);
    call(3, 10, 7);
    call(4, 20, 7);
    call(4, 20, 0);
    for (const uint32_t process : {10u, 20u, 30u}) {
        const TrackId track = builder.internTrack({makeGlobalTid(process, 0), 0, 1, 7});
        builder.add(DeviceOpRow{.startNs = 9, .endNs = 10, .track = track, .correlationId = 7});
        builder.add(DeviceOpRow{.startNs = 9, .endNs = 10, .track = track});
    }
    const TracePtr trace = builder.snapshot();
    const LaunchFlows flows(*trace);
    EXPECT_EQ(flows.ofCall(0), 0u);
    EXPECT_NE(flows.ofCall(1), 0u);
    EXPECT_NE(flows.ofCall(2), flows.ofCall(1));
    EXPECT_EQ(flows.ofCall(3), 0u);
    EXPECT_EQ(flows.ofOp(0), flows.ofCall(1));
    EXPECT_EQ(flows.ofOp(1), 0u);
    EXPECT_EQ(flows.ofOp(2), flows.ofCall(2));
    EXPECT_EQ(flows.ofOp(4), 0u);
    EXPECT_EQ(flows.opsWithoutCall(), 1);
}

TEST(Nesting, BeginsAndEndsMatchAsBracketsOnEachTrack) {
    std::mt19937 random(1);
    for (int round = 0; round < 300; ++round) {
        std::vector<NestedItem> items;
        for (uint32_t row = 0; row < 40; ++row) {
            const int64_t start = random() % 50;
            items.push_back({start, start + static_cast<int64_t>(random() % 12), row});
        }
        std::ranges::stable_sort(items, nestingOrder);
        std::vector<std::vector<NestedItem>> open;
        std::vector<int64_t> lastNs;
        std::vector<bool> closed(items.size());
        forEachNested(
            items,
            [&](size_t track, const NestedItem& item) {
                if (track >= open.size()) open.resize(track + 1), lastNs.resize(track + 1, -1);
                EXPECT_LE(lastNs[track], item.startNs);
                lastNs[track] = item.startNs;
                open[track].push_back(item);
            },
            [&](size_t track, int64_t endNs) {
                ASSERT_FALSE(open[track].empty());
                EXPECT_LE(lastNs[track], endNs);
                lastNs[track] = endNs;
                EXPECT_EQ(open[track].back().endNs, endNs);  // the innermost ends: what a reader will close
                closed[open[track].back().row] = true;
                open[track].pop_back();
            });
        EXPECT_EQ(std::ranges::count(closed, true), 40);
    }
}

TEST(Csv, QuotesAsRfc4180Says) {
    const TempFolder folder;
    auto csv = CsvFile::create(folder / "t.csv", {"a", "b"});
    ASSERT_TRUE(csv);
    ASSERT_TRUE(csv->cell("plain").cell("a,b").cell("say \"x\"").cell("line\nbreak").endRow());
    ASSERT_TRUE(csv->cell(int64_t{-9007199254740993}).emptyCell().cell(0.1).cell("").endRow());
    EXPECT_EQ(csv->rowCount(), 2);
    const auto bytes = csv->finish();
    ASSERT_TRUE(bytes);
    const std::string expected =
        "a,b\r\nplain,\"a,b\",\"say \"\"x\"\"\",\"line\nbreak\"\r\n-9007199254740993,,0.1,\r\n";
    EXPECT_EQ(readFile(folder / "t.csv"), expected);
    EXPECT_EQ(*bytes, static_cast<int64_t>(expected.size()));
}

TEST(Csv, EveryRowHasACellForEveryColumn) {
    const TempFolder folder;
    const TracePtr trace = RandomTrace(9).build().snapshot();
    ExportReport report;
    for (const std::string_view table : csvTables()) {
        const auto path = folder / (std::string(table) + ".csv");
        ASSERT_TRUE(exportCsvTable(*trace, table, path, Identity::LeftOut, report));
        // Columns and rows, counted by a small reader of its own.
        const std::string text = readFile(path);
        std::vector<size_t> widths{1};
        bool quoted = false;
        for (const char c : text) {
            if (c == '"') quoted = !quoted;
            if (c == ',' && !quoted) ++widths.back();
            if (c == '\n' && !quoted) widths.push_back(1);
        }
        widths.pop_back();
        ASSERT_GT(widths.size(), 1u) << table;
        for (const size_t width : widths)
            EXPECT_EQ(width, widths.front()) << table;
        EXPECT_EQ(report.written.back().count, static_cast<int64_t>(widths.size()) - 1) << table;
    }
    EXPECT_EQ(report.written.front().count, static_cast<int64_t>(trace->deviceOps().startNs.size()));
    EXPECT_FALSE(exportCsvTable(*trace, "bogus", folder / "b.csv", Identity::LeftOut, report));
}

}  // namespace gapscope
