// A vocabulary in the shape of Gemma's, small enough to read: what tokenizer, GGUF and fuzz tests build on.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/runner/tokenizer.h"

namespace gapscope::test {

struct TinyPiece {
    std::string text;
    float score;
    int32_t type;  // as GGUF numbers them
};

inline const std::vector<TinyPiece>& tinyPieces() {
    static const std::vector<TinyPiece> pieces = [] {
        std::vector<TinyPiece> made = {
            {"<pad>", -1000, 3},           {"<eos>", -1000, 3},         {"<bos>", -1000, 3}, {"<unk>", -1000, 2},
            {"<start_of_turn>", -1000, 3}, {"<end_of_turn>", -1000, 3}, {"\n\n", -1000, 4},  {"  ", -1000, 4}};
        for (int value = 0; value < 256; ++value) {
            char name[8];
            std::snprintf(name, sizeof name, "<0x%02X>", value);
            made.push_back({name, 0, 6});
        }
        float score = 0;
        for (const char* const piece : {"the", "th", "he", "\xE2\x96\x81the", "an", "and", "in"})
            made.push_back({piece, score--, 1});
        made.push_back({"\xE2\x96\x81", score--, 1});
        for (char letter = 'a'; letter <= 'z'; ++letter)
            made.push_back({std::string(1, letter), score--, 1});
        return made;
    }();
    return pieces;
}

inline GgufVocabulary tinyVocabulary() {
    GgufVocabulary vocabulary;
    for (const TinyPiece& piece : tinyPieces()) {
        vocabulary.pieces.push_back(piece.text);
        vocabulary.scores.push_back(piece.score);
        vocabulary.types.push_back(piece.type);
    }
    return vocabulary;
}

inline int32_t tinyPieceId(std::string_view text) {
    for (size_t index = 0; index < tinyPieces().size(); ++index)
        if (tinyPieces()[index].text == text) return static_cast<int32_t>(index);
    return -1;
}

}  // namespace gapscope::test
