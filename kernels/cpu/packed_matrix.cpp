// Memory and packing of PackedMatrix.
#include "kernels/cpu/packed_matrix.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/panel_layout.h"

namespace gapscope {

namespace {

constexpr int64_t kHugePage = int64_t{2} << 20;
constexpr int64_t kCacheLine = 64;
constexpr int64_t kProgressBytes = int64_t{8} << 20;

int64_t roundUp(int64_t value, int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

int64_t panelRowsOf(Isa isa) {
    switch (isa) {
        case Isa::Scalar:
            return 1;
        case Isa::Avx2:
            return 8;
        case Isa::Avx512:
            return 16;
    }
    return 1;
}

// Zeroed memory that starts at a huge page where it is large enough for one: with small pages a matmul that streams
// weights spends a quarter of its time on address translation.
std::shared_ptr<std::byte> allocate(int64_t bytes) {
    const bool huge = bytes >= kHugePage;
    const auto mapped = static_cast<size_t>(roundUp(bytes, kHugePage) + (huge ? kHugePage : 0));
    const auto length = huge ? mapped : static_cast<size_t>(std::max(bytes, kCacheLine));
    void* const memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    auto* start = static_cast<std::byte*>(memory);
    if (huge) {
        const auto address = reinterpret_cast<uintptr_t>(start);
        start += static_cast<int64_t>((kHugePage - address % kHugePage) % kHugePage);
        madvise(start, static_cast<size_t>(roundUp(bytes, kHugePage)), MADV_HUGEPAGE);
    }
    return {start, [memory, length](std::byte*) { munmap(memory, length); }};
}

}  // namespace

std::vector<PackedMatrix> PackedMatrix::packAll(std::span<const MatrixView> views, Isa wanted, Arithmetic arithmetic,
                                                const Progress& progress) {
    const Isa isa = cpuOps(wanted).isa;  // the layout follows the table that will read it
    const int64_t panelRows = panelRowsOf(isa);
    std::vector<PackedMatrix> matrices(views.size());
    std::vector<int64_t> offsets;
    int64_t total = 0;
    for (size_t i = 0; i < views.size(); ++i) {
        PackedMatrix& matrix = matrices[i];
        matrix.m_view = views[i];
        matrix.m_arithmetic = arithmetic;
        matrix.m_panelRows = panelRows;
        matrix.m_panelBytes = isa == Isa::Scalar ? rowBytes(views[i].type, views[i].columns)
                                                 : panelShape(views[i].type, panelRows, views[i].columns).bytes;
        matrix.m_bytes = (views[i].rows + panelRows - 1) / panelRows * matrix.m_panelBytes;
        offsets.push_back(total);
        total += roundUp(matrix.m_bytes, kCacheLine);
    }
    const std::shared_ptr<std::byte> memory = allocate(total);
    for (size_t i = 0; i < views.size(); ++i) {
        PackedMatrix& matrix = matrices[i];
        std::byte* const out = memory.get() + offsets[i];
        const int64_t rows = views[i].rows;
        const int64_t panelsAStep = std::max<int64_t>(1, kProgressBytes / std::max<int64_t>(1, matrix.m_panelBytes));
        for (int64_t begin = 0; begin < rows;) {
            const int64_t end = std::min(rows, begin + panelsAStep * panelRows);
            if (isa == Isa::Scalar) {
                std::memcpy(out + begin * matrix.m_panelBytes, views[i].row(begin),
                            static_cast<size_t>((end - begin) * matrix.m_panelBytes));
            } else {
                for (int64_t row = begin; row < end; row += panelRows)
                    packPanel(views[i], row, panelRows, 0, views[i].columns,
                              out + row / panelRows * matrix.m_panelBytes);
            }
            begin = end;
            if (progress) progress(i, end);
        }
        matrix.m_view.data = out;
        matrix.m_memory = memory;
    }
    return matrices;
}

PackedMatrix PackedMatrix::pack(const MatrixView& view, Isa isa, Arithmetic arithmetic) {
    return std::move(packAll({&view, 1}, isa, arithmetic).front());
}

std::optional<PackedMatrix> PackedMatrix::packRows(WeightType type, int64_t rows, int64_t columns, Isa isa,
                                                   const std::function<const std::byte*(int64_t, int64_t)>& panel) {
    assert(isa != Isa::Scalar);
    PackedMatrix matrix;
    matrix.m_arithmetic = Arithmetic::Quantized;
    matrix.m_panelRows = panelRowsOf(isa);
    matrix.m_panelBytes = panelShape(type, matrix.m_panelRows, columns).bytes;
    matrix.m_bytes = (rows + matrix.m_panelRows - 1) / matrix.m_panelRows * matrix.m_panelBytes;
    matrix.m_memory = allocate(matrix.m_bytes);
    std::byte* out = matrix.m_memory.get();
    matrix.m_view = {type, rows, columns, out};
    for (int64_t row = 0; row < rows; row += matrix.m_panelRows, out += matrix.m_panelBytes) {
        const int64_t count = std::min(matrix.m_panelRows, rows - row);
        const std::byte* const data = panel(row, count);
        if (data == nullptr) return {};
        packPanel({type, count, columns, data}, 0, matrix.m_panelRows, 0, columns, out);
    }
    return matrix;
}

PackedMatrix PackedMatrix::borrow(const MatrixView& view, Arithmetic arithmetic) {
    PackedMatrix matrix;
    matrix.m_view = view;
    matrix.m_arithmetic = arithmetic;
    matrix.m_bytes = view.bytes();
    return matrix;
}

}  // namespace gapscope
