// Categories of device work, as DESIGN defines them. Own runs set them by op; foreign kernels by rules.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gapscope {

enum class Category : uint8_t {
    Gemm,
    Attention,
    Elementwise,
    Norm,
    Rope,
    Quantize,
    Embedding,
    Reduction,
    Sampling,
    Copy,
    Set,
    Communication,
    Other,
};
inline constexpr int kCategoryCount = 13;

inline constexpr std::array<std::string_view, kCategoryCount> kCategoryNames = {
    "gemm",      "attention", "elementwise", "norm", "rope",          "quantize", "embedding",
    "reduction", "sampling",  "copy",        "set",  "communication", "other"};

constexpr std::string_view categoryName(Category category) {
    return kCategoryNames[static_cast<size_t>(category)];
}

constexpr std::optional<Category> categoryFromName(std::string_view name) {
    for (size_t i = 0; i < kCategoryNames.size(); ++i)
        if (kCategoryNames[i] == name) return static_cast<Category>(i);
    return std::nullopt;
}

// The two-way view of the blog post: matmuls against everything that a fused engine would fold away.
enum class TwoWay : uint8_t { Gemm, Elementwise, Other };

constexpr TwoWay twoWay(Category category) {
    switch (category) {
        case Category::Gemm:
            return TwoWay::Gemm;
        case Category::Copy:
        case Category::Set:
        case Category::Communication:
        case Category::Other:
            return TwoWay::Other;
        default:
            return TwoWay::Elementwise;
    }
}

}  // namespace gapscope
