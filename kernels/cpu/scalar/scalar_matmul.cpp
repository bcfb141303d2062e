// Plain C++: quantised activations and matmuls. A row of weights is dequantised in pieces and serves all tokens.
#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/cpu/dequantize.h"
#include "kernels/cpu/scalar/scalar_ops.h"
#include "kernels/cpu/work_split.h"

namespace gapscope::scalar {

namespace {

constexpr int64_t kPiece = 2048;  // columns dequantised at a time; a multiple of every block
constexpr int64_t kTokenTile = 64;

// Sixteen partial sums, so that the compiler may vectorise and the error grows slowly.
float dot(const float* a, const float* b, int64_t count) {
    float lanes[16] = {};
    int64_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int64_t lane = 0; lane < 16; ++lane)
            lanes[lane] += a[i + lane] * b[i + lane];
    for (; i < count; ++i)
        lanes[i % 16] += a[i] * b[i];
    float sum = 0;
    for (const float lane : lanes)
        sum += lane;
    return sum;
}

void dequantizeBlocks(const QuantizedBlock* blocks, int64_t columns, float* out) {
    for (int64_t i = 0; i < columns; ++i)
        out[i] = blocks[i / 32].scale * static_cast<float>(blocks[i / 32].values[i % 32]);
}

struct Input {
    const float* x;
    int64_t xStride;
    const std::byte* quantized;
    int64_t tokens;
};

// Columns [first, first + count) of token t as the matmul sees them: plain, or through int8.
const float* inputPiece(const Input& input, bool quantized, int64_t t, int64_t columns, int64_t first, int64_t count,
                        float* buffer) {
    const float* const x = input.x ? input.x + t * input.xStride + first : nullptr;
    if (!quantized) return x;
    if (input.quantized) {
        const auto* const blocks = reinterpret_cast<const QuantizedBlock*>(input.quantized);
        dequantizeBlocks(blocks + t * (columns / 32) + first / 32, count, buffer);
        return buffer;
    }
    assert(input.tokens == 1 && columns <= kSelfQuantizedColumns);
    for (int64_t i = 0; i < count; i += 32) {
        QuantizedBlock block;
        quantizeBlock(x + i, block);
        dequantizeBlocks(&block, 32, buffer + i);
    }
    return buffer;
}

void multiplyRows(const PackedMatrix& weights, const Input& input, float* out, int64_t outStride, WorkRange rows) {
    const MatrixView& view = weights.view();
    assert(weights.panelRows() <= 1);
    const int64_t columns = weights.columns();
    for (int64_t n = rows.begin; n < rows.end; ++n)
        for (int64_t t = 0; t < input.tokens; ++t)
            out[t * outStride + n] = 0;
    for (int64_t first = 0; first < columns; first += kPiece) {
        const int64_t count = std::min(kPiece, columns - first);
        for (int64_t firstToken = 0; firstToken < input.tokens; firstToken += kTokenTile) {
            const int64_t endToken = std::min(input.tokens, firstToken + kTokenTile);
            for (int64_t n = rows.begin; n < rows.end; ++n) {
                float row[kPiece];
                float buffer[kPiece];
                dequantizeRow(weights.type(), view.row(n) + rowBytes(weights.type(), first), count, row);
                for (int64_t t = firstToken; t < endToken; ++t) {
                    const float* const x =
                        inputPiece(input, weights.wantsQuantized(), t, columns, first, count, buffer);
                    out[t * outStride + n] += dot(row, x, count);
                }
            }
        }
    }
}

}  // namespace

void quantizeBlock(const float* x, QuantizedBlock& out) {
    float largest = 0;
    for (int i = 0; i < 32; ++i)
        largest = std::max(largest, std::fabs(x[i]));
    const float inverse = largest > 0 ? 127.0F / largest : 0.0F;
    int32_t low = 0;
    int32_t high = 0;
    for (int i = 0; i < 32; ++i) {
        const float scaled = x[i] * inverse;
        // Infinite or NaN activations make the block's scale infinite or its values 0: no undefined conversion.
        const int32_t value = std::fabs(scaled) <= 127.5F ? static_cast<int32_t>(std::nearbyint(scaled)) : 0;
        out.values[i] = static_cast<int8_t>(value);
        (i < 16 ? low : high) += value;
    }
    out.scale = largest / 127.0F;
    out.scaledSum = out.scale * static_cast<float>(low + high);
    out.minusSum = -(low + high);
    out.minusSumLow = -low;
}

void quantizeRows(const QuantizeRowsArgs& args, Part part) {
    assert(args.columns % 32 == 0);
    const int64_t blocks = args.columns / 32;
    auto* const out = reinterpret_cast<QuantizedBlock*>(args.out);
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t)
        for (int64_t b = 0; b < blocks; ++b)
            quantizeBlock(args.x + t * args.xStride + 32 * b, out[t * blocks + b]);
}

void matmul(const MatmulArgs& args, Part part) {
    for (int i = 0; i < args.targetCount; ++i) {
        const MatmulTarget& target = args.targets[i];
        const WorkRange rows = workRange(target.weights->rows(), 16, part);
        multiplyRows(*target.weights, {args.x, args.xStride, args.quantized, args.tokens}, target.out, target.outStride,
                     rows);
    }
}

void gateUp(const GateUpArgs& args, Part part) {
    const Input input{args.x, args.xStride, args.quantized, args.tokens};
    const WorkRange rows = workRange(args.gate->rows(), 16, part);
    multiplyRows(*args.gate, input, args.out, args.outStride, rows);
    multiplyRows(*args.up, input, args.scratch, args.scratchStride, rows);
    geluGate({args.out + rows.begin, args.outStride, args.scratch + rows.begin, args.scratchStride, args.tokens,
              rows.end - rows.begin, args.out + rows.begin, args.outStride},
             {0, 1});
}

}  // namespace gapscope::scalar
