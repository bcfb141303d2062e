// Walks the text of a Chrome trace: what stands before, between and after its events. Text that is broken is left out,
// from the value or event in which it was noticed to the next place where an event begins. Internal to the import room.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>

#include "core/import/event_block.h"

namespace gapscope {

// Where in the document a piece of text begins or ends.
struct TextPlace {
    enum class Where : uint8_t {
        Start,
        Members,  // between the members of the outer object, before or after its events
        Events,   // between events
        Lost,     // in broken text: until an event begins
        Done,     // after the document
    } where = Where::Start;
    bool isBareArray = false;  // events without an object around them; its end may be missing by the format
    bool sawEvents = false;    // the list of events has begun
    char before = '\0';        // Lost: what stands before this place (a line's end, or what is not white space)
    bool operator==(const TextPlace&) const = default;
};

// What could not be read, in bytes of the unpacked text.
struct TextDamage {
    int64_t count = 0;  // places
    int64_t lostBytes = 0;
    uint64_t firstOffset = 0;
    int64_t controlCount = 0;  // stray control characters, tolerated
    uint64_t firstControl = 0;
    bool isCut = false;  // the last place is where the document stops in the middle

    void addPlace(uint64_t offset);
    void addControls(int64_t count, uint64_t offset);
    void add(const TextDamage& later);
};

struct TextPiece {
    std::string_view text;  // kJsonPadding readable zero bytes follow
    uint64_t offset = 0;    // in the document
    enum class More : uint8_t { Follows, Ends, TooLong } more = More::Follows;  // what an unfinished value means
    std::stop_token stop;  // asked where reading goes back, which broken text can make it do often
};

// Reads `piece`, which begins at `place`, and leaves there where it ended. Returns how much of the text was read: an
// unfinished value or event at the end is not, if more follows.
size_t readEventText(const TextPiece& piece, TextPlace& place, EventBlock& block, TextDamage& damage);

// The last place in the text, not its beginning, where an event seems to begin; npos: none. A guess: text that only
// looks so inside an event's arguments is told from the rest by reading what comes before.
size_t lastEventStart(std::string_view text);

}  // namespace gapscope
