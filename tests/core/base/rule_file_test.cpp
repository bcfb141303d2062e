#include "core/base/rule_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

std::string textOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

CategoryRule rule(std::string_view line) {
    return CategoryRule::parse(line).value().value();
}

std::vector<std::string> linesOf(const RuleFile& file) {
    std::vector<std::string> lines;
    for (const CategoryRule& each : file.rules())
        lines.push_back(each.text());
    return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST(RuleFile, AWrongLineIsNamedAndTakesNothingWithIt) {
    const std::string text = "# mine\n\ngem my_kernel\nnorm My_Norm # as it is\ngemm\n  other  a  b \n";
    const RuleFile file = RuleFile::parse(text);
    EXPECT_EQ(linesOf(file), (Lines{"norm my_norm", "other a b"}));
    const std::vector<std::string> problems = file.problems();
    ASSERT_EQ(problems.size(), 2u);
    EXPECT_TRUE(problems[0].starts_with("line 3: 'gem' is no category")) << problems[0];
    EXPECT_TRUE(problems[1].starts_with("line 5: ")) << problems[1];
    EXPECT_EQ(file.text(), text);
}

TEST(RuleFile, EditsLeaveTheOtherLinesAsTheyWere) {
    RuleFile file = RuleFile::parse("# head\ngemm a\n# between\nnorm b\nnonsense c\nrope d");
    file.addFirst(rule("copy e"));
    EXPECT_EQ(file.text(), "# head\ncopy e\ngemm a\n# between\nnorm b\nnonsense c\nrope d\n");
    file.swapWithNext(1);
    EXPECT_EQ(file.text(), "# head\ncopy e\nnorm b\n# between\ngemm a\nnonsense c\nrope d\n");
    file.swapWithNext(3);  // the last has no next
    file.remove(2);
    file.remove(9);
    EXPECT_EQ(file.text(), "# head\ncopy e\nnorm b\n# between\nnonsense c\nrope d\n");
    file.replace(1, rule("gemm b c"));
    EXPECT_EQ(linesOf(file), (Lines{"copy e", "gemm b c", "rope d"}));
}

TEST(RuleFile, ComesBackFromItsFile) {
    const TempFolder folder;
    const auto path = folder / "config/kernel-rules.txt";
    EXPECT_TRUE(RuleFile::read(path).value().rules().empty());  // no file yet
    RuleFile file;
    file.addFirst(rule("attention mine"));
    file.addFirst(rule("gemm mine too"));
    ASSERT_TRUE(file.write(path));
    EXPECT_TRUE(textOf(path).starts_with("# "));  // says what it is to who opens it in an editor
    const auto again = RuleFile::read(path);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(linesOf(*again), (Lines{"gemm mine too", "attention mine"}));
    EXPECT_TRUE(again->problems().empty());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
}

TEST(RuleFile, WhatIsNoRuleFileIsRefused) {
    const TempFolder folder;
    const auto refused = [&](const std::string& text) {
        std::ofstream(folder / "file", std::ios::binary) << text;
        const auto file = RuleFile::read(folder / "file");
        return !file && file.error().message.find((folder / "file").string()) != std::string::npos;
    };
    EXPECT_TRUE(refused(std::string("gemm a\0b", 8)));
    EXPECT_TRUE(refused(std::string((1 << 20) + 1, '#')));
    EXPECT_FALSE(refused("gemm a"));
    EXPECT_FALSE(RuleFile::read(folder.path()));
    EXPECT_FALSE(RuleFile::parse("gemm a").write(folder.path()));  // a folder is in its place
    std::filesystem::create_symlink(folder / "file", folder / "link");
    ASSERT_TRUE(RuleFile::parse("norm b").write(folder / "link"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
    EXPECT_EQ(textOf(folder / "file"), "norm b\n");
}

TEST(RuleFile, LiesWhereTheDesktopKeepsSettings) {
    const char* before = ::getenv("XDG_CONFIG_HOME");
    const std::string kept = before ? before : "";
    ::setenv("XDG_CONFIG_HOME", "/some/where", 1);
    EXPECT_EQ(userRuleFile(), "/some/where/gapscope/kernel-rules.txt");
    ::setenv("XDG_CONFIG_HOME", "relative", 1);
    EXPECT_TRUE(userRuleFile().string().ends_with("/.config/gapscope/kernel-rules.txt"));
    before ? ::setenv("XDG_CONFIG_HOME", kept.c_str(), 1) : ::unsetenv("XDG_CONFIG_HOME");
}

}  // namespace gapscope
