// Text from files is bytes until checked: what is not UTF-8 would make JSON that no reader takes.
#pragma once

#include <string>
#include <string_view>

namespace gapscope {

// Length of the character that `text`, not empty, begins with; 0 if it begins with none but more bytes could make it
// one; -1 if its first byte begins no character here. Overlong forms and surrogates are no characters.
int characterLength(std::string_view text);

bool isValidUtf8(std::string_view text);
std::string toValidUtf8(std::string_view text);  // each byte that belongs to no character becomes U+FFFD

}  // namespace gapscope
