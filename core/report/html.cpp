#include "core/report/html.h"

#include <cmath>
#include <cstdio>

#include "core/base/utf8.h"
#include "core/export/export_texts.h"

namespace gapscope {

namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ground:#fff;--card:#f7f8fa;--text:#1c2128;--muted:#59636e;--line:#d5dae1;--good:#1a7f37;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ground:#16191d;--card:#20252b;--text:#e4e7eb;--muted:#9ba5b0;--line:#3a424b;--good:#57c98b;--bad:#ff8a80}svg .c{filter:brightness(.86)}}
body{margin:0 auto;max-width:1080px;padding:16px 20px 40px;background:var(--ground);color:var(--text);font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:20px;margin:8px 0 2px}h2{font-size:16px;margin:26px 0 8px}h3{font-size:14px;margin:14px 0 4px}
p{margin:4px 0}.muted{color:var(--muted)}.card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:10px 14px;margin:10px 0}
.verdict{font-size:16px;font-weight:600}ul{margin:4px 0;padding-left:20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px;margin:10px 0}.tile{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:6px 12px}
.tile b{display:block;font-size:18px;font-variant-numeric:tabular-nums}.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:16px;align-items:start}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:3px 8px;text-align:left;vertical-align:top}td{overflow-wrap:anywhere}
th{color:var(--muted);font-weight:600;border-bottom:1px solid var(--line);white-space:nowrap}tr+tr td{border-top:1px solid var(--line)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}.good{color:var(--good)}.bad{color:var(--bad)}
.s{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}svg{display:block;width:100%;height:auto;font:11px system-ui,sans-serif}svg text{fill:var(--text)}svg .m{fill:var(--muted)}svg .o{fill:#1c2128}
svg .l{stroke:var(--line);fill:none}svg .k{stroke:var(--text);fill:none}figure{margin:6px 0}.half{max-width:520px}figcaption{color:var(--muted);font-size:12px}
@media print{:root{--ground:#fff;--card:#fff;--text:#000;--muted:#444;--line:#bbb;--good:#1a7f37;--bad:#b3261e}body{max-width:none;padding:0;font-size:11px}table{font-size:10px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}h2,h3{break-after:avoid}figure,.card,.tile,tr{break-inside:avoid}}
)";

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : toValidUtf8(withoutHomeFolders(text))) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            case '\n':
                out += "⏎";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
                    out += "\xEF\xBF\xBD";
                else
                    out += c;
        }
    }
    return out;
}

std::string HtmlTable::html() const {
    std::string out = "<div class=\"wide\"><table><thead><tr>";
    std::vector<bool> numbers;
    for (const std::string& title : m_titles) {
        numbers.push_back(title.starts_with('>'));
        out += numbers.back() ? "<th class=\"n\" scope=\"col\">" : "<th scope=\"col\">";
        out += escaped(std::string_view(title).substr(numbers.back() ? 1 : 0)) + "</th>";
    }
    out += "</tr></thead><tbody>\n";
    for (const auto& row : m_rows) {
        out += "<tr>";
        for (size_t i = 0; i < m_titles.size(); ++i) {
            out += numbers[i] ? "<td class=\"n\">" : "<td>";
            out += (i < row.size() ? row[i] : std::string()) + "</td>";
        }
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

std::string hexColor(unsigned rgb) {
    char text[16];
    std::snprintf(text, sizeof text, "#%06x", rgb & 0xFFFFFFU);
    return text;
}

std::string swatch(unsigned rgb) {
    return "<span class=\"s\" style=\"background:" + hexColor(rgb) + "\"></span>";
}

std::string number(double value) {
    if (!std::isfinite(value)) value = 0;
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    std::string shown = text;
    if (shown.ends_with(".0")) shown.resize(shown.size() - 2);
    return shown;
}

std::string htmlPage(std::string_view title, const std::string& body) {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           // Whatever a name in the trace says: nothing runs and nothing is fetched.
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
           "<title>" +
           escaped(title) + "</title>\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n" + body +
           "</body>\n</html>\n";
}

}  // namespace gapscope
