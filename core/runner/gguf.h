// A GGUF container (versions 2 and 3): its metadata and where its tensors lie. Knows nothing of models.
// Every count, length and offset is checked against the bytes at hand before it is used; what is kept in memory stays
// within a small multiple of the header's size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

enum class GgufType : uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

struct GgufValue {
    GgufType type = GgufType::U8;
    GgufType elementType = GgufType::U8;  // of an array
    uint64_t count = 1;                   // elements of an array
    std::span<const std::byte> bytes;     // of a string its characters, of an array all its elements
};

struct GgufTensor {
    std::string_view name;
    std::vector<int64_t> shape;  // as GGUF lists it: the contiguous dimension first
    uint32_t ggmlType = 0;
    uint64_t fileOffset = 0;          // of its first byte
    std::span<const std::byte> data;  // empty for types that Gapscope does not know
};

std::string ggmlTypeName(uint32_t ggmlType);  // "Q2_K", "IQ4_XS", "type 77"

// How much to read: all, or as far as the vocabulary, which is most of a header and nothing to a catalog.
enum class GgufExtent : uint8_t { All, BeforeVocabulary };

class GgufFile {
public:
    // Borrows `bytes`. `name` stands in errors.
    static Result<GgufFile> parse(std::span<const std::byte> bytes, std::string name,
                                  GgufExtent extent = GgufExtent::All);

    const std::string& name() const { return m_name; }

    // None where the key is absent or of another kind. Integers of every width, and floats for number().
    std::optional<std::string_view> string(std::string_view key) const;
    std::optional<int64_t> integer(std::string_view key) const;
    std::optional<double> number(std::string_view key) const;
    std::optional<bool> boolean(std::string_view key) const;
    std::optional<std::vector<std::string_view>> strings(std::string_view key) const;
    std::optional<std::vector<int64_t>> integers(std::string_view key) const;  // also of booleans
    std::optional<std::vector<float>> floats(std::string_view key) const;
    bool has(std::string_view key) const { return m_values.contains(key); }

    uint64_t tensorCount() const { return m_tensorCount; }  // as the file announces it
    const GgufTensor* tensor(std::string_view name) const;
    const std::vector<GgufTensor>& tensors() const { return m_tensors; }

private:
    class Reader;
    GgufFile() = default;
    const GgufValue* find(std::string_view key) const;

    std::string m_name;
    uint64_t m_tensorCount = 0;
    std::unordered_map<std::string_view, GgufValue> m_values;
    std::vector<GgufTensor> m_tensors;
    std::unordered_map<std::string_view, size_t> m_tensorIndex;
};

}  // namespace gapscope
