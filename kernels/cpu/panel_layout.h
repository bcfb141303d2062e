// How PackedMatrix lays out weights for SIMD: panels of R rows (one row a 32-bit lane), interleaved along K.
//
// F32, F16, BF16: [K][R] elements.
// Quantised: first a header area with what is needed once a block, then a payload area. The payload of 32 columns is
// eight groups g of four columns; one vector of R * 4 bytes holds for each row r the four *unsigned* weights
// u = w + zeroPoint of columns 4g .. 4g+3, so that a dot product with four broadcast activations yields R sums at once
// and no horizontal sum is ever needed. Zero points: Q8_0 128, Q4_0 8, Q5_0 16, Q6_K 32, Q4_K and Q5_K 0.
//   8 bit:       8 vectors, group 0 .. 7
//   low 4 bits:  4 vectors; vector g has group g in the low nibbles and group g + 4 in the high ones
//   5th bit:     1 vector; bit g of byte (r, i) belongs to column 4g + i
//   bits 5, 6:   2 vectors; vector h, bits 2(g - 4h), belong to column 4g + i, for g = 4h .. 4h+3
// Headers: Q8_0, Q4_0, Q5_0: a block of 32: R halves d.
//   Q4_K, Q5_K: a block of 256: R halves d, R halves dmin, then for each 32 columns R bytes scale, R bytes minimum.
//   Q6_K: a block of 256: R halves d, then for each 32 columns R int8 scales of its first 16, R of its last 16.
// The header area is padded to 64 bytes, so every payload vector is aligned to its own size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/weight_type.h"

namespace gapscope {

struct PanelShape {
    int64_t headerBytes = 0;  // padded; 0 for float formats
    int64_t bytes = 0;        // header and payload
};

PanelShape panelShape(WeightType type, int64_t panelRows, int64_t columns);

// Rows [firstRow, firstRow + panelRows) and columns [firstColumn, firstColumn + columns) of the file's matrix as one
// panel; columns must start and end at blocks. Rows past the matrix are packed as zeros.
void packPanel(const MatrixView& view, int64_t firstRow, int64_t panelRows, int64_t firstColumn, int64_t columns,
               std::byte* out);

}  // namespace gapscope
