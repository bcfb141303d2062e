#include <memory>

#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/base/format.h"
#include "core/base/utf8.h"
#include "core/runner/model_catalog.h"

namespace gapscope::cli {

namespace {

void listModels(bool asJson) {
    const std::vector<FoundModel> models = findModels();
    if (asJson) {
        JsonWriter json;
        json.beginObject().key("models").beginArray();
        for (const FoundModel& model : models) {
            json.beginObject().field("name", toValidUtf8(model.name)).field("path", toValidUtf8(model.path.string()));
            json.field("format", model.format).field("source", model.source).field("bytes", model.bytes);
            json.field("isRandom", model.isRandom).endObject();
        }
        json.endArray().endObject();
        printJson(json);
        return;
    }
    if (models.empty()) {
        print("No Gemma 3 model found. Put a .gguf file or a Hugging Face folder into " + cacheModelFolder().string() +
              ", or set $GAPSCOPE_MODELS.\n");
        return;
    }
    using Align = TextTable::Align;
    TextTable table(
        {{"name", Align::Left}, {"size"}, {"format", Align::Left}, {"found in", Align::Left}, {"path", Align::Left}});
    for (const FoundModel& model : models) {
        table.add({model.name + (model.isRandom ? " (random weights)" : ""),
                   formatBytes(static_cast<double>(model.bytes)), model.format, model.source, model.path.string()});
    }
    print(table.text());
}

}  // namespace

void addModelsCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("models", "Gemma 3 models found on this machine");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "one JSON object on stdout");
    command->callback([json, &outcome] {
        listModels(*json);
        outcome.status = {};
    });
}

}  // namespace gapscope::cli
