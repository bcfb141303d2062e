// Where the tensors of a model come from: a GGUF or a set of safetensors files. Each knows its own names for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "kernels/weight_type.h"

namespace gapscope {

enum class TensorRole : uint8_t {
    Embedding,
    Head,
    OutputNorm,
    // one a layer from here on
    InputNorm,
    PostAttentionNorm,
    PreFeedForwardNorm,
    PostFeedForwardNorm,
    QueryNorm,
    KeyNorm,
    Query,
    Key,
    Value,
    FusedQueryKeyValue,
    AttentionOutput,
    Gate,
    Up,
    Down,
};
inline constexpr size_t kTensorRoles = static_cast<size_t>(TensorRole::Down) + 1;

struct TensorView {
    std::string name;  // with the file, for errors: "model.gguf: the tensor blk.0.attn_q.weight"
    WeightType type = WeightType::F32;
    std::vector<int64_t> shape;  // rows first, then the contiguous dimension
    std::span<const std::byte> data;
};

class TensorSource {
public:
    virtual ~TensorSource() = default;
    // None if the file has no such tensor; an error if it has one that cannot be read.
    virtual Result<std::optional<TensorView>> find(TensorRole role, int64_t layer) const = 0;
    virtual std::string nameOf(TensorRole role, int64_t layer) const = 0;  // as it should be called in the file
    virtual double addedToNorms() const = 0;  // 1 where the file holds w of Gemma's (1 + w)
};

}  // namespace gapscope
