// What a person adds to a trace: marks and notes at times of it, and how its rows stand. Travels with the trace; a
// session file keeps it. No figure depends on it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/time_range.h"
#include "core/trace/row_choices.h"

namespace gapscope {

struct Note {
    TimeRange range;   // empty: a moment
    std::string text;  // valid UTF-8; empty: a mark without words
    bool operator==(const Note&) const = default;
};

// What a trace keeps of them. Beyond, readers leave out or cut, and count; views take no more.
inline constexpr size_t kMostNotes = 10'000;
inline constexpr size_t kMostNoteBytes = 4096;
inline constexpr size_t kMostRowChoices = 100'000;  // rows and groups that an arrangement names
inline constexpr size_t kMostRowKeyBytes = 4096;

struct Annotations {
    std::vector<Note> notes;  // in the order in which they were made
    RowArrangement rows;
    bool operator==(const Annotations&) const = default;
    bool empty() const { return notes.empty() && rows.empty(); }
};

// One row or group that an arrangement names, and all it says of it: the form of files.
struct RowChoice {
    std::string key;
    bool hidden = false;
    bool folded = false;
    int pinnedPlace = -1;  // among the pinned, from the top; -1: not pinned
    int orderPlace = -1;   // among its siblings; -1: where it is by itself
    int laneHeight = 0;    // px; 0: as usual
    bool operator==(const RowChoice&) const = default;
};
// By key. A key that stands twice among the pinned or ordered counts once, where it stands first.
std::vector<RowChoice> choicesOf(const RowArrangement& rows);
// Places need not be dense; heights are brought within bounds.
RowArrangement arrangementOf(const std::vector<RowChoice>& choices);

}  // namespace gapscope
