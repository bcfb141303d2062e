#include "core/base/cuda_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "core/base/cuda_folder_setting.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

void addFolder(std::vector<fs::path>& folders, const fs::path& folder) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) return;
    if (std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
}

// Subfolders of `folder` whose names begin with `prefix`, newest version (greatest name) first.
std::vector<fs::path> subfolders(const fs::path& folder, std::string_view prefix) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (it->path().filename().string().starts_with(prefix)) found.push_back(it->path());
    std::ranges::sort(found, std::greater<>());
    return found;
}

// pip's layout: site-packages/nvidia/cu13/lib (CUDA 13), site-packages/nvidia/cuda_cupti/lib (CUDA 12).
void addPipPackages(std::vector<fs::path>& folders, const fs::path& sitePackages) {
    for (const fs::path& package : subfolders(sitePackages / "nvidia", "")) {
        addFolder(folders, package / "lib");
        addFolder(folders, package / "lib64");
    }
}

void addPythons(std::vector<fs::path>& folders, const fs::path& prefix) {
    for (const fs::path& python : subfolders(prefix / "lib", "python3"))
        for (const char* packages : {"site-packages", "dist-packages"})
            addPipPackages(folders, python / packages);
}

void addToolkit(std::vector<fs::path>& folders, const fs::path& toolkit) {
    addFolder(folders, toolkit / "lib64");
    addFolder(folders, toolkit / "extras/CUPTI/lib64");
    addFolder(folders, toolkit / "targets/x86_64-linux/lib");
}

fs::path cacheFolder() {
    if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "gapscope";
    return fs::path(environment("HOME")) / ".cache/gapscope";
}

}  // namespace

std::vector<fs::path> namedCudaFolders() {
    std::vector<fs::path> folders;
    const auto add = [&](const fs::path& folder) {
        addFolder(folders, folder);
        addToolkit(folders, folder);
    };
    const std::string named = environment("GAPSCOPE_CUDA_LIBRARIES");
    for (size_t begin = 0; begin <= named.size();) {
        const size_t end = std::min(named.find(':', begin), named.size());
        if (end > begin) add(named.substr(begin, end - begin));
        begin = end + 1;
    }
    for (const fs::path& folder : readCudaFolderSetting())
        add(folder);
    return folders;
}

std::vector<fs::path> cudaLibraryFolders() {
    std::vector<fs::path> folders = namedCudaFolders();
    addPipPackages(folders, cacheFolder() / "cuda");
    addPythons(folders, cacheFolder() / "cuda");
    for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
        if (const std::string home = environment(variable); !home.empty()) addToolkit(folders, home);
    addToolkit(folders, "/usr/local/cuda");
    for (const fs::path& toolkit : subfolders("/usr/local", "cuda-"))
        addToolkit(folders, toolkit);
    for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"})
        if (const std::string prefix = environment(variable); !prefix.empty()) addPythons(folders, prefix);
    if (const std::string home = environment("HOME"); !home.empty()) addPythons(folders, fs::path(home) / ".local");
    addPythons(folders, "/usr/local");
    addPythons(folders, "/usr");
    addPipPackages(folders, "/usr/lib/python3/dist-packages");
    return folders;
}

bool CudaLibrary::tryOpen(const std::string& path) {
    const bool isFile = path.find('/') != std::string::npos;
    std::error_code ignored;
    if (isFile && !fs::exists(path, ignored)) {
        m_attempts.push_back({path, "not there"});
        return false;
    }
    m_handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!m_handle) {
        const char* reason = dlerror();
        m_attempts.push_back({path, reason ? reason : "the loader refused it"});
        return false;
    }
    m_path = path;
    if (link_map* map = nullptr; dlinfo(m_handle, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name && *map->l_name)
        m_path = map->l_name;
    m_attempts.push_back({path, "opened"});
    return true;
}

CudaLibrary CudaLibrary::openIn(std::span<const fs::path> folders, std::span<const std::string_view> sonames) {
    CudaLibrary library;
    for (const fs::path& folder : folders)
        for (const std::string_view soname : sonames)
            if (library.tryOpen((folder / soname).string())) return library;
    return library;
}

CudaLibrary CudaLibrary::open(std::span<const std::string_view> sonames) {
    const std::vector<fs::path> named = namedCudaFolders();
    CudaLibrary library = openIn(named, sonames);
    if (library) return library;
    for (const std::string_view soname : sonames)
        if (library.tryOpen(std::string(soname))) return library;
    for (const fs::path& folder : cudaLibraryFolders()) {
        if (std::ranges::find(named, folder) != named.end()) continue;
        for (const std::string_view soname : sonames)
            if (library.tryOpen((folder / soname).string())) return library;
    }
    return library;
}

void* CudaLibrary::symbol(const char* name) const {
    return m_handle ? dlsym(m_handle, name) : nullptr;
}

}  // namespace gapscope
