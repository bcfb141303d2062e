// config.json, generation_config.json and tokenizer_config.json from untrusted bytes.
#include <string_view>

#include "core/runner/hf_config.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

volatile size_t sink;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto config = gapscope::parseHfConfig(text, "config.json"))
        sink = sink + config->model.isGlobal.size() + config->model.endTokens.size();
    if (const auto ends = gapscope::endTokensOf(text, "generation_config.json")) sink = sink + ends->size();
    if (const auto chat = gapscope::chatTemplateOf(text, "tokenizer_config.json")) sink = sink + chat->size();
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    return {
        {R"({"model_type":"gemma3_text","head_dim":32,"hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,)"
         R"("layer_types":["sliding_attention","full_attention"],"num_attention_heads":4,"num_key_value_heads":2,)"
         R"("rope_parameters":{"full_attention":{"rope_theta":1e6,"rope_type":"linear","factor":8},)"
         R"("sliding_attention":{"rope_theta":10000.0,"rope_type":"default"}},"sliding_window":16,"vocab_size":512,)"
         R"("eos_token_id":[1,106],"bos_token_id":2,"query_pre_attn_scalar":24,"rms_norm_eps":1e-06})"},
        {R"({"model_type":"gemma3","text_config":{"num_hidden_layers":34,"rope_scaling":{"factor":8.0,)"
         R"("rope_type":"linear"},"sliding_window_pattern":6},"eos_token_id":1,"tie_word_embeddings":false})"},
        {R"({"chat_template":[{"name":"tool","template":"a"},{"name":"default","template":"{{ x }}"}]})"}};
}
