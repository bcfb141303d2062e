// Append-only columns in fixed chunks. A view shares the chunks: taking one costs a pointer a chunk, copies no row,
// and the writer may go on appending, because rows below the view's size never change and chunks never move.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace gapscope {

#if defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
inline constexpr size_t kChunkRows = 64;  // fuzzed inputs are small: chunks of full size would be most of the work
#else
inline constexpr size_t kChunkRows = size_t{1} << 14;
#endif

template <class T>
class ColumnView {
public:
    ColumnView() = default;
    ColumnView(std::vector<std::shared_ptr<T[]>> chunks, size_t size) : m_chunks(std::move(chunks)), m_size(size) {}

    size_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }
    const T& operator[](size_t row) const { return m_chunks[row / kChunkRows][row % kChunkRows]; }
    const T& back() const { return (*this)[m_size - 1]; }

private:
    std::vector<std::shared_ptr<T[]>> m_chunks;
    size_t m_size = 0;
};

template <class T>
class ColumnWriter {
public:
    void push(T value) {
        if (m_size % kChunkRows == 0) m_chunks.push_back(std::make_shared_for_overwrite<T[]>(kChunkRows));
        m_chunks.back()[m_size % kChunkRows] = std::move(value);
        ++m_size;
    }
    size_t size() const { return m_size; }
    const T& operator[](size_t row) const { return m_chunks[row / kChunkRows][row % kChunkRows]; }
    ColumnView<T> view() const { return {m_chunks, m_size}; }

private:
    std::vector<std::shared_ptr<T[]>> m_chunks;
    size_t m_size = 0;
};

}  // namespace gapscope
