// Weight formats as GGUF numbers them, and what a row of each costs.
// Source: ggml's block layouts (value formulas at dequantize.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gapscope {

enum class WeightType : uint8_t { F32, F16, BF16, Q8_0, Q4_0, Q5_0, Q4_K, Q5_K, Q6_K };

struct WeightTypeInfo {
    std::string_view name;  // "q5_0"
    int ggmlType;           // number in a GGUF file
    int64_t blockElements;
    int64_t blockBytes;
};

constexpr WeightTypeInfo weightTypeInfo(WeightType type) {
    switch (type) {
        case WeightType::F32:
            return {"f32", 0, 1, 4};
        case WeightType::F16:
            return {"f16", 1, 1, 2};
        case WeightType::BF16:
            return {"bf16", 30, 1, 2};
        case WeightType::Q8_0:
            return {"q8_0", 8, 32, 34};
        case WeightType::Q4_0:
            return {"q4_0", 2, 32, 18};
        case WeightType::Q5_0:
            return {"q5_0", 6, 32, 22};
        case WeightType::Q4_K:
            return {"q4_k", 12, 256, 144};
        case WeightType::Q5_K:
            return {"q5_k", 13, 256, 176};
        case WeightType::Q6_K:
            return {"q6_k", 14, 256, 210};
    }
    return {"f32", 0, 1, 4};
}

inline constexpr WeightType kWeightTypes[] = {WeightType::F32,  WeightType::F16,  WeightType::BF16,
                                              WeightType::Q8_0, WeightType::Q4_0, WeightType::Q5_0,
                                              WeightType::Q4_K, WeightType::Q5_K, WeightType::Q6_K};

constexpr std::optional<WeightType> weightTypeFromGgml(int ggmlType) {
    for (const WeightType type : kWeightTypes)
        if (weightTypeInfo(type).ggmlType == ggmlType) return type;
    return std::nullopt;
}

// Bytes of a row of `columns` elements; columns must be a multiple of the block.
constexpr int64_t rowBytes(WeightType type, int64_t columns) {
    const WeightTypeInfo info = weightTypeInfo(type);
    return columns / info.blockElements * info.blockBytes;
}

// A matrix as it lies in a file: `rows` outputs of `columns` inputs each, row after row. Borrows its bytes.
struct MatrixView {
    WeightType type = WeightType::F32;
    int64_t rows = 0;
    int64_t columns = 0;
    const std::byte* data = nullptr;

    int64_t bytes() const { return rows * rowBytes(type, columns); }
    const std::byte* row(int64_t index) const { return data + index * rowBytes(type, columns); }
};

}  // namespace gapscope
