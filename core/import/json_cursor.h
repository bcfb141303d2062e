// Walks JSON text forward, one token at a time, and takes what real trace files hold beside JSON: raw control
// characters (counted), NaN and Infinity, text that stops anywhere. Internal to the import room.
//
// Why not simdjson, which the rest of the project reads JSON with: it refuses a document as a whole for one control
// character or a missing end, takes at most 4 GB, and its index of the whole text is a second pass that the blocks of a
// trace do not need. This walk costs less than its (tests/bench/import_bench).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/import/limits.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gapscope {

// The text must be followed by this many bytes that may be read and are zero.
inline constexpr size_t kJsonPadding = 64;

enum class JsonProblem : uint8_t {
    None,
    Incomplete,  // the text ends within a value
    Damaged,
};

class JsonCursor {
public:
    explicit JsonCursor(std::string_view text)
        : m_begin(text.data()), m_at(text.data()), m_end(text.data() + text.size()) {}

    const char* at() const { return m_at; }
    const char* end() const { return m_end; }
    size_t offset() const { return static_cast<size_t>(m_at - m_begin); }
    void moveTo(const char* at) { m_at = at; }
    void skip() { ++m_at; }  // the character that next() told

    // Skips white space; the character that follows stays. '\0': the text ends.
    char next() {
        if (static_cast<unsigned char>(*m_at) > ' ') return *m_at;
        if (*m_at == ' ' && static_cast<unsigned char>(m_at[1]) > ' ') return *++m_at;
        return nextAfterSpace();
    }

    // Of the string that begins here (next() told '"'), what stands between its quotes; escapes stay as they are.
    bool string(std::string_view& text) {
        const char* const begin = ++m_at;
        for (;;) {
            m_at = firstSpecial(m_at);
            if (*m_at == '"') break;
            if (!stepOverSpecial()) return false;
        }
        text = {begin, static_cast<size_t>(m_at - begin)};
        ++m_at;
        return true;
    }
    // A number, true, false, null or a bare word; or the text of a string.
    bool scalar(std::string_view& text) {
        if (*m_at == '"') return string(text);
        const char* const begin = m_at;
        while (isScalarCharacter(*m_at))
            ++m_at;
        if (m_at >= m_end) return problem(JsonProblem::Incomplete);  // the number may go on
        if (m_at == begin) return problem(JsonProblem::Damaged);
        text = {begin, static_cast<size_t>(m_at - begin)};
        return true;
    }
    // Whatever value begins here.
    bool skipValue() {
        const char first = *m_at;
        if (first == '{' || first == '[') return skipNested();
        std::string_view ignored;
        return scalar(ignored);
    }
    // Consumes `expected`, the next character that is not white space.
    bool expect(char expected) {
        const char c = next();
        if (c == expected && m_at < m_end) {
            ++m_at;
            return true;
        }
        return problem(m_at >= m_end ? JsonProblem::Incomplete : JsonProblem::Damaged);
    }

    // Why the last call returned false; at() then is near the place.
    JsonProblem problem() const { return m_problem; }
    bool problem(JsonProblem problem) {
        m_problem = problem;
        return false;
    }
    // Control characters that JSON does not allow where they stood, and the offset of the first; since
    // forgetControls().
    int64_t controlCount() const { return m_controlCount; }
    size_t firstControl() const { return m_firstControl; }
    void forgetControls() { m_controlCount = 0; }

private:
    static bool isScalarCharacter(char c) {
        return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z');
    }
    // First quote, backslash or control character; the padding holds one.
    static const char* firstSpecial(const char* at) {
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), last = _mm_set1_epi8(0x1F);
        for (;; at += 16) {
            const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
            const __m128i isControl = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last), last);
            const __m128i isSpecial =
                _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)), isControl);
            if (const int found = _mm_movemask_epi8(isSpecial)) return at + __builtin_ctz(static_cast<unsigned>(found));
        }
#else
        while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20)
            ++at;
        return at;
#endif
    }
    char nextAfterSpace();
    bool stepOverSpecial();
    bool skipNested();
    void noteControl();

    const char* m_begin;
    const char* m_at;
    const char* m_end;
    JsonProblem m_problem = JsonProblem::None;
    int64_t m_controlCount = 0;
    size_t m_firstControl = 0;
};

// Text between the quotes of a JSON string to what it means: valid UTF-8, with U+FFFD for what means nothing. At most
// `mostBytes` of it.
std::string unescapedJson(std::string_view text, size_t mostBytes);

// Decimal text of microseconds to nanoseconds, rounded to the nearest: "12.3456" is 12346. Exact for any number of
// digits, as a double is not. Empty: not a number, or beyond what 64 bits hold.
std::optional<int64_t> nanosecondsOf(std::string_view microseconds);
// The whole part of a decimal number. Empty: not a number, or beyond 64 bits.
std::optional<int64_t> integerOf(std::string_view text);

}  // namespace gapscope
