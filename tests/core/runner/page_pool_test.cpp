// Who holds which page, and which beginnings may be shared.
#include "core/runner/page_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {
namespace {

using Ids = std::vector<int32_t>;

// `pages` whole pages of tokens that count up from `first`, and `more` tokens.
Ids counting(int32_t first, int64_t pages, int64_t more = 0) {
    Ids ids(static_cast<size_t>(pages * kKvPagePositions + more));
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

PageTable takePages(PagePool& pool, size_t count) {
    PageTable table;
    while (table.size() < count)
        table.push_back(pool.take());
    return table;
}

TEST(PagePool, GivesEachPageToOneHolder) {
    PagePool pool(3);
    PageTable table = takePages(pool, 3);
    EXPECT_EQ(pool.used(), 3);
    std::ranges::sort(table);
    EXPECT_EQ(table, (PageTable{0, 1, 2}));
    pool.release({1});
    EXPECT_EQ(pool.used(), 2);
    EXPECT_EQ(pool.take(), 1);
    EXPECT_EQ(pool.mostUsed(), 3);
}

TEST(PagePool, SharesWholePagesOfTheSameBeginning) {
    PagePool pool(8);
    const PageTable first = takePages(pool, 3);
    pool.publish(counting(0, 2, 5), first);
    EXPECT_EQ(pool.share(counting(0, 2, 9)), (PageTable{first[0], first[1]})) << "the third is not full";
    EXPECT_EQ(pool.share(counting(0, 1, 31)), (PageTable{first[0]}));
    EXPECT_EQ(pool.share(counting(1, 2)), PageTable());
    Ids other = counting(0, 2);
    other[40] = 7;
    EXPECT_EQ(pool.share(other), (PageTable{first[0]}));
    EXPECT_EQ(pool.used(), 3);
    // The same tokens behind another beginning are other keys.
    other = counting(100, 1);
    const Ids tail = counting(kKvPagePositions, 1);
    other.insert(other.end(), tail.begin(), tail.end());
    EXPECT_EQ(pool.share(other), PageTable());
}

TEST(PagePool, KeepsReleasedPagesUntilTheyAreNeeded) {
    PagePool pool(3);
    const PageTable first = takePages(pool, 2);
    pool.publish(counting(0, 2), first);
    pool.release(first);
    EXPECT_EQ(pool.used(), 0);
    const PageTable again = pool.share(counting(0, 2));
    EXPECT_EQ(again, first);
    EXPECT_EQ(pool.used(), 2);
    pool.release(again);
    // The blank page goes first, then the oldest kept one, and with it what stands behind it.
    const int32_t blank = pool.take();
    EXPECT_TRUE(blank != first[0] && blank != first[1]);
    EXPECT_EQ(pool.take(), first[0]);
    EXPECT_EQ(pool.share(counting(0, 2)), PageTable());
    // Other tokens in it do not bring back what stood behind the old ones.
    pool.publish(counting(500, 1), {first[0]});
    Ids mixed = counting(500, 1);
    const Ids tail = counting(kKvPagePositions, 1);
    mixed.insert(mixed.end(), tail.begin(), tail.end());
    EXPECT_EQ(pool.share(mixed), (PageTable{first[0]}));
}

TEST(PagePool, ForgetsWhatNobodyHolds) {
    PagePool pool(4);
    const PageTable held = takePages(pool, 1), released = takePages(pool, 1);
    pool.publish(counting(0, 1), held);
    pool.publish(counting(90, 1), released);
    pool.release(released);
    pool.forget();
    EXPECT_EQ(pool.share(counting(0, 1)), held);
    EXPECT_EQ(pool.share(counting(90, 1)), PageTable());
}

TEST(PagePool, KeepsTheFirstOfTwoThatComputedTheSame) {
    PagePool pool(4);
    const PageTable first = takePages(pool, 1), second = takePages(pool, 2);
    pool.publish(counting(0, 1), first);
    pool.publish(counting(0, 2), second);
    EXPECT_EQ(pool.share(counting(0, 2)), first);
    pool.release(second);
    EXPECT_EQ(pool.used(), 1);
}

}  // namespace
}  // namespace gapscope
