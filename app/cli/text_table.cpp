#include "app/cli/text_table.h"

#include <algorithm>

namespace gapscope::cli {

namespace {

size_t characters(const std::string& text) {
    return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string printable(std::string_view text) {
    std::string shown;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            shown += "\\n";
        } else if (c == '\t') {
            shown += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            shown += '?';
        } else {
            shown += c;
        }
    }
    return shown;
}

std::string shortened(std::string_view text, size_t longest) {
    std::string shown = printable(text);
    if (characters(shown) <= longest) return shown;
    size_t count = 0, bytes = 0;
    for (; bytes < shown.size(); ++bytes)
        if ((shown[bytes] & 0xC0) != 0x80 && count++ == longest - 1) break;
    return shown.substr(0, bytes) + "…";
}

void TextTable::add(std::vector<std::string> cells) {
    for (std::string& cell : cells)
        cell = printable(cell);
    cells.resize(m_columns.size());
    m_rows.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<size_t> widths;
    for (size_t column = 0; column < m_columns.size(); ++column) {
        size_t width = characters(m_columns[column].title);
        for (const auto& row : m_rows)
            width = std::max(width, characters(row[column]));
        widths.push_back(width);
    }
    std::string out;
    const auto line = [&](const auto& cellOf) {
        std::string text;
        for (size_t column = 0; column < m_columns.size(); ++column) {
            const std::string& cell = cellOf(column);
            const std::string padding(widths[column] - characters(cell), ' ');
            if (column > 0) text += "  ";
            text += m_columns[column].align == Align::Right ? padding + cell : cell + padding;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + "\n";
    };
    line([&](size_t column) -> const std::string& { return m_columns[column].title; });
    for (const auto& row : m_rows)
        line([&](size_t column) -> const std::string& { return row[column]; });
    return out;
}

}  // namespace gapscope::cli
