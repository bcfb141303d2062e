// Append-only columns in fixed chunks. A view shares the chunks: taking one costs a pointer a chunk, copies no row,
// and the writer may go on appending, because rows below the view's size never change.
// Numbers, enums and ids are packed: a chunk that is full is written once more as differences from its smallest value,
// in as few bytes as the largest needs, none where all are equal. The events of a run take less than half of their
// memory so (tests/bench/timeline_bench: 19 bytes an event, 46 unpacked). Readers get values, not references.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/trace/packed_chunk.h"

namespace gapscope {

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

template <Packable T>
class ColumnView<T> {
public:
    ColumnView() = default;
    ColumnView(std::vector<PackedChunk<T>> chunks, size_t size) : m_chunks(std::move(chunks)), m_size(size) {}

    size_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }
    T operator[](size_t row) const { return m_chunks[row / kChunkRows][row % kChunkRows]; }
    T back() const { return (*this)[m_size - 1]; }
    size_t memoryBytes() const {
        size_t bytes = m_chunks.capacity() * sizeof(PackedChunk<T>);
        for (const PackedChunk<T>& chunk : m_chunks)
            bytes += chunk.memoryBytes();
        return bytes;
    }

private:
    std::vector<PackedChunk<T>> m_chunks;
    size_t m_size = 0;
};

template <Packable T>
class ColumnWriter<T> {
public:
    void push(T value) {
        if (m_size % kChunkRows == 0) m_chunks.emplace_back();
        m_chunks.back().set(m_size % kChunkRows, value);
        if (++m_size % kChunkRows == 0) m_chunks.back() = m_chunks.back().packed();
    }
    size_t size() const { return m_size; }
    T operator[](size_t row) const { return m_chunks[row / kChunkRows][row % kChunkRows]; }
    ColumnView<T> view() const { return {m_chunks, m_size}; }

private:
    std::vector<PackedChunk<T>> m_chunks;  // full ones packed, and one that is being filled
    size_t m_size = 0;
};

}  // namespace gapscope
