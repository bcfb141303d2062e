// Protocol-buffer messages, field by field (wire format: protobuf.dev/programming-guides/encoding).
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace gapscope {

class ProtoMessage {
public:
    void clear() { m_bytes.clear(); }
    const std::string& bytes() const { return m_bytes; }

    ProtoMessage& number(uint32_t field, uint64_t value) {
        tag(field, 0);
        varint(value);
        return *this;
    }
    ProtoMessage& signedNumber(uint32_t field, int64_t value) { return number(field, static_cast<uint64_t>(value)); }
    ProtoMessage& fixed64(uint32_t field, uint64_t value) {
        tag(field, 1);
        for (int shift = 0; shift < 64; shift += 8)
            m_bytes += static_cast<char>(value >> shift);
        return *this;
    }
    ProtoMessage& real(uint32_t field, double value) { return fixed64(field, std::bit_cast<uint64_t>(value)); }
    ProtoMessage& text(uint32_t field, std::string_view bytes) {
        tag(field, 2);
        varint(bytes.size());
        m_bytes += bytes;
        return *this;
    }
    ProtoMessage& message(uint32_t field, const ProtoMessage& part) { return text(field, part.bytes()); }

private:
    void tag(uint32_t field, uint32_t wireType) { varint(uint64_t{field} << 3 | wireType); }
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            m_bytes += static_cast<char>(value | 0x80);
        m_bytes += static_cast<char>(value);
    }

    std::string m_bytes;
};

}  // namespace gapscope
