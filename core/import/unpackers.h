// Unpacks gzip (also several members in a row) and zstd (also several frames) piece by piece, in memory of a fixed
// size. Internal to the import room.
#pragma once

#include <memory>
#include <span>
#include <string>

namespace gapscope {

class Unpacker {
public:
    virtual ~Unpacker() = default;

    enum class Step {
        Going,    // give it more input or more room
        Between,  // all input so far made whole members; the packed data may end here
        Damaged,  // problem() says how; nothing more comes out
    };
    // Takes from the front of `input` and fills the front of `room`; both shrink by what was used.
    virtual Step unpack(std::span<const char>& input, std::span<char>& room) = 0;
    virtual std::string problem() const = 0;  // "the gzip data is damaged (incorrect data check)"
    virtual const char* format() const = 0;   // "gzip"
};

std::unique_ptr<Unpacker> makeGzipUnpacker();
std::unique_ptr<Unpacker> makeZlibUnpacker();  // the same data behind zlib's own head
std::unique_ptr<Unpacker> makeZstdUnpacker();

}  // namespace gapscope
