#include "tests/bench/simdjson_walk.h"

#include <simdjson.h>

#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/import/event_text.h"

namespace gapscope::bench {

namespace {

namespace ondemand = simdjson::ondemand;

struct Columns {
    std::vector<double> ts, dur;
    std::vector<uint64_t> name, category;
    std::vector<int64_t> pid, tid, correlation, stream;
};

// What is no number counts as 0: "pid" of some events is a text.
template <class T>
T orZero(simdjson::simdjson_result<T> result) {
    T value{};
    return std::move(result).get(value) ? T{} : value;
}

// The events of one block, which is made an array of its own. False: simdjson refuses it.
bool walkBlock(ondemand::parser& parser, std::string& block, Columns& columns) {
    const size_t length = block.size();
    block.append(simdjson::SIMDJSON_PADDING, ' ');
    ondemand::document document;
    if (parser.iterate(block.data(), length, block.size()).get(document)) return false;
    ondemand::array events;
    if (document.get_array().get(events)) return false;
    for (auto entry : events) {
        ondemand::object event;
        if (entry.get_object().get(event)) return false;
        double ts = 0, dur = 0;
        uint64_t name = 0, category = 0;
        int64_t pid = 0, tid = 0, correlation = 0, stream = 0;
        bool isComplete = false;
        for (auto field : event) {
            ondemand::raw_json_string key;
            if (field.key().get(key)) return false;
            ondemand::value value;
            if (field.value().get(value)) return false;
            std::string_view text;
            if (key == "ph") {
                isComplete = !value.get_string().get(text) && text == "X";
            } else if (key == "cat") {
                if (!value.get_string().get(text)) category = std::hash<std::string_view>()(text);
            } else if (key == "name") {
                if (!value.get_string().get(text)) name = std::hash<std::string_view>()(text);
            } else if (key == "ts") {
                ts = orZero(value.get_double());
            } else if (key == "dur") {
                dur = orZero(value.get_double());
            } else if (key == "pid") {
                pid = orZero(value.get_int64());
            } else if (key == "tid") {
                tid = orZero(value.get_int64());
            } else if (key == "args") {
                ondemand::object args;
                if (value.get_object().get(args)) continue;
                for (auto argument : args) {
                    ondemand::raw_json_string argumentKey;
                    if (argument.key().get(argumentKey)) return false;
                    if (argumentKey == "correlation") correlation = orZero(argument.value().get_int64());
                    if (argumentKey == "stream") stream = orZero(argument.value().get_int64());
                }
            }
        }
        if (!isComplete) continue;
        columns.ts.push_back(ts);
        columns.dur.push_back(dur);
        columns.name.push_back(name);
        columns.category.push_back(category);
        columns.pid.push_back(pid);
        columns.tid.push_back(tid);
        columns.correlation.push_back(correlation);
        columns.stream.push_back(stream);
    }
    return true;
}

// simdjson wants nothing behind the array: the place behind the last bracket that closes a list of objects.
size_t endOfEvents(const std::string& block) {
    for (size_t at = block.rfind(']'); at != std::string::npos && at > 0; at = block.rfind(']', at - 1)) {
        const size_t before = block.find_last_not_of(" \t\r\n", at - 1);
        if (before != std::string::npos && block[before] == '}') return at + 1;
    }
    return block.size();
}

}  // namespace

bool canWalk() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("pclmul");
}

int64_t walkWithSimdjson(const std::filesystem::path& path) {
    constexpr size_t kBlock = size_t{64} << 20;
    std::ifstream file(path, std::ios::binary);
    ondemand::parser parser;
    Columns columns;
    std::string block, rest;
    bool isFirst = true;
    for (;;) {
        block = isFirst ? "" : "[" + rest;
        const size_t before = block.size();
        block.resize(before + kBlock);
        file.read(block.data() + before, kBlock);
        const auto got = static_cast<size_t>(file.gcount());
        block.resize(before + got);
        const bool isLast = got < kBlock;
        if (isFirst) {
            const size_t list = block.find("\"traceEvents\"");
            block.erase(0, list == std::string::npos ? 0 : block.find('[', list));
        }
        isFirst = false;
        if (isLast) {
            block.resize(endOfEvents(block));
        } else {
            const size_t cut = lastEventStart(block);
            if (cut == std::string_view::npos) return -1;
            rest = block.substr(cut);
            block.resize(block.rfind(',', cut));
            block += ']';
        }
        if (!walkBlock(parser, block, columns)) return -1;
        if (isLast) return static_cast<int64_t>(columns.ts.size());
    }
}

}  // namespace gapscope::bench
