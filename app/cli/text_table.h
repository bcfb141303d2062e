// Aligned columns for people: numbers to the right, names to the left.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gapscope::cli {

// Control characters of foreign names must not reach the terminal.
std::string printable(std::string_view text);
std::string shortened(std::string_view text, size_t longest);  // printable, at most this many characters

class TextTable {
public:
    enum class Align { Left, Right };
    struct Column {
        std::string title;
        Align align = Align::Right;
    };
    explicit TextTable(std::vector<Column> columns) : m_columns(std::move(columns)) {}
    void add(std::vector<std::string> cells);
    std::string text() const;  // title line, then a line a row; widths count characters, not bytes

private:
    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

}  // namespace gapscope::cli
