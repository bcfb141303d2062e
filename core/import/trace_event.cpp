#include "core/import/trace_event.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/base/perfetto_format.h"

namespace gapscope {

namespace {

// Keys and categories are told apart by their first eight bytes in one comparison.
constexpr uint64_t packed(std::string_view text) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.size() && i < 8; ++i)
        value |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    return value;
}
uint64_t packedKey(std::string_view key) {
    // Eight bytes may be read past any token: the text is padded.
    uint64_t value;
    std::memcpy(&value, key.data(), sizeof value);
    return key.size() >= 8 ? value : value & ((uint64_t{1} << (8 * key.size())) - 1);
}

void readInteger(std::string_view text, int64_t& to) {
    if (const auto value = integerOf(text)) to = *value;
}

// A number; another kind of value is passed over.
bool numberValue(JsonCursor& cursor, int64_t& to) {
    const char c = cursor.next();
    if (c == '{' || c == '[') return cursor.skipValue();
    std::string_view text;
    if (!cursor.scalar(text)) return false;
    readInteger(text, to);
    return true;
}

// An id that may need all 64 bits.
bool unsignedValue(JsonCursor& cursor, uint64_t& to) {
    const char c = cursor.next();
    if (c == '{' || c == '[') return cursor.skipValue();
    std::string_view text;
    if (!cursor.scalar(text)) return false;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) to = value;
    return true;
}

// [x, y, z]
bool tripleValue(JsonCursor& cursor, std::array<int64_t, 3>& to) {
    if (cursor.next() != '[') return cursor.skipValue();
    cursor.skip();
    for (size_t i = 0;; ++i) {
        const char c = cursor.next();
        if (c == ']') break;
        if (c == '{' || c == '[') {
            if (!cursor.skipValue()) return false;
        } else {
            std::string_view text;
            if (!cursor.scalar(text)) return false;
            if (i < to.size()) readInteger(text, to[i]);
        }
        if (cursor.next() == ',') cursor.skip();
    }
    cursor.skip();
    return true;
}

// Walks an object that begins here; value(key) must consume the value.
template <class Value>
bool forEachMember(JsonCursor& cursor, Value value) {
    if (!cursor.expect('{')) return false;
    if (cursor.next() == '}') {
        cursor.skip();
        return true;
    }
    for (;;) {
        std::string_view key;
        if (cursor.next() != '"') return cursor.expect('"');  // never there: says what is wrong
        if (!cursor.string(key) || !cursor.expect(':')) return false;
        cursor.next();
        if (!value(key)) return false;
        const char c = cursor.next();
        if (c == ',') {
            cursor.skip();
            continue;
        }
        return cursor.expect('}');
    }
}

bool readArgs(JsonCursor& cursor, EventArgs& args) {
    if (cursor.next() != '{') return cursor.skipValue();
    return forEachMember(cursor, [&](std::string_view key) {
        switch (key.size()) {
            case 4:
                if (key == "grid") return tripleValue(cursor, args.grid);
                if (key == "name" && cursor.next() == '"') return cursor.string(args.name);
                break;
            case 5:
                if (key == "block") return tripleValue(cursor, args.block);
                if (key == "bytes") return numberValue(cursor, args.bytes);
                break;
            case 6:
                if (key == "device") return numberValue(cursor, args.device);
                if (key == "stream") return numberValue(cursor, args.stream);
                break;
            case 7:
                if (key == "context") return numberValue(cursor, args.context);
                break;
            case 8:
                // Copies between two devices tell both ends and the device that ran them.
                if (key == "inDevice") return numberValue(cursor, args.device);
                if (key == "category") args.areOurs = true;
                break;
            case 9:
                if (key == "inContext") return numberValue(cursor, args.context);
                break;
            case 11:
                if (key == "correlation") return numberValue(cursor, args.correlation);
                break;
            case 13:
                if (key == "shared memory") return numberValue(cursor, args.sharedBytes);
                if (key == "graph node id") return unsignedValue(cursor, args.graphNode);
                break;
            case 20:
                if (key == "registers per thread") return numberValue(cursor, args.registersPerThread);
                break;
            case 25:
                if (key == "est. achieved occupancy %") return numberValue(cursor, args.occupancyPercent);
                break;
            default:
                break;
        }
        return cursor.skipValue();
    });
}

bool usesArgs(const TraceEvent& event) {
    if (event.phase == 'M') return true;
    switch (event.kind) {
        case EventKind::Kernel:
        case EventKind::Copy:
        case EventKind::Set:
        case EventKind::Stage:
        case EventKind::RuntimeCall:
        case EventKind::DriverCall:
        case EventKind::Wait:
            return event.phase == 'X';
        default:
            return false;
    }
}

}  // namespace

EventKind eventKind(std::string_view category) {
    static constexpr std::pair<std::string_view, EventKind> kKinds[] = {
        {"cpu_op", EventKind::CpuOp},
        {"kernel", EventKind::Kernel},
        {"cuda_runtime", EventKind::RuntimeCall},
        {"cuda_driver", EventKind::DriverCall},
        {"python_function", EventKind::PythonFunction},
        {"gpu_memcpy", EventKind::Copy},
        {"gpu_memset", EventKind::Set},
        {"cuda_sync", EventKind::Wait},
        {perfetto::kStageCategory, EventKind::Stage},
        {"overhead", EventKind::Overhead},
        {"gpu_user_annotation", EventKind::GpuAnnotation},
        {"Trace", EventKind::ProfilerSpan},
        {"Operator", EventKind::CpuOp},
        {"Kernel", EventKind::Kernel},
        {"Runtime", EventKind::RuntimeCall},
        {"Memcpy", EventKind::Copy},
        {"Memset", EventKind::Set},
        {"xpu_runtime", EventKind::RuntimeCall},
        {"xpu_driver", EventKind::DriverCall},
        {"xpu_sync", EventKind::Wait},
        {"mtia_runtime", EventKind::RuntimeCall},
        {"glow_runtime", EventKind::RuntimeCall},
        {"privateuse1_runtime", EventKind::RuntimeCall},
        {"privateuse1_driver", EventKind::DriverCall},
    };
    for (const auto& [name, kind] : kKinds)
        if (name == category) return kind;
    return EventKind::Other;
}

bool readTraceEvent(JsonCursor& cursor, TraceEvent& event) {
    event = {};
    const char* argsBegin = nullptr;
    std::string_view text;
    // A value of the wrong kind (an object for a name) is passed over as if it were not there.
    const auto scalarInto = [&](std::string_view& to) {
        const char c = cursor.next();
        return c == '{' || c == '[' ? cursor.skipValue() : cursor.scalar(to);
    };
    const auto timeInto = [&](int64_t& to, bool& has) {
        text = {};
        if (!scalarInto(text)) return false;
        const auto ns = nanosecondsOf(text);
        has = ns.has_value();
        to = ns.value_or(0);
        return true;
    };
    const auto keepText = [&](const char* begin) {
        event.argsText = {begin, static_cast<size_t>(cursor.at() - begin)};
    };
    const bool whole = forEachMember(cursor, [&](std::string_view key) {
        switch (packedKey(key)) {
            case packed("ph"):
                text = {};
                if (!scalarInto(text)) return false;
                event.phase = text.size() == 1 ? text[0] : '?';
                return true;
            case packed("cat"):
                if (!scalarInto(event.category)) return false;
                event.kind = eventKind(event.category);
                return true;
            case packed("name"):
                return scalarInto(event.name);
            case packed("pid"):
                return scalarInto(event.process);
            case packed("tid"):
                return scalarInto(event.thread);
            case packed("ts"):
                return timeInto(event.timeNs, event.hasTime);
            case packed("dur"):
                return timeInto(event.durationNs, event.hasDuration);
            case packed("id"):
                return scalarInto(event.id);
            case packed("s"):
                return scalarInto(event.scope);
            case packed("args"):
                // Most events need none of them, and most writers say what an event is before its arguments.
                if (usesArgs(event)) {
                    const char* const begin = cursor.at();
                    if (!readArgs(cursor, event.args)) return false;
                    if (event.args.areOurs) keepText(begin);
                    return true;
                }
                argsBegin = cursor.at();
                if (!cursor.skipValue()) return false;
                keepText(argsBegin);
                return true;
            default:
                return cursor.skipValue();
        }
    });
    if (!whole) return false;
    if (argsBegin && usesArgs(event)) {
        const char* const after = cursor.at();
        cursor.moveTo(argsBegin);
        if (!readArgs(cursor, event.args)) return false;
        cursor.moveTo(after);
    }
    return true;
}

void forEachScalar(std::string_view argsText,
                   const std::function<void(std::string_view key, std::string_view text)>& use) {
    if (!argsText.starts_with('{')) return;
    JsonCursor cursor(argsText);
    (void)forEachMember(cursor, [&](std::string_view key) {
        const char c = cursor.next();
        if (c == '{' || c == '[') return cursor.skipValue();
        std::string_view text;
        if (!cursor.scalar(text)) return false;
        use(key, text);
        return true;
    });
}

void forEachNumber(std::string_view argsText, const std::function<void(std::string_view key, double value)>& use) {
    forEachScalar(argsText, [&](std::string_view key, std::string_view text) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) use(key, value);
    });
}

}  // namespace gapscope
