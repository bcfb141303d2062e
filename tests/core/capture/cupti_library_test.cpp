#include "core/capture/cupti_library.h"

#include <gtest/gtest.h>

#include <array>

#include "core/capture/cupti_session.h"

namespace gapscope {
namespace {

namespace fs = std::filesystem;

fs::path emptyFolder(const char* name) {
    const fs::path folder = fs::path(testing::TempDir()) / name;
    fs::remove_all(folder);
    fs::create_directories(folder);
    return folder;
}

TEST(CuptiLibrary, WhereThereIsNoneTheReportSaysWhatWasTriedAndWhatToInstall) {
    const std::array<fs::path, 1> folders = {emptyFolder("cupti_none")};
    const CuptiLibrary library = CuptiLibrary::openIn(folders);
    EXPECT_FALSE(library);
    EXPECT_NE(library.problem.find("not found"), std::string::npos);
    EXPECT_NE(library.problem.find("Install"), std::string::npos);
    ASSERT_EQ(library.attempts.size(), 3u);
    EXPECT_TRUE(library.attempts[0].path.ends_with("libcupti.so.13"));
    EXPECT_EQ(library.attempts[0].outcome, "not there");
}

TEST(CuptiLibrary, ALibraryThatIsNoCuptiIsRefusedByName) {
    const fs::path folder = emptyFolder("cupti_wrong");
    constexpr std::array<std::string_view, 1> names = {"libm.so.6"};
    fs::copy_file(CudaLibrary::open(names).path(), folder / "libcupti.so.12");
    const std::array<fs::path, 1> folders = {folder};
    const CuptiLibrary library = CuptiLibrary::openIn(folders);
    EXPECT_FALSE(library);
    EXPECT_NE(library.problem.find("cuptiGetVersion"), std::string::npos) << library.problem;
}

TEST(CuptiLibrary, VersionsAreNamedByTheirToolkit) {
    EXPECT_EQ(cuptiReleaseName(18), "before 12.0");
    EXPECT_EQ(cuptiReleaseName(19), "12.0");
    EXPECT_EQ(cuptiReleaseName(24), "12.6");
    EXPECT_EQ(cuptiReleaseName(26), "12.8");
    EXPECT_EQ(cuptiReleaseName(28), "12.9");
    EXPECT_EQ(cuptiReleaseName(29), "unknown");
    EXPECT_EQ(cuptiReleaseName(130001), "13.0");
    EXPECT_EQ(cuptiReleaseName(130100), "13.1");
}

TEST(CuptiLibrary, TheRealOneIsUsableAndWithoutADriverTheSessionSaysWhy) {
    const CuptiLibrary& library = CuptiLibrary::instance();
    if (!library) GTEST_SKIP() << library.problem;
    EXPECT_GE(library.api.version, kOldestCuptiVersion);
    EXPECT_FALSE(library.path.empty());
    EXPECT_EQ(library.attempts.back().outcome, "opened");
    EXPECT_EQ(library.api.resultText(cupti::kUnknownError), "CUPTI_ERROR_UNKNOWN (999)");
    const char* name = nullptr;
    ASSERT_EQ(library.api.getCallbackName(cupti::kDomainRuntime, 211, &name), cupti::kSuccess);
    EXPECT_STREQ(name, "cudaLaunchKernel_v7000");
    constexpr std::array<std::string_view, 1> driver = {"libcuda.so.1"};
    if (CudaLibrary::open(driver)) GTEST_SKIP() << "a driver is here; the GPU's own test covers the rest";
    const auto session = CuptiSession::start(library.api, {});
    ASSERT_FALSE(session);
    EXPECT_NE(session.error().message.find("driver"), std::string::npos) << session.error().message;
}

}  // namespace
}  // namespace gapscope
