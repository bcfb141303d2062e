// Models found on this machine, in the order in which a person should be offered them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapscope {

struct FoundModel {
    std::string name;  // for people
    std::filesystem::path path;
    std::string format;  // "gguf" or "safetensors"
    std::string source;  // "$GAPSCOPE_MODELS", "cache", "Hugging Face cache", "LM Studio", "llama.cpp", "built in"
    int64_t bytes = 0;
    bool isRandom = false;  // the built-in fallback: its text is noise
};

std::filesystem::path cacheModelFolder();  // $XDG_CACHE_HOME/gapscope/models, else ~/.cache/gapscope/models
std::filesystem::path
resourceFolder();  // where the program's resources lie: $GAPSCOPE_RESOURCES, beside the binary, installed

// Only Gemma 3 files (by header for GGUF, by config.json for directories). Never throws; unreadable folders are
// skipped.
std::vector<FoundModel> findModels();

// The model to run when none is named: the first real one, else the built-in random one; nullptr-like empty path if
// none.
FoundModel defaultModel();

}  // namespace gapscope
