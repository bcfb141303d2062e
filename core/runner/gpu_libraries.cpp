#include "core/runner/gpu_libraries.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <system_error>

namespace gapscope {

namespace fs = std::filesystem;

namespace {

struct CloseLibrary {
    void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

fs::path pathOf(void* library) {
    link_map* map = nullptr;
    return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map && map->l_name ? fs::path(map->l_name) : fs::path();
}

std::vector<fs::path> subfolders(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        std::error_code ignored;
        if (it->is_directory(ignored)) found.push_back(it->path());
    }
    std::ranges::sort(found);
    return found;
}

void addIfFolder(std::vector<fs::path>& folders, const fs::path& folder) {
    std::error_code ignored;
    if (fs::is_directory(folder, ignored) && std::ranges::find(folders, folder) == folders.end())
        folders.push_back(folder);
}

// pip puts each library into site-packages/nvidia/PACKAGE/lib.
void addPipFolders(std::vector<fs::path>& folders, const fs::path& prefix) {
    for (const char* lib : {"lib", "lib64"}) {
        for (const fs::path& python : subfolders(prefix / lib)) {
            if (!python.filename().string().starts_with("python3")) continue;
            for (const char* packages : {"site-packages", "dist-packages"})
                for (const fs::path& package : subfolders(python / packages / "nvidia"))
                    addIfFolder(folders, package / "lib");
        }
    }
}

bool tryLoad(GpuLibrary& library, const std::string& file, const std::string& name) {
    const Library loaded(dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL));
    if (!loaded) return false;
    library.found = name;
    library.path = pathOf(loaded.get());
    return true;
}

void find(GpuLibrary& library, const std::vector<fs::path>& folders) {
    for (const std::string& name : library.fileNames) {
        if (tryLoad(library, name, name)) return;
        for (const fs::path& folder : folders) {
            std::error_code ignored;
            const fs::path file = folder / name;
            if (!fs::exists(file, ignored)) continue;
            if (tryLoad(library, file.string(), name)) return;
            const char* why = dlerror();
            library.problem = file.string() + " does not load: " + (why ? why : "unknown reason");
        }
    }
}

}  // namespace

std::vector<fs::path> gpuLibraryFolders() {
    std::vector<fs::path> folders;
    for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
        if (const char* home = std::getenv(variable); home && *home) {
            addIfFolder(folders, fs::path(home) / "lib64");
            addIfFolder(folders, fs::path(home) / "extras" / "CUPTI" / "lib64");
        }
    }
    addIfFolder(folders, "/usr/local/cuda/lib64");
    addIfFolder(folders, "/usr/local/cuda/extras/CUPTI/lib64");
    if (const char* environment = std::getenv("VIRTUAL_ENV"); environment && *environment)
        addPipFolders(folders, environment);
    if (const char* home = std::getenv("HOME"); home && *home) addPipFolders(folders, fs::path(home) / ".local");
    addPipFolders(folders, "/usr/local");
    addPipFolders(folders, "/usr");
    return folders;
}

std::vector<GpuLibrary> findGpuLibraries() {
    std::vector<GpuLibrary> libraries = {
        {.name = "CUDA driver",
         .purpose = "runs on an NVIDIA GPU",
         .fileNames = {"libcuda.so.1"},
         .install = "NVIDIA's display driver (Debian: nvidia-driver)"},
        {.name = "CUPTI",
         .purpose = "kernels and copies of the GPU on the timeline",
         .fileNames = {"libcupti.so.13", "libcupti.so.12"},
         .install = "cuda-cupti-13-0 from NVIDIA's repository, or pip's nvidia-cuda-cupti"},
        {.name = "cuBLASLt",
         .purpose = "fast matrix products while the prompt is processed",
         .fileNames = {"libcublasLt.so.13", "libcublasLt.so.12"},
         .install = "libcublas-13-0 from NVIDIA's repository, or pip's nvidia-cublas"},
    };
    const std::vector<fs::path> folders = gpuLibraryFolders();
    for (GpuLibrary& library : libraries)
        find(library, folders);
    return libraries;
}

}  // namespace gapscope
