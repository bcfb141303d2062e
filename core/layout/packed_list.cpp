#include "core/layout/packed_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

namespace gapscope {

namespace {

static_assert(std::endian::native == std::endian::little, "differences are kept as their low bytes");

// -0 is not: as an integer it would lose its sign.
bool isWholeNumber(double value) {
    constexpr double kExact = 9007199254740992;  // 2^53
    return std::abs(value) < kExact && value == std::floor(value) && !(value == 0 && std::signbit(value));
}

}  // namespace

PackedBlock::PackedBlock(std::span<const int64_t> values) {
    assert(values.size() == kPackedBlock);
    const auto [least, greatest] = std::ranges::minmax(values);
    m_least = least;
    const int bits = std::bit_width(static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least));
    m_width = static_cast<uint8_t>(bits == 0 ? 0 : std::bit_ceil((static_cast<unsigned>(bits) + 7) / 8));
    if (m_width == 0) return;
    m_bytes = std::make_unique_for_overwrite<std::byte[]>(kPackedBlock * m_width);
    for (size_t i = 0; i < kPackedBlock; ++i) {
        const uint64_t difference = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(least);
        std::memcpy(m_bytes.get() + i * m_width, &difference, m_width);
    }
}

template <class Use>
void PackedBlock::withWidth(Use use) const {
    switch (m_width) {
        case 0:
            return;
        case 1:
            return use(uint8_t{});
        case 2:
            return use(uint16_t{});
        case 4:
            return use(uint32_t{});
        default:
            return use(uint64_t{});
    }
}

int64_t PackedBlock::operator[](size_t index) const {
    uint64_t value = static_cast<uint64_t>(m_least);
    withWidth([&]<class Difference>(Difference difference) {
        std::memcpy(&difference, m_bytes.get() + index * sizeof(Difference), sizeof(Difference));
        value += difference;
    });
    return static_cast<int64_t>(value);
}

void PackedBlock::read(size_t index, std::span<int64_t> out) const {
    std::ranges::fill(out, m_least);
    withWidth([&]<class Difference>(Difference difference) {
        const std::byte* at = m_bytes.get() + index * sizeof(Difference);
        for (int64_t& value : out) {
            std::memcpy(&difference, at, sizeof(Difference));
            value = static_cast<int64_t>(static_cast<uint64_t>(value) + difference);
            at += sizeof(Difference);
        }
    });
}

void PackedNumbers::push_back(int64_t value) {
    m_open.push_back(value);
    if (m_open.size() < kPackedBlock) return;
    m_full.emplace_back(m_open);
    m_open.clear();
}

namespace {

// Calls use(block, index in it, part of `out`) for each block that the values lie in.
template <class Value, class Use>
void eachBlock(size_t index, std::span<Value> out, Use use) {
    while (!out.empty()) {
        const size_t at = index % kPackedBlock, count = std::min(out.size(), kPackedBlock - at);
        use(index / kPackedBlock, at, out.first(count));
        index += count;
        out = out.subspan(count);
    }
}

}  // namespace

void PackedNumbers::read(size_t index, std::span<int64_t> out) const {
    eachBlock(index, out, [&](size_t block, size_t at, std::span<int64_t> part) {
        if (block < m_full.size()) return m_full[block].read(at, part);
        std::copy_n(m_open.begin() + static_cast<ptrdiff_t>(at), part.size(), part.begin());
    });
}

size_t PackedNumbers::memoryBytes() const {
    size_t bytes = m_full.capacity() * sizeof(m_full[0]) + m_open.capacity() * sizeof(m_open[0]);
    for (const PackedBlock& block : m_full)
        bytes += block.memoryBytes();
    return bytes;
}

void PackedReals::push_back(double value) {
    m_open.push_back(value);
    if (m_open.size() < kPackedBlock) return;
    const bool isWhole = std::ranges::all_of(m_open, isWholeNumber);
    std::array<int64_t, kPackedBlock> numbers;
    for (size_t i = 0; i < kPackedBlock; ++i)
        numbers[i] = isWhole ? static_cast<int64_t>(m_open[i]) : std::bit_cast<int64_t>(m_open[i]);
    m_full.push_back({PackedBlock(numbers), isWhole});
    m_open.clear();
}

double PackedReals::operator[](size_t index) const {
    const size_t block = index / kPackedBlock;
    if (block >= m_full.size()) return m_open[index % kPackedBlock];
    const int64_t number = m_full[block].packed[index % kPackedBlock];
    return m_full[block].isWhole ? static_cast<double>(number) : std::bit_cast<double>(number);
}

void PackedReals::read(size_t index, std::span<double> out) const {
    eachBlock(index, out, [&](size_t block, size_t at, std::span<double> part) {
        if (block >= m_full.size()) {
            std::copy_n(m_open.begin() + static_cast<ptrdiff_t>(at), part.size(), part.begin());
            return;
        }
        std::array<int64_t, 64> numbers;
        while (!part.empty()) {
            const size_t count = std::min(part.size(), numbers.size());
            m_full[block].packed.read(at, std::span(numbers).first(count));
            for (size_t i = 0; i < count; ++i)
                part[i] = m_full[block].isWhole ? static_cast<double>(numbers[i]) : std::bit_cast<double>(numbers[i]);
            at += count;
            part = part.subspan(count);
        }
    });
}

size_t PackedReals::memoryBytes() const {
    size_t bytes = m_full.capacity() * sizeof(m_full[0]) + m_open.capacity() * sizeof(m_open[0]);
    for (const Block& block : m_full)
        bytes += block.packed.memoryBytes();
    return bytes;
}

}  // namespace gapscope
