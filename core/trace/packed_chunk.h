// kChunkRows values of one column: open while they are written, at full width; packed when all are there, as
// differences from the smallest in 0, 1, 2, 4 or 8 bytes each (frame of reference). Copies share the bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>

namespace gapscope {

#if defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
inline constexpr size_t kChunkRows = 64;  // fuzzed inputs are small: chunks of full size would be most of the work
#else
inline constexpr size_t kChunkRows = size_t{1} << 14;
#endif

template <class T>
concept Packable = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T> &&
                   (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8) ||
                   std::same_as<T, double>;

template <Packable T>
class PackedChunk {
public:
    PackedChunk() : m_bytes(allocate(sizeof(T))) {}  // open: its values are undefined until they are set

    // Only of an open chunk, by its writer. Readers of other rows are not disturbed.
    void set(size_t row, T value) { std::memcpy(m_bytes.get() + row * sizeof(T), &value, sizeof(T)); }

    T operator[](size_t row) const {
        const std::byte* at = m_bytes.get() + row * m_width;
        if (m_width == sizeof(T)) {  // not a byte beyond: the next row of an open chunk may be being written
            T value;
            std::memcpy(&value, at, sizeof(T));
            return value;
        }
        uint64_t difference;
        std::memcpy(&difference, at, sizeof(difference));
        return fromNumber(m_base + (difference & m_mask));
    }

    // All values set: the same in as little room as there is.
    PackedChunk packed() const {
        Number least = number(0), greatest = least;
        for (size_t row = 1; row < kChunkRows; ++row) {
            const Number value = number(row);
            least = std::min(least, value);
            greatest = std::max(greatest, value);
        }
        const uint64_t most = static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least);
        const int bits = std::bit_width(most);
        const size_t width = bits == 0 ? 0 : std::bit_ceil((static_cast<size_t>(bits) + 7) / 8);
        PackedChunk chunk(width);
        if (width == sizeof(T)) {
            std::memcpy(chunk.m_bytes.get(), m_bytes.get(), kChunkRows * sizeof(T));
            return chunk;
        }
        chunk.m_base = static_cast<uint64_t>(least);
        for (size_t row = 0; width > 0 && row < kChunkRows; ++row) {
            const uint64_t difference = static_cast<uint64_t>(number(row)) - chunk.m_base;
            std::memcpy(chunk.m_bytes.get() + row * width, &difference, width);
        }
        return chunk;
    }

    size_t memoryBytes() const { return kChunkRows * m_width + kBeyond; }

private:
    static_assert(std::endian::native == std::endian::little, "differences are read by their low bytes");
    static constexpr size_t kBeyond = sizeof(uint64_t);  // a difference is read as eight bytes, whatever its width

    // The integer whose order decides what is smallest: any order would do, the value's own packs best.
    using Bits = std::conditional_t<
        sizeof(T) == 1, uint8_t,
        std::conditional_t<sizeof(T) == 2, uint16_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
    using Number = std::conditional_t<std::is_signed_v<T> && std::is_integral_v<T>, int64_t, uint64_t>;

    explicit PackedChunk(size_t width)
        : m_bytes(allocate(width)),
          m_width(static_cast<uint32_t>(width)),
          m_mask(width == 0   ? 0
                 : width == 8 ? ~uint64_t{0}
                              : (uint64_t{1} << (8 * width)) - 1) {}

    static std::shared_ptr<std::byte[]> allocate(size_t width) {
        auto bytes = std::make_shared_for_overwrite<std::byte[]>(kChunkRows * width + kBeyond);
        std::memset(bytes.get() + kChunkRows * width, 0, kBeyond);
        return bytes;
    }
    static T fromNumber(uint64_t number) { return std::bit_cast<T>(static_cast<Bits>(number)); }
    Number number(size_t row) const {
        const T value = (*this)[row];
        if constexpr (std::is_integral_v<T>)
            return static_cast<Number>(value);
        else
            return std::bit_cast<Bits>(value);
    }

    std::shared_ptr<std::byte[]> m_bytes;
    uint32_t m_width = sizeof(T);  // bytes a row
    uint64_t m_mask = ~uint64_t{0};
    uint64_t m_base = 0;
};

}  // namespace gapscope
