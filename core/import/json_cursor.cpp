#include "core/import/json_cursor.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/base/utf8.h"

namespace gapscope {

namespace {

void appendUtf8(std::string& to, uint32_t code) {
    const auto byte = [&](uint32_t value) { to += static_cast<char>(value); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6);
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12);
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

// The four digits of a \uXXXX at the front of `text`.
std::optional<uint32_t> hexadecimal(std::string_view text) {
    uint32_t value = 0;
    if (text.size() < 4) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
    if (error != std::errc() || end != text.data() + 4) return std::nullopt;
    return value;
}

// Takes the escape at the front of `text`, which begins after the backslash.
void appendEscape(std::string& to, std::string_view& text) {
    if (text.empty()) return;
    const char kind = text.front();
    text.remove_prefix(1);
    switch (kind) {
        case 'n':
            to += '\n';
            return;
        case 't':
            to += '\t';
            return;
        case 'r':
            to += '\r';
            return;
        case 'b':
            to += '\b';
            return;
        case 'f':
            to += '\f';
            return;
        case 'u':
            break;
        default:
            to += kind;
            return;
    }
    std::optional<uint32_t> code = hexadecimal(text);
    if (!code) {
        appendUtf8(to, 0xFFFD);
        return;
    }
    text.remove_prefix(4);
    if (*code >= 0xD800 && *code < 0xDC00 && text.starts_with("\\u")) {
        const std::optional<uint32_t> low = hexadecimal(text.substr(2));
        if (low && *low >= 0xDC00 && *low < 0xE000) {
            code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
            text.remove_prefix(6);
        }
    }
    appendUtf8(to, *code >= 0xD800 && *code < 0xE000 ? 0xFFFD : *code);
}

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

char JsonCursor::nextAfterSpace() {
    for (;;) {
        const auto c = static_cast<unsigned char>(*m_at);
        if (c > ' ') return *m_at;
        if (m_at >= m_end) return '\0';
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') noteControl();
        ++m_at;
    }
}

void JsonCursor::noteControl() {
    if (m_controlCount++ == 0) m_firstControl = offset();
}

bool JsonCursor::stepOverSpecial() {
    if (m_at >= m_end) return problem(JsonProblem::Incomplete);
    if (*m_at == '\\') {
        m_at += 2;
        return m_at <= m_end || problem(JsonProblem::Incomplete);
    }
    noteControl();
    ++m_at;
    return true;
}

bool JsonCursor::skipNested() {
    uint64_t isArray[kMostJsonDepth / 64] = {};
    int depth = 0;
    for (;;) {
        const char c = next();
        switch (c) {
            case '{':
            case '[': {
                if (depth == kMostJsonDepth) return problem(JsonProblem::Damaged);
                const uint64_t bit = uint64_t{1} << (depth % 64);
                if (c == '[') {
                    isArray[depth / 64] |= bit;
                } else {
                    isArray[depth / 64] &= ~bit;
                }
                ++depth;
                ++m_at;
                break;
            }
            case '}':
            case ']': {
                --depth;
                const bool closesArray = (isArray[depth / 64] >> (depth % 64) & 1) != 0;
                if (closesArray != (c == ']')) return problem(JsonProblem::Damaged);
                ++m_at;
                if (depth == 0) return true;
                break;
            }
            case '"': {
                std::string_view ignored;
                if (!string(ignored)) return false;
                // A quote too few or too many turns texts and what is between them around: seen here at once.
                const char after = next();
                if (after != ',' && after != ':' && after != '}' && after != ']')
                    return problem(m_at >= m_end ? JsonProblem::Incomplete : JsonProblem::Damaged);
                break;
            }
            case ',':
            case ':':
                ++m_at;
                break;
            default:
                if (m_at >= m_end) return problem(JsonProblem::Incomplete);
                if (!isScalarCharacter(c)) return problem(JsonProblem::Damaged);
                while (isScalarCharacter(*m_at))
                    ++m_at;
                break;
        }
    }
}

std::string unescapedJson(std::string_view text, size_t mostBytes) {
    std::string plain;
    while (!text.empty() && plain.size() < mostBytes) {
        const size_t slash = std::min(text.find('\\'), text.size());
        plain += text.substr(0, slash);
        text.remove_prefix(slash);
        if (text.empty()) break;
        text.remove_prefix(1);
        appendEscape(plain, text);
    }
    if (plain.size() > mostBytes) plain.resize(mostBytes);
    return isValidUtf8(plain) ? plain : toValidUtf8(plain);
}

std::optional<int64_t> nanosecondsOf(std::string_view text) {
    // As PyTorch writes them: at most 15 digits and three behind the point.
    if (!text.empty() && text.size() <= 19 && isDigit(text[0])) {
        constexpr size_t kMostDigits = 15;
        int64_t value = 0;
        size_t at = 0;
        for (; at < text.size() && at <= kMostDigits && isDigit(text[at]); ++at)
            value = value * 10 + (text[at] - '0');
        if (at == text.size() && at <= kMostDigits) return value * 1000;
        if (at <= kMostDigits && text[at] == '.' && text.size() == at + 4 && isDigit(text[at + 1]) &&
            isDigit(text[at + 2]) && isDigit(text[at + 3]))
            return value * 1000 + (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
    }
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (negative || text.front() == '+')) text.remove_prefix(1);
    // The digits without their point, and the power of ten that belongs to them.
    uint64_t digits = 0;
    int kept = 0, power = 3;  // microseconds to nanoseconds
    bool any = false, point = false;
    size_t at = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (!isDigit(c)) break;
        any = true;
        if (kept == 19) {  // 64 bits hold no more
            if (!point) return std::nullopt;
            continue;
        }
        digits = digits * 10 + static_cast<uint64_t>(c - '0');
        if (digits != 0) ++kept;
        if (point) --power;
    }
    if (!any) return std::nullopt;
    if (at < text.size()) {
        if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
        std::string_view exponentText = text.substr(at + 1);
        if (exponentText.starts_with('+')) exponentText.remove_prefix(1);
        int exponent = 0;
        const char* const last = exponentText.data() + exponentText.size();
        const auto [end, error] = std::from_chars(exponentText.data(), last, exponent);
        if (error != std::errc() || end != last || exponent < -400 || exponent > 400) return std::nullopt;
        power += exponent;
    }
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    for (; power > 0 && digits != 0; --power) {
        if (digits > kMost / 10) return std::nullopt;
        digits *= 10;
    }
    if (power < 0) {
        uint64_t divisor = 1;
        for (; power < 0 && divisor <= digits; ++power)
            divisor *= 10;  // at most 10^19, which fits
        digits = power < 0 ? 0 : digits / divisor + (digits % divisor >= divisor / 2 ? 1 : 0);
    }
    if (digits > kMost) return std::nullopt;
    return negative ? -static_cast<int64_t>(digits) : static_cast<int64_t>(digits);
}

std::optional<int64_t> integerOf(std::string_view text) {
    int64_t value = 0;
    if (!text.empty() && text.size() <= 18) {
        size_t at = 0;
        for (; at < text.size() && isDigit(text[at]); ++at)
            value = value * 10 + (text[at] - '0');
        if (at == text.size()) return value;
        value = 0;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    if (end != text.data() + text.size() && *end != '.') return std::nullopt;
    return value;
}

}  // namespace gapscope
