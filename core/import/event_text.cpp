#include "core/import/event_text.h"

#include <algorithm>

namespace gapscope {

namespace {

constexpr size_t kLostTail = 256;  // kept while nothing is found, in case a beginning is cut in two

bool isSpace(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// What stands before `at`: a line's end, or the last character that is not white space; `otherwise`: the text begins.
char significantBefore(std::string_view text, size_t at, char otherwise) {
    for (; at > 0; --at)
        if (!isSpace(text[at - 1]) || text[at - 1] == '\n') return text[at - 1];
    return otherwise;
}

// Whether an object with a key that events have begins at `at`, after a comma or bracket or on a line of its own (after
// a log line).
bool seemsToStartEvent(std::string_view text, size_t at, char beforeText) {
    const char before = significantBefore(text, at, beforeText);
    if (before != ',' && before != '[' && before != '}' && before != '\n') return false;
    size_t begin = at + 1;
    while (begin < text.size() && isSpace(text[begin]))
        ++begin;
    if (begin >= text.size() || text[begin] != '"') return false;
    for (const std::string_view known : {"\"ph\"", "\"name\"", "\"cat\"", "\"pid\"", "\"tid\"", "\"ts\"", "\"args\"",
                                         "\"dur\"", "\"id\"", "\"bp\"", "\"s\""})
        if (text.substr(begin, known.size()) == known) return true;
    return false;
}

size_t nextEventStart(std::string_view text, size_t from, char beforeText) {
    for (;;) {
        from = text.find('{', from);
        if (from == std::string_view::npos || seemsToStartEvent(text, from, beforeText)) return from;
        ++from;
    }
}

bool readDevice(JsonCursor& cursor, BlockDevice& device) {
    if (cursor.next() != '{') return cursor.skipValue();
    cursor.skip();
    for (;;) {
        const char c = cursor.next();
        if (c == ',') {
            cursor.skip();
            continue;
        }
        if (c == '}') return cursor.expect('}');
        std::string_view key, value;
        if (c != '"') return cursor.expect('"');
        if (!cursor.string(key) || !cursor.expect(':')) return false;
        const char first = cursor.next();
        if (first == '{' || first == '[') {
            if (!cursor.skipValue()) return false;
            continue;
        }
        if (!cursor.scalar(value)) return false;
        if (key == "id") device.id = integerOf(value).value_or(0);
        if (key == "name") device.name = value;
        if (key == "totalGlobalMem") device.memoryBytes = integerOf(value).value_or(0);
    }
}

bool readDevices(JsonCursor& cursor, EventBlock& block) {
    if (cursor.next() != '[') return cursor.skipValue();
    cursor.skip();
    for (;;) {
        const char c = cursor.next();
        if (c == ',') {
            cursor.skip();
            continue;
        }
        if (c == ']') return cursor.expect(']');
        BlockDevice device;
        if (!readDevice(cursor, device)) return false;
        block.devices.push_back(device);
    }
}

class TextReader {
public:
    TextReader(const TextPiece& piece, TextPlace& place, EventBlock& block, TextDamage& damage)
        : m_piece(piece), m_cursor(piece.text), m_place(place), m_block(block), m_damage(damage) {}

    size_t read() {
        for (;;) {
            const Step step = readUnit();
            if (step != Step::Failed) {
                countControls();
                if (step == Step::End) return m_consumed;
                continue;
            }
            const bool isIncomplete = m_cursor.problem() == JsonProblem::Incomplete;
            if (isIncomplete && m_piece.more == TextPiece::More::Follows) return m_begin;
            if (m_piece.stop.stop_requested()) return m_piece.text.size();
            // Reading starts again right behind the beginning: a quote too many may have turned everything around.
            m_damage.addPlace(m_piece.offset + std::min(m_cursor.offset(), m_piece.text.size()));
            m_damage.isCut = isIncomplete && m_piece.more == TextPiece::More::Ends;
            ++m_damage.lostBytes;
            m_cursor.moveTo(m_piece.text.data() + m_begin + 1);
            m_cursor.forgetControls();
            m_place.where = TextPlace::Where::Lost;
        }
    }

private:
    enum class Step { Went, End, Failed };

    Step readUnit() {
        switch (m_place.where) {
            case TextPlace::Where::Start:
                return readStart();
            case TextPlace::Where::Members:
                return readMember();
            case TextPlace::Where::Events:
                return readEvent();
            case TextPlace::Where::Lost:
                return findEvent();
            case TextPlace::Where::Done:
                return readAfter();
        }
        return Step::End;
    }

    Step end() {
        m_consumed = m_piece.text.size();
        return Step::End;
    }
    char next() {
        const char c = m_cursor.next();
        m_begin = m_cursor.offset();
        countControls();  // those of an unfinished value are counted when it is read again
        return c;
    }
    void countControls() {
        m_damage.addControls(m_cursor.controlCount(), m_piece.offset + m_cursor.firstControl());
        m_cursor.forgetControls();
    }
    bool atEnd() const { return m_cursor.at() >= m_cursor.end(); }
    Step went(bool whole) { return whole ? Step::Went : Step::Failed; }
    Step damaged() {
        m_cursor.problem(JsonProblem::Damaged);
        return Step::Failed;
    }

    Step readStart() {
        if (m_piece.offset == 0 && m_piece.text.starts_with("\xEF\xBB\xBF") && m_cursor.offset() == 0)
            m_cursor.moveTo(m_piece.text.data() + 3);
        const char c = next();
        if (atEnd()) return end();
        m_place.isBareArray = c == '[';
        m_place.sawEvents = m_place.isBareArray;
        if (c != '{' && c != '[') return damaged();
        m_cursor.skip();
        m_place.where = m_place.isBareArray ? TextPlace::Where::Events : TextPlace::Where::Members;
        return Step::Went;
    }

    Step readMember() {
        const char c = next();
        if (atEnd()) return end();
        if (c == ',') {
            m_cursor.skip();
            return Step::Went;
        }
        if (c == '}') {
            m_cursor.skip();
            m_place.where = TextPlace::Where::Done;
            return Step::Went;
        }
        std::string_view key;
        if (c != '"') return damaged();
        if (!m_cursor.string(key) || !m_cursor.expect(':')) return Step::Failed;
        const char first = m_cursor.next();
        if (key == "traceEvents" && first == '[') {
            m_cursor.skip();
            m_place.where = TextPlace::Where::Events;
            m_place.sawEvents = true;
            return Step::Went;
        }
        if (key == "deviceProperties" || key == "computeProperties") {
            const size_t before = m_block.devices.size();
            const bool whole = readDevices(m_cursor, m_block);
            if (!whole) m_block.devices.resize(before);  // read again as a whole, or not at all
            return went(whole);
        }
        if (key == "baseTimeNanoseconds" && first != '{' && first != '[') {
            std::string_view value;
            if (!m_cursor.scalar(value)) return Step::Failed;
            m_block.baseTimeNs = integerOf(value);
            return Step::Went;
        }
        if (key == "gapscope" && first == '{') {
            const char* const begin = m_cursor.at();
            if (!m_cursor.skipValue()) return Step::Failed;
            m_block.ownHead = {begin, static_cast<size_t>(m_cursor.at() - begin)};
            return Step::Went;
        }
        return went(m_cursor.skipValue());
    }

    Step readEvent() {
        const char c = next();
        if (c == '{') {
            if (!readTraceEvent(m_cursor, m_event)) return Step::Failed;
            m_block.add(m_event);
            return Step::Went;
        }
        if (atEnd()) return end();
        if (c == ',') {
            m_cursor.skip();
            return Step::Went;
        }
        if (c != ']') return damaged();
        m_cursor.skip();
        m_place.where = m_place.isBareArray ? TextPlace::Where::Done : TextPlace::Where::Members;
        return Step::Went;
    }

    Step findEvent() {
        const size_t from = m_cursor.offset();
        const size_t found = nextEventStart(m_piece.text, from, m_place.before);
        if (found != std::string_view::npos) {
            m_damage.lostBytes += static_cast<int64_t>(found - from);
            m_cursor.moveTo(m_piece.text.data() + found);
            m_place.where = TextPlace::Where::Events;
            m_place.sawEvents = true;
            m_damage.isCut = false;
            return Step::Went;
        }
        size_t stop = m_piece.text.size();
        if (m_piece.more == TextPiece::More::Follows) stop -= std::min(stop - from, kLostTail);
        m_damage.lostBytes += static_cast<int64_t>(stop - from);
        m_place.before = significantBefore(m_piece.text, stop, m_place.before);
        m_consumed = stop;
        return Step::End;
    }

    Step readAfter() {
        next();
        return atEnd() ? end() : damaged();
    }

    const TextPiece& m_piece;
    JsonCursor m_cursor;
    TextPlace& m_place;
    EventBlock& m_block;
    TextDamage& m_damage;
    TraceEvent m_event;
    size_t m_begin = 0;     // of the value or event that is being read
    size_t m_consumed = 0;  // of a text that was read to its end
};

}  // namespace

void TextDamage::addPlace(uint64_t offset) {
    if (count++ == 0) firstOffset = offset;
}

void TextDamage::addControls(int64_t more, uint64_t offset) {
    if (more == 0) return;
    if (controlCount == 0) firstControl = offset;
    controlCount += more;
}

void TextDamage::add(const TextDamage& later) {
    if (count == 0) firstOffset = later.firstOffset;
    count += later.count;
    lostBytes += later.lostBytes;
    isCut = later.isCut;
    addControls(later.controlCount, later.firstControl);
}

size_t readEventText(const TextPiece& piece, TextPlace& place, EventBlock& block, TextDamage& damage) {
    return TextReader(piece, place, block, damage).read();
}

size_t lastEventStart(std::string_view text) {
    size_t at = text.size();
    while (at > 0) {
        at = text.rfind('{', at - 1);
        if (at == std::string_view::npos || at == 0) break;
        if (seemsToStartEvent(text, at, '\0')) return at;
    }
    return std::string_view::npos;
}

}  // namespace gapscope
