// A safetensors file and an index of several, from untrusted bytes.
#include <cstring>
#include <span>
#include <string>

#include "core/runner/hf_tensors.h"
#include "core/runner/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

volatile unsigned sink;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    if (const auto file = gapscope::SafetensorsFile::parse(bytes, "input"))
        for (const auto& [name, tensor] : file->tensors())
            if (!tensor.data.empty())
                sink = sink + static_cast<unsigned>(tensor.data.front()) + static_cast<unsigned>(tensor.data.back());
    if (const auto parts = gapscope::safetensorsParts({reinterpret_cast<const char*>(data), size}, "index"))
        sink = sink + static_cast<unsigned>(parts->size());
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"model.norm.weight":{"dtype":"BF16","shape":[8],"data_offsets":[0,16]},)"
        R"("model.embed_tokens.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]}})";
    const uint64_t length = header.size();
    std::string file(sizeof length, '\0');
    std::memcpy(file.data(), &length, sizeof length);
    file += header;
    return {
        {file + std::string(32, 'x'), file.size()},
        {R"({"metadata":{"total_size":1},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"c.safetensors"}})"}};
}
