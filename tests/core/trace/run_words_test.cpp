#include "core/trace/run_words.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(RunWords, TellWhatWasAddedToTheMode) {
    EXPECT_EQ(wayOf({.mode = "eager"}), "eager");
    EXPECT_EQ(wayOf({.mode = "graph", .speculation = "off"}), "graph");
    EXPECT_EQ(wayOf({.mode = "graph", .speculation = "ngram"}), "graph, drafts by lookup");
    EXPECT_EQ(wayOf({.mode = "fused", .speculation = "gemma-3-270m"}), "fused, drafts by gemma-3-270m");
    EXPECT_EQ(wayOf({.mode = "fused", .sequences = 5, .batch = 4}), "fused, 4 prompts at once");
    EXPECT_EQ(wayOf({.mode = "fused", .sequences = 3, .batch = 4}), "fused, 3 prompts at once");
}

}  // namespace gapscope
