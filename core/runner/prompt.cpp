#include "core/runner/prompt.h"

#include <algorithm>
#include <utility>

namespace gapscope {

namespace {

constexpr std::string_view kWhitespace = " \t\r\n\v\f";

std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(kWhitespace);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kWhitespace) - begin + 1);
}

Status checkIds(const std::vector<int32_t>& ids, int64_t vocabulary, const char* what) {
    for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] < 0 || ids[i] >= vocabulary)
            return fail(std::string(what) + " id " + std::to_string(ids[i]) + " at index " + std::to_string(i) +
                            " is not in the model's vocabulary of " + std::to_string(vocabulary) + ".",
                        ErrorKind::WrongUse);
    }
    return {};
}

}  // namespace

std::string gemmaTurn(std::string_view userText) {
    std::string text = "<start_of_turn>user\n";
    text += trimmed(userText);
    text += "<end_of_turn>\n<start_of_turn>model\n";
    return text;
}

Result<Prompt> makePrompt(const Model& model, const GenerateSettings& settings) {
    const ModelConfig& config = model.config();
    RETURN_IF_ERROR(checkIds(settings.forceIds, config.vocabulary, "Forced token"));
    if (!settings.promptIds.empty()) {
        RETURN_IF_ERROR(checkIds(settings.promptIds, config.vocabulary, "Prompt token"));
        return Prompt{settings.promptIds, false};
    }
    if (model.tokenizer() == nullptr)
        return fail("The model has no tokenizer.model, so it can only run token ids, not a text prompt.",
                    ErrorKind::WrongUse);
    const bool chat = settings.chat.value_or(!config.chatTemplate.empty());
    if (chat ? trimmed(settings.prompt).empty() : settings.prompt.empty())
        return fail("The prompt is empty; give the model some text to go on from.", ErrorKind::WrongUse);

    Prompt prompt{{}, chat};
    std::string_view text = settings.prompt;
    std::string turn;
    if (chat) {
        turn = gemmaTurn(text);
        text = turn;
    }
    // A template's text may open with BOS spelt out; the id is added below, and twice is worse than once.
    constexpr std::string_view kBos = "<bos>";
    if (config.addBos && text.starts_with(kBos)) text.remove_prefix(kBos.size());
    ASSIGN_OR_RETURN(std::vector<int32_t> ids, model.tokenizer()->encode(text));
    RETURN_IF_ERROR(checkIds(ids, config.vocabulary, "Tokenizer"));
    if (config.addBos) prompt.ids.push_back(config.bosToken);
    prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
    if (prompt.ids.empty()) return fail("The prompt holds no token.", ErrorKind::WrongUse);
    return prompt;
}

Result<std::vector<Prompt>> makePrompts(const Model& model, const GenerateSettings& settings) {
    std::vector<Prompt> prompts;
    GenerateSettings one = settings;
    one.prompts.clear();
    for (size_t i = 0; i < std::max<size_t>(settings.prompts.size(), 1); ++i) {
        if (!settings.prompts.empty()) one.prompt = settings.prompts[i];
        ASSIGN_OR_RETURN(Prompt prompt, makePrompt(model, one));
        prompts.push_back(std::move(prompt));
    }
    return prompts;
}

}  // namespace gapscope
