// The steps of LLM.int8() as kernels, for eager mode and prefills; decode steps of other modes have them inside their
// products.
#include <algorithm>
#include <variant>

#include "core/runner/cuda_backend.h"
#include "kernels/cuda/llm_int8.h"

namespace gapscope {

template <class T>
T* CudaBackend::bufferAs(Buffer buffer) const {
    return reinterpret_cast<T*>(m_buffers[static_cast<size_t>(buffer)]);
}

cuda::OutlierColumns CudaBackend::outlierColumns() const {
    // Numbers first, for their alignment.
    auto* const numbers = bufferAs<int32_t>(Buffer::OutlierColumns);
    const int64_t most = widestInput(m_config);
    return {reinterpret_cast<uint8_t*>(numbers + most + 1), numbers, numbers + most};
}

int64_t CudaBackend::int8BufferBytes(Buffer buffer) const {
    const int64_t rows = m_chunkTokens;
    const int64_t inputs = widestInput(m_config);
    const int64_t outputs = std::max({m_config.heads * m_config.headDim, m_config.hidden, m_config.feedForward});
    constexpr auto kHalfBytes = static_cast<int64_t>(sizeof(cuda::Half));
    constexpr auto kIntBytes = static_cast<int64_t>(sizeof(int32_t));
    switch (buffer) {
        case Buffer::HalfInput:
        case Buffer::HalfAbsolute:
        case Buffer::OutlierValues:
            return rows * inputs * kHalfBytes;
        case Buffer::OutlierMask:
            return rows * inputs;
        case Buffer::OutlierFlag:
            return kIntBytes;
        case Buffer::OutlierColumns:
            return (inputs + 1) * kIntBytes + inputs;
        case Buffer::OutlierWeights:
            return m_mode == Mode::Eager ? m_config.hidden * std::max(m_config.feedForward, outputs) * kHalfBytes : 0;
        case Buffer::Int8Input:
            return rows * cuda::paddedInt8Columns(inputs);
        case Buffer::Int8Absmax:
            return rows * static_cast<int64_t>(sizeof(float));
        case Buffer::Int8Products:
            return rows * outputs * kIntBytes;
        case Buffer::HalfOutput:
            return rows * outputs * kHalfBytes;
        default:
            return 0;
    }
}

cudaError_t CudaBackend::enqueueInt8(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const int tokens = static_cast<int>(op.tokens);
    const int columns = static_cast<int>(op.columns);
    const int64_t count = op.tokens * op.columns;
    auto* const half = bufferAs<cuda::Half>(Buffer::HalfInput);
    auto* const result = bufferAs<cuda::Half>(Buffer::HalfOutput);
    const cuda::OutlierColumns outliers = outlierColumns();
    const auto matrix = [&] { return std::get<cuda::Int8Matrix>(m_weights.matrix(op.matrices[0])); };
    const cuda::DequantizeProducts products{bufferAs<int32_t>(Buffer::Int8Products),
                                            bufferAs<float>(Buffer::Int8Absmax), tokens};
    switch (op.kind) {
        case OpKind::CastHalf:
            return cuda::castToHalf(halves(op.in[0], op.columns), half, count, launch);
        case OpKind::AbsoluteHalf:
            return cuda::absolute(half, bufferAs<cuda::Half>(Buffer::HalfAbsolute), count, launch);
        case OpKind::MarkOutliers:
            return cuda::markOutliers(bufferAs<cuda::Half>(Buffer::HalfAbsolute),
                                      bufferAs<uint8_t>(Buffer::OutlierMask), count, launch);
        case OpKind::AnyOutlier:
            return cuda::anyMarked(bufferAs<uint8_t>(Buffer::OutlierMask), count,
                                   bufferAs<int32_t>(Buffer::OutlierFlag), launch);
        case OpKind::ReadOutlierFlag: {
            // The host has to know before it can launch on, as with PyTorch's `if outliers.any()`.
            const cudaError_t error = cudaMemcpyAsync(m_outlierFlag, bufferAs<int32_t>(Buffer::OutlierFlag),
                                                      sizeof(int32_t), cudaMemcpyDeviceToHost, launch.stream);
            return error == cudaSuccess ? cudaStreamSynchronize(launch.stream) : error;
        }
        case OpKind::FindOutliers:
            return eager ? cuda::findOutlierColumns(half, tokens, columns, outliers, launch)
                         : cuda::findOutlierColumns(halves(op.in[0]), tokens, columns, outliers, launch);
        case OpKind::ListOutliers:
            return cuda::listOutlierColumns(columns, outliers, launch);
        case OpKind::QuantizeInt8: {
            cuda::QuantizeRows args;
            args.rows = tokens;
            args.columns = columns;
            args.out = bufferAs<int8_t>(Buffer::Int8Input);
            args.stride = static_cast<int>(cuda::paddedInt8Columns(columns));
            args.absmax = bufferAs<float>(Buffer::Int8Absmax);
            // Of one row its outliers are 0 anyway.
            if (tokens > 1 && (!eager || *m_outlierFlag != 0)) args.zeroColumns = outliers.flags;
            return eager ? cuda::quantizeRows(half, args, launch) : cuda::quantizeRows(halves(op.in[0]), args, launch);
        }
        case OpKind::MatmulInt8: {
            const cuda::Int8Matrix weights = matrix();
            const auto* const x = bufferAs<int8_t>(Buffer::Int8Input);
            auto* const out = bufferAs<int32_t>(Buffer::Int8Products);
            if (tokens > 1 && m_cublas && m_cublas->matmul(weights, x, tokens, out, m_workspace, launch.stream))
                return cudaSuccess;
            return cuda::matmulInt8(weights, x, tokens, out, launch);
        }
        case OpKind::DequantizeHalf:
            return cuda::dequantizeProducts(matrix(), products, result, launch);
        case OpKind::DequantizeFloat:
            return cuda::dequantizeAddOutliers(matrix(), products, halves(op.in[1]), outliers, floats(op.out[0]),
                                               launch);
        case OpKind::GatherOutliers:
            return cuda::gatherOutliers(half, tokens, columns, outliers, bufferAs<cuda::Half>(Buffer::OutlierValues),
                                        launch);
        case OpKind::DequantizeOutlierWeights:
            return cuda::dequantizeColumns(matrix(), outliers, bufferAs<cuda::Half>(Buffer::OutlierWeights), launch);
        case OpKind::AddOutliers:
            return cuda::addOutlierProducts(bufferAs<cuda::Half>(Buffer::OutlierValues),
                                            bufferAs<cuda::Half>(Buffer::OutlierWeights), tokens, matrix().rows,
                                            outliers, result, launch);
        case OpKind::CastHalfToBf16:
            return cuda::castToBf16(result, halves(op.out[0], op.columns), count, launch);
        default:
            return cudaErrorNotSupported;
    }
}

}  // namespace gapscope
