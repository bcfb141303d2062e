// Gaps of a window that lie where a prepared trace keeps them, and those that the window's edges cut: a list of
// millions costs nothing to make. What it was made from must outlive it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <vector>

#include "core/analysis/gaps.h"

namespace gapscope {

class GapList {
public:
    size_t size() const { return m_size; }
    bool empty() const { return m_size == 0; }
    const Gap& operator[](size_t index) const {
        const auto next = std::ranges::upper_bound(m_parts, index, {}, &Part::first);
        const Part& part = *(next - 1);
        return part.shared.empty() ? m_own[part.own] : part.shared[index - part.first];
    }

    void add(std::span<const Gap> shared) {
        if (shared.empty()) return;
        m_parts.push_back({.first = m_size, .shared = shared});
        m_size += shared.size();
    }
    void add(const Gap& own) {
        m_parts.push_back({.first = m_size, .own = m_own.size()});
        m_own.push_back(own);
        ++m_size;
    }

    class Iterator {
    public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Gap;
        using difference_type = ptrdiff_t;
        using pointer = const Gap*;
        using reference = const Gap&;
        Iterator() = default;
        Iterator(const GapList* list, size_t index) : m_list(list), m_index(index) {}
        reference operator*() const { return (*m_list)[m_index]; }
        pointer operator->() const { return &(*m_list)[m_index]; }
        Iterator& operator++() {
            ++m_index;
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++m_index;
            return before;
        }
        bool operator==(const Iterator&) const = default;

    private:
        const GapList* m_list = nullptr;
        size_t m_index = 0;
    };
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, m_size}; }

private:
    struct Part {
        size_t first = 0;             // index of its first gap
        std::span<const Gap> shared;  // empty: the one at `own`
        size_t own = 0;
    };
    std::vector<Part> m_parts;
    std::vector<Gap> m_own;
    size_t m_size = 0;
};

// As a GapTable, for a prepared window.
struct WindowGaps {
    GapList gaps;  // by device, then time
    std::vector<DeviceBusy> devices;
    GapCauses causes;
    HostTimes host;
};

}  // namespace gapscope
