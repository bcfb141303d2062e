// Reading of safetensors headers. Layout: u64 length of the header, the header as JSON ({"name": {"dtype", "shape",
// "data_offsets": [begin, end]}, "__metadata__": {...}}), then the data that the offsets count from.
#include "core/runner/safetensors.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace gapscope {

namespace {

// note: 27B has about 1250 tensors in 200 kB of header; the parser takes some fifteen times this for a while.
constexpr uint64_t kLongestHeader = 16 << 20;
constexpr size_t kMostDimensions = 8;

uint64_t elementBytes(std::string_view type) {
    if (type == "F64" || type == "I64" || type == "U64") return 8;
    if (type == "F32" || type == "I32" || type == "U32") return 4;
    if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
    if (type == "BOOL" || type == "U8" || type == "I8" || type.starts_with("F8_")) return 1;
    return 0;  // unknown: only its place can be checked
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes, std::string name) {
    SafetensorsFile file;
    file.m_name = std::move(name);
    const auto bad = [&](const std::string& what) { return fail(file.m_name + ": " + what + ".", ErrorKind::BadFile); };
    const auto badTensor = [&](std::string_view tensor, const std::string& what) {
        return bad("the tensor " + std::string(tensor.substr(0, 80)) + " " + what);
    };

    uint64_t headerBytes = 0;
    if (bytes.size() < sizeof headerBytes) return bad("the file is too short to be safetensors");
    std::memcpy(&headerBytes, bytes.data(), sizeof headerBytes);
    if (headerBytes > kLongestHeader || headerBytes > bytes.size() - sizeof headerBytes)
        return bad("the header's length of " + std::to_string(headerBytes) +
                   " bytes is impossible: this is no safetensors file or the download is not complete");
    const auto header = bytes.subspan(sizeof headerBytes, headerBytes);
    const auto data = bytes.subspan(sizeof headerBytes + headerBytes);

    simdjson::dom::parser parser;
    simdjson::dom::object root;
    const auto error = parser.parse(reinterpret_cast<const char*>(header.data()), header.size()).get_object().get(root);
    if (error) return bad(std::string("the header is not a JSON object (") + simdjson::error_message(error) + ")");
    for (const auto [key, value] : root) {
        if (key == "__metadata__") continue;
        SafetensorsEntry entry;
        std::string_view type;
        simdjson::dom::array shape, offsets;
        uint64_t begin = 0, end = 0;
        if (value["dtype"].get_string().get(type) || value["shape"].get_array().get(shape) ||
            value["data_offsets"].get_array().get(offsets) || offsets.size() != 2 ||
            offsets.at(0).get_uint64().get(begin) || offsets.at(1).get_uint64().get(end))
            return badTensor(key, "is not described as safetensors asks for");
        if (begin > end || end > data.size())
            return badTensor(key, "reaches past the end of the file: is the download complete?");
        if (shape.size() > kMostDimensions) return badTensor(key, "has too many dimensions");
        entry.type = type.substr(0, 16);
        entry.data = data.subspan(begin, end - begin);
        uint64_t expected = elementBytes(type);
        for (const auto extent : shape) {
            uint64_t count = 0;
            if (extent.get_uint64().get(count) || count > uint64_t{1} << 40)
                return badTensor(key, "has an impossible shape");
            entry.shape.push_back(static_cast<int64_t>(count));
            // An extent of zero makes any product zero; otherwise the product may not pass what is there.
            if (count != 0 && expected > entry.data.size() / count)
                expected = entry.data.size() + 1;
            else
                expected *= count;
        }
        if (elementBytes(type) != 0 && expected != entry.data.size())
            return badTensor(key, "has a shape that does not fit its " + std::to_string(entry.data.size()) + " bytes");
        if (!file.m_tensors.emplace(std::string(key), std::move(entry)).second) return badTensor(key, "appears twice");
    }
    // Each byte belongs to one tensor: copies of tensors then never take more memory than the file has bytes.
    std::vector<const std::pair<const std::string, SafetensorsEntry>*> order;
    for (const auto& tensor : file.m_tensors)
        if (!tensor.second.data.empty()) order.push_back(&tensor);
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return a->second.data.data() < b->second.data.data(); });
    for (size_t index = 1; index < order.size(); ++index)
        if (order[index]->second.data.data() - order[index - 1]->second.data.data() <
            static_cast<std::ptrdiff_t>(order[index - 1]->second.data.size()))
            return badTensor(order[index]->first, "lies over another one");
    return file;
}

const SafetensorsEntry* SafetensorsFile::tensor(const std::string& name) const {
    const auto found = m_tensors.find(name);
    return found == m_tensors.end() ? nullptr : &found->second;
}

}  // namespace gapscope
