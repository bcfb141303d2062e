// Text from files is bytes until checked: what is not UTF-8 would make JSON that no reader takes.
#pragma once

#include <string>
#include <string_view>

namespace gapscope {

bool isValidUtf8(std::string_view text);
std::string toValidUtf8(std::string_view text);  // each byte that belongs to no character becomes U+FFFD

}  // namespace gapscope
