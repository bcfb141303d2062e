// GGUF files made in memory, right or wrong on purpose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gapscope::test {

struct GgufText {
    std::string text;
};
struct GgufTexts {
    std::vector<std::string> texts;
};
struct GgufFloats {
    std::vector<float> values;
};
struct GgufInts {
    std::vector<int32_t> values;
};
using GgufField = std::variant<uint32_t, float, bool, GgufText, GgufTexts, GgufFloats, GgufInts>;

struct GgufTensorSpec {
    std::string name;
    std::vector<int64_t> shape;  // contiguous dimension first
    uint32_t type = 0;           // ggml's number
    std::string bytes;
    int64_t offset = -1;  // -1: where it follows from those before
};

class GgufBuilder {
public:
    void set(const std::string& key, GgufField value);
    void remove(const std::string& key);
    void add(GgufTensorSpec tensor) { tensors.push_back(std::move(tensor)); }
    GgufTensorSpec& tensor(const std::string& name);
    void removeTensor(const std::string& name);
    std::string build() const;

    uint32_t version = 3;
    uint32_t alignment = 32;
    int64_t extraKeys = 0;  // announced beyond those there are
    int64_t extraTensors = 0;
    std::vector<std::pair<std::string, GgufField>> fields;
    std::vector<GgufTensorSpec> tensors;
};

// A complete Gemma 3 of 2 layers (hidden 32, 2 heads of 32, 1 KV head, feed-forward 64) with the tiny vocabulary;
// matrices are Q8_0 of value 1/16, norms 1.
GgufBuilder tinyGemma();

}  // namespace gapscope::test
