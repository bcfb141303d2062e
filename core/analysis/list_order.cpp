#include "core/analysis/list_order.h"

#include <algorithm>
#include <numeric>

namespace gapscope {

// Blocks, then merged: so that it can be given up on the way.
std::vector<uint32_t> sortedPlaces(std::vector<KeyedPlace> keyed, std::stop_token stop) {
    const auto before = [](const KeyedPlace& a, const KeyedPlace& b) {
        return a.key != b.key ? a.key < b.key : a.place < b.place;
    };
    const auto at = [&](size_t i) { return keyed.begin() + static_cast<ptrdiff_t>(std::min(i, keyed.size())); };
    for (size_t from = 0; from < keyed.size(); from += kRowsBetweenLooks) {
        if (stop.stop_requested()) return {};
        std::sort(at(from), at(from + kRowsBetweenLooks), before);
    }
    for (size_t width = kRowsBetweenLooks; width < keyed.size(); width *= 2) {
        for (size_t from = 0; from + width < keyed.size(); from += 2 * width) {
            if (stop.stop_requested()) return {};
            std::inplace_merge(at(from), at(from + width), at(from + 2 * width), before);
        }
    }
    std::vector<uint32_t> places(keyed.size());
    std::ranges::transform(keyed, places.begin(), &KeyedPlace::place);
    return places;
}

std::vector<uint32_t> nameRanks(const Trace& trace) {
    std::vector<uint32_t> ids(trace.stringCount()), ranks(trace.stringCount());
    std::iota(ids.begin(), ids.end(), 0u);
    std::ranges::sort(ids, {}, [&](uint32_t id) { return trace.string(StringId{id}); });
    for (uint32_t rank = 0; rank < ids.size(); ++rank)
        ranks[ids[rank]] = rank;
    return ranks;
}

bool holdsText(std::string_view name, std::string_view text) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto same = [&](char a, char b) { return lower(a) == lower(b); };
    return text.empty() || !std::ranges::search(name, text, same).empty();
}

}  // namespace gapscope
