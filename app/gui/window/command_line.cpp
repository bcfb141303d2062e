#include "app/gui/window/command_line.h"

#include <charconv>

namespace gapscope {
namespace {

constexpr int kMinSize = 200;
constexpr int kMaxSize = 16384;

bool parseSize(const std::string& text, int& width, int& height) {
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, width);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x') return false;
    const auto second = std::from_chars(first.ptr + 1, end, height);
    return second.ec == std::errc() && second.ptr == end && width >= kMinSize && height >= kMinSize &&
           width <= kMaxSize && height <= kMaxSize;
}

}  // namespace

std::string commandLineHelp() {
    return "Usage: gapscope [options] [file...]\n"
           "Opens the window; a file is opened in it, several (the ranks of one run) as one.\n"
           "\n"
           "  --run              start a run at once\n"
           "  --compare FILE     compare the opened file, as before, with this one, as after\n"
           "  --resume FILE      open the session of a run that was not saved, and keep it unsaved\n"
           "  --screenshot FILE  draw the window into a PNG once it has settled, then end\n"
           "  --size WxH         size of the window, for example 1366x768\n"
           "  --theme NAME       light or dark, for this start only\n"
           "  --help             show this\n"
           "  --version          show the version\n";
}

Result<CommandLine> parseCommandLine(const std::vector<std::string>& arguments) {
    CommandLine line;
    bool onlyFiles = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const auto value = [&]() -> Result<std::string> {
            if (i + 1 >= arguments.size()) return fail(argument + " needs a value.", ErrorKind::WrongUse);
            return arguments[++i];
        };
        if (onlyFiles || !argument.starts_with("--")) {
            line.files.push_back(argument);
        } else if (argument == "--") {
            onlyFiles = true;
        } else if (argument == "--run") {
            line.run = true;
        } else if (argument == "--help") {
            line.help = true;
        } else if (argument == "--version") {
            line.version = true;
        } else if (argument == "--screenshot") {
            ASSIGN_OR_RETURN(line.screenshot, value());
        } else if (argument == "--compare") {
            ASSIGN_OR_RETURN(line.compare, value());
        } else if (argument == "--resume") {
            ASSIGN_OR_RETURN(line.resume, value());
        } else if (argument == "--theme") {
            ASSIGN_OR_RETURN(line.theme, value());
            if (*line.theme != "light" && *line.theme != "dark")
                return fail("--theme takes light or dark, not " + *line.theme + ".", ErrorKind::WrongUse);
        } else if (argument == "--size") {
            ASSIGN_OR_RETURN(const std::string size, value());
            if (!parseSize(size, line.width, line.height))
                return fail("--size takes a width and a height such as 1366x768, not " + size + ".",
                            ErrorKind::WrongUse);
        } else {
            return fail("There is no option " + argument + ". --help lists them.", ErrorKind::WrongUse);
        }
    }
    if (line.run + line.resume.has_value() + !line.files.empty() > 1)
        return fail("--run, --resume and a file to open exclude each other.", ErrorKind::WrongUse);
    if (line.compare && line.files.size() != 1)
        return fail("--compare needs a file to open, which it is compared with.", ErrorKind::WrongUse);
    return line;
}

}  // namespace gapscope
