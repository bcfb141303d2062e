// Where the pieces of a file are cut must not change what is read, whole or broken; and what is broken is left out
// alone.
#include "core/import/event_chunks.h"

#include <gtest/gtest.h>

#include <random>

#include "core/import/chrome_trace.h"
#include "core/trace/trace_builder.h"
#include "tests/core/import/describe_trace.h"
#include "tests/core/testing/packed.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

// All that a reading gives, with the sentences that say where damage lies; or the error.
std::vector<std::string> outcome(const std::string& text, const ChunkOptions& options = {}) {
    ByteSource source = ByteSource::over(text, "m");
    const auto trace = readChromeTrace(source, options);
    if (!trace) return {trace.error().message};
    std::vector<std::string> lines = describeRows(**trace);
    for (const Diagnostic& entry : (*trace)->diagnostics().entries())
        lines.push_back(entry.name + " " + std::to_string(entry.count) + " " + entry.text);
    for (const ThreadRow& thread : (*trace)->threads())
        lines.push_back(std::to_string(thread.globalTid) + " " + std::string((*trace)->string(thread.name)));
    return lines;
}

std::vector<std::string> sampleTexts() {
    std::vector<std::string> texts;
    for (const char* name :
         {"pytorch-2021", "pytorch-2022-summer", "pytorch-2022-autumn", "pytorch-2024-spring", "pytorch-2025",
          "pytorch-rocm", "counters", "two-processes", "chrome-tracing", "jax-xla", "viztracer"})
        texts.push_back(test::readText(test::repositoryFile("tests/traces/chrome/" + std::string(name) + ".json")));
    return texts;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + "\n";
    return text;
}

void expectSameInPieces(const std::string& text) {
    const std::string whole = joined(outcome(text));
    for (const size_t piece : {1, 7, 40, 129, 300, 1000})
        for (const unsigned workers : {0u, 1u, 3u})
            ASSERT_EQ(joined(outcome(text, {.chunkBytes = piece, .workers = workers})), whole)
                << "in pieces of " << piece << ": " << text;
}

std::string event(int i) {
    return R"({"ph":"X","cat":"cpu_op","name":"n)" + std::to_string(i) + R"(","pid":1,"tid":1,"ts":)" +
           std::to_string(10 * i) + R"(,"dur":5,"args":{"Input Dims":[[1,2],[]],"name":"}, {\"ph\":"}})";
}

std::string eventList(int count) {
    std::string list = "{\"schemaVersion\":1,\"traceEvents\":[\n";
    for (int i = 0; i < count; ++i)
        list += event(i) + (i + 1 < count ? ",\n" : "\n");
    return list + "],\"traceName\":\"x\"}";
}

std::vector<std::string> rowsOf(const std::vector<std::string>& lines) {
    std::vector<std::string> rows;
    for (const std::string& line : lines)
        if (line.starts_with("op ")) rows.push_back(line);
    return rows;
}

TracePtr read(const std::string& text) {
    ByteSource source = ByteSource::over(text, "m");
    const auto trace = readChromeTrace(source);
    EXPECT_TRUE(trace) << trace.error().message;
    return trace ? *trace : TraceBuilder().snapshot();
}

std::string sentence(const Trace& trace, const char* name) {
    for (const Diagnostic& entry : trace.diagnostics().entries())
        if (entry.name == name) return std::to_string(entry.count) + ": " + entry.text;
    return "";
}

}  // namespace

TEST(EventChunks, SamplesReadTheSameInPieces) {
    for (const std::string& text : sampleTexts())
        expectSameInPieces(text);
}

TEST(EventChunks, BrokenSamplesReadTheSameInPieces) {
    std::mt19937 random(7);
    for (const std::string& sample : sampleTexts()) {
        for (int round = 0; round < 12; ++round) {
            std::string text = sample;
            for (auto times = 1 + random() % 3; times > 0; --times) {
                const size_t at = random() % text.size();
                switch (random() % 5) {
                    case 0:
                        text.erase(at, 1 + random() % 40);
                        break;
                    case 1:
                        text[at] = "\"{}[],:\\\x01"[random() % 9];
                        break;
                    case 2:
                        text.insert(at, "WARNING: something {\"ph\": was logged,\n");
                        break;
                    case 3:
                        text.insert(at, text.substr(random() % text.size(), random() % 300));
                        break;
                    default:
                        text.resize(at);
                        break;
                }
                if (text.empty()) text = "{";
            }
            expectSameInPieces(text);
            if (HasFatalFailure()) return;
        }
    }
}

TEST(EventChunks, APackedTextReadsTheSame) {
    for (const std::string& text : sampleTexts()) {
        EXPECT_EQ(outcome(gzipped(text)), outcome(text));
        EXPECT_EQ(outcome(zstdPacked(text), {.chunkBytes = 100}), outcome(text));
    }
}

// Objects in arguments that look like events: every cut among them is a wrong guess.
TEST(EventChunks, WrongGuessesAreReadAgain) {
    std::string list = "[";
    for (int i = 0; i < 50; ++i)
        list +=
            (i ? "," : "") + std::string(R"({"ph":"X","name":"n","pid":1,"tid":1,"dur":1,"ts":)") + std::to_string(i) +
            R"(,"args":{"list":[{"name":"a"},{"name":"b"},{"ph":"X","ts":5,"dur":5,"name":"inner"},{"name":"c"}]}})";
    list += "]";
    expectSameInPieces(list);
    EXPECT_EQ(read(list)->ranges().startNs.size(), 50u);
}

TEST(EventChunks, ALongHeaderAndALongTrailer) {
    std::string text = "{\"metadata\":{\"text\":\"" + std::string(5000, 'x') + "\"},\"traceEvents\":[";
    for (int i = 0; i < 20; ++i)
        text += event(i) + (i < 19 ? "," : "");
    text += "],\"systemTraceEvents\":\"" + std::string(5000, 'y') + "\",\"z\":[1,2,3]}";
    expectSameInPieces(text);
    EXPECT_EQ(rowsOf(outcome(text)).size(), 20u);
    EXPECT_EQ(read(text)->diagnostics().entries().size(), 0u);
}

TEST(EventChunks, OneBrokenEventIsLeftOutAlone) {
    const std::string whole = eventList(9), fifth = event(4);
    const size_t at = whole.find(fifth);
    const std::pair<std::string, std::string> damages[] = {
        {"\"cpu_op\",", "\"cpu_op,"},    // a quote is missing
        {"\"cpu_op\",", "\"cpu_op\" "},  // a comma is missing
        {"\"args\":{", "\"args\":"},     // a brace is missing
        {"\"dur\":5", "\"dur\":#5"},      {"[[1,2],[]]", "[[1,2],[}]"},
        {"\"pid\":1", "\"pid\":1}"},  // a brace too many
        {"\"pid\":1", "\x02\xFF\x03pid"},
    };
    for (const auto& [from, to] : damages) {
        std::string broken = fifth;
        const size_t place = broken.find(from);
        if (place == std::string::npos) continue;
        broken.replace(place, from.size(), to);
        std::string text = whole;
        text.replace(at, fifth.size(), broken);
        const std::vector<std::string> rows = rowsOf(outcome(text));
        EXPECT_GE(rows.size(), 8u) << broken;
        for (const int i : {3, 5})
            EXPECT_NE(std::ranges::find_if(rows,
                                           [&](const std::string& row) {
                                               return row.find(" n" + std::to_string(i) + " ") != std::string::npos;
                                           }),
                      rows.end())
                << broken;
        const std::string said = sentence(*read(text), "json_damaged");
        EXPECT_NE(said, "") << broken;
    }
}

TEST(EventChunks, DamageIsToldWithItsPlaceAndSize) {
    std::string text = eventList(5);
    const size_t at = text.find("\"n2\"");
    text[at + 3] = 'x';  // the quote that ends the name of the third
    const size_t begin = text.rfind('{', at), next = text.find(event(3));
    const TracePtr trace = read(text);
    EXPECT_EQ(trace->ranges().startNs.size(), 4u);
    EXPECT_EQ(sentence(*trace, "json_damaged"),
              "1: Places in the file are no valid JSON, the first at byte " + std::to_string(text.find("pid", at)) +
                  "; what they damage is left out, " + std::to_string(next - begin) + " bytes in all.");
}

TEST(EventChunks, LogLinesBetweenEventsAreLeftOut) {
    std::string text = eventList(6);
    text.insert(text.find(event(3)), "[W1126 12:00:00 profiler.cpp:5] Warning: step() was not called\n");
    EXPECT_EQ(rowsOf(outcome(text)).size(), 6u);
    EXPECT_NE(sentence(*read(text), "json_damaged"), "");
    expectSameInPieces(text);
}

TEST(EventChunks, ControlCharactersAreCountedWithTheFirst) {
    std::string text = eventList(4);
    const size_t at = text.find("n1");
    text[at] = '\x01';
    text.insert(text.find(event(3)), 1, '\x02');
    const TracePtr trace = read(text);
    EXPECT_EQ(trace->ranges().startNs.size(), 4u);
    EXPECT_EQ(sentence(*trace, "json_damaged"), "");
    EXPECT_EQ(sentence(*trace, "json_control_character"),
              "2: Control characters that JSON does not allow were passed over, the first at byte " +
                  std::to_string(at) + ".");
    expectSameInPieces(text);
}

TEST(EventChunks, EveryCutKeepsWhatIsWhole) {
    const std::string text = eventList(5);
    const std::vector<std::string> whole = rowsOf(outcome(text));
    ASSERT_EQ(whole.size(), 5u);
    for (size_t length = text.find("ph"); length < text.size(); ++length) {
        const std::string cut = text.substr(0, length);
        size_t complete = 0;
        while (complete < 5 && cut.find(event(static_cast<int>(complete))) != std::string::npos)
            ++complete;
        const std::vector<std::string> lines = outcome(cut);
        if (complete == 0 && lines.size() == 1) continue;  // no event yet: an error says so
        std::vector<std::string> rows = rowsOf(lines);
        ASSERT_EQ(rows.size(), complete) << cut;
        EXPECT_TRUE(std::ranges::equal(rows, std::span(whole).first(complete))) << cut;
        EXPECT_NE(sentence(*read(cut), "json_cut_short"), "") << cut;
        EXPECT_EQ(sentence(*read(cut), "json_damaged"), "") << cut;
    }
    EXPECT_EQ(sentence(*read(text), "json_cut_short"), "");
}

TEST(EventChunks, AListWithoutItsEndIsWholeByTheFormat) {
    EXPECT_EQ(sentence(*read("[" + event(1) + ",\n"), "json_cut_short"), "");
    EXPECT_NE(sentence(*read("[" + event(1) + ",\n{\"ph\":"), "json_cut_short"), "");
}

TEST(EventChunks, ATooLongEventIsLeftOut) {
    const ChunkOptions small{.chunkBytes = 64, .mostUnitBytes = 4096};
    std::string text =
        "[" + event(0) + ",{\"ph\":\"X\",\"args\":{\"a\":\"" + std::string(20'000, 'x') + "\"}}," + event(1) + "]";
    std::vector<std::string> lines = outcome(text, small);
    EXPECT_EQ(rowsOf(lines).size(), 2u);
    EXPECT_TRUE(std::ranges::any_of(lines, [](const auto& line) { return line.starts_with("json_damaged 1"); }));
    text = "[" + event(0) + ",{\"ph\":\"X\",\"ts\":1,\"dur\":1,\"args\":{\"a\":\"" + std::string(3000, 'x') + "\"}}]";
    EXPECT_TRUE(
        std::ranges::none_of(outcome(text, small), [](const auto& line) { return line.starts_with("json_damaged"); }));
}

// A text made to be looked at again and again must still cost time in proportion to its size: this is done at once.
TEST(EventChunks, BrokenTextCostsNoSquareOfItsLength) {
    std::string text = "[" + event(0);
    for (int i = 0; i < 100'000; ++i)
        text += ",{\"ph\":[";
    EXPECT_EQ(rowsOf(outcome(text)).size(), 1u);
    text = "[" + event(0) + ",";
    for (int i = 0; i < 100'000; ++i)
        text += "{\"ph\":\"X\",\"args\":{\"a\":\"";
    EXPECT_EQ(rowsOf(outcome(text)).size(), 1u);
}

TEST(EventChunks, AFailureOfTheSourceEndsTheReading) {
    const std::string bomb = gzipped("[" + std::string(size_t{200} << 20, ' '));
    const std::vector<std::string> lines = outcome(bomb);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_NE(lines[0].find("more than 250 times"), std::string::npos);
}

}  // namespace gapscope
