// What the eager and the fused plan of the CUDA backend share. Internal to those plans.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/runner/cuda_formats.h"
#include "core/runner/plan.h"

namespace gapscope {

inline constexpr int64_t kFloatBytes = 4;
inline constexpr int64_t kBf16Bytes = 2;

class CudaPlan {
public:
    CudaPlan(const Model& model, const PlanRequest& request)
        : m_model(model), m_config(model.config()), m_formats(model, request.precision) {
        m_plan.request = request;
    }

    Plan eager();
    Plan fusedDecode();
    Plan fusedPrefill();
    Plan checkDrafts();  // fused; in plan_cuda_check.cpp

private:
    // The head works for the last token only, or for all whose drafts it checks.
    bool checks() const { return m_plan.request.checksDrafts; }
    int64_t rows() const { return m_oneRow || (m_head && !checks()) ? 1 : m_plan.request.tokens; }
    Operand lastRow(Buffer buffer) const { return {buffer, m_plan.request.tokens - rows()}; }
    int64_t queries() const { return m_config.heads * m_config.headDim; }
    bool isLast(int32_t layer) const { return layer + 1 == m_config.layers; }
    void enter(int32_t layer) {
        m_layer = layer;
        m_global = layer >= 0 && m_config.isGlobal[static_cast<size_t>(layer)];
    }

    PlanOp& add(OpKind kind, Category category, std::string kernelName, std::string opName);
    // [rows, heads * columns] in and out; `bytes` an element of all of them together.
    PlanOp& small(OpKind kind, Category category, const char* kernelName, std::string opName, int64_t heads,
                  int64_t columns, int64_t bytes, std::initializer_list<Operand> in,
                  std::initializer_list<Operand> out);
    // By a kernel whose name ends in the matrices' format.
    PlanOp& product(OpKind kind, const std::string& kernelName, std::string opName, Operand in,
                    std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                    int64_t outBytes);
    void embedding(double scale, int64_t outBytes);
    void ropeTable();  // of all the step's positions, for both thetas
    PlanOp& attention(OpKind kind, const char* kernelName);
    void chooseToken();
    void partialArgmax();
    // In place of the products of `head`, the op added last, all but the bits that bounds need are left out, and a
    // second op takes the rows that may win.
    void boundHead(PlanOp& head);
    // A product of a few tokens that gives each the bits that it has alone.
    PlanOp& rowsProduct(std::string opName, Buffer in, std::initializer_list<const MatrixView*> matrices,
                        std::initializer_list<Buffer> out, int64_t outBytes);

    void eagerNorm(const std::string& name, Operand in, Buffer out, int64_t heads, int64_t columns,
                   const std::vector<float>& weights);
    void eagerRope(const std::string& name, Buffer x, int64_t heads);

    // In plan_cuda_linear.cpp: one linear layer, whatever its format. Inputs bf16; of a prefill of several tokens or,
    // in eager mode, of any number.
    void eagerLinear(Buffer in, const MatrixView& matrix, Buffer out, const std::string& name);
    void eagerLinearInt8(Buffer in, const MatrixView& matrix, Buffer out, const std::string& name);
    void eagerInt8Steps(Operand in, const MatrixView& matrix, Operand out, const std::string& name);
    void prefillLinear(Buffer in, std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                       std::initializer_list<std::string_view> names);
    void prefillQkv(const LayerWeights& weights);
    void quantizeInput(Buffer in, int64_t columns, const std::string& name);
    void findOutliers(Buffer in, int64_t columns, const std::string& name);
    // One product; the outputs of several matrices stand beside each other in each row of `out`.
    void gemmBf16(Buffer in, std::initializer_list<const MatrixView*> matrices, Buffer out, const std::string& name,
                  int64_t outBytes);
    PlanOp& gemmInt8(const MatrixView& matrix, const std::string& name);
    void eagerResidual(const std::string& name, const std::vector<float>& weights);

    const Model& m_model;
    const ModelConfig& m_config;
    const CudaFormats m_formats;
    Plan m_plan;
    int32_t m_layer = -1;
    bool m_global = false;
    bool m_head = false;
    bool m_oneRow = false;  // what comes is of one row, whatever the request
};

}  // namespace gapscope
