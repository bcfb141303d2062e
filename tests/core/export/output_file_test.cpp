// Names near the file system's limit, which the name of the part beside them must not pass.
#include "core/export/output_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "core/base/utf8.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {
namespace {

constexpr size_t kMostNameBytes = 255;

TEST(OutputFile, LongNamesAreWritten) {
    TempFolder folder;
    for (const size_t size : {230, 240, 250, 255}) {
        const std::filesystem::path path = folder / std::string(size, 'n');
        Result<OutputFile> file = OutputFile::create(path);
        ASSERT_TRUE(file) << size << ": " << file.error().message;
        file->write("whole");
        ASSERT_TRUE(file->finish()) << size;
        std::ifstream in(path);
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "whole") << size;
    }
}

TEST(OutputFile, LongNamesOfSessionsAreSavedAndOpened) {
    TempFolder folder;
    const TracePtr trace = RandomTrace(1).build().snapshot();
    for (const size_t size : {236, 245, 255}) {
        const std::string ending = ".gapscope";
        const std::filesystem::path path = folder / (std::string(size - ending.size(), 's') + ending);
        const Status saved = saveSession(*trace, path);
        ASSERT_TRUE(saved) << size << ": " << saved.error().message;
        const Result<TracePtr> opened = openTrace(path);
        ASSERT_TRUE(opened) << size << ": " << opened.error().message;
        EXPECT_EQ((*opened)->eventCount(), trace->eventCount());
    }
}

TEST(OutputFile, NamesOfPartsFitAndAreToldApart) {
    std::string name;
    while (name.size() + 2 <= kMostNameBytes)
        name += "\u00fc";
    for (const char* front : {"", "x"}) {  // the cut falls between characters or inside one
        const std::filesystem::path path = std::filesystem::path("folder") / (front + name.substr(0, 254));
        const std::filesystem::path part = partPathOf(path);
        EXPECT_EQ(part.parent_path(), "folder");
        EXPECT_LE(part.filename().string().size() + std::string_view("-journal").size(), kMostNameBytes);
        EXPECT_TRUE(isValidUtf8(part.filename().string()));
    }
    const std::string same(250, 'a');
    EXPECT_NE(partPathOf(same + "1"), partPathOf(same + "2"));
    EXPECT_NE(partPathOf("short"), partPathOf("other"));
}

}  // namespace
}  // namespace gapscope
