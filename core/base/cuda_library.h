// Finds NVIDIA's libraries at run time, so that one binary starts everywhere and can say what it misses. Used for
// libcuda, CUPTI, cuBLASLt and NVML.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gapscope {

// Folders where NVIDIA's libraries may lie beside those the system's loader knows, most wanted first:
// $GAPSCOPE_CUDA_LIBRARIES (folders parted by ':'), those of the setting (core/base/cuda_folder_setting.h), for both
// also the library folders inside when a toolkit's own folder is named; the libraries that our set-up script fetched
// into the cache folder, $CUDA_HOME and toolkits under /usr/local, and the folders of pip's nvidia packages (active and
// user environment, system Python). Only folders that exist.
std::vector<std::filesystem::path> cudaLibraryFolders();
// Those at its beginning that a person named: they are tried before the system's loader.
std::vector<std::filesystem::path> namedCudaFolders();

struct LibraryAttempt {
    std::string path;     // or a bare name, where the system's loader looked
    std::string outcome;  // "opened", "not there", or what the loader said
};

// An opened library, or what was tried. Stays open for the life of the process: CUDA's libraries keep threads and
// callbacks that outlive every owner.
class CudaLibrary {
public:
    // Tries the folders first where the person named some, then the system's loader, then the other folders;
    // in each all `sonames` in their order. Nothing is tried twice.
    static CudaLibrary open(std::span<const std::string_view> sonames);
    // The same with given folders, none of which the environment adds to.
    static CudaLibrary openIn(std::span<const std::filesystem::path> folders,
                              std::span<const std::string_view> sonames);

    explicit operator bool() const { return m_handle != nullptr; }
    const std::string& path() const { return m_path; }  // of the file that was opened, else empty
    const std::vector<LibraryAttempt>& attempts() const { return m_attempts; }
    // Null when the library lacks it.
    void* symbol(const char* name) const;
    template <class Function>
    bool resolve(const char* name, Function*& function) const {
        function = reinterpret_cast<Function*>(symbol(name));
        return function != nullptr;
    }

private:
    bool tryOpen(const std::string& path);

    void* m_handle = nullptr;
    std::string m_path;
    std::vector<LibraryAttempt> m_attempts;
};

}  // namespace gapscope
