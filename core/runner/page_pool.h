// Pages of a paged KV cache: who holds which, and which of them hold the beginning of a prompt that others may share.
// A sequence's cache is a table of pages; sequences whose prompts begin the same hold the same pages.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace gapscope {

using PageTable = std::vector<int32_t>;  // page i holds positions [i * kKvPagePositions, (i + 1) * kKvPagePositions)

class PagePool {
public:
    explicit PagePool(int64_t pages);

    // A page that nobody holds; there must be one.
    int32_t take();
    // Pages that hold the beginning of `tokens`, as many whole ones as are known, now held once more.
    PageTable share(std::span<const int32_t> tokens);
    // The table's pages that `tokens` fill are written and stay as they are: others may share them from now on, also
    // after release(), until take() needs them for something else.
    void publish(std::span<const int32_t> tokens, const PageTable& table);
    void release(const PageTable& table);
    // What released pages hold is no longer shared.
    void forget();

    int64_t used() const { return m_used; }          // pages held at least once
    int64_t mostUsed() const { return m_mostUsed; }  // at any time since resetMost()
    void resetMost() { m_mostUsed = m_used; }

private:
    // A page's tokens and the page before it, which is known by a number of its own: page numbers are used again.
    using Key = std::pair<int64_t, std::vector<int32_t>>;
    struct Page {
        int64_t holders = 0;
        int64_t name = 0;  // 0: not published
        Key key;
    };

    Key keyOf(int64_t before, std::span<const int32_t> tokens, size_t page) const;
    void hold(int32_t page);
    void unpublish(int32_t page);

    std::vector<Page> m_pages;
    std::vector<int32_t> m_blank;  // held by nobody, not published
    std::deque<int32_t> m_kept;    // held by nobody, published, oldest first
    std::map<Key, int32_t> m_published;
    int64_t m_lastName = 0;
    int64_t m_used = 0;
    int64_t m_mostUsed = 0;
};

}  // namespace gapscope
