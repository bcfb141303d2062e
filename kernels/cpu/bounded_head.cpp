// The two passes of the head, and how the upper bits are packed. Compiled without instruction-set flags.
#include "kernels/cpu/bounded_head.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/cpu/bounded_head_driver.h"
#include "kernels/cpu/dequantize.h"
#include "kernels/cpu/matmul_driver.h"
#include "kernels/cpu/panel_layout.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {

namespace {

constexpr int64_t kQ8Bytes = 34, kQ5Bytes = 22, kBlock = 32;
constexpr int64_t kMostBlocks = kSelfQuantizedColumns / kBlock;
constexpr int64_t kMostLanes = 16;
constexpr int64_t kProgressBytes = int64_t{8} << 20;

// A Q8_0 block's upper bits as a Q5_0 block of eight times the step; false if that step is none.
bool upperBlock(const uint8_t* from, uint8_t* to) {
    uint16_t d = 0;
    std::memcpy(&d, from, sizeof d);
    const float step = 8 * halfToFloat(d);
    if (!(step >= 0) || step > 65504) return false;
    const uint16_t half = floatToHalf(step);
    std::memcpy(to, &half, sizeof half);
    uint32_t fifth = 0;
    for (uint32_t i = 0; i < 16; ++i) {
        const auto low = static_cast<uint8_t>(from[2 + i] ^ 0x80), high = static_cast<uint8_t>(from[18 + i] ^ 0x80);
        to[6 + i] = static_cast<uint8_t>(((low >> 3) & 15) | (((high >> 3) & 15) << 4));
        fifth |= static_cast<uint32_t>(low >> 7) << i | static_cast<uint32_t>(high >> 7) << (i + 16);
    }
    std::memcpy(to + 2, &fifth, sizeof fifth);
    return true;
}

struct Input {
    const QuantizedBlock* blocks;                  // [tokens, K / 32]
    float slack[kMostBoundedTokens][kMostBlocks];  // what times a step of Q5_0 is the most that the lower bits add
    alignas(64) std::byte own[quantizedBytes(1, kSelfQuantizedColumns)];
};

void quantize(const PanelKernels& kernels, const BoundedHeadArgs& args, Input& input) {
    const int64_t columns = args.full->columns();
    assert(columns <= kSelfQuantizedColumns && args.tokens <= kMostBoundedTokens);
    input.blocks = reinterpret_cast<const QuantizedBlock*>(args.quantized);
    if (args.quantized) return;
    assert(args.tokens == 1);
    kernels.quantizeRows({args.x, columns, 1, columns, input.own}, {0, 1});
    input.blocks = reinterpret_cast<const QuantizedBlock*>(input.own);
}

// Two fused additions a block here, one in the full product: each rounds by at most 2^-24 of what has been added up, of
// which a block has at most 17 steps times sum |q|. Twice that, so that the slack's own rounding is in it, too.
void findSlack(int64_t tokens, int64_t blocks, Input& input) {
    const float rounding = 2 * 17 * static_cast<float>(3 * blocks + 8) * std::numeric_limits<float>::epsilon() / 2;
    for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t b = 0; b < blocks; ++b) {
            const QuantizedBlock& block = input.blocks[t * blocks + b];
            int32_t positive = 0, all = 0;
            for (const int8_t value : block.values) {
                positive += std::max<int32_t>(value, 0);
                all += std::abs(value);
            }
            input.slack[t][b] =
                block.scale * (0.875F * static_cast<float>(positive) + rounding * static_cast<float>(all));
        }
    }
}

PanelJob jobOf(const PanelKernels& kernels, const PackedMatrix& matrix, const QuantizedBlock* blocks, int64_t tokens,
               int64_t firstPanel, int64_t panels, float* out) {
    PanelJob job{};
    job.panels = reinterpret_cast<const uint8_t*>(matrix.data()) + firstPanel * matrix.panelBytes();
    job.panelBytes = matrix.panelBytes();
    job.headerBytes = panelShape(matrix.type(), kernels.panelRows, matrix.columns()).headerBytes;
    job.rows = std::min(panels * kernels.panelRows, matrix.rows() - firstPanel * kernels.panelRows);
    job.columns = matrix.columns();
    job.quantized = blocks;
    job.quantizedStride = matrix.columns() / kBlock;
    job.tokens = tokens;
    job.out = out;
    job.outStride = matrix.rows();
    return job;
}

// One token's products with a panel in full; returns how many.
int64_t fullPanel(const PanelKernels& kernels, const BoundedHeadArgs& args, const Input& input, int64_t token,
                  int64_t panel, float* products) {
    const QuantizedBlock* const blocks = input.blocks + token * (args.full->columns() / kBlock);
    const PanelJob job = jobOf(kernels, *args.full, blocks, 1, panel, 1, products);
    kernels.quantized[static_cast<int>(args.full->type())](job);
    return job.rows;
}

// The largest of one token's products among the panels of a part.
ArgmaxPartial choose(const PanelKernels& kernels, const BoundedHeadArgs& args, const Input& input, int64_t token,
                     WorkRange panels, int parts) {
    ArgmaxPartial best{-std::numeric_limits<float>::infinity(), -1};
    float least = best.value;
    for (int i = 0; i < parts; ++i)
        if (const ArgmaxPartial& probe = args.probes[token * parts + i]; probe.index >= 0)
            least = std::max(least, probe.value);
    const float* const bounds = args.bounds + token * args.full->rows();
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
        const int64_t first = panel * kernels.panelRows;
        const int64_t end = std::min(first + kernels.panelRows, args.full->rows());
        // Not a number is no bound: such a row is looked at.
        if (std::all_of(bounds + first, bounds + end, [&](float bound) { return bound < least; })) continue;
        float products[kMostLanes];
        const int64_t rows = fullPanel(kernels, args, input, token, panel, products);
        for (int64_t row = 0; row < rows; ++row)
            if (products[row] > best.value || (best.index < 0 && !std::isnan(products[row])))
                best = {products[row], static_cast<int32_t>(first + row)};
        least = std::max(least, best.value);
    }
    return best;
}

}  // namespace

std::optional<PackedMatrix> packUpperBits(const MatrixView& view, Isa isa,
                                          const std::function<void(int64_t rowsDone)>& onRows) {
    if (view.type != WeightType::Q8_0 || isa == Isa::Scalar || view.columns > kSelfQuantizedColumns) return {};
    const int64_t blocks = view.columns / kBlock;
    const int64_t rowsAStep = std::max<int64_t>(1, kProgressBytes / std::max<int64_t>(1, blocks * kQ8Bytes));
    std::vector<uint8_t> upper(static_cast<size_t>(kMostLanes * blocks * kQ5Bytes));
    int64_t told = 0;
    return PackedMatrix::packRows(WeightType::Q5_0, view.rows, view.columns, isa,
                                  [&](int64_t row, int64_t rows) -> const std::byte* {
                                      if (onRows && row - told >= rowsAStep) onRows(told = row);
                                      const auto* from = reinterpret_cast<const uint8_t*>(view.row(row));
                                      uint8_t* to = upper.data();
                                      for (int64_t i = 0; i < rows * blocks; ++i, from += kQ8Bytes, to += kQ5Bytes)
                                          if (!upperBlock(from, to)) return nullptr;
                                      return reinterpret_cast<const std::byte*>(upper.data());
                                  });
}

void runHeadBounds(const PanelKernels& kernels, const BoundedHeadArgs& args, Part part) {
    const WorkRange panels = workRange(panelCount(kernels, *args.upper), part);
    Input input;
    if (panels.begin < panels.end) {
        quantize(kernels, args, input);
        findSlack(args.tokens, args.upper->columns() / kBlock, input);
        PanelJob job = jobOf(kernels, *args.upper, input.blocks, args.tokens, panels.begin, panels.end - panels.begin,
                             args.bounds + panels.begin * kernels.panelRows);
        job.x = input.slack[0];
        job.xStride = kMostBlocks;
        kernels.bounds(job);
    }
    const int64_t first = panels.begin * kernels.panelRows;
    const int64_t end = std::min(panels.end * kernels.panelRows, args.upper->rows());
    for (int64_t t = 0; t < args.tokens; ++t) {
        ArgmaxPartial& probe = args.probes[t * part.count + part.index];
        probe = {-std::numeric_limits<float>::infinity(), -1};
        if (first >= end) continue;
        const float* const bounds = args.bounds + t * args.upper->rows();
        const int64_t row = std::max_element(bounds + first, bounds + end) - bounds;
        float products[kMostLanes];
        fullPanel(kernels, args, input, t, row / kernels.panelRows, products);
        probe = {products[row % kernels.panelRows], static_cast<int32_t>(row)};
    }
}

void runHeadChoice(const PanelKernels& kernels, const BoundedHeadArgs& args, Part part) {
    const WorkRange panels = workRange(panelCount(kernels, *args.upper), part);
    Input input;
    if (panels.begin < panels.end) quantize(kernels, args, input);
    for (int64_t t = 0; t < args.tokens; ++t)
        args.partials[t * part.count + part.index] = choose(kernels, args, input, t, panels, part.count);
}

}  // namespace gapscope
