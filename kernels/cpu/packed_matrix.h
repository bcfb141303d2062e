// A weight matrix laid out for the matmul of one instruction set: interleaved row panels, or the file's own rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernels/cpu/isa.h"
#include "kernels/weight_type.h"

namespace gapscope {

// Exact: fp32 activations times dequantised weights. Quantized: activations as int8 blocks (quantize_rows.h) where the
// weights are quantised too; F32, F16 and BF16 weights are multiplied exactly in both.
enum class Arithmetic : uint8_t { Exact, Quantized };

class PackedMatrix {
public:
    PackedMatrix() = default;

    // A repacked copy (64-byte aligned, huge pages asked for), at most 3 % larger than the file's bytes but for rows
    // rounded up to a panel. Reads the view once; it is not needed afterwards. Throws std::bad_alloc.
    static PackedMatrix pack(const MatrixView& view, Isa isa, Arithmetic arithmetic);

    // The same for all matrices of a model in one allocation: only a region of many megabytes gets huge pages, which
    // one layer's matrix is too small for. `progress` is told every few megabytes that rows [0, rowsDone) of
    // views[matrix] are packed, so that a mapped file's pages can be let go before the next ones are read.
    using Progress = std::function<void(size_t matrix, int64_t rowsDone)>;
    static std::vector<PackedMatrix> packAll(std::span<const MatrixView> views, Isa isa, Arithmetic arithmetic,
                                             const Progress& progress = {});

    // A matrix that is made a panel at a time: `panel(row, rows)` gives those rows in the file's layout of `type`, for
    // as long as the next call; null: there is none, and none is packed. Not for Isa::Scalar.
    static std::optional<PackedMatrix> packRows(WeightType type, int64_t rows, int64_t columns, Isa isa,
                                                const std::function<const std::byte*(int64_t, int64_t)>& panel);

    // Reads the view's bytes, aligned or not, in place at every matmul: no memory, but slower than a packed copy.
    // The bytes must outlive the matrix.
    static PackedMatrix borrow(const MatrixView& view, Arithmetic arithmetic);

    WeightType type() const { return m_view.type; }
    int64_t rows() const { return m_view.rows; }
    int64_t columns() const { return m_view.columns; }
    Arithmetic arithmetic() const { return m_arithmetic; }
    // The matmul reads MatmulArgs::quantized (else MatmulArgs::x).
    bool wantsQuantized() const {
        return m_arithmetic == Arithmetic::Quantized && weightTypeInfo(m_view.type).blockElements > 1;
    }
    bool borrows() const { return m_panelRows == 0; }
    int64_t bytes() const { return m_bytes; }  // read by one matmul with one token

    // For the kernels: rows of a panel (0: the file's layout), bytes of a panel, first byte.
    int64_t panelRows() const { return m_panelRows; }
    int64_t panelBytes() const { return m_panelBytes; }
    const std::byte* data() const { return m_view.data; }
    const MatrixView& view() const { return m_view; }  // data() as a view; a file's matrix only if borrows()

private:
    MatrixView m_view;
    Arithmetic m_arithmetic = Arithmetic::Exact;
    int64_t m_panelRows = 0;
    int64_t m_panelBytes = 0;
    int64_t m_bytes = 0;
    std::shared_ptr<std::byte> m_memory;  // packed bytes, shared by the matrices of one packAll
};

}  // namespace gapscope
