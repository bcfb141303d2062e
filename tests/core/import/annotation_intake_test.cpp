// Notes and arrangements of rows in files: what is kept, what is left out and counted, and that nothing else is lost.
#include "core/import/annotation_intake.h"

#include <gtest/gtest.h>

#include <climits>
#include <fstream>

#include "core/base/sqlite.h"
#include "core/base/utf8.h"
#include "core/export/chrome_json.h"
#include "core/export/session_writer.h"
#include "core/import/limits.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

TracePtr noted(Annotations annotations) {
    TraceBuilder builder;
    builder.add(RangeRow{1, 9, builder.intern("r"), 1});
    builder.setAnnotations(std::move(annotations));
    return builder.snapshot();
}

// The trace of `before`, saved, changed by `sql` and opened again.
TracePtr changed(const Trace& before, const std::string& sql) {
    const TempFolder folder;
    EXPECT_TRUE(saveSession(before, folder / "s.gapscope"));
    {
        auto database = Database::open(folder / "s.gapscope", Database::Mode::ReadWrite);
        EXPECT_TRUE(database);
        const Status status = database->execute(sql);
        EXPECT_TRUE(status) << status.error().message;
        EXPECT_TRUE(database->close());
    }
    auto trace = openTrace(folder / "s.gapscope");
    EXPECT_TRUE(trace) << trace.error().message;
    return trace.value_or(TraceBuilder().snapshot());
}

}  // namespace

TEST(SessionAnnotations, OfAnEarlierSessionAreNone) {
    const TracePtr trace =
        changed(*noted({.notes = {{{1, 2}, "x"}}}), "DROP TABLE GAPSCOPE_NOTE; DROP TABLE GAPSCOPE_ROW");
    EXPECT_TRUE(trace->annotations().empty());
    EXPECT_TRUE(trace->diagnostics().entries().empty());
    EXPECT_EQ(trace->ranges().startNs.size(), 1u);
}

TEST(SessionAnnotations, BadRowsAreCountedAndNothingElseIsLost) {
    const Annotations good{.notes = {{{1, 2}, "good"}, {{5, 5}, ""}}, .rows = {.hidden = {"a"}, .pinned = {"b"}}};
    const TracePtr trace =
        changed(*noted(good),
                "DROP TABLE GAPSCOPE_NOTE; CREATE TABLE GAPSCOPE_NOTE (startNs, endNs, text); "
                "INSERT INTO GAPSCOPE_NOTE VALUES (1, 2, 'good'), (NULL, 2, 'no time'), (1, NULL, 'no end'), (3, 2, "
                "'backwards'), "
                "(-9223372036854775808, 9223372036854775807, 'all time'), (5, 5, NULL);"
                "ALTER TABLE GAPSCOPE_ROW RENAME TO OLD; CREATE TABLE GAPSCOPE_ROW (key, hidden, pinnedPlace, "
                "orderPlace, laneHeight); "
                "INSERT INTO GAPSCOPE_ROW SELECT key, hidden, pinnedPlace, orderPlace, laneHeight FROM OLD; "
                "INSERT INTO GAPSCOPE_ROW VALUES ('', 1, 1, 1, 1), (NULL, 1, 1, 1, 1), (x'FF', 1, 1, 1, 1), "
                "('c', 0, -9223372036854775808, 9223372036854775807, 9223372036854775807)");
    EXPECT_EQ(trace->annotations().notes, good.notes);
    RowArrangement rows = good.rows;
    rows.order = {"c"};
    rows.laneHeights = {{"c", kHighestLane}};
    EXPECT_EQ(trace->annotations().rows, rows);
    EXPECT_EQ(trace->diagnostics().countOf("note_unusable"), 4);
    EXPECT_EQ(trace->diagnostics().countOf("row_choice_unusable"), 3);
    EXPECT_EQ(trace->ranges().startNs.size(), 1u);
}

TEST(Limits, NotesAndArrangedRows) {
    constexpr int kMore = 3;
    Annotations many;
    for (size_t i = 0; i < kMostNotes + kMore; ++i)
        many.notes.push_back({{1, 1}, "n"});
    const std::string character = "\xE2\x82\xAC";  // of three bytes, which no limit is a multiple of
    std::string text;
    while (text.size() <= kMostNoteBytes)
        text += character;
    many.notes[7].text = text;
    for (size_t i = 0; i < kMostRowChoices + kMore; ++i)
        many.rows.hidden.insert("row " + std::to_string(i));
    const TempFolder folder;
    ASSERT_TRUE(saveSession(*noted(many), folder / "s.gapscope"));
    const auto opened = openTrace(folder / "s.gapscope");
    ASSERT_TRUE(opened) << opened.error().message;
    const Annotations& kept = (*opened)->annotations();
    EXPECT_EQ(kept.notes.size(), kMostNotes);
    EXPECT_EQ((*opened)->diagnostics().countOf("too_many_notes"), kMore);
    EXPECT_EQ(kept.notes[7].text, text.substr(0, kMostNoteBytes / 3 * 3));
    EXPECT_EQ((*opened)->diagnostics().countOf("long_note_cut"), 1);
    EXPECT_EQ(kept.rows.hidden.size(), kMostRowChoices);
    EXPECT_EQ((*opened)->diagnostics().countOf("too_many_row_choices"), kMore);
}

TEST(Limits, NotesOfBytesThatAreNoText) {
    AnnotationIntake intake;
    intake.addNote(1, 1, std::string(kMostNoteBytes, '\xFF'));  // each becomes a character of three bytes
    intake.addChoice({.key = std::string(kMostRowKeyBytes + 1, 'k'), .hidden = true});
    TraceBuilder builder;
    intake.finish(builder);
    const TracePtr trace = builder.snapshot();
    ASSERT_EQ(trace->annotations().notes.size(), 1u);
    const std::string& text = trace->annotations().notes[0].text;
    EXPECT_LE(text.size(), kMostNoteBytes);
    EXPECT_TRUE(isValidUtf8(text));
    EXPECT_EQ(trace->diagnostics().countOf("long_note_cut"), 1);
    EXPECT_TRUE(trace->annotations().rows.empty());
    EXPECT_EQ(trace->diagnostics().countOf("row_choice_unusable"), 1);
}

TEST(OwnChromeJson, NotesAreSeenByOtherProgramsAndReadOnce) {
    const TempFolder folder;
    const TracePtr trace =
        noted({.notes = {{{4, 6}, "why?"}, {{5, 5}, ""}}, .rows = {.folded = {"y"}, .hidden = {"x"}}});
    const auto report = exportChromeJson(*trace, folder / "t.json");
    ASSERT_TRUE(report);
    ASSERT_EQ(report->notRepresented.size(), 1u);
    EXPECT_EQ(report->notRepresented[0].name, "arrangedRows");
    EXPECT_EQ(report->notRepresented[0].count, 2);
    std::ifstream file(folder / "t.json");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    EXPECT_NE(text.find(R"("cat":"note","name":"why?")"), std::string::npos);
    EXPECT_NE(text.find(R"("cat":"note","name":"mark")"), std::string::npos);
    const auto back = openTrace(folder / "t.json");
    ASSERT_TRUE(back);
    EXPECT_EQ((*back)->annotations().notes, trace->annotations().notes);
    EXPECT_TRUE((*back)->diagnostics().entries().empty());
}

}  // namespace gapscope
