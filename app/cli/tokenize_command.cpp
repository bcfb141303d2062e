#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "app/cli/trace_command.h"
#include "core/runner/model.h"
#include "core/runner/model_catalog.h"

namespace gapscope::cli {

namespace {

struct TokenizeOptions {
    std::string model;
    std::string text;
    std::string textFile;
    bool json = false;
};

Result<std::string> readText(const TokenizeOptions& options) {
    if (options.textFile.empty()) return options.text;
    std::error_code error;
    if (std::filesystem::is_directory(options.textFile, error))
        return fail(options.textFile + " is a folder, not a text file.");
    errno = 0;
    std::ifstream file(options.textFile, std::ios::binary);
    if (!file) {
        return fail(options.textFile + " cannot be read: " + std::strerror(errno) + ".",
                    errno == ENOENT ? ErrorKind::NotFound : ErrorKind::General);
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

Status tokenize(const TokenizeOptions& options) {
    ASSIGN_OR_RETURN(const std::string text, readText(options));
    const std::filesystem::path path =
        options.model.empty() ? defaultModel().path : std::filesystem::path(options.model);
    if (path.empty()) return fail("No model was found on this machine; name one with --model.", ErrorKind::NotFound);
    ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::load(path));
    if (!model->tokenizer()) return fail(path.string() + " has no tokenizer.model beside its weights.");
    ASSIGN_OR_RETURN(const std::vector<int32_t> ids, model->tokenizer()->encode(text));
    if (options.json) {
        JsonWriter json;
        json.beginObject().key("ids").beginArray();
        for (const int32_t id : ids)
            json.value(id);
        json.endArray().endObject();
        printJson(json);
        return {};
    }
    std::string line;
    for (const int32_t id : ids)
        line += (line.empty() ? "" : " ") + std::to_string(id);
    print(line + "\n");
    return {};
}

}  // namespace

void addTokenizeCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("tokenize", "Token ids of a text, without BOS");
    auto options = std::make_shared<TokenizeOptions>();
    command->add_option("--model", options->model,
                        "GGUF file or Hugging Face folder (default: the one run would take)");
    CLI::Option_group* input = command->add_option_group("input");
    input->add_option("--text", options->text, "the text");
    input->add_option("--text-file", options->textFile, "a file with the text, taken byte by byte");
    input->require_option(1);
    command->add_flag("--json", options->json, "one JSON object on stdout");
    command->callback([options, &outcome] { outcome.status = tokenize(*options); });
}

}  // namespace gapscope::cli
