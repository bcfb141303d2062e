// HTML text, escaped where it must be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gapscope {

// Text from any file as the content of an element or of a quoted attribute: markup has no meaning in it, what is not
// UTF-8 and control characters are replaced, home folders are cut out of paths.
std::string escaped(std::string_view text);

// A table; the cells of its rows are HTML already. Columns that begin with '>' in their title are numbers.
class HtmlTable {
public:
    explicit HtmlTable(std::vector<std::string> titles) : m_titles(std::move(titles)) {}
    void add(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
    bool empty() const { return m_rows.empty(); }
    std::string html() const;

private:
    std::vector<std::string> m_titles;
    std::vector<std::vector<std::string>> m_rows;
};

std::string hexColor(unsigned rgb);  // "#0072b2"
std::string swatch(unsigned rgb);    // a small square before a name
std::string number(double value);    // of an SVG coordinate: "12.3"

// A whole page around `body`: style for light and dark ground and for paper, no script, nothing from the net.
std::string htmlPage(std::string_view title, const std::string& body);

}  // namespace gapscope
