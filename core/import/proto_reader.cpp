#include "core/import/proto_reader.h"

namespace gapscope {

bool ProtoReader::varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (m_rest.empty()) return false;
        const auto byte = static_cast<unsigned char>(m_rest.front());
        m_rest.remove_prefix(1);
        if (shift < 64) value |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

bool ProtoReader::fixed(int count) {
    if (m_rest.size() < static_cast<size_t>(count)) return false;
    m_number = 0;
    for (int i = 0; i < count; ++i)
        m_number |= uint64_t{static_cast<unsigned char>(m_rest[static_cast<size_t>(i)])} << (8 * i);
    m_rest.remove_prefix(static_cast<size_t>(count));
    return true;
}

bool ProtoReader::next() {
    if (m_rest.empty() || m_damaged) return false;
    m_bytes = {};
    m_number = 0;
    uint64_t tag = 0, length = 0;
    bool good = varint(tag) && tag >> 3 != 0 && tag >> 3 < (uint64_t{1} << 29);
    m_field = static_cast<uint32_t>(tag >> 3);
    m_wireType = static_cast<uint32_t>(tag & 7);
    if (good) {
        switch (m_wireType) {
            case 0:
                good = varint(m_number);
                break;
            case 1:
                good = fixed(8);
                break;
            case 2:
                good = varint(length) && length <= m_rest.size();
                if (!good) break;
                m_bytes = m_rest.substr(0, static_cast<size_t>(length));
                m_rest.remove_prefix(static_cast<size_t>(length));
                break;
            case 5:
                good = fixed(4);
                break;
            default:  // groups, which Perfetto does not use
                good = false;
        }
    }
    m_damaged = !good;
    return good;
}

}  // namespace gapscope
