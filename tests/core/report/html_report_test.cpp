// Reports: the numbers of the analysis stand in them, every section is there, and no name from a trace is markup.
#include "core/report/html_report.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/analysis/summary.h"
#include "core/analysis/what_if.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/import/open_trace.h"
#include "core/report/html.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/testing/persistent_run.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

ReportOf whole(const TracePtr& trace, std::string name = "run.gapscope") {
    return {.name = std::move(name), .trace = trace, .window = defaultWindow(*trace)};
}

size_t countOf(const std::string& text, std::string_view part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

ReportOf example(const char* name) {
    auto trace = openTrace(test::repositoryFile(name));
    EXPECT_TRUE(trace.has_value());
    return whole(*trace, name);
}

constexpr const char* kHostile =
    "</title></style><script>alert('x')</script><img src=http://evil.example/a.png \"onload=\"";

Builder hostile() {
    Builder b;
    b.setRun(RunInfo{.modelName = kHostile, .deviceName = "<b>", .mode = "</svg><script>", .weightBytes = 5});
    b.setDevice({.id = 0, .name = kHostile, .peakBytesPerSecond = 1e9, .peakFlopsPerSecond = 1e9});
    b.call(0, 50, "<script>launch", 1);
    b.kernel(100, 200, 1, kPrefillToken, kHostile);
    b.call(210, 220, "<script>launch", 2);
    b.kernel(300, 400, 2, 1, "void k<float, std::less<int>&>(\x01\xFF)");
    b.add(TokenRow{.emittedNs = 250, .index = 0, .text = b.intern("<i>")});
    b.add(TokenRow{.emittedNs = 450, .index = 1, .text = b.intern("&lt;\n")});
    b.range(90, 500, "\"><script>range");
    b.diagnostics().add("bad", Severity::Error, 1, "<script>diagnostic");
    return b;
}

}  // namespace

TEST(HtmlReport, HoldsTheNumbersOfTheAnalysis) {
    const ReportOf of = example("resources/example-eager.gapscope.gz");
    const std::string html = htmlReport(of);
    const Summary summary = summarize(*of.trace, of.window);
    EXPECT_NE(html.find(escaped(summary.verdict.sentence)), std::string::npos);
    for (const std::string& evidence : summary.verdict.evidence)
        EXPECT_NE(html.find(escaped(evidence)), std::string::npos) << evidence;
    for (const std::string& text :
         {formatDuration(summary.gpuIdleNs), formatCount(summary.kernelCount), formatDuration(summary.host.selfCpuNs),
          std::string("add_scalar_f32"), std::string("Longest gaps"), std::string("Roofline"),
          std::string("CUDA graph: no launch overhead"), std::string("Diagnostics")})
        EXPECT_NE(html.find(text), std::string::npos) << text;
    EXPECT_NE(html.find(">prefill</text>"), std::string::npos);  // on the timeline's items
    EXPECT_NE(html.find(">model_inference</text>"), std::string::npos);
    // Pie, two-way bar, three timelines, causes, tokens, roofline.
    EXPECT_EQ(countOf(html, "<svg "), 8u);
    EXPECT_EQ(countOf(html, "<svg "), countOf(html, "</svg>"));
    EXPECT_LT(html.size(), size_t{1} << 21);
}

TEST(HtmlReport, TellsWhatBatchesOfEachSizeWouldBring) {
    const ReportOf of = example("resources/example-graph.gapscope.gz");
    const std::string html = htmlReport(of);
    const WhatIf remedies = whatIf(*of.trace, of.window);
    const Prediction* batch = remedies.find("batch");
    ASSERT_TRUE(batch && batch->batches.size() == kBatchSizes.size());
    for (const BatchForecast& forecast : batch->batches)
        EXPECT_NE(html.find(batchSentence(forecast)), std::string::npos) << forecast.sequences;
}

TEST(HtmlReport, ListsStagesWhereKernelsTellThem) {
    const TracePtr trace = persistentTrace({.layers = 3, .tokens = 4});
    const std::string html = htmlReport(whole(trace));
    const size_t table = html.find("<h3>Stages inside kernels</h3>");
    ASSERT_NE(table, std::string::npos);
    EXPECT_NE(html.find("down_proj: input", table), std::string::npos);
    EXPECT_NE(html.find("to bringing their inputs to all blocks"), std::string::npos);
    const TracePtr none = persistentTrace({.layers = 3, .tokens = 4, .stages = false});
    EXPECT_EQ(htmlReport(whole(none)).find("Stages inside"), std::string::npos);
}

TEST(HtmlReport, OfTwoTellsWhatChanged) {
    const ReportOf before = example("resources/example-eager.gapscope.gz");
    const ReportOf after = example("resources/example-graph.gapscope.gz");
    const std::string html = htmlCompareReport(before, after);
    for (const char* text : {"times as fast", "Before: ", "After: ", "<b>new</b>", "<b>gone</b>", "<h3>Of decode</h3>",
                             "class=\"good\"", "class=\"bad\"", "Diagnostics, after"})
        EXPECT_NE(html.find(text), std::string::npos) << text;
    EXPECT_EQ(countOf(html, "<svg "), 8u);  // pie, two-way bar, causes and timeline of each
}

TEST(HtmlReport, NotesTellWhenWhatAndWhere) {
    Builder b;
    b.setRun(RunInfo{.modelName = "m", .mode = "eager"});
    b.call(0, 50, "launch_it", 1);
    b.kernel(100, 200, 1, kPrefillToken, "prefill_kernel");
    b.call(210, 220, "launch_it", 2);
    b.kernel(300, 400, 2, 1, "decode_kernel");
    b.add(TokenRow{.emittedNs = 250, .index = 0, .text = b.intern("a")});
    b.add(TokenRow{.emittedNs = 450, .index = 1, .text = b.intern("b")});
    b.range(90, 500, "model_inference");
    const TracePtr bare = b.snapshot();
    EXPECT_EQ(htmlReport(whole(bare)).find("<h2>Notes"), std::string::npos);
    const TracePtr noted = bare->withAnnotations({.notes = {{{300, 400}, "why <so> long?"}, {{150, 150}, ""}}});
    const std::string html = htmlReport(whole(noted));
    const size_t at = html.find("<h2>Notes</h2>");
    ASSERT_NE(at, std::string::npos);
    const std::string section = html.substr(at, html.find("<h2>", at + 1) - at);
    // By time: the mark in the first kernel, then the note of the second.
    const size_t mark = section.find("mark</span>"), note = section.find("why &lt;so&gt; long?");
    ASSERT_NE(mark, std::string::npos) << section;
    ASSERT_NE(note, std::string::npos) << section;
    EXPECT_LT(mark, note);
    EXPECT_NE(section.find("prefill_kernel, prefill"), std::string::npos) << section;
    EXPECT_NE(section.find("decode_kernel, token 1"), std::string::npos) << section;
    EXPECT_NE(section.find("100 ns"), std::string::npos) << section;
    // Of a comparison each side's, and those of one trace once.
    const std::string two = htmlCompareReport(whole(bare), whole(noted));
    EXPECT_EQ(two.find("Notes, before"), std::string::npos);
    EXPECT_NE(two.find("<h2>Notes, after</h2>"), std::string::npos);
    EXPECT_EQ(countOf(htmlCompareReport(whole(noted), whole(noted)), "<h2>Notes</h2>"), 1u);
    // Of many the first are listed and the rest counted.
    const TracePtr many = bare->withAnnotations({.notes = std::vector<Note>(305, Note{{150, 150}, "again"})});
    const std::string listed = htmlReport(whole(many));
    EXPECT_EQ(countOf(listed, ">again<"), 300u);
    EXPECT_NE(listed.find("5 more notes are not listed."), std::string::npos);
}

TEST(HtmlReport, NamesAreNoMarkup) {
    const TracePtr trace = hostile().snapshot();
    for (const std::string& html :
         {htmlReport(whole(trace, kHostile)), htmlCompareReport(whole(trace, kHostile), whole(trace, "<b>.json"))}) {
        EXPECT_EQ(html.find("<script"), std::string::npos);
        EXPECT_EQ(html.find("<img"), std::string::npos);
        EXPECT_EQ(html.find("\"onload"), std::string::npos);
        EXPECT_EQ(html.find('\x01'), std::string::npos);
        EXPECT_EQ(html.find('\xFF'), std::string::npos);
        EXPECT_EQ(countOf(html, "</style>"), 1u);
        EXPECT_EQ(countOf(html, "</title>"), 1u + countOf(html, "<circle"));
        EXPECT_NE(html.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), std::string::npos);
        EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
        // Nothing is fetched.
        for (const char* reaching : {" src=", " href=", "url(", "@import"})
            EXPECT_EQ(countOf(html, reaching),
                      0u + (std::string_view(reaching) == " src=" ? countOf(html, "&lt;img src=") : 0))
                << reaching;
    }
}

TEST(HtmlReport, AnyTraceGivesAReport) {
    for (uint32_t seed = 0; seed < 12; ++seed) {
        RandomTraceShape shape;
        shape.own = seed % 2 == 0;
        if (seed % 3 == 0) shape.calls = 0;
        RandomTrace random(seed, shape);
        const TracePtr trace = random.build().snapshot();
        EXPECT_TRUE(htmlReport(whole(trace)).ends_with("</html>\n"));
    }
    const TracePtr nothing = TraceBuilder().snapshot();
    EXPECT_TRUE(htmlReport(whole(nothing)).ends_with("</html>\n"));
    EXPECT_TRUE(htmlCompareReport(whole(nothing), whole(nothing)).ends_with("</html>\n"));
}

TEST(HtmlReport, FilesAppearWholeOrNotAtAll) {
    const TempFolder folder;
    const TracePtr trace = hostile().snapshot();
    EXPECT_TRUE(writeReport(folder / "r.html", whole(trace)).has_value());
    std::ifstream file(folder / "r.html", std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), htmlReport(whole(trace)));
    std::stop_source stop;
    stop.request_stop();
    const Status stopped = writeReport(folder / "none.html", whole(trace), stop.get_token());
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().kind, ErrorKind::Cancelled);
    EXPECT_FALSE(std::filesystem::exists(folder / "none.html"));
    EXPECT_FALSE(writeReport("/nowhere/at/all.html", whole(trace)).has_value());
}

TEST(HtmlReport, HomeFoldersAreLeftOut) {
    Builder b;
    b.call(0, 5, "cudaLaunchKernel", 1);
    b.kernel(10, 20, 1, kNoToken, "/home/ada/model.py(3): forward");
    EXPECT_EQ(htmlReport(whole(b.snapshot())).find("ada"), std::string::npos);
}

}  // namespace gapscope
