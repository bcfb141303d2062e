// Lists of numbers that grow at their end, kept packed: a block of values that is full is written once more as
// differences from its smallest, in as few bytes as the largest needs. For what a timeline keeps of millions of events
// and asks for a few thousand times a frame. Neighbours of similar size (times, rows, small counts) take 1 to 4 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gapscope {

inline constexpr size_t kPackedBlock = 1024;  // values

class PackedBlock {
public:
    explicit PackedBlock(std::span<const int64_t> values);
    int64_t operator[](size_t index) const;
    // As many as `out` has room for, from `index` on, all in the block.
    void read(size_t index, std::span<int64_t> out) const;
    size_t memoryBytes() const { return kPackedBlock * m_width; }

private:
    // use(width as a type), nothing where all are equal
    template <class Use>
    void withWidth(Use use) const;

    int64_t m_least = 0;
    std::unique_ptr<std::byte[]> m_bytes;
    uint8_t m_width = 0;  // bytes a value: 0, 1, 2, 4 or 8
};

class PackedNumbers {
public:
    void push_back(int64_t value);
    size_t size() const { return m_full.size() * kPackedBlock + m_open.size(); }
    bool empty() const { return size() == 0; }
    int64_t operator[](size_t index) const {
        const size_t block = index / kPackedBlock;
        return block < m_full.size() ? m_full[block][index % kPackedBlock] : m_open[index % kPackedBlock];
    }
    int64_t front() const { return (*this)[0]; }
    int64_t back() const { return (*this)[size() - 1]; }
    // As many as `out` has room for, from `index` on; at a fraction of asking for each.
    void read(size_t index, std::span<int64_t> out) const;
    size_t memoryBytes() const;

private:
    std::vector<PackedBlock> m_full;
    std::vector<int64_t> m_open;
};

// Of doubles; a block of whole numbers only is kept as those, any other as it is. Values come back bit by bit.
class PackedReals {
public:
    void push_back(double value);
    size_t size() const { return m_full.size() * kPackedBlock + m_open.size(); }
    bool empty() const { return size() == 0; }
    double operator[](size_t index) const;
    double back() const { return (*this)[size() - 1]; }
    void read(size_t index, std::span<double> out) const;  // likewise
    size_t memoryBytes() const;

private:
    struct Block {
        PackedBlock packed;
        bool isWhole;
    };
    std::vector<Block> m_full;
    std::vector<double> m_open;
};

}  // namespace gapscope
