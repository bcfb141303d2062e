#include "core/base/rule_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

namespace gapscope {

namespace fs = std::filesystem;

namespace {

constexpr uintmax_t kMostBytes = 1 << 20;
constexpr std::string_view kHead =
    "# Categories of kernels by their names, tried from the top before those that Gapscope knows.\n"
    "# A line is a category and parts that must all occur in the name: gemm my_kernel tile\n";

}  // namespace

fs::path userRuleFile() {
    const char* config = std::getenv("XDG_CONFIG_HOME");
    const char* home = std::getenv("HOME");
    // By the rules of the XDG folders a relative path in the variable does not count.
    const fs::path base =
        config && fs::path(config).is_absolute() ? fs::path(config) : fs::path(home ? home : "") / ".config";
    return base / "gapscope/kernel-rules.txt";
}

Result<RuleFile> RuleFile::read(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) return RuleFile();
    const auto unusable = [&](const std::string& why) {
        return fail("The kernel rules in " + path.string() + " cannot be read: " + why + ".", ErrorKind::BadFile);
    };
    if (error) return unusable(error.message());
    if (!fs::is_regular_file(status)) return unusable("it is not a regular file");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) return unusable(std::strerror(errno));
    std::string text(kMostBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return unusable(std::strerror(errno));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > kMostBytes) return unusable("it is longer than 1 MiB");
    if (text.find('\0') != std::string::npos) return unusable("it is not text");
    return parse(text);
}

RuleFile RuleFile::parse(std::string_view text) {
    RuleFile file;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        file.m_lines.push_back(lineOf(std::string(line)));
    }
    return file;
}

RuleFile::Line RuleFile::lineOf(std::string text) {
    Line line{.text = std::move(text)};
    auto rule = CategoryRule::parse(line.text);
    if (rule)
        line.rule = std::move(*rule);
    else
        line.problem = rule.error().message;
    return line;
}

std::vector<CategoryRule> RuleFile::rules() const {
    std::vector<CategoryRule> rules;
    for (const Line& line : m_lines)
        if (line.rule) rules.push_back(*line.rule);
    return rules;
}

std::vector<std::string> RuleFile::problems() const {
    std::vector<std::string> problems;
    for (size_t i = 0; i < m_lines.size(); ++i)
        if (!m_lines[i].problem.empty())
            problems.push_back("line " + std::to_string(i + 1) + ": " + m_lines[i].problem);
    return problems;
}

std::string RuleFile::text() const {
    std::string text;
    for (const Line& line : m_lines)
        text += line.text + '\n';
    return text;
}

size_t RuleFile::lineOfRule(size_t index) const {
    size_t line = 0;
    for (; line < m_lines.size(); ++line)
        if (m_lines[line].rule && index-- == 0) break;
    return line;
}

void RuleFile::addFirst(const CategoryRule& rule) {
    if (m_lines.empty()) *this = parse(kHead);
    m_lines.insert(m_lines.begin() + static_cast<ptrdiff_t>(lineOfRule(0)), lineOf(rule.text()));
}

void RuleFile::replace(size_t index, const CategoryRule& rule) {
    if (const size_t line = lineOfRule(index); line < m_lines.size()) m_lines[line] = lineOf(rule.text());
}

void RuleFile::remove(size_t index) {
    const size_t line = lineOfRule(index);
    if (line < m_lines.size()) m_lines.erase(m_lines.begin() + static_cast<ptrdiff_t>(line));
}

void RuleFile::swapWithNext(size_t index) {
    const size_t line = lineOfRule(index), next = lineOfRule(index + 1);
    if (next < m_lines.size()) std::swap(m_lines[line], m_lines[next]);
}

Status RuleFile::write(const fs::path& path) const {
    std::error_code error;
    // Where the file is a link (dotfiles kept elsewhere), what it points to is written, and the link stays.
    const fs::path target = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
    const auto failed = [&](const std::string& why) {
        return fail("The kernel rules could not be kept in " + path.string() + ": " + why +
                    ". Check that its folder can be written.");
    };
    fs::create_directories(target.parent_path(), error);
    if (error) return failed(error.message());
    const fs::path part = target.string() + "." + std::to_string(::getpid()) + ".part";
    errno = 0;
    std::ofstream file(part, std::ios::binary);
    file << text();
    file.close();
    if (!file) {
        const std::string why = std::strerror(errno);
        fs::remove(part, error);
        return failed(why);
    }
    fs::rename(part, target, error);
    if (!error) return {};
    const std::string why = error.message();
    fs::remove(part, error);
    return failed(why);
}

}  // namespace gapscope
