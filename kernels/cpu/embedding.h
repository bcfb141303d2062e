// Rows of the embedding table as floats.
#pragma once

#include <cstdint>

#include "kernels/weight_type.h"

namespace gapscope {

// out[t, :] = scale * row(ids[t]). Parts split over tokens. Reads only the rows asked for, from the file's own layout,
// so a mapped table costs no memory beyond them. Ids must be in [0, table.rows).
struct EmbeddingArgs {
    MatrixView table;              // [vocabulary, D]
    const int32_t* ids = nullptr;  // [tokens]
    int64_t tokens = 0;
    float scale = 1;
    float* out = nullptr;  // [tokens, D]
    int64_t outStride = 0;
};

}  // namespace gapscope
