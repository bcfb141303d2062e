// A GGUF from untrusted bytes: header, configuration, every tensor's place, vocabulary.
#include <span>

#include "core/runner/gguf.h"
#include "core/runner/model.h"
#include "core/runner/model_loader.h"
#include "tests/core/runner/gguf_builder.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

// Reads both ends of a matrix: a view that reaches outside its file is a finding.
unsigned touch(const gapscope::MatrixView& matrix) {
    return static_cast<unsigned>(matrix.data[0]) + static_cast<unsigned>(matrix.data[matrix.bytes() - 1]);
}

volatile unsigned sink;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
    if (const auto head = gapscope::GgufFile::parse(bytes, "head", gapscope::GgufExtent::BeforeVocabulary))
        sink = sink + static_cast<unsigned>(head->tensorCount());
    const auto file = gapscope::GgufFile::parse(bytes, "input");
    if (!file) return 0;
    const gapscope::Model::Progress none;
    const auto model = gapscope::ModelLoader(none, {}).fromGguf(*file);
    if (!model) return 0;
    sink = sink + touch((*model)->embedding()) + touch((*model)->head());
    for (const gapscope::LayerWeights& layer : (*model)->layers())
        sink = sink + touch(layer.q) + touch(layer.k) + touch(layer.v) + touch(layer.output) + touch(layer.gate) +
               touch(layer.up) + touch(layer.down);
    if (const gapscope::Tokenizer* const tokenizer = (*model)->tokenizer()) {
        gapscope::StreamingDetokenizer stream(*tokenizer);
        if (const auto ids = tokenizer->encode("the  band\n\n\xC3\xA9"))
            for (const int32_t id : *ids)
                sink = sink + static_cast<unsigned>(stream.push(id).size());
    }
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    GgufBuilder file = tinyGemma();
    const std::string full = file.build();
    // Without the vocabulary most changes hit the numbers and tensors instead of pieces.
    for (const char* const key : {"tokens", "scores", "token_type"})
        file.remove(std::string("tokenizer.ggml.") + key);
    file.set("gemma3.attention.sliding_window_pattern", GgufInts{{1, 0}});
    file.set("gemma3.rope.scaling.type", GgufText{"linear"});
    file.set("gemma3.rope.scaling.factor", 8.0F);
    const std::string bare = file.build();
    const size_t data = [&] {  // the same in both: all that follows the tensor descriptions
        size_t bytes = 0;
        for (const GgufTensorSpec& tensor : file.tensors)
            bytes += (tensor.bytes.size() + 31) / 32 * 32;
        return bytes;
    }();
    return {{full, full.size() - data}, {bare, bare.size() - data}};
}
