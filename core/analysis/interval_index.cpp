#include "core/analysis/interval_index.h"

#include <algorithm>
#include <numeric>

namespace gapscope {

namespace {

constexpr size_t kBlock = 512;  // rows looked through where one of them may reach over an edge
constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

IntervalIndex::IntervalIndex(const ColumnView<int64_t>& startNs, const ColumnView<int64_t>& endNs,
                             std::vector<uint32_t> classOf, size_t classCount)
    : m_classes(classCount), m_classOf(std::move(classOf)) {
    const size_t rowCount = m_classOf.size();
    for (const uint32_t of : m_classOf)
        ++m_classes[of].end;
    uint32_t place = 0;
    for (Class& of : m_classes) {
        const uint32_t count = of.end;
        of.first = of.end = place;
        place += count;
    }
    m_rows.resize(rowCount);
    for (uint32_t row = 0; row < rowCount; ++row)
        m_rows[m_classes[m_classOf[row]].end++] = row;

    const auto before = [&](uint32_t a, uint32_t b) {
        const int64_t startA = startNs[a], startB = startNs[b];
        return startA != startB ? startA < startB : a < b;
    };
    m_startNs.resize(rowCount);
    m_endNs.resize(rowCount);
    m_totalNs.resize(rowCount + 1);
    m_placeOf.resize(rowCount);
    for (Class& of : m_classes) {
        const auto rows = std::span(m_rows).subspan(of.first, of.end - of.first);
        if (!std::ranges::is_sorted(rows, before)) {
            std::ranges::sort(rows, before);
            of.rowsAscend = std::ranges::is_sorted(rows);
        }
        for (uint32_t at = of.first; at < of.end; ++at) {
            const uint32_t row = m_rows[at];
            m_startNs[at] = startNs[row];
            m_endNs[at] = std::max(startNs[row], endNs[row]);
            m_totalNs[at + 1] = m_totalNs[at] + m_endNs[at] - m_startNs[at];
            m_placeOf[row] = at;
        }
        if (of.first == of.end) continue;
        of.firstStartNs = m_startNs[of.first];
        of.lastStartNs = m_startNs[of.end - 1];
    }

    m_byStart.resize(rowCount);
    std::iota(m_byStart.begin(), m_byStart.end(), 0u);
    if (!std::ranges::is_sorted(m_byStart, before)) std::ranges::sort(m_byStart, before);
    for (size_t i = 0; i < rowCount; ++i) {
        const int64_t end = m_endNs[m_placeOf[m_byStart[i]]];
        if (i % kBlock == 0) m_blockEndNs.push_back(end);
        m_blockEndNs.back() = std::max(m_blockEndNs.back(), end);
    }
}

// Rows that begin before a time and end after it, of those that begin at or after another.
template <class Visit>
void IntervalIndex::forEachOpenAt(int64_t timeNs, int64_t startingFromNs, Visit visit) const {
    const auto startOf = [&](uint32_t row) { return m_startNs[m_placeOf[row]]; };
    const auto first =
        static_cast<size_t>(std::ranges::lower_bound(m_byStart, startingFromNs, {}, startOf) - m_byStart.begin());
    const auto last = static_cast<size_t>(std::ranges::lower_bound(m_byStart, timeNs, {}, startOf) - m_byStart.begin());
    for (size_t block = first / kBlock; block * kBlock < last; ++block) {
        if (m_blockEndNs[block] <= timeNs) continue;
        for (size_t i = std::max(first, block * kBlock); i < std::min(last, (block + 1) * kBlock); ++i)
            if (m_endNs[m_placeOf[m_byStart[i]]] > timeNs) visit(m_byStart[i]);
    }
}

IntervalIndex::Window IntervalIndex::window(TimeRange window) const {
    Window result;
    if (window.empty()) return result;
    std::vector<uint32_t> partOf(m_classes.size(), kNone);
    for (uint32_t c = 0; c < m_classes.size(); ++c) {
        const Class& of = m_classes[c];
        if (of.first == of.end || of.firstStartNs >= window.endNs || of.lastStartNs < window.startNs) continue;
        const auto placeOf = [&](int64_t ns) {
            const auto starts = std::span(m_startNs).subspan(of.first, of.end - of.first);
            return of.first + static_cast<uint32_t>(std::ranges::lower_bound(starts, ns) - starts.begin());
        };
        Part part{.classIndex = c, .first = of.first, .end = of.end};
        if (of.firstStartNs < window.startNs) part.first = placeOf(window.startNs);
        if (of.lastStartNs >= window.endNs) part.end = placeOf(window.endNs);
        if (part.first == part.end) continue;
        part.ns = m_totalNs[part.end] - m_totalNs[part.first];
        partOf[c] = static_cast<uint32_t>(result.parts.size());
        result.parts.push_back(part);
    }
    const auto partOfRow = [&](uint32_t row) -> Part& {
        uint32_t& part = partOf[m_classOf[row]];
        if (part == kNone) {
            part = static_cast<uint32_t>(result.parts.size());
            result.parts.push_back({.classIndex = m_classOf[row]});
        }
        return result.parts[part];
    };
    forEachOpenAt(window.startNs, INT64_MIN, [&](uint32_t row) {
        const int64_t insideNs = std::min(m_endNs[m_placeOf[row]], window.endNs) - window.startNs;
        partOfRow(row).ns += insideNs;
        result.cut.push_back({row, m_classOf[row], insideNs, false});
    });
    forEachOpenAt(window.endNs, window.startNs, [&](uint32_t row) {
        const int64_t insideNs = window.endNs - m_startNs[m_placeOf[row]];
        partOfRow(row).ns -= m_endNs[m_placeOf[row]] - window.endNs;
        result.cut.push_back({row, m_classOf[row], insideNs, true});
    });
    return result;
}

void IntervalIndex::appendDurations(const Part& part, TimeRange window, std::vector<int64_t>& values) const {
    const size_t from = values.size();
    values.resize(from + static_cast<size_t>(part.count()));
    for (uint32_t place = part.first; place < part.end; ++place)
        values[from + place - part.first] = std::min(m_endNs[place], window.endNs) - m_startNs[place];
}

uint32_t IntervalIndex::lowestRow(const Part& part) const {
    if (part.first == part.end) return kNone;
    if (m_classes[part.classIndex].rowsAscend) return m_rows[part.first];
    return *std::min_element(m_rows.begin() + part.first, m_rows.begin() + part.end);
}

}  // namespace gapscope
