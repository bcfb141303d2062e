// Finding models where people keep them: only Gemma 3, real ones first, and nothing that a strange folder could upset.
#include "core/runner/model_catalog.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "tests/core/runner/gguf_builder.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

// Every place of the search below one empty folder.
class Catalog : public ::testing::Test {
protected:
    void write(const std::string& name, const std::string& bytes) {
        fs::create_directories((m_folder.path() / name).parent_path());
        test::writeBytes(m_folder.path() / name, bytes);
    }
    std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

    test::TemporaryFolder m_folder;
    test::ScopedEnvironment m_home{"HOME", path("home")};
    test::ScopedEnvironment m_cache{"XDG_CACHE_HOME", path("home/.cache")};
    test::ScopedEnvironment m_hfHome{"HF_HOME", ""};
    test::ScopedEnvironment m_hub{"HF_HUB_CACHE", ""};
    test::ScopedEnvironment m_llama{"LLAMA_CACHE", ""};
    test::ScopedEnvironment m_models{"GAPSCOPE_MODELS", ""};
    test::ScopedEnvironment m_resources{"GAPSCOPE_RESOURCES", test::repositoryFile("resources").string()};
};

const std::string kConfig = R"({"model_type": "gemma3_text", "num_hidden_layers": 2, "num_attention_heads": 4})";

}  // namespace

TEST_F(Catalog, HasTheBuiltInModelWhenNothingElseIsThere) {
    const auto models = findModels();
    ASSERT_EQ(models.size(), 1U);
    EXPECT_TRUE(models[0].isRandom);
    EXPECT_EQ(models[0].source, "built in");
    EXPECT_EQ(models[0].format, "gguf");
    EXPECT_EQ(models[0].bytes, static_cast<int64_t>(fs::file_size(models[0].path)));
    EXPECT_EQ(defaultModel().path, models[0].path);
}

TEST_F(Catalog, FindsEveryPlaceInOrder) {
    const std::string real = test::tinyGemma().build();
    write("mine/a.gguf", real);
    write("one.gguf", real);
    write("home/.cache/gapscope/models/cached.gguf", real);
    write("home/.cache/huggingface/hub/models--google--gemma-3-1b-it/snapshots/abc/config.json", kConfig);
    write("home/.cache/huggingface/hub/models--google--gemma-3-1b-it/snapshots/abc/model.safetensors", "12345");
    write("home/.lmstudio/models/publisher/name/lm.gguf", real);
    write("home/.cache/llama.cpp/llama.gguf", real);
    const test::ScopedEnvironment places("GAPSCOPE_MODELS", path("mine") + "::" + path("one.gguf") + ":/nonexistent");
    const auto models = findModels();
    std::vector<std::string> found;
    for (const FoundModel& model : models)
        found.push_back(model.source + " " + model.path.filename().string());
    EXPECT_EQ(found, (std::vector<std::string>{"$GAPSCOPE_MODELS a.gguf", "$GAPSCOPE_MODELS one.gguf",
                                               "cache cached.gguf", "Hugging Face cache abc", "LM Studio lm.gguf",
                                               "llama.cpp llama.gguf", "built in tiny-random-gemma3.gguf"}));
    EXPECT_EQ(models[3].name, "google/gemma-3-1b-it");
    EXPECT_EQ(models[3].format, "safetensors");
    EXPECT_EQ(models[3].bytes, 5);
    EXPECT_EQ(models[0].name, "Test model (Q8_0)");
    EXPECT_EQ(defaultModel().path, models[0].path);
}

TEST_F(Catalog, LeavesOutWhatItCannotRun) {
    test::GgufBuilder llama = test::tinyGemma();
    llama.set("general.architecture", test::GgufText{"llama"});
    write("home/.cache/gapscope/models/llama.gguf", llama.build());
    write("home/.cache/gapscope/models/noise.gguf", "this is not a model");
    write("home/.cache/gapscope/models/empty.gguf", "");
    write("home/.cache/gapscope/models/big-00001-of-00002.gguf", test::tinyGemma().build());
    write("home/.cache/gapscope/models/other/config.json", R"({"model_type": "llama"})");
    write("home/.cache/gapscope/models/other/model.safetensors", "x");
    write("home/.cache/gapscope/models/noweights/config.json", kConfig);
    write("home/.cache/gapscope/models/broken/config.json", "{");
    write("home/.cache/gapscope/models/broken/model.safetensors", "x");
    ASSERT_EQ(::mkfifo(path("home/.cache/gapscope/models/pipe.gguf").c_str(), 0600), 0);
    EXPECT_EQ(findModels().size(), 1U);
}

TEST_F(Catalog, AnEntryReachedTwiceIsListedOnce) {
    write("home/.cache/gapscope/models/a.gguf", test::tinyGemma().build());
    fs::create_symlink(path("home/.cache/gapscope/models/a.gguf"), path("home/.cache/gapscope/models/b.gguf"));
    fs::create_directory_symlink(path("home"), path("home/.cache/gapscope/models/loop"));
    const test::ScopedEnvironment places("GAPSCOPE_MODELS", path("home/.cache/gapscope/models"));
    EXPECT_EQ(findModels().size(), 2U);
}

TEST_F(Catalog, ARandomModelNeverComesBeforeARealOne) {
    const test::ScopedEnvironment places("GAPSCOPE_MODELS",
                                         test::repositoryFile("resources/tiny-random-gemma3.gguf").string());
    write("home/.cache/llama.cpp/real.gguf", test::tinyGemma().build());
    EXPECT_EQ(defaultModel().path.filename(), "real.gguf");
    EXPECT_FALSE(defaultModel().isRandom);
}

TEST_F(Catalog, FindsTheResourcesOfTheBuildItBelongsTo) {
    const test::ScopedEnvironment none("GAPSCOPE_RESOURCES", "");
    EXPECT_TRUE(fs::exists(resourceFolder() / "tiny-random-gemma3.gguf")) << resourceFolder();
}

}  // namespace gapscope
