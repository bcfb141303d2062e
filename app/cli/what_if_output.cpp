#include "app/cli/what_if_output.h"

#include <cmath>
#include <cstdio>

#include "app/cli/text_table.h"
#include "core/base/format.h"

namespace gapscope::cli {

void writeWhatIf(JsonWriter& json, const WhatIf& whatIf) {
    json.key("recordedTokens").beginObject().field("count", whatIf.tokenCount);
    json.field("nsPerToken", whatIf.recordedNsPerToken).field("medianNsPerToken", whatIf.recordedMedianNsPerToken);
    json.endObject().key("whatIf").beginArray();
    for (const Prediction& prediction : whatIf.predictions) {
        json.beginObject().field("name", prediction.name).field("title", prediction.title);
        json.field("description", prediction.description).field("mode", prediction.mode);
        json.field("unavailable", prediction.unavailable);
        json.field("predictedNs", prediction.predictedNs);
        json.field("predictedNsPerToken", prediction.predictedNsPerToken);
        json.field("predictedMedianNsPerToken", prediction.predictedMedianNsPerToken);
        json.field("predictedTokensPerSecond", prediction.predictedTokensPerSecond());
        json.field("factor", prediction.factor).field("confidence", prediction.confidence);
        json.key("assumptions").beginArray();
        for (const std::string& assumption : prediction.assumptions)
            json.value(assumption);
        json.endArray().key("batches").beginArray();
        for (const BatchForecast& batch : prediction.batches) {
            json.beginObject().field("sequences", batch.sequences).field("nsPerStep", batch.nsPerStep);
            json.field("medianNsPerStep", batch.medianNsPerStep).field("tokensPerSecond", batch.tokensPerSecond());
            json.field("tokensPerSecondEach", batch.tokensPerSecondEach());
            json.field("weightBytesPerToken", batch.weightBytesPerToken).endObject();
        }
        json.endArray().endObject();
    }
    json.endArray();
}

std::string whatIfText(const WhatIf& whatIf) {
    if (whatIf.predictions.empty()) return {};
    using Align = TextTable::Align;
    const bool perToken = whatIf.tokenCount > 0;
    TextTable table(
        {{"what if", Align::Left}, {perToken ? "a token" : "window"}, {"factor"}, {"confidence", Align::Left}});
    const auto time = [](double ns) { return formatDuration(std::llround(ns)); };
    table.add({"as recorded", time(perToken ? whatIf.recordedNsPerToken : static_cast<double>(whatIf.recordedNs))});
    std::string notes;
    for (const Prediction& prediction : whatIf.predictions) {
        if (!prediction.unavailable.empty()) {
            notes += prediction.title + ": not told. " + prediction.unavailable + "\n";
            continue;
        }
        char factor[32];
        std::snprintf(factor, sizeof factor, "%.2f", prediction.factor);
        table.add({prediction.title,
                   time(perToken ? prediction.predictedNsPerToken : static_cast<double>(prediction.predictedNs)),
                   factor, prediction.confidence});
        for (const BatchForecast& batch : prediction.batches)
            notes += batchSentence(batch) + "\n";
    }
    return "\n" + table.text() + (notes.empty() ? "" : "\n" + notes);
}

}  // namespace gapscope::cli
