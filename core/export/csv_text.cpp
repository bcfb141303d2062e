#include "core/export/csv_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace gapscope {

namespace {

constexpr double kWholeBelow = 9e15;  // every whole number below is a double

}  // namespace

CsvText& CsvText::plainCell(std::string_view text) {
    if (m_rowBegun) m_text += ',';
    m_rowBegun = true;
    m_text += text;
    return *this;
}

CsvText& CsvText::cell(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return plainCell(text);
    plainCell("\"");
    for (const char c : text) {
        if (c == '"') m_text += '"';
        m_text += c;
    }
    m_text += '"';
    return *this;
}

CsvText& CsvText::cell(double number) {
    if (number == std::floor(number) && std::abs(number) < kWholeBelow) return cell(static_cast<int64_t>(number));
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return plainCell({text.data(), static_cast<size_t>(end - text.data())});
}

void CsvText::endRow() {
    m_text += "\r\n";
    m_rowBegun = false;
}

}  // namespace gapscope
