// The tokenizer against ids made by Google's own tokenizer.model, and the joining of pieces to whole characters.
#include "core/runner/tokenizer.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>
#include <string>
#include <vector>

#include "core/runner/model.h"
#include "tests/core/runner/tiny_vocabulary.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

std::string joined(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
    StreamingDetokenizer stream(tokenizer);
    std::string text;
    for (const int32_t id : ids)
        text += stream.push(id);
    return text + stream.finish();
}

bool isValidUtf8(const std::string& text) {
    return simdjson::validate_utf8(text.data(), text.size());
}

// U+FFFD for every byte that is in no character, decided by trying all lengths with the library's validator: another
// way to the same answer than the state the streaming one keeps.
std::string decodedAtOnce(const std::string& bytes) {
    std::string text;
    for (size_t at = 0; at < bytes.size();) {
        size_t length = 1;
        while (length <= 4 && !isValidUtf8(bytes.substr(at, length)))
            ++length;
        if (length <= 4 && at + length <= bytes.size()) {
            text += bytes.substr(at, length);
            at += length;
        } else {
            text += "\xEF\xBF\xBD";
            ++at;
        }
    }
    return text;
}

}  // namespace

TEST(Tokenizer, GivesTheGoldenIdsOnTheRealVocabulary) {
    const auto goldenPath = test::sharedFile("goldens/tokenizer.json");
    GAPSCOPE_NEEDS_FILE(goldenPath, "goldens/tokenizer.json");
    const auto modelPath = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(modelPath, "the real model");
    const auto model = Model::load(modelPath);
    ASSERT_TRUE(model) << model.error().message;
    const Tokenizer& tokenizer = *(*model)->tokenizer();
    EXPECT_EQ(tokenizer.vocabularySize(), 262144);

    simdjson::dom::parser parser;
    size_t count = 0;
    for (const auto golden : parser.load(goldenPath.string())["cases"]) {
        const std::string text{std::string_view(golden["text"])};
        std::vector<int32_t> expected;
        for (const int64_t id : golden["ids"])
            expected.push_back(static_cast<int32_t>(id));
        const auto ids = tokenizer.encode(text);
        ASSERT_TRUE(ids) << ids.error().message;
        EXPECT_EQ(*ids, expected) << "case " << std::string_view(golden["name"]);
        EXPECT_EQ(joined(tokenizer, expected), std::string_view(golden["decoded"])) << std::string_view(golden["name"]);
        ++count;
    }
    EXPECT_EQ(count, 54U);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const char* const text : {"\xff", "abc\xE2\x96", "\xC0\x80", "\xED\xA0\x80"}) {
        const auto ids = (*tokenizer)->encode(text);
        ASSERT_FALSE(ids);
        EXPECT_EQ(ids.error().kind, ErrorKind::WrongUse);
    }
}

TEST(Tokenizer, SpellsWhatHasNoPieceInBytes) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    // "é" is in no piece: C3 A9. "th" merges, "the" has the better score.
    const auto ids = (*tokenizer)->encode("the \xC3\xA9");
    ASSERT_TRUE(ids);
    const auto id = [](const char* piece) { return test::tinyPieceId(piece); };
    EXPECT_EQ(*ids, (std::vector<int32_t>{id("the"), id("\xE2\x96\x81"), id("<0xC3>"), id("<0xA9>")}));
    EXPECT_EQ(joined(**tokenizer, *ids), "the \xC3\xA9");
}

TEST(Tokenizer, TextComesBackWhole) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const std::string& text :
         {std::string(), std::string(" "), std::string(" lead  and trail "), std::string("nul\0inside", 10),
          std::string("\n\n\ttab \xF0\x9F\x99\x82 \xE4\xB8\xAD"), std::string("<bos><eos><start_of_turn>")}) {
        const auto ids = (*tokenizer)->encode(text);
        ASSERT_TRUE(ids) << ids.error().message;
        EXPECT_EQ(joined(**tokenizer, *ids), text);
    }
}

TEST(Tokenizer, ControlPiecesPrintNothingAndIdsOutsideAreHarmless) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    for (const int32_t id : {0, 1, 2}) {
        EXPECT_TRUE((*tokenizer)->isControl(id));
        EXPECT_EQ((*tokenizer)->pieceBytes(id), "");
    }
    EXPECT_EQ((*tokenizer)->pieceBytes(3), "\xEF\xBF\xBD");
    for (const int32_t id : {-1, (*tokenizer)->vocabularySize(), INT32_MAX, INT32_MIN}) {
        EXPECT_FALSE((*tokenizer)->isControl(id));
        EXPECT_EQ((*tokenizer)->pieceBytes(id), "");
    }
}

TEST(Tokenizer, RefusesBrokenVocabularies) {
    const GgufVocabulary good = test::tinyVocabulary();
    const auto refused = [](const GgufVocabulary& vocabulary) { return !Tokenizer::fromGguf(vocabulary).has_value(); };
    EXPECT_FALSE(refused(good));
    EXPECT_TRUE(refused(GgufVocabulary{}));
    GgufVocabulary broken = good;
    broken.scores.pop_back();
    EXPECT_TRUE(refused(broken));
    broken = good;
    broken.pieces.back() = "";
    EXPECT_TRUE(refused(broken));
    broken = good;
    broken.pieces.back() = "\xff\xfe";
    EXPECT_TRUE(refused(broken));
    broken = good;
    broken.pieces.back() = broken.pieces[4];  // twice the same
    EXPECT_TRUE(refused(broken));
    broken = good;
    broken.unknown = -1;
    EXPECT_TRUE(refused(broken));
    broken = good;
    broken.scores.back() = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(refused(broken));
}

TEST(StreamingDetokenizer, HoldsHalfACharacterBack) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    const auto byte = [](int value) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", value);
        return test::tinyPieceId(name);
    };
    StreamingDetokenizer stream(**tokenizer);
    EXPECT_EQ(stream.push(byte(0xF0)), "");
    EXPECT_EQ(stream.push(byte(0x9F)), "");
    EXPECT_EQ(stream.push(byte(0x99)), "");
    EXPECT_EQ(stream.push(byte(0x82)), "\xF0\x9F\x99\x82");
    EXPECT_EQ(stream.push(byte(0xC3)), "");
    EXPECT_EQ(stream.push(test::tinyPieceId("a")),
              "\xEF\xBF\xBD"
              "a");
    EXPECT_EQ(stream.push(byte(0xFF)), "\xEF\xBF\xBD");
    EXPECT_EQ(stream.push(byte(0xE2)), "");
    EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
    EXPECT_EQ(stream.finish(), "");
}

TEST(StreamingDetokenizer, AnyIdsGiveValidTextEqualToDecodingAtOnce) {
    const auto tokenizer = Tokenizer::fromGguf(test::tinyVocabulary());
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    std::mt19937 random(20261123);
    const int32_t size = (*tokenizer)->vocabularySize();
    for (int round = 0; round < 3000; ++round) {
        std::string bytes, streamed;
        StreamingDetokenizer stream(**tokenizer);
        for (auto left = random() % 24; left > 0; --left) {
            // Mostly byte pieces, and of those mostly the ones that begin or continue long characters.
            const auto kind = random() % 8;
            int32_t id = static_cast<int32_t>(random() % static_cast<uint32_t>(size));
            if (kind < 3) id = test::tinyPieceId("<0x80>") + static_cast<int32_t>(random() % 64);
            if (kind == 3) id = test::tinyPieceId("<0xC0>") + static_cast<int32_t>(random() % 64);
            if (kind == 4) id = test::tinyPieceId("<0xE0>") + static_cast<int32_t>(random() % 32);
            bytes += (*tokenizer)->pieceBytes(id);
            const std::string piece = stream.push(id);
            ASSERT_TRUE(isValidUtf8(piece));
            streamed += piece;
        }
        streamed += stream.finish();
        ASSERT_EQ(streamed, decodedAtOnce(bytes)) << "round " << round;
    }
}

}  // namespace gapscope
