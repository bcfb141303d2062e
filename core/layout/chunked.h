// A list that grows at its end without ever moving what it holds: no copy of it all on the UI thread while a run grows,
// no half of its memory unused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace gapscope {

template <class T>
class Chunked {
public:
    size_t size() const { return m_chunks.empty() ? 0 : (m_chunks.size() - 1) * kChunk + m_chunks.back().size(); }
    bool empty() const { return m_chunks.empty(); }
    const T& operator[](size_t index) const { return m_chunks[index / kChunk][index % kChunk]; }
    // The values from `index` on that lie behind each other in memory: some, not all.
    std::span<const T> from(size_t index) const {
        return std::span<const T>(m_chunks[index / kChunk]).subspan(index % kChunk);
    }
    const T& back() const { return m_chunks.back().back(); }

    void push_back(const T& value) {
        if (m_chunks.empty() || m_chunks.back().size() == kChunk) {
            m_chunks.emplace_back();
            if (m_chunks.size() > 1) m_chunks.back().reserve(kChunk);  // short lists stay small
        }
        m_chunks.back().push_back(value);
    }
    // Keeps the first `size` values.
    void shrink(size_t size) {
        m_chunks.resize(std::min(m_chunks.size(), (size + kChunk - 1) / kChunk));
        if (!m_chunks.empty()) m_chunks.back().resize(size - (m_chunks.size() - 1) * kChunk);
    }

    size_t memoryBytes() const {
        size_t bytes = m_chunks.capacity() * sizeof(m_chunks[0]);
        for (const auto& chunk : m_chunks)
            bytes += chunk.capacity() * sizeof(T);
        return bytes;
    }

private:
    static constexpr size_t kChunk = 4096;
    std::vector<std::vector<T>> m_chunks;
};

}  // namespace gapscope
