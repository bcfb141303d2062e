#include "core/base/utf8.h"

#include <algorithm>
#include <cstddef>

namespace gapscope {

int characterLength(std::string_view text) {
    const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return -1;
    const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() > 1) {
        unsigned char low = 0x80, high = 0xBF;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
        if (byte(1) < low || byte(1) > high) return -1;
    }
    for (size_t index = 2; index < length && index < text.size(); ++index)
        if (byte(index) < 0x80 || byte(index) > 0xBF) return -1;
    return text.size() < length ? 0 : static_cast<int>(length);
}

bool isValidUtf8(std::string_view text) {
    while (!text.empty()) {
        const int length = characterLength(text);
        if (length <= 0) return false;
        text.remove_prefix(static_cast<size_t>(length));
    }
    return true;
}

std::string toValidUtf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const int length = characterLength(text);
        const auto taken = static_cast<size_t>(std::max(length, 1));
        valid += length <= 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, taken);
        text.remove_prefix(taken);
    }
    return valid;
}

}  // namespace gapscope
