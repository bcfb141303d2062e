// Cuts matmuls into panel jobs. Compiled without instruction-set flags, so that it may use inline functions freely.
#include "kernels/cpu/matmul_driver.h"

#include <algorithm>
#include <cassert>

#include "kernels/cpu/panel_layout.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {

namespace {

// A borrowed matrix is packed piece by piece into this much stack: 1024 columns of 16 fp32 rows.
constexpr int64_t kPieceColumns = 1024;
constexpr int64_t kPieceBytes = kPieceColumns * 16 * 4 + 64;

// Quantised activations that one sweep over the panels keeps in L2 (1 MiB on the measured Zen 4; half for the rest).
constexpr int64_t kActivationBytes = 384 << 10;

struct Input {
    const float* x;
    int64_t xStride;
    const QuantizedBlock* quantized;
    int64_t tokens;
    bool asSingles;
};

void runPanels(const PanelKernels& kernels, const PackedMatrix& weights, const Input& input, float* out,
               int64_t outStride, WorkRange panels) {
    if (panels.begin >= panels.end || input.tokens == 0) return;
    const WeightType type = weights.type();
    const bool quantized = weights.wantsQuantized();
    const PanelKernel kernel = (quantized ? kernels.quantized : kernels.exact)[static_cast<int>(type)];
    const int64_t columns = weights.columns();
    const int64_t firstRow = panels.begin * kernels.panelRows;
    PanelJob job{};
    job.x = input.x;
    job.xStride = input.xStride;
    job.quantized = input.quantized;
    job.quantizedStride = columns / 32;
    job.tokens = input.tokens;
    job.outStride = outStride;
    job.asSingles = input.asSingles;

    if (!weights.borrows()) {
        assert(weights.panelRows() == kernels.panelRows);
        job.panels = reinterpret_cast<const uint8_t*>(weights.data()) + panels.begin * weights.panelBytes();
        job.panelBytes = weights.panelBytes();
        job.headerBytes = panelShape(type, kernels.panelRows, columns).headerBytes;
        job.rows = std::min(panels.end * kernels.panelRows, weights.rows()) - firstRow;
        job.columns = columns;
        const int64_t blockTokens =
            quantized ? std::max<int64_t>(24, kActivationBytes / quantizedBytes(1, columns) / 12 * 12) : input.tokens;
        for (int64_t t = 0; t < input.tokens; t += blockTokens) {
            job.tokens = std::min(blockTokens, input.tokens - t);
            if (!quantized) job.x = input.x + t * input.xStride;
            if (quantized) job.quantized = input.quantized + t * job.quantizedStride;
            job.out = out + t * outStride + firstRow;
            kernel(job);
        }
        return;
    }

    alignas(64) std::byte piece[kPieceBytes];
    job.panels = reinterpret_cast<const uint8_t*>(piece);
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
        const int64_t row = panel * kernels.panelRows;
        job.rows = std::min(kernels.panelRows, weights.rows() - row);
        job.out = out + row;
        for (int64_t first = 0; first < columns; first += kPieceColumns) {
            job.columns = std::min(kPieceColumns, columns - first);
            const PanelShape shape = panelShape(type, kernels.panelRows, job.columns);
            assert(shape.bytes <= kPieceBytes);
            packPanel(weights.view(), row, kernels.panelRows, first, job.columns, piece);
            job.panelBytes = shape.bytes;
            job.headerBytes = shape.headerBytes;
            job.x = input.x ? input.x + first : nullptr;
            job.quantized = input.quantized ? input.quantized + first / 32 : nullptr;
            job.accumulate = first > 0;
            kernel(job);
        }
    }
}

template <typename Args>
Input inputOf(const Args& args) {
    return {args.x, args.xStride, reinterpret_cast<const QuantizedBlock*>(args.quantized), args.tokens, args.asSingles};
}

// Calls run(input); quantises the single row of x on this part's stack where the caller left that to the op.
template <typename Run>
void withInput(const PanelKernels& kernels, Input input, int64_t columns, bool wantsQuantized, const Run& run) {
    if (!wantsQuantized || input.quantized) {
        run(input);
        return;
    }
    assert(input.tokens == 1 && columns <= kSelfQuantizedColumns);
    alignas(64) std::byte own[quantizedBytes(1, kSelfQuantizedColumns)];
    kernels.quantizeRows({input.x, input.xStride, 1, columns, own}, {0, 1});
    input.quantized = reinterpret_cast<const QuantizedBlock*>(own);
    run(input);
}

}  // namespace

void runMatmul(const PanelKernels& kernels, const MatmulArgs& args, Part part) {
    int64_t total = 0;
    bool wantsQuantized = false;
    for (int i = 0; i < args.targetCount; ++i) {
        total += panelCount(kernels, *args.targets[i].weights);
        wantsQuantized = wantsQuantized || args.targets[i].weights->wantsQuantized();
    }
    const WorkRange range = workRange(total, part);
    if (range.begin == range.end) return;
    withInput(kernels, inputOf(args), args.targets[0].weights->columns(), wantsQuantized, [&](const Input& input) {
        int64_t first = 0;
        for (int i = 0; i < args.targetCount; ++i) {
            const MatmulTarget& target = args.targets[i];
            const int64_t count = panelCount(kernels, *target.weights);
            runPanels(
                kernels, *target.weights, input, target.out, target.outStride,
                {std::clamp<int64_t>(range.begin - first, 0, count), std::clamp<int64_t>(range.end - first, 0, count)});
            first += count;
        }
    });
}

void runGateUp(const PanelKernels& kernels, const GateUpArgs& args, Part part) {
    const WorkRange panels = workRange(panelCount(kernels, *args.gate), part);
    if (panels.begin == panels.end) return;
    withInput(kernels, inputOf(args), args.gate->columns(), args.gate->wantsQuantized() || args.up->wantsQuantized(),
              [&](const Input& input) {
                  runPanels(kernels, *args.gate, input, args.out, args.outStride, panels);
                  runPanels(kernels, *args.up, input, args.scratch, args.scratchStride, panels);
              });
    const int64_t firstRow = panels.begin * kernels.panelRows;
    const int64_t rows = std::min(panels.end * kernels.panelRows, args.gate->rows()) - firstRow;
    kernels.geluGate({args.out + firstRow, args.outStride, args.scratch + firstRow, args.scratchStride, args.tokens,
                      rows, args.out + firstRow, args.outStride},
                     {0, 1});
}

}  // namespace gapscope
