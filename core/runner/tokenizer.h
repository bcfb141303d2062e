// Text to ids and back, by the sentencepiece library, for a tokenizer.model file or a vocabulary found in a GGUF.
// Safe to use from any thread once made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

// What a GGUF says of its vocabulary. token_type: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
struct GgufVocabulary {
    std::vector<std::string_view> pieces;
    std::vector<float> scores;
    std::vector<int32_t> types;
    int32_t bos = 2, eos = 1, unknown = 3, padding = 0;
    bool addSpacePrefix = false;
};

class Tokenizer {
public:
    static Result<std::unique_ptr<Tokenizer>> fromModelFile(const std::filesystem::path& path);  // tokenizer.model
    static Result<std::unique_ptr<Tokenizer>> fromGguf(const GgufVocabulary& vocabulary);
    static Result<std::unique_ptr<Tokenizer>> fromModelBytes(std::string_view bytes);  // as tokenizer.model holds them
    ~Tokenizer();

    // Ids without BOS. Text that is not valid UTF-8 is an error.
    Result<std::vector<int32_t>> encode(std::string_view text) const;
    // The bytes one id stands for, as sentencepiece decodes them: U+2581 is a space, byte pieces one raw byte, control
    // pieces (padding, begin, end) and ids past the vocabulary nothing, the unknown piece U+FFFD. Turn marks such as
    // <end_of_turn> are text here, as they are in Google's tokenizer.
    std::string pieceBytes(int32_t id) const;
    int32_t vocabularySize() const;
    bool isControl(int32_t id) const;

private:
    struct Impl;
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

// Joins pieces to text and never lets out half a UTF-8 character. Bytes that can never become one turn to U+FFFD.
class StreamingDetokenizer {
public:
    explicit StreamingDetokenizer(const Tokenizer& tokenizer) : m_tokenizer(tokenizer) {}
    std::string push(int32_t id);  // what became printable
    std::string finish();          // what was held back, as U+FFFD where incomplete
private:
    const Tokenizer& m_tokenizer;
    std::string m_pending;
};

}  // namespace gapscope
