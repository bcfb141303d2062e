// Loading: the configuration first, then every tensor it calls for, checked for shape before anything uses it.
#include "core/runner/model_loader.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/runner/gguf_model.h"
#include "core/runner/hf_config.h"
#include "core/runner/hf_tensors.h"

namespace gapscope {

namespace {

float halfToFloat(uint16_t half) {
    const uint32_t sign = (half & 0x8000U) << 16;
    const uint32_t exponent = half >> 10 & 0x1F;
    const uint32_t fraction = half & 0x3FF;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
        const float value = std::ldexp(static_cast<float>(fraction), -24);
        return sign ? -value : value;
    }
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | fraction << 13);
    return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

// Norms are small and read often, so they become floats once, at load.
Result<std::vector<float>> asFloats(const TensorView& view) {
    const auto count = static_cast<size_t>(view.shape[0]);
    std::vector<float> values(count);
    if (view.type == WeightType::F32) {
        std::memcpy(values.data(), view.data.data(), count * sizeof(float));
    } else if (view.type == WeightType::F16 || view.type == WeightType::BF16) {
        for (size_t index = 0; index < count; ++index) {
            uint16_t bits;
            std::memcpy(&bits, view.data.data() + index * sizeof bits, sizeof bits);
            values[index] = view.type == WeightType::F16 ? halfToFloat(bits)
                                                         : std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
        }
    } else {
        return fail(view.name + " is a quantised norm, which no Gemma 3 has.", ErrorKind::BadFile);
    }
    for (const float value : values)
        if (!std::isfinite(value)) return fail(view.name + " holds values that are not finite.", ErrorKind::BadFile);
    return values;
}

std::string shapeText(const std::vector<int64_t>& shape) {
    std::string text;
    for (const int64_t extent : shape)
        text += (text.empty() ? "" : " x ") + std::to_string(extent);
    return text;
}

Status requireShape(const TensorView& view, const std::vector<int64_t>& shape) {
    if (view.shape == shape) return {};
    return fail(view.name + " has the shape " + shapeText(view.shape) + "; the configuration asks for " +
                    shapeText(shape) + ".",
                ErrorKind::BadFile);
}

// The type that most bytes of the matrices are stored in, for files that do not name their quantisation.
std::string majorityType(const Model& model) {
    std::array<int64_t, 256> bytes{};
    const auto count = [&](const MatrixView& matrix) { bytes[static_cast<size_t>(matrix.type)] += matrix.bytes(); };
    count(model.embedding());
    for (const LayerWeights& layer : model.layers())
        for (const MatrixView* const matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            count(*matrix);
    WeightType best = WeightType::F32;
    for (const WeightType type : kWeightTypes)
        if (bytes[static_cast<size_t>(type)] > bytes[static_cast<size_t>(best)]) best = type;
    return std::string(weightTypeInfo(best).name);
}

}  // namespace

Status ModelLoader::step(const std::string& phase, double share) const {
    if (m_stop.stop_requested()) return fail("Loading was cancelled.", ErrorKind::Cancelled);
    if (m_progress) m_progress(phase, share);
    return {};
}

Result<MatrixView> ModelLoader::matrix(Model& model, const TensorSource& source, TensorRole role, int64_t layer,
                                       int64_t rows, int64_t columns) {
    ASSIGN_OR_RETURN(const auto found, source.find(role, layer));
    if (!found) return fail("The tensor " + source.nameOf(role, layer) + " is missing.", ErrorKind::BadFile);
    RETURN_IF_ERROR(requireShape(*found, {rows, columns}));
    MatrixView view{found->type, rows, columns, found->data.data()};
    // Kernels load elements (or the half-precision scale of a block) directly: those must lie at even addresses.
    const size_t unit = view.type == WeightType::F32 ? sizeof(float) : sizeof(uint16_t);
    if (std::bit_cast<uintptr_t>(view.data) % unit != 0) {
        model.m_alignedCopies.push_back(std::make_unique_for_overwrite<std::byte[]>(found->data.size()));
        std::memcpy(model.m_alignedCopies.back().get(), found->data.data(), found->data.size());
        view.data = model.m_alignedCopies.back().get();
    }
    return view;
}

Result<std::vector<float>> ModelLoader::norm(const TensorSource& source, TensorRole role, int64_t layer,
                                             int64_t length) {
    ASSIGN_OR_RETURN(const auto found, source.find(role, layer));
    if (!found) return fail("The tensor " + source.nameOf(role, layer) + " is missing.", ErrorKind::BadFile);
    RETURN_IF_ERROR(requireShape(*found, {length}));
    ASSIGN_OR_RETURN(std::vector<float> values, asFloats(*found));
    for (float& value : values)
        value += static_cast<float>(source.addedToNorms());
    return values;
}

Status ModelLoader::assembleQueryKeyValue(Model& model, const TensorSource& source, int64_t layer) {
    const ModelConfig& config = model.m_config;
    LayerWeights& weights = model.m_layers[static_cast<size_t>(layer)];
    const int64_t queryRows = config.heads * config.headDim;
    const int64_t keyRows = config.kvHeads * config.headDim;
    ASSIGN_OR_RETURN(const auto fused, source.find(TensorRole::FusedQueryKeyValue, layer));
    if (fused) {  // some converters stack the three; their rows are whole, so views into it do
        ASSIGN_OR_RETURN(const MatrixView stacked, matrix(model, source, TensorRole::FusedQueryKeyValue, layer,
                                                          queryRows + 2 * keyRows, config.hidden));
        weights.q = {stacked.type, queryRows, config.hidden, stacked.data};
        weights.k = {stacked.type, keyRows, config.hidden, stacked.row(queryRows)};
        weights.v = {stacked.type, keyRows, config.hidden, stacked.row(queryRows + keyRows)};
        return {};
    }
    ASSIGN_OR_RETURN(weights.q, matrix(model, source, TensorRole::Query, layer, queryRows, config.hidden));
    ASSIGN_OR_RETURN(weights.k, matrix(model, source, TensorRole::Key, layer, keyRows, config.hidden));
    ASSIGN_OR_RETURN(weights.v, matrix(model, source, TensorRole::Value, layer, keyRows, config.hidden));
    return {};
}

Status ModelLoader::assembleLayer(Model& model, const TensorSource& source, int64_t layer) {
    const ModelConfig& config = model.m_config;
    LayerWeights& weights = model.m_layers[static_cast<size_t>(layer)];
    const int64_t hidden = config.hidden;
    RETURN_IF_ERROR(assembleQueryKeyValue(model, source, layer));
    ASSIGN_OR_RETURN(weights.output,
                     matrix(model, source, TensorRole::AttentionOutput, layer, hidden, config.heads * config.headDim));
    ASSIGN_OR_RETURN(weights.gate, matrix(model, source, TensorRole::Gate, layer, config.feedForward, hidden));
    ASSIGN_OR_RETURN(weights.up, matrix(model, source, TensorRole::Up, layer, config.feedForward, hidden));
    ASSIGN_OR_RETURN(weights.down, matrix(model, source, TensorRole::Down, layer, hidden, config.feedForward));
    ASSIGN_OR_RETURN(weights.inputNorm, norm(source, TensorRole::InputNorm, layer, hidden));
    ASSIGN_OR_RETURN(weights.postAttentionNorm, norm(source, TensorRole::PostAttentionNorm, layer, hidden));
    ASSIGN_OR_RETURN(weights.preFeedForwardNorm, norm(source, TensorRole::PreFeedForwardNorm, layer, hidden));
    ASSIGN_OR_RETURN(weights.postFeedForwardNorm, norm(source, TensorRole::PostFeedForwardNorm, layer, hidden));
    ASSIGN_OR_RETURN(weights.queryNorm, norm(source, TensorRole::QueryNorm, layer, config.headDim));
    ASSIGN_OR_RETURN(weights.keyNorm, norm(source, TensorRole::KeyNorm, layer, config.headDim));
    return {};
}

Status ModelLoader::assemble(Model& model, const TensorSource& source, const std::string& file) {
    const ModelConfig& config = model.m_config;
    const auto named = [&](Status status) -> Status {  // "The tensor x is missing." wants the file before it
        if (status || status.error().message.starts_with(file)) return status;
        return fail(file + ": " + status.error().message, status.error().kind);
    };
    const auto ends = [&]() -> Status {
        ASSIGN_OR_RETURN(model.m_embedding,
                         matrix(model, source, TensorRole::Embedding, 0, config.vocabulary, config.hidden));
        model.m_head = model.m_embedding;
        ASSIGN_OR_RETURN(const auto head, source.find(TensorRole::Head, 0));
        if (head) {
            ASSIGN_OR_RETURN(model.m_head,
                             matrix(model, source, TensorRole::Head, 0, config.vocabulary, config.hidden));
        }
        ASSIGN_OR_RETURN(model.m_outputNorm, norm(source, TensorRole::OutputNorm, 0, config.hidden));
        return {};
    };
    RETURN_IF_ERROR(named(ends()));
    model.m_layers.resize(static_cast<size_t>(config.layers));
    for (int64_t layer = 0; layer < config.layers; ++layer) {
        RETURN_IF_ERROR(step("Reading weights", static_cast<double>(layer) / static_cast<double>(config.layers)));
        RETURN_IF_ERROR(named(assembleLayer(model, source, layer)));
    }
    return {};
}

Result<std::shared_ptr<Model>> ModelLoader::fromGguf(const GgufFile& file) {
    const std::shared_ptr<Model> model(new Model);
    ASSIGN_OR_RETURN(model->m_config, ggufModelConfig(file));
    RETURN_IF_ERROR(assemble(*model, GgufTensorSource(file), file.name()));
    model->m_isRandom = ggufIsRandom(file);
    model->m_quantization = ggufQuantizationName(file);
    if (model->m_quantization.empty()) model->m_quantization = majorityType(*model);
    RETURN_IF_ERROR(step("Reading the vocabulary", 0));
    ASSIGN_OR_RETURN(const GgufVocabulary vocabulary, ggufVocabulary(file));
    if (vocabulary.pieces.empty()) return model;
    if (static_cast<int64_t>(vocabulary.pieces.size()) > model->m_config.vocabulary)
        return fail(file.name() + ": the vocabulary has " + std::to_string(vocabulary.pieces.size()) +
                        " pieces, but the embedding only " + std::to_string(model->m_config.vocabulary) + " rows.",
                    ErrorKind::BadFile);
    auto tokenizer = Tokenizer::fromGguf(vocabulary);
    if (!tokenizer) return fail(file.name() + ": " + tokenizer.error().message, tokenizer.error().kind);
    model->m_tokenizer = std::move(*tokenizer);
    return model;
}

Result<std::shared_ptr<const Model>> ModelLoader::loadGguf(const std::filesystem::path& path) {
    RETURN_IF_ERROR(step("Opening the model", 0));
    ASSIGN_OR_RETURN(const auto mapped, MappedFile::open(path));
    ASSIGN_OR_RETURN(const GgufFile file, GgufFile::parse(mapped->bytes(), path.string()));
    ASSIGN_OR_RETURN(const std::shared_ptr<Model> model, fromGguf(file));
    if (model->m_config.name.empty()) model->m_config.name = path.stem().string();
    model->m_files.push_back(mapped);
    model->m_path = path;
    RETURN_IF_ERROR(step("Reading the vocabulary", 1));
    return model;
}

Result<std::shared_ptr<const Model>> ModelLoader::loadFolder(const std::filesystem::path& path) {
    RETURN_IF_ERROR(step("Opening the model", 0));
    const std::shared_ptr<Model> model(new Model);
    ASSIGN_OR_RETURN(HfConfig config, readHfConfig(path));
    model->m_config = std::move(config.model);
    ASSIGN_OR_RETURN(const HfTensors tensors, HfTensors::open(path, config.head));
    RETURN_IF_ERROR(assemble(*model, tensors, path.string()));
    model->m_files = tensors.files();
    model->m_quantization = majorityType(*model);
    RETURN_IF_ERROR(step("Reading the vocabulary", 0));
    const std::filesystem::path vocabulary = path / "tokenizer.model";
    std::error_code error;
    if (std::filesystem::exists(vocabulary, error)) {
        ASSIGN_OR_RETURN(model->m_tokenizer, Tokenizer::fromModelFile(vocabulary));
        if (model->m_tokenizer->vocabularySize() > model->m_config.vocabulary)
            return fail(vocabulary.string() + " has " + std::to_string(model->m_tokenizer->vocabularySize()) +
                            " pieces, but the embedding only " + std::to_string(model->m_config.vocabulary) + " rows.",
                        ErrorKind::BadFile);
    }
    model->m_path = path;
    RETURN_IF_ERROR(step("Reading the vocabulary", 1));
    return model;
}

Result<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& path, const Progress& progress,
                                                 std::stop_token stop) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found)
        return fail("There is no model at " + path.string() + ".", ErrorKind::NotFound);
    ModelLoader loader(progress, std::move(stop));
    if (std::filesystem::is_directory(status)) return loader.loadFolder(path);
    return loader.loadGguf(path);
}

}  // namespace gapscope
