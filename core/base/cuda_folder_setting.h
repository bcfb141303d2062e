// The folders that the person named for NVIDIA's libraries, kept as a text file of one folder a line, so that the
// window, the command line and an editor all reach the same setting.
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/result.h"

namespace gapscope {

// $XDG_CONFIG_HOME/gapscope/cuda-library-folders, else ~/.config/gapscope/...
std::filesystem::path cudaFolderSettingFile();

// In the order of the file, also folders that do not exist now (a medium, a share). Empty lines and lines that begin
// with '#' say nothing; a file that cannot be read is an empty setting.
std::vector<std::filesystem::path> readCudaFolderSetting();

// Replaces the file as a whole; no folder removes it.
Status writeCudaFolderSetting(const std::vector<std::filesystem::path>& folders);

}  // namespace gapscope
