// Packs bytes for tests of what unpacks them.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <string>

namespace gapscope {

inline std::string gzipped(const std::string& bytes) {
    z_stream stream{};
    ::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    std::string packed(::deflateBound(&stream, bytes.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    ::deflateEnd(&stream);
    return packed;
}

inline std::string zstdPacked(const std::string& bytes, int windowLog = 0) {
    std::string packed(::ZSTD_compressBound(bytes.size()) + 64, '\0');
    ZSTD_CCtx* const context = ::ZSTD_createCCtx();
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (windowLog > 0) ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, windowLog);
    ZSTD_outBuffer out{packed.data(), packed.size(), 0};
    // Begun as a stream, which does not know its size yet: else the window would be no larger than that.
    ZSTD_inBuffer in{bytes.data(), 0, 0};
    ::ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
    in.size = bytes.size();
    ::ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
    ::ZSTD_freeCCtx(context);
    packed.resize(out.pos);
    return packed;
}

}  // namespace gapscope
