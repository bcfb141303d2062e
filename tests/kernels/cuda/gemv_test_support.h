// What the tests of the GEMVs share: the product in double, and a norm's input with what it comes to.
#pragma once

#include <cmath>
#include <vector>

#include "cuda_test_support.h"
#include "kernels/cpu/cpu_ops.h"
#include "kernels/cuda/attention.h"
#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

inline const CpuOps& oracle() {
    return cpuOps(Isa::Scalar);
}

inline std::vector<float> multiply(const std::vector<float>& matrix, int rows, int columns, const std::vector<float>& x,
                                   int tokens = 1) {
    std::vector<float> out(static_cast<size_t>(rows) * static_cast<size_t>(tokens));
    for (int token = 0; token < tokens; ++token)
        for (int row = 0; row < rows; ++row) {
            double sum = 0;
            for (int k = 0; k < columns; ++k)
                sum += static_cast<double>(
                           matrix[static_cast<size_t>(row) * static_cast<size_t>(columns) + static_cast<size_t>(k)]) *
                       static_cast<double>(x[static_cast<size_t>(token * columns + k)]);
            out[static_cast<size_t>(token * rows + row)] = static_cast<float>(sum);
        }
    return out;
}

inline std::vector<float> roundedToBf16(std::vector<float> values) {
    for (float& value : values)
        value = bfloat16ToFloat(floatToBfloat16(value));
    return values;
}

// x, y and weights of a norm on the device, and what they come to.
struct NormCase {
    explicit NormCase(int columns, bool withY)
        : x(randomNumbers(static_cast<size_t>(columns), 1, 3)),
          y(randomNumbers(static_cast<size_t>(columns), 2, 2)),
          post(randomNumbers(static_cast<size_t>(columns), 3)),
          next(randomNumbers(static_cast<size_t>(columns), 4)),
          stream(x),
          normed(x.size()),
          deviceX(x),
          deviceY(y),
          devicePost(post),
          deviceNext(next),
          deviceOut(x.size()),
          hasY(withY) {
        if (withY) {
            std::vector<float> work = y;
            gapscope::AddRmsNormArgs args;
            args.y = work.data();
            args.x = stream.data();
            args.yStride = args.xStride = args.columns = args.outStride = columns;
            args.rows = 1;
            args.postWeights = post.data();
            args.nextWeights = next.data();
            args.out = normed.data();
            oracle().addRmsNorm(args, {});
        } else {
            gapscope::RmsNormArgs args;
            args.x = x.data();
            args.xStride = args.columns = args.outStride = columns;
            args.rows = 1;
            args.weights = next.data();
            args.out = normed.data();
            oracle().rmsNorm(args, {});
        }
    }
    NormInput input() const {
        NormInput result{deviceX.get(), nullptr, nullptr, deviceNext.get(), nullptr, 1e-6F};
        if (!hasY) return result;
        result.y = deviceY.get();
        result.postWeights = devicePost.get();
        result.xOut = deviceOut.get();
        return result;
    }

    std::vector<float> x, y, post, next, stream, normed;
    DeviceArray<float> deviceX, deviceY, devicePost, deviceNext, deviceOut;
    bool hasY;
};

// A sum of `columns` products of numbers around 1, of which one side was rounded to bf16 twice, differently.
inline float sumTolerance(int columns) {
    return 0.02F * std::sqrt(static_cast<float>(columns));
}

// The parts of a decode step's attention, one of them without keys, and what they join to.
struct CombineCase {
    CombineCase(int headCount, int headSize, int splitCount)
        : heads(headCount), headDim(headSize), splits(splitCount), partials(made()) {}

    template <class Matrix>
    GemvCombineArgsOf<Matrix> args(const Matrix& matrix, float* out) const {
        return {matrix, partials.get(), heads, headDim, splits, out};
    }

    int heads, headDim, splits;
    std::vector<float> joined;
    DeviceArray<float> partials;

private:
    std::vector<float> made() {
        std::vector<float> values =
            randomNumbers(static_cast<size_t>(attentionPartialFloats(1, heads, headDim, splits)), 60);
        const auto statisticsAt = static_cast<size_t>(attentionStatisticsAt(1, heads, headDim, splits));
        for (int head = 0; head < heads; ++head) {
            double total = 0;
            std::vector<double> sums(static_cast<size_t>(headDim), 0);
            for (int split = 0; split < splits; ++split) {
                const auto part = static_cast<size_t>(head * splits + split);
                float* const statistic = values.data() + statisticsAt + 2 * part;
                statistic[0] = static_cast<float>(split % 3) - 1;
                statistic[1] = split == 1 ? 0.0F : 2.0F + static_cast<float>(split);
                if (statistic[1] == 0) continue;
                const double weight = std::exp(static_cast<double>(statistic[0]));
                total += weight * static_cast<double>(statistic[1]);
                for (int i = 0; i < headDim; ++i)
                    sums[static_cast<size_t>(i)] +=
                        weight *
                        static_cast<double>(values[part * static_cast<size_t>(headDim) + static_cast<size_t>(i)]);
            }
            for (const double sum : sums)
                joined.push_back(static_cast<float>(sum / total));
        }
        return values;
    }
};

}  // namespace gapscope::cuda
