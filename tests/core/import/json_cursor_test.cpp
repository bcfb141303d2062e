// The walk over JSON text: numbers exact, texts right, and every way to be broken told apart from being unfinished.
#include "core/import/json_cursor.h"

#include <gtest/gtest.h>

#include <random>

namespace gapscope {

namespace {

// A text with the padding that the cursor needs.
class Padded {
public:
    explicit Padded(std::string text) : m_size(text.size()), m_text(std::move(text)) {
        m_text.append(kJsonPadding, '\0');
    }
    std::string_view text() const { return std::string_view(m_text).substr(0, m_size); }

private:
    size_t m_size;
    std::string m_text;
};

JsonProblem skipProblem(const std::string& text) {
    const Padded padded(text);
    JsonCursor cursor(padded.text());
    cursor.next();
    return cursor.skipValue() ? JsonProblem::None : cursor.problem();
}

}  // namespace

TEST(Nanoseconds, AreExact) {
    const std::pair<const char*, int64_t> cases[] = {
        {"0", 0},
        {"1", 1000},
        {"-1.5", -1500},
        {"+2", 2000},
        {"0.001", 1},
        {"0.0005", 1},
        {"0.00049999999999999999999999", 0},
        {".5", 500},
        {"5.", 5000},
        {"4597554206153.097", 4597554206153097},
        {"1712195495519695.8", 1712195495519695800},
        {"1623142623460111", 1623142623460111000},
        {"1661203462598738.123456789", 1661203462598738123},
        {"9223372036854775.807", 9223372036854775807},
        {"0000000000000000000000000000001.25", 1250},
        {"12.3456", 12346},
        {"1e1", 10000},
        {"1.3125e3", 1312500},
        {"17E+2", 1700000},
        {"25e-4", 3},
        {"1e-400", 0},
        {"0e400", 0},
    };
    for (const auto& [text, ns] : cases)
        EXPECT_EQ(nanosecondsOf(text).value_or(-42), ns) << text;
    for (const char* text : {"", "-", ".", "x", "1x", "1e", "1e5x", "NaN", "Infinity", "9223372036854775.808",
                             "9623142623420060001", "99999999999999999999", "1e300", "1e99999", "1.2.3", "--1"})
        EXPECT_FALSE(nanosecondsOf(text)) << text;
}

TEST(Nanoseconds, OfEveryWrittenTimeComeBack) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto ns = static_cast<int64_t>(random() >> (1 + random() % 62));
        const std::string micros = std::to_string(ns / 1000) + "." + std::to_string(1000 + ns % 1000).substr(1);
        EXPECT_EQ(nanosecondsOf(micros).value_or(-1), ns) << micros;
        EXPECT_EQ(nanosecondsOf(micros + "00000").value_or(-1), ns) << micros;
    }
}

TEST(Integers, AreWholeParts) {
    EXPECT_EQ(integerOf("42").value_or(0), 42);
    EXPECT_EQ(integerOf("-7").value_or(0), -7);
    EXPECT_EQ(integerOf("7.9").value_or(0), 7);
    for (const char* text : {"", "x", "7x", "99999999999999999999", "null"})
        EXPECT_FALSE(integerOf(text)) << text;
}

TEST(UnescapedJson, IsValidUtf8WhateverComes) {
    const std::pair<std::string, std::string> cases[] = {
        {"plain", "plain"},
        {R"(a\"b\\c\/d\n\t\r\b\f)", "a\"b\\c/d\n\t\r\b\f"},
        {R"(\u00e9\u20AC)", "\xC3\xA9\xE2\x82\xAC"},
        {R"(\uD83D\uDE00)", "\xF0\x9F\x98\x80"},
        {R"(\uD83D)", "\xEF\xBF\xBD"},
        {R"(\uDE00x)", "\xEF\xBF\xBDx"},
        {R"(\uD83D\u0041)", "\xEF\xBF\xBD\x41"},
        {R"(\u12)", "\xEF\xBF\xBD\x31\x32"},
        {"\xFF", "\xEF\xBF\xBD"},
        {"end\\", "end"},
    };
    for (const auto& [text, plain] : cases)
        EXPECT_EQ(unescapedJson(text, 100), plain) << text;
    EXPECT_EQ(unescapedJson(std::string(100, 'x'), 7), "xxxxxxx");
    EXPECT_EQ(unescapedJson("12345\xC3\xA9", 6), "12345\xEF\xBF\xBD");  // cut within a letter
}

TEST(JsonCursor, StringsEndAtTheirQuoteWhereverItLies) {
    for (size_t length = 0; length < 70; ++length) {
        const std::string inner = std::string(length, 'x') + R"(\")" + std::string(length, 'y');
        const Padded padded("  \"" + inner + "\" ,");
        JsonCursor cursor(padded.text());
        ASSERT_EQ(cursor.next(), '"');
        std::string_view text;
        ASSERT_TRUE(cursor.string(text));
        EXPECT_EQ(text, inner);
        EXPECT_EQ(cursor.next(), ',');
    }
}

TEST(JsonCursor, ControlCharactersAreCountedAndPassed) {
    const Padded padded("\x01 \"a\nb\x02\" \t\x7F");
    JsonCursor cursor(padded.text());
    ASSERT_EQ(cursor.next(), '"');
    std::string_view text;
    ASSERT_TRUE(cursor.string(text));
    EXPECT_EQ(text, "a\nb\x02");
    EXPECT_EQ(cursor.next(), '\x7F');
    EXPECT_EQ(cursor.controlCount(), 3);
    EXPECT_EQ(cursor.firstControl(), 0u);
}

TEST(JsonCursor, ANulWithinTheTextIsNotItsEnd) {
    const Padded padded(std::string("\"a\0b\"", 5) + std::string(1, '\0') + ",");
    JsonCursor cursor(padded.text());
    ASSERT_EQ(cursor.next(), '"');
    std::string_view text;
    ASSERT_TRUE(cursor.string(text));
    EXPECT_EQ(text.size(), 3u);
    EXPECT_EQ(cursor.next(), ',');
    EXPECT_EQ(cursor.controlCount(), 2);
}

TEST(JsonCursor, SkipsWholeValues) {
    for (const char* text : {"1,", "-1.5e3,", "true,", "NaN,", "\"x\",", "{},", "[],", "[1,\"a\",{\"b\":[null]}],",
                             "{\"a\":{\"b\":\"}\"},\"c\":\"\\\"\"},", "[[[]]],"})
        EXPECT_EQ(skipProblem(text), JsonProblem::None) << text;
}

TEST(JsonCursor, SaysWhetherAValueIsDamagedOrUnfinished) {
    const std::string whole = R"({"a":[1,{"b":"c\"d"},true],"e":-1.5})";
    for (size_t length = 1; length < whole.size(); ++length)
        EXPECT_EQ(skipProblem(whole.substr(0, length)), JsonProblem::Incomplete) << whole.substr(0, length);
    // The second is a quote too few: what follows then seems to be outside of quotes.
    for (const char* text : {"[1}", "{\"a\":\"b,\"c\":1}", "{\"a\":#}", "{]", "[\"a\" \"b\"]", "[1 \"a\"x]"})
        EXPECT_EQ(skipProblem(text), JsonProblem::Damaged) << text;
}

TEST(JsonCursor, DepthHasALimit) {
    const auto nested = [](int depth) {
        return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
    };
    EXPECT_EQ(skipProblem(nested(kMostJsonDepth)), JsonProblem::None);
    EXPECT_EQ(skipProblem(nested(kMostJsonDepth + 1)), JsonProblem::Damaged);
    EXPECT_EQ(skipProblem(std::string(100'000, '[')), JsonProblem::Damaged);
}

}  // namespace gapscope
