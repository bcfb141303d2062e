// What is a character and what is not, by the table of well-formed byte sequences in the Unicode standard.
#include "core/base/utf8.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(Utf8, TellsWholeCharactersFromBrokenAndUnfinishedOnes) {
    const auto length = [](std::string_view text) { return characterLength(text); };
    EXPECT_EQ(length("a\xC3"), 1);
    EXPECT_EQ(length("\xC3\xA9x"), 2);
    EXPECT_EQ(length("\xE2\x82\xAC"), 3);
    EXPECT_EQ(length("\xF4\x8F\xBF\xBF"), 4);  // U+10FFFF, the last one
    for (const std::string_view unfinished : {"\xC3", "\xE2", "\xE2\x82", "\xF0\x9F\x98"})
        EXPECT_EQ(length(unfinished), 0);
    for (const std::string_view broken : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5", "\xE2(", "\xE2\x82("})
        EXPECT_EQ(length(broken), -1);
}

TEST(Utf8, ReplacesEachByteThatBelongsToNoCharacter) {
    EXPECT_EQ(toValidUtf8("a\xED\xA0\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    EXPECT_EQ(toValidUtf8("\xE2\x82\xAC\xE2\x82"), "\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_TRUE(isValidUtf8("\xE2\x82\xAC"));
    EXPECT_FALSE(isValidUtf8("\xE2\x82"));
    EXPECT_TRUE(isValidUtf8(""));
}

}  // namespace gapscope
