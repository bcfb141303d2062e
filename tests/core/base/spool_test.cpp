// Bytes of unknown number: in memory while they are few, then in a temporary file that goes with its owner.
#include "core/base/spool.h"

#include <gtest/gtest.h>

#include <iterator>

#include "tests/core/testing/temp_folder.h"

namespace gapscope {

TEST(Spool, GoesToAFileBeyondItsBound) {
    const TempFolder temporary;
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
    std::string all;
    {
        Spool spool("test", 10);
        for (int i = 0; i < 10; ++i) {
            const std::string part(1, static_cast<char>('a' + i));
            ASSERT_TRUE(spool.append(part));
            all += part;
        }
        EXPECT_EQ(spool.file(), nullptr);
        EXPECT_EQ(spool.bytes(), all);
        ASSERT_TRUE(spool.append(std::string("more")));
        ASSERT_TRUE(spool.append(std::string("!")));
        ASSERT_TRUE(spool.finish());
        ASSERT_NE(spool.file(), nullptr);
        EXPECT_TRUE(spool.bytes().empty());
        std::ifstream file(spool.file()->path(), std::ios::binary);
        EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), all + "more!");
    }
    EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
    ::unsetenv("TMPDIR");
}

TEST(Spool, SaysWhereItCouldNotBeKept) {
    ::setenv("TMPDIR", "/nowhere", 1);
    Spool spool("test", 1);
    const Status kept = spool.append(std::string("more"));
    ::unsetenv("TMPDIR");
    ASSERT_FALSE(kept);
    EXPECT_NE(kept.error().message.find("TMPDIR"), std::string::npos) << kept.error().message;
}

}  // namespace gapscope
