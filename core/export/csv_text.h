// Rows of CSV as text (RFC 4180: comma, CRLF, quotes doubled): csv.cell(7).cell("a,b").endRow()
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gapscope {

class CsvText {
public:
    CsvText() = default;
    CsvText(std::initializer_list<std::string_view> columns) {
        for (const std::string_view column : columns)
            cell(column);
        endRow();
    }

    CsvText& cell(std::string_view text);
    CsvText& cell(const char* text) { return cell(std::string_view(text)); }
    CsvText& cell(const std::string& text) { return cell(std::string_view(text)); }
    CsvText& cell(double number);  // shortest text that reads back the same; whole numbers without exponent
    template <std::integral Integer>
    CsvText& cell(Integer number) {
        return plainCell(std::to_string(number));
    }
    template <class Value>
    CsvText& cell(const std::optional<Value>& value) {
        return value ? cell(*value) : emptyCell();
    }
    CsvText& emptyCell() { return plainCell({}); }
    void endRow();

    const std::string& text() const { return m_text; }
    void clearText() { m_text.clear(); }  // what was written out; the next row goes on from there

private:
    CsvText& plainCell(std::string_view text);

    std::string m_text;
    bool m_rowBegun = false;
};

}  // namespace gapscope
