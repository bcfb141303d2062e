// Puts a Model together from either kind of file. Inside the runner only; others call Model::load.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/base/result.h"
#include "core/runner/gguf.h"
#include "core/runner/mapped_file.h"
#include "core/runner/model.h"
#include "core/runner/tensor_source.h"

namespace gapscope {

class ModelLoader {
public:
    ModelLoader(const Model::Progress& progress, std::stop_token stop)
        : m_progress(progress), m_stop(std::move(stop)) {}

    Result<std::shared_ptr<const Model>> loadGguf(const std::filesystem::path& path);
    Result<std::shared_ptr<const Model>> loadFolder(const std::filesystem::path& path);

    // The part of loadGguf after the file is mapped: what fuzzing feeds with bytes of its own, which must outlive the
    // model.
    Result<std::shared_ptr<Model>> fromGguf(const GgufFile& file);

private:
    Status assemble(Model& model, const TensorSource& source, const std::string& file);
    Status assembleLayer(Model& model, const TensorSource& source, int64_t layer);
    Status assembleQueryKeyValue(Model& model, const TensorSource& source, int64_t layer);
    Result<MatrixView> matrix(Model& model, const TensorSource& source, TensorRole role, int64_t layer, int64_t rows,
                              int64_t columns);
    Result<std::vector<float>> norm(const TensorSource& source, TensorRole role, int64_t layer, int64_t length);
    Status step(const std::string& phase, double share) const;

    const Model::Progress& m_progress;
    std::stop_token m_stop;
};

}  // namespace gapscope
