#include "core/trace/annotations.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gapscope {

std::vector<RowChoice> choicesOf(const RowArrangement& rows) {
    std::map<std::string_view, RowChoice> byKey;
    for (const std::string& key : rows.hidden)
        byKey[key].hidden = true;
    for (const std::string& key : rows.folded)
        byKey[key].folded = true;
    const auto setPlaces = [&](const std::vector<std::string>& keys, int RowChoice::*place) {
        int next = 0;
        for (const std::string& key : keys)
            if (byKey[key].*place < 0) byKey[key].*place = next++;
    };
    setPlaces(rows.pinned, &RowChoice::pinnedPlace);
    setPlaces(rows.order, &RowChoice::orderPlace);
    for (const auto& [key, height] : rows.laneHeights)
        byKey[key].laneHeight = height;
    std::vector<RowChoice> choices;
    choices.reserve(byKey.size());
    for (auto& [key, choice] : byKey) {
        choice.key = key;
        choices.push_back(std::move(choice));
    }
    return choices;
}

RowArrangement arrangementOf(const std::vector<RowChoice>& choices) {
    RowArrangement rows;
    const auto inPlace = [&](int RowChoice::*place) {
        std::vector<const RowChoice*> placed;
        for (const RowChoice& choice : choices)
            if (choice.*place >= 0) placed.push_back(&choice);
        std::ranges::stable_sort(placed, {}, [&](const RowChoice* choice) { return choice->*place; });
        std::vector<std::string> keys;
        for (const RowChoice* choice : placed)
            keys.push_back(choice->key);
        return keys;
    };
    rows.pinned = inPlace(&RowChoice::pinnedPlace);
    rows.order = inPlace(&RowChoice::orderPlace);
    for (const RowChoice& choice : choices) {
        if (choice.hidden) rows.hidden.insert(choice.key);
        if (choice.folded) rows.folded.insert(choice.key);
        if (choice.laneHeight > 0)
            rows.laneHeights[choice.key] = std::clamp(choice.laneHeight, kLowestLane, kHighestLane);
    }
    return rows;
}

}  // namespace gapscope
