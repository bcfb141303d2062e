// Reads protocol-buffer messages field by field, without knowing them (wire format: protobuf.dev/programming-guides/
// encoding). Nothing is copied and nothing recurses: who descends into a message makes a reader for it. Internal to the
// import room.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace gapscope {

class ProtoReader {
public:
    explicit ProtoReader(std::string_view message) : m_rest(message) {}

    bool next();  // to the next field; false at the end and where the bytes are no message
    bool isDamaged() const { return m_damaged; }

    uint32_t field() const { return m_field; }
    bool isNumber() const { return m_wireType != 2; }
    uint64_t number() const { return m_number; }  // of a text: 0
    int64_t signedNumber() const { return static_cast<int64_t>(m_number); }
    double real() const { return std::bit_cast<double>(m_number); }
    std::string_view bytes() const { return m_bytes; }  // of a number: empty
    std::string_view rest() const { return m_rest; }    // what follows this field

private:
    bool varint(uint64_t& value);
    bool fixed(int count);

    std::string_view m_rest;
    std::string_view m_bytes;
    uint64_t m_number = 0;
    uint32_t m_field = 0;
    uint32_t m_wireType = 0;
    bool m_damaged = false;
};

}  // namespace gapscope
