// Looks for Gemma 3 where people and other programs keep their models. Only headers are read.
#include "core/runner/model_catalog.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>
#include <system_error>

#include "core/runner/gguf.h"
#include "core/runner/gguf_model.h"
#include "core/runner/hf_config.h"
#include "core/runner/mapped_file.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBuiltIn = "tiny-random-gemma3.gguf";
constexpr int kDeepest = 6;              // models--ORG--NAME/snapshots/HASH/FILE is three down; LM Studio's are two
constexpr size_t kMostEntries = 20'000;  // looked at below one folder: a stray "/" must not take minutes

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value ? value : "";
}

// Empty where there is no home: what would lie below it is not looked for then.
fs::path below(const fs::path& folder, const char* rest) {
    return folder.empty() ? folder : folder / rest;
}

fs::path homeFolder() {
    return environment("HOME");
}

fs::path userCacheFolder() {
    const std::string folder = environment("XDG_CACHE_HOME");
    return folder.empty() ? below(homeFolder(), ".cache") : fs::path(folder);
}

// One of several files that only work together.
bool isPartOfSplit(const std::string& stem) {
    const auto at = stem.rfind("-of-");
    return at != stem.npos && at + 4 < stem.size() && stem.find_first_not_of("0123456789", at + 4) == stem.npos;
}

class Search {
public:
    void look(const fs::path& place, const std::string& source) {
        if (place.empty()) return;
        std::error_code error;
        const auto begin = m_found.size();
        if (fs::is_directory(place, error))
            lookBelow(place, source);
        else if (fs::is_regular_file(place, error))
            addGguf(place, source);
        std::sort(m_found.begin() + static_cast<std::ptrdiff_t>(begin), m_found.end(),
                  [](const FoundModel& a, const FoundModel& b) { return a.path < b.path; });
    }

    std::vector<FoundModel> take() {
        std::stable_partition(m_found.begin(), m_found.end(), [](const FoundModel& model) { return !model.isRandom; });
        return std::move(m_found);
    }

private:
    void lookBelow(const fs::path& folder, const std::string& source) {
        addFolder(folder, source);
        std::error_code error;
        fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error), end;
        for (size_t count = 0; !error && entry != end && count < kMostEntries; entry.increment(error), ++count) {
            if (entry.depth() + 1 >= kDeepest) entry.disable_recursion_pending();
            std::error_code ignored;
            if (entry->is_directory(ignored))
                addFolder(entry->path(), source);
            else if (entry->path().extension() == ".gguf" && entry->is_regular_file(ignored))
                addGguf(entry->path(), source);
        }
    }

    // The same file may be reached twice: by a link, or as two of the places.
    bool isNew(const fs::path& path) {
        std::error_code error;
        const fs::path real = fs::canonical(path, error);
        return !error && m_seen.insert(real).second;
    }

    void addGguf(const fs::path& path, const std::string& source) {
        if (isPartOfSplit(path.stem().string())) return;
        const auto mapped = MappedFile::open(path);
        if (!mapped) return;
        const auto file = GgufFile::parse((*mapped)->bytes(), path.string(), GgufExtent::BeforeVocabulary);
        // No tensors: a vocabulary alone, as llama.cpp's tests have them.
        if (!file || file->tensorCount() == 0 || !requireGemma3(*file) || !isNew(path)) return;
        FoundModel model;
        model.name = file->string("general.name").value_or(path.stem().string());
        if (const std::string kind = ggufQuantizationName(*file); !kind.empty()) model.name += " (" + kind + ")";
        model.path = path;
        model.format = "gguf";
        model.source = source;
        model.bytes = static_cast<int64_t>((*mapped)->bytes().size());
        model.isRandom = ggufIsRandom(*file);
        m_found.push_back(std::move(model));
    }

    void addFolder(const fs::path& folder, const std::string& source) {
        std::error_code error;
        if (!fs::exists(folder / "config.json", error)) return;
        if (!fs::exists(folder / "model.safetensors", error) &&
            !fs::exists(folder / "model.safetensors.index.json", error))
            return;
        const auto text = readSmallFile(folder / "config.json");
        if (!text || !parseHfConfig(*text, folder.string()) || !isNew(folder)) return;
        FoundModel model;
        model.name = nameOfFolder(folder);
        model.path = folder;
        model.format = "safetensors";
        model.source = source;
        fs::directory_iterator entry(folder, error), end;
        for (; !error && entry != end; entry.increment(error)) {
            std::error_code ignored;
            if (entry->path().extension() != ".safetensors") continue;
            if (const auto bytes = entry->file_size(ignored); !ignored) model.bytes += static_cast<int64_t>(bytes);
        }
        m_found.push_back(std::move(model));
    }

    std::vector<FoundModel> m_found;
    std::set<fs::path> m_seen;
};

}  // namespace

fs::path cacheModelFolder() {
    const fs::path cache = userCacheFolder();
    if (!cache.empty()) return cache / "gapscope" / "models";
    std::error_code error;  // no home at all: the system's folder for what may be lost
    return fs::temp_directory_path(error) / "gapscope" / "models";
}

fs::path resourceFolder() {
    if (const std::string folder = environment("GAPSCOPE_RESOURCES"); !folder.empty()) return folder;
    std::error_code error;
    const fs::path binary = fs::read_symlink("/proc/self/exe", error).parent_path();
    // Beside the binary, installed (bin/ and share/), and the source tree of build/bin/.
    for (const fs::path& folder : {binary / "resources", binary.parent_path() / "share" / "gapscope",
                                   binary.parent_path().parent_path() / "resources"})
        if (!binary.empty() && fs::exists(folder / kBuiltIn, error)) return folder;
    return GAPSCOPE_SOURCE_RESOURCES;
}

std::vector<FoundModel> findModels() {
    try {
        Search search;
        const std::string places = environment("GAPSCOPE_MODELS");
        for (size_t at = 0; at < places.size();) {
            const size_t colon = std::min(places.find(':', at), places.size());
            search.look(places.substr(at, colon - at), "$GAPSCOPE_MODELS");
            at = colon + 1;
        }
        search.look(cacheModelFolder(), "cache");
        const fs::path home = homeFolder();
        for (const fs::path& hub : {fs::path(environment("HF_HUB_CACHE")), below(environment("HF_HOME"), "hub"),
                                    below(userCacheFolder(), "huggingface/hub"), below(home, ".cache/huggingface/hub")})
            search.look(hub, "Hugging Face cache");
        for (const fs::path& folder : {below(home, ".lmstudio/models"), below(home, ".cache/lm-studio/models")})
            search.look(folder, "LM Studio");
        for (const fs::path& folder : {fs::path(environment("LLAMA_CACHE")), below(userCacheFolder(), "llama.cpp"),
                                       below(home, ".cache/llama.cpp")})
            search.look(folder, "llama.cpp");
        search.look(resourceFolder() / kBuiltIn, "built in");
        return search.take();
    } catch (const std::exception&) {  // out of memory, or a path that cannot be spelt: nothing found is an answer
        return {};
    }
}

FoundModel defaultModel() {
    std::vector<FoundModel> models = findModels();
    return models.empty() ? FoundModel() : std::move(models.front());
}

}  // namespace gapscope
