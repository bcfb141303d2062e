#include "core/runner/page_pool.h"

#include <algorithm>
#include <cassert>

#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {

namespace {

constexpr auto kPositions = static_cast<size_t>(kKvPagePositions);

}  // namespace

PagePool::PagePool(int64_t pages) : m_pages(static_cast<size_t>(pages)) {
    for (int64_t page = pages; page-- > 0;)
        m_blank.push_back(static_cast<int32_t>(page));
}

PagePool::Key PagePool::keyOf(int64_t before, std::span<const int32_t> tokens, size_t page) const {
    const auto own = tokens.subspan(page * kPositions, kPositions);
    return {before, {own.begin(), own.end()}};
}

void PagePool::hold(int32_t page) {
    if (m_pages[static_cast<size_t>(page)].holders++ > 0) return;
    m_mostUsed = std::max(m_mostUsed, ++m_used);
}

void PagePool::unpublish(int32_t page) {
    Page& of = m_pages[static_cast<size_t>(page)];
    m_published.erase(of.key);
    of.name = 0;
    of.key = {};
}

int32_t PagePool::take() {
    assert(!m_blank.empty() || !m_kept.empty());
    int32_t page = 0;
    if (!m_blank.empty()) {
        page = m_blank.back();
        m_blank.pop_back();
    } else {
        page = m_kept.front();
        m_kept.pop_front();
        unpublish(page);
    }
    hold(page);
    return page;
}

PageTable PagePool::share(std::span<const int32_t> tokens) {
    PageTable table;
    int64_t before = 0;
    for (size_t i = 0; (i + 1) * kPositions <= tokens.size(); ++i) {
        const auto found = m_published.find(keyOf(before, tokens, i));
        if (found == m_published.end()) break;
        const int32_t page = found->second;
        Page& of = m_pages[static_cast<size_t>(page)];
        if (of.holders == 0) std::erase(m_kept, page);
        hold(page);
        before = of.name;
        table.push_back(page);
    }
    return table;
}

void PagePool::publish(std::span<const int32_t> tokens, const PageTable& table) {
    int64_t before = 0;
    for (size_t i = 0; (i + 1) * kPositions <= tokens.size(); ++i) {
        Page& page = m_pages[static_cast<size_t>(table[i])];
        if (page.name == 0) {
            Key key = keyOf(before, tokens, i);
            // Somebody computed the same for itself; the rest of it is then found behind that one's pages.
            if (!m_published.emplace(key, table[i]).second) return;
            page.name = ++m_lastName;
            page.key = std::move(key);
        }
        before = page.name;
    }
}

void PagePool::release(const PageTable& table) {
    for (const int32_t number : table) {
        Page& page = m_pages[static_cast<size_t>(number)];
        assert(page.holders > 0);
        if (--page.holders > 0) continue;
        --m_used;
        if (page.name == 0)
            m_blank.push_back(number);
        else
            m_kept.push_back(number);
    }
}

void PagePool::forget() {
    for (const int32_t page : m_kept) {
        unpublish(page);
        m_blank.push_back(page);
    }
    m_kept.clear();
}

}  // namespace gapscope
