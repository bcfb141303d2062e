#include "core/base/cuda_folder_setting.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

namespace gapscope {

namespace fs = std::filesystem;

fs::path cudaFolderSettingFile() {
    const char* config = std::getenv("XDG_CONFIG_HOME");
    const char* home = std::getenv("HOME");
    // By the rules of the XDG folders a relative path in the variable does not count.
    const fs::path base =
        config && fs::path(config).is_absolute() ? fs::path(config) : fs::path(home ? home : "") / ".config";
    return base / "gapscope/cuda-library-folders";
}

std::vector<fs::path> readCudaFolderSetting() {
    std::vector<fs::path> folders;
    std::ifstream file(cudaFolderSettingFile());
    std::string line;
    while (std::getline(file, line)) {
        line.erase(line.find_last_not_of(" \t\r") + 1);
        if (!line.empty() && line.front() != '#') folders.emplace_back(line);
    }
    return folders;
}

Status writeCudaFolderSetting(const std::vector<fs::path>& folders) {
    const fs::path path = cudaFolderSettingFile();
    const auto failed = [&](const std::error_code& error) {
        return fail("The folders could not be kept in " + path.string() + ": " + error.message() +
                    ". Check that its folder can be written.");
    };
    std::error_code error;
    if (folders.empty()) {
        fs::remove(path, error);
        return error ? Status(failed(error)) : Status();
    }
    fs::create_directories(path.parent_path(), error);
    if (error) return failed(error);
    fs::path part = path;
    part += ".part";
    std::ofstream file(part);
    for (const fs::path& folder : folders)
        file << folder.string() << '\n';
    file.close();
    if (!file) {
        const std::error_code why(errno, std::generic_category());
        fs::remove(part, error);
        return failed(why);
    }
    fs::rename(part, path, error);
    if (error) return failed(error);
    return {};
}

}  // namespace gapscope
