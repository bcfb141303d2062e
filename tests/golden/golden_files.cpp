#include "tests/golden/golden_files.h"

#include <simdjson.h>

namespace gapscope::test {

namespace {

// A golden that cannot be read is a broken checkout: simdjson's exception fails the test and says where.
template <class T>
std::vector<T> numbers(simdjson::dom::element array) {
    std::vector<T> values;
    for (const simdjson::dom::element value : array.get_array())
        values.push_back(static_cast<T>(value.get_double()));
    return values;
}

}  // namespace

GoldenPrompt readGoldenPrompt(const std::filesystem::path& path) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.load(path.string());
    GoldenPrompt golden;
    golden.text = std::string_view(root["text"]);
    golden.inputIds = numbers<int32_t>(root["input_ids"]);
    golden.greedyIds = numbers<int32_t>(root["greedy_ids"]);
    golden.greedyMargin = numbers<double>(root["greedy_margin"]);
    for (const simdjson::dom::element step : root["steps"].get_array())
        golden.steps.push_back(
            {numbers<int32_t>(step["ids"]), numbers<double>(step["logits"]), step["logsumexp"].get_double()});
    return golden;
}

GoldenTiny readGoldenTiny(const std::filesystem::path& path) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.load(path.string());
    GoldenTiny golden;
    golden.inputIds = numbers<int32_t>(root["input_ids"]);
    golden.lastLogits = numbers<double>(root["logits_last_prompt_position"]);
    golden.logits20 = numbers<double>(root["logits_position_20"]);
    golden.argmax = numbers<int32_t>(root["argmax_each_prompt_position"]);
    golden.greedyIds = numbers<int32_t>(root["greedy_ids"]);
    golden.greedyMargin = numbers<double>(root["greedy_margin"]);
    return golden;
}

std::vector<RunDevice> gpus() {
    std::vector<RunDevice> devices = runDevices();
    std::erase_if(devices, [](const RunDevice& device) { return device.id == "cpu"; });
    return devices;
}

}  // namespace gapscope::test
