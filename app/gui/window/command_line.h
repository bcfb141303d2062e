// The command line of `gapscope`. Read before there is a QApplication, so that --help needs no display.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

struct CommandLine {
    std::vector<std::string> files;
    bool run = false;
    bool help = false;
    bool version = false;
    std::optional<std::string> screenshot;  // file to draw the settled window into, then end
    std::optional<std::string> compare;     // file to compare the opened one with
    std::optional<std::string> resume;      // the session of a run that nobody has saved yet
    std::optional<std::string> theme;       // "light" or "dark", for this start only
    int width = 0;                          // of the window; 0: as it was
    int height = 0;
};

Result<CommandLine> parseCommandLine(const std::vector<std::string>& arguments);  // without the program's name
std::string commandLineHelp();

}  // namespace gapscope
