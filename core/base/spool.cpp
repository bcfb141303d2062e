#include "core/base/spool.h"

namespace gapscope {

Status Spool::append(std::span<const char> bytes) {
    if (!m_file) {
        if (m_bytes.size() + bytes.size() <= m_mostInMemory) {
            m_bytes.append(bytes.data(), bytes.size());
            return {};
        }
        ASSIGN_OR_RETURN(m_file, TemporaryFile::create(m_stem));
        m_out.open(m_file->path(), std::ios::binary);
        m_out.write(m_bytes.data(), static_cast<std::streamsize>(m_bytes.size()));
        m_bytes = {};
    }
    m_out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return m_out ? Status() : noRoom();
}

Status Spool::finish() {
    if (!m_file) return {};
    m_out.close();
    return m_out ? Status() : noRoom();
}

Status Spool::noRoom() const {
    return fail("There is no room left in " + m_file->path().parent_path().string() +
                    ", where it would have to be kept; free some or set TMPDIR.",
                ErrorKind::NoSpace);
}

}  // namespace gapscope
