// Random inputs and comparisons shared by the kernel tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/dequantize.h"

namespace gapscope::test {

// Written before an op runs: a share that misses an element leaves this, and comparisons fail on it.
inline constexpr float kUntouched = -12345.0F;
inline constexpr int kPartCounts[] = {1, 2, 3, 7};

inline std::vector<float> randomFloats(int64_t count, uint32_t seed, float scale = 1.0F) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0F, scale);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values)
        value = normal(random);
    return values;
}

// A matrix as a file holds it, one byte off any alignment.
class FileMatrix {
public:
    FileMatrix(WeightType type, int64_t rows, int64_t columns, uint32_t seed) {
        m_bytes.resize(static_cast<size_t>(rows * rowBytes(type, columns)) + 1);
        m_view = {type, rows, columns, m_bytes.data() + 1};
        std::mt19937 random(seed);
        const WeightTypeInfo info = weightTypeInfo(type);
        std::byte* block = m_bytes.data() + 1;
        std::normal_distribution<float> normal;
        for (int64_t i = 0; i < rows * columns / info.blockElements; ++i, block += info.blockBytes) {
            if (info.blockElements == 1) {
                const float value = normal(random);
                const uint16_t half = type == WeightType::F16 ? floatToHalf(value) : floatToBfloat16(value);
                if (type == WeightType::F32)
                    std::memcpy(block, &value, 4);
                else
                    std::memcpy(block, &half, 2);
                continue;
            }
            for (int64_t b = 0; b < info.blockBytes; ++b)
                block[b] = static_cast<std::byte>(random() & 255U);
            const auto putScale = [&](int64_t at) {
                const uint16_t half = floatToHalf(0.01F + 0.01F * std::fabs(normal(random)));
                std::memcpy(block + at, &half, 2);
            };
            putScale(type == WeightType::Q6_K ? 208 : 0);
            if (type == WeightType::Q4_K || type == WeightType::Q5_K) putScale(2);
        }
    }

    const MatrixView& view() const { return m_view; }

    std::vector<float> floats() const {
        std::vector<float> values(static_cast<size_t>(m_view.rows * m_view.columns));
        for (int64_t r = 0; r < m_view.rows; ++r)
            dequantizeRow(m_view.type, m_view.row(r), m_view.columns, values.data() + r * m_view.columns);
        return values;
    }

private:
    std::vector<std::byte> m_bytes;
    MatrixView m_view;
};

template <typename Args>
void runParts(void (*op)(const Args&, Part), const Args& args, int count) {
    // Backwards, because no share may depend on an earlier one.
    for (int i = count - 1; i >= 0; --i)
        op(args, {i, count});
}

inline void expectClose(const std::vector<float>& got, const std::vector<float>& wanted, double absolute,
                        double relative, const std::string& what) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i)
        ASSERT_LE(std::fabs(static_cast<double>(got[i]) - wanted[i]), absolute + relative * std::fabs(wanted[i]))
            << what << ", element " << i << ": " << got[i] << " instead of " << wanted[i];
}

}  // namespace gapscope::test
