#include "core/import/unpackers.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

#include "core/import/limits.h"

namespace gapscope {

namespace {

constexpr int kZlibHead = 15, kGzipHead = 15 + 16;  // the largest window, and which head

class GzipUnpacker final : public Unpacker {
public:
    explicit GzipUnpacker(int windowBits) { m_ready = ::inflateInit2(&m_stream, windowBits) == Z_OK; }
    ~GzipUnpacker() override {
        if (m_ready) ::inflateEnd(&m_stream);
    }
    GzipUnpacker(const GzipUnpacker&) = delete;
    GzipUnpacker& operator=(const GzipUnpacker&) = delete;

    Step unpack(std::span<const char>& input, std::span<char>& room) override {
        if (!m_ready) return damaged("zlib cannot start");
        if (m_betweenMembers && !input.empty()) {
            ::inflateReset(&m_stream);
            m_betweenMembers = false;
        }
        constexpr size_t kMost = std::numeric_limits<uInt>::max();
        const auto inputBytes = static_cast<uInt>(std::min(input.size(), kMost));
        const auto roomBytes = static_cast<uInt>(std::min(room.size(), kMost));
        // zlib does not write to its input; its type is older than const.
        m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        m_stream.avail_in = inputBytes;
        m_stream.next_out = reinterpret_cast<Bytef*>(room.data());
        m_stream.avail_out = roomBytes;
        const int code = ::inflate(&m_stream, Z_NO_FLUSH);
        input = input.subspan(inputBytes - m_stream.avail_in);
        room = room.subspan(roomBytes - m_stream.avail_out);
        if (code == Z_STREAM_END) {
            m_betweenMembers = true;
            return Step::Between;
        }
        if (code == Z_OK || code == Z_BUF_ERROR) return m_betweenMembers ? Step::Between : Step::Going;
        return damaged(m_stream.msg ? m_stream.msg : "unknown reason");
    }

    std::string problem() const override { return m_problem; }
    const char* format() const override { return "gzip"; }

private:
    Step damaged(const char* reason) {
        m_problem = std::string("the gzip data is damaged (") + reason + ")";
        return Step::Damaged;
    }

    z_stream m_stream{};
    bool m_ready = false;
    bool m_betweenMembers = false;
    std::string m_problem;
};

class ZstdUnpacker final : public Unpacker {
public:
    ZstdUnpacker() : m_stream(::ZSTD_createDCtx()) {
        if (m_stream) ::ZSTD_DCtx_setParameter(m_stream.get(), ZSTD_d_windowLogMax, kMostZstdWindowLog);
    }

    Step unpack(std::span<const char>& input, std::span<char>& room) override {
        if (!m_stream) return damaged("zstd cannot start");
        if (m_betweenFrames && input.empty()) return Step::Between;  // else zstd would ask for the next frame
        ZSTD_inBuffer in{input.data(), input.size(), 0};
        ZSTD_outBuffer out{room.data(), room.size(), 0};
        const size_t code = ::ZSTD_decompressStream(m_stream.get(), &out, &in);
        input = input.subspan(in.pos);
        room = room.subspan(out.pos);
        if (::ZSTD_isError(code)) return damaged(::ZSTD_getErrorName(code));
        m_betweenFrames = code == 0;
        return m_betweenFrames ? Step::Between : Step::Going;
    }

    std::string problem() const override { return m_problem; }
    const char* format() const override { return "zstd"; }

private:
    struct Free {
        void operator()(ZSTD_DCtx* stream) const { ::ZSTD_freeDCtx(stream); }
    };

    Step damaged(const char* reason) {
        m_problem = std::string("the zstd data is damaged (") + reason + ")";
        return Step::Damaged;
    }

    std::unique_ptr<ZSTD_DCtx, Free> m_stream;
    bool m_betweenFrames = false;
    std::string m_problem;
};

}  // namespace

std::unique_ptr<Unpacker> makeGzipUnpacker() {
    return std::make_unique<GzipUnpacker>(kGzipHead);
}

std::unique_ptr<Unpacker> makeZlibUnpacker() {
    return std::make_unique<GzipUnpacker>(kZlibHead);
}

std::unique_ptr<Unpacker> makeZstdUnpacker() {
    return std::make_unique<ZstdUnpacker>();
}

}  // namespace gapscope
