#include "core/import/own_chrome.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "core/import/json_cursor.h"
#include "core/import/row_checks.h"
#include "core/import/trace_event.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

namespace dom = simdjson::dom;

void readInto(std::string_view text, int64_t& to) {
    if (const auto value = integerOf(text)) to = *value;
}

// Members of an object by name; absent ones and those of another kind are the default.
int64_t integerIn(const dom::object& object, std::string_view key) {
    int64_t value = 0;
    return object[key].get(value) ? 0 : value;
}
double realIn(const dom::object& object, std::string_view key) {
    double value = 0;
    return object[key].get(value) ? 0 : value;
}
std::string textIn(const dom::object& object, std::string_view key) {
    std::string_view value;
    return object[key].get(value) ? std::string() : std::string(value);
}
uint32_t numberIn(const dom::object& object, std::string_view key) {
    return static_cast<uint32_t>(std::clamp<int64_t>(integerIn(object, key), 0, UINT32_MAX));
}
// A number of the file as the events' text tells it.
std::string placeIn(const dom::object& object, std::string_view key) {
    return std::to_string(integerIn(object, key));
}

template <class Use>
void forEachObject(const dom::object& head, std::string_view key, size_t most, Use use) {
    dom::array list;
    if (head[key].get(list)) return;
    size_t count = 0;
    for (const dom::element element : list) {
        dom::object object;
        if (element.get(object)) continue;
        if (++count > most) return;
        use(object);
    }
}

DeviceKind kindOf(std::string_view name) {
    if (name == "cpu") return DeviceKind::Cpu;
    return name == "cuda" ? DeviceKind::Cuda : DeviceKind::Other;
}

Severity severityOf(std::string_view name) {
    for (const Severity severity : {Severity::Info, Severity::DataLoss})
        if (name == severityName(severity)) return severity;
    return Severity::Error;
}

template <class Field>
void readField(const dom::object& object, std::string_view name, Field& field) {
    if constexpr (std::is_same_v<Field, std::string>) {
        field = textIn(object, name);
    } else if constexpr (std::is_same_v<Field, bool>) {
        bool value = false;
        field = !object[name].get(value) && value;
    } else if constexpr (std::is_floating_point_v<Field>) {
        field = realIn(object, name);
    } else if constexpr (std::is_unsigned_v<Field>) {
        uint64_t value = 0;
        field = object[name].get(value) ? 0 : static_cast<Field>(value);
    } else {
        field = integerIn(object, name);
    }
}

RunInfo runOf(const dom::object& object) {
    RunInfo run;
    forEachRunField(run, [&](std::string_view name, auto& field) { readField(object, name, field); });
    dom::array tokens;
    if (!object["promptTokens"].get(tokens)) {
        for (const dom::element token : tokens) {
            int64_t id = 0;
            if (!token.get(id)) run.promptTokens.push_back(static_cast<int32_t>(id));
        }
    }
    forEachObject(object, "repeatTimes", SIZE_MAX, [&](const dom::object& repeat) {
        run.repeatTimes.push_back({.prefillNs = integerIn(repeat, "prefillNs"),
                                   .timeToFirstTokenNs = integerIn(repeat, "timeToFirstTokenNs"),
                                   .decodeNs = integerIn(repeat, "decodeNs"),
                                   .newTokens = integerIn(repeat, "newTokens")});
    });
    return run;
}

}  // namespace

OwnOpArgs readOwnOpArgs(std::string_view argsText) {
    OwnOpArgs args;
    forEachScalar(argsText, [&](std::string_view key, std::string_view text) {
        if (key == "category") args.category = text;
        if (key == "full name") args.fullName = text;
        if (key == "recorded name") args.recordedName = text;
        if (key == "op") args.op = text;
        if (key == "shapes") args.shapes = text;
        if (key == "dtype") args.dtype = text;
        if (key == "layer") readInto(text, args.layer);
        if (key == "bytes moved") readInto(text, args.bytesMoved);
        if (key == "flops") readInto(text, args.flops);
        if (key == "token") readInto(text, args.token);
        if (key == "repeat") readInto(text, args.repeat);
        if (key == "static shared memory") readInto(text, args.staticSharedBytes);
        if (key == "whole graph") args.isGraphLaunch = text == "true";
        if (key == "registers per thread") args.hasConfig = true;
    });
    return args;
}

OwnTokenArgs readOwnTokenArgs(std::string_view argsText) {
    OwnTokenArgs args;
    forEachScalar(argsText, [&](std::string_view key, std::string_view text) {
        if (key == "index") readInto(text, args.index);
        if (key == "id") readInto(text, args.id);
        if (key == "repeat") readInto(text, args.repeat);
        if (key == "drafted") readInto(text, args.drafted);
        if (key == "accepted") readInto(text, args.accepted);
        if (key == "place") readInto(text, args.place);
        if (key == "sequence") readInto(text, args.sequence);
        if (key == "text") args.text = text;
    });
    return args;
}

std::optional<std::pair<CounterUnit, double>> readOwnSample(std::string_view argsText) {
    std::optional<std::pair<CounterUnit, double>> sample;
    int count = 0;
    forEachNumber(argsText, [&](std::string_view key, double value) {
        ++count;
        const auto unit = std::ranges::find(kCounterUnitNames, key);
        if (unit != kCounterUnitNames.end())
            sample.emplace(static_cast<CounterUnit>(unit - kCounterUnitNames.begin()), value);
    });
    return count == 1 ? sample : std::nullopt;
}

std::optional<OwnHead> readOwnHead(std::string_view text) {
    dom::parser parser;
    dom::object object;
    if (parser.parse(text.data(), text.size()).get(object)) return std::nullopt;
    OwnHead head{.zeroNs = integerIn(object, "zeroNs")};
    const auto clock = [&](std::string_view key) {
        const int64_t ns = integerIn(object, key);
        return ns > 0 && ns < kFarthestNs ? ns : 0;
    };
    head.origin = {.steadyNs = clock("steadyNs"), .utcEpochNs = clock("utcEpochNs")};
    dom::array processes;
    // Earlier versions wrote no places: what they told can be read as any other file is.
    if (object["processes"].get(processes) || head.zeroNs <= -kFarthestNs || head.zeroNs > 0) return std::nullopt;
    forEachObject(object, "processes", kMostThreads, [&](const dom::object& process) {
        head.globalPids[placeIn(process, "pid")] =
            uint64_t{numberIn(process, "machine") & 0xFFFF} << 48 | makeGlobalTid(numberIn(process, "number"), 0);
    });
    const auto globalPidIn = [&](const dom::object& place, std::string_view key) {
        const auto it = head.globalPids.find(placeIn(place, key));
        return it == head.globalPids.end() ? makeGlobalTid(numberIn(place, key), 0) : it->second;
    };
    forEachObject(object, "threads", kMostThreads, [&](const dom::object& thread) {
        head.threads.emplace_back(globalPidIn(thread, "pid") | (numberIn(thread, "tid") & 0xFFFFFF),
                                  textIn(thread, "name"));
    });
    forEachObject(object, "streams", SIZE_MAX, [&](const dom::object& stream) {
        head.tracks[{placeIn(stream, "pid"), placeIn(stream, "tid")}] = {.globalPid = globalPidIn(stream, "process"),
                                                                         .deviceId = numberIn(stream, "device"),
                                                                         .contextId = numberIn(stream, "context"),
                                                                         .streamId = numberIn(stream, "stream")};
    });
    forEachObject(object, "devicePids", SIZE_MAX, [&](const dom::object& device) {
        head.deviceIds[placeIn(device, "pid")] = numberIn(device, "device");
    });
    forEachObject(object, "devices", kMostDevices, [&](const dom::object& device) {
        head.devices.push_back({.id = numberIn(device, "id"),
                                .kind = kindOf(textIn(device, "kind")),
                                .name = textIn(device, "name"),
                                .totalMemoryBytes = integerIn(device, "totalMemoryBytes"),
                                .peakBytesPerSecond = realIn(device, "peakBytesPerSecond"),
                                .peakFlopsPerSecond = realIn(device, "peakFlopsPerSecond")});
    });
    dom::object run;
    if (!object["run"].get(run)) head.run = runOf(run);
    forEachObject(object, "diagnostics", kMostDiagnostics, [&](const dom::object& entry) {
        head.diagnostics.push_back({.name = textIn(entry, "name"),
                                    .severity = severityOf(textIn(entry, "severity")),
                                    .count = integerIn(entry, "count"),
                                    .text = textIn(entry, "text")});
    });
    forEachObject(object, "notes", SIZE_MAX, [&](const dom::object& note) {
        ++head.noteCount;
        head.annotations.addNote(integerIn(note, "startNs"), integerIn(note, "endNs"), textIn(note, "text"));
    });
    return head;
}

}  // namespace gapscope
