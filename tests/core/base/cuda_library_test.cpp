#include "core/base/cuda_library.h"
#include "core/base/cuda_folder_setting.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <fstream>

namespace gapscope {
namespace {

namespace fs = std::filesystem;

// A file tree in which a real library (the C library's maths) plays the CUDA one.
struct CudaLibraryTest : testing::Test {
    fs::path root = fs::path(testing::TempDir()) /
                    ("cuda_library_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    void SetUp() override {
        fs::remove_all(root);
        fs::create_directories(root);
        for (const char* variable : {"HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"})
            setenv(variable, root.c_str(), 1);
        for (const char* variable :
             {"GAPSCOPE_CUDA_LIBRARIES", "CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"})
            unsetenv(variable);
    }
    void TearDown() override { fs::remove_all(root); }

    static fs::path realLibrary() {
        constexpr std::array<std::string_view, 1> names = {"libm.so.6"};
        return CudaLibrary::open(names).path();
    }
    void putLibrary(const fs::path& folder, const char* name) {
        fs::create_directories(folder);
        fs::copy_file(realLibrary(), folder / name);
    }
    static constexpr std::array<std::string_view, 2> kNames = {"libgapscope_probe.so.13", "libgapscope_probe.so.12"};
};

TEST_F(CudaLibraryTest, NothingFoundTellsEveryPlaceThatWasLookedAt) {
    const CudaLibrary library = CudaLibrary::open(kNames);
    EXPECT_FALSE(library);
    EXPECT_TRUE(library.path().empty());
    EXPECT_EQ(library.symbol("cos"), nullptr);
    ASSERT_GE(library.attempts().size(), 2u);
    EXPECT_EQ(library.attempts()[0].path, "libgapscope_probe.so.13");
    EXPECT_NE(library.attempts()[0].outcome, "opened");
}

TEST_F(CudaLibraryTest, TheFolderThatThePersonNamedComesFirst) {
    putLibrary(root / "named", "libgapscope_probe.so.12");
    putLibrary(root / "cache/x", "unrelated.so");
    const std::string named = (root / "missing").string() + "::" + (root / "named").string();
    setenv("GAPSCOPE_CUDA_LIBRARIES", named.c_str(), 1);
    const CudaLibrary library = CudaLibrary::open(kNames);
    ASSERT_TRUE(library);
    EXPECT_EQ(fs::path(library.path()), root / "named/libgapscope_probe.so.12");
    ASSERT_EQ(library.attempts().size(), 2u);  // .so.13 in that folder, then .so.12
    EXPECT_EQ(library.attempts()[0].outcome, "not there");
    double (*cosine)(double) = nullptr;
    ASSERT_TRUE(library.resolve("cos", cosine));
    EXPECT_EQ(cosine(0), 1.0);
    EXPECT_FALSE(library.resolve("noSuchFunction", cosine));
}

TEST_F(CudaLibraryTest, TheSettingIsHonouredAfterTheVariable) {
    putLibrary(root / "set", "libgapscope_probe.so.12");
    putLibrary(root / "toolkit/lib64", "libgapscope_probe.so.13");
    ASSERT_TRUE(writeCudaFolderSetting({root / "gone", root / "set"}));
    EXPECT_EQ(readCudaFolderSetting(), (std::vector<fs::path>{root / "gone", root / "set"}));
    EXPECT_EQ(cudaLibraryFolders().front(), root / "set");
    CudaLibrary library = CudaLibrary::open(kNames);
    ASSERT_TRUE(library);
    EXPECT_EQ(fs::path(library.path()), root / "set/libgapscope_probe.so.12");

    setenv("GAPSCOPE_CUDA_LIBRARIES", (root / "toolkit").c_str(), 1);  // a toolkit's own folder does as well
    library = CudaLibrary::open(kNames);
    ASSERT_TRUE(library);
    EXPECT_EQ(fs::path(library.path()), root / "toolkit/lib64/libgapscope_probe.so.13");

    ASSERT_TRUE(writeCudaFolderSetting({}));
    EXPECT_FALSE(fs::exists(cudaFolderSettingFile()));
    EXPECT_TRUE(readCudaFolderSetting().empty());
}

TEST_F(CudaLibraryTest, TheSettingIsATextFileThatAPersonMayWrite) {
    fs::create_directories(root / "gapscope");
    std::ofstream(root / "gapscope/cuda-library-folders") << "# mine\n\n/opt/with space/lib  \r\n/b";
    EXPECT_EQ(readCudaFolderSetting(), (std::vector<fs::path>{"/opt/with space/lib", "/b"}));
    setenv("XDG_CONFIG_HOME", "/proc/nowhere", 1);
    const Status refused = writeCudaFolderSetting({"/b"});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("/proc/nowhere/gapscope/cuda-library-folders"), std::string::npos);
}

TEST_F(CudaLibraryTest, PipPackagesOfTheActiveEnvironmentAreSearched) {
    putLibrary(root / "venv/lib/python3.11/site-packages/nvidia/cu13/lib", "libgapscope_probe.so.13");
    setenv("VIRTUAL_ENV", (root / "venv").c_str(), 1);
    const CudaLibrary library = CudaLibrary::open(kNames);
    ASSERT_TRUE(library);
    EXPECT_NE(library.path().find("site-packages/nvidia/cu13/lib"), std::string::npos);
}

TEST_F(CudaLibraryTest, WhatTheSetUpScriptFetchedIsFound) {
    putLibrary(root / "gapscope/cuda/nvidia/cuda_cupti/lib", "libgapscope_probe.so.12");
    ASSERT_TRUE(CudaLibrary::open(kNames));
}

TEST_F(CudaLibraryTest, ABrokenFileIsReportedAndTheSearchGoesOn) {
    fs::create_directories(root / "a");
    std::ofstream(root / "a/libgapscope_probe.so.13") << "not a library";
    putLibrary(root / "b", "libgapscope_probe.so.13");
    const std::array<fs::path, 2> folders = {root / "a", root / "b"};
    const CudaLibrary library = CudaLibrary::openIn(folders, kNames);
    ASSERT_TRUE(library);
    ASSERT_EQ(library.attempts().size(), 3u);
    EXPECT_NE(library.attempts()[0].outcome, "opened");
    EXPECT_NE(library.attempts()[0].outcome, "not there");
    EXPECT_EQ(library.attempts()[2].outcome, "opened");
}

}  // namespace
}  // namespace gapscope
