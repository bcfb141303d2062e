// What the tests of the CUDA ops share: a device or a skip, arrays on the device, numbers that are exact in bf16, and a
// comparison by absolute and relative tolerance.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/cpu/dequantize.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace gapscope::cuda {

// First line of a test that needs a GPU.
#define GAPSCOPE_NEEDS_GPU()                                                       \
    do {                                                                           \
        const ::gapscope::cuda::DeviceList list = ::gapscope::cuda::listDevices(); \
        if (list.devices.empty()) GTEST_SKIP() << "no GPU: " << list.error;        \
        ASSERT_EQ(cudaSetDevice(list.devices.front().id), cudaSuccess);            \
    } while (false)

#define GAPSCOPE_CUDA_OK(call) ASSERT_EQ((call), cudaSuccess) << cudaGetErrorString(cudaGetLastError())

// An array on the device with a guard behind it, to see writes past the end. Fresh memory holds NaN patterns, so that
// what a kernel forgets to write is seen too.
template <class T>
class DeviceArray {
public:
    explicit DeviceArray(size_t count) : m_count(count) {
        EXPECT_EQ(cudaMalloc(&m_memory, bytes() + kGuard), cudaSuccess);
        EXPECT_EQ(cudaMemset(m_memory, 0xff, bytes() + kGuard), cudaSuccess);
    }
    explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
        EXPECT_EQ(cudaMemcpy(m_memory, values.data(), bytes(), cudaMemcpyHostToDevice), cudaSuccess);
    }
    ~DeviceArray() { cudaFree(m_memory); }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    T* get() const { return static_cast<T*>(m_memory); }
    // Waits for all work.
    std::vector<T> read() const {
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        std::vector<T> values(m_count);
        EXPECT_EQ(cudaMemcpy(values.data(), m_memory, bytes(), cudaMemcpyDeviceToHost), cudaSuccess);
        std::vector<uint8_t> guard(kGuard);
        EXPECT_EQ(cudaMemcpy(guard.data(), static_cast<uint8_t*>(m_memory) + bytes(), kGuard, cudaMemcpyDeviceToHost),
                  cudaSuccess);
        for (const uint8_t byte : guard)
            EXPECT_EQ(byte, 0xff) << "written past the end";
        return values;
    }

private:
    static constexpr size_t kGuard = 256;
    size_t bytes() const { return m_count * sizeof(T); }
    size_t m_count;
    void* m_memory = nullptr;
};

// Normal numbers that bf16 holds exactly, so that oracle and kernel read the same.
inline std::vector<float> randomNumbers(size_t count, unsigned seed, float scale = 1) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> values(count);
    for (float& value : values)
        value = bfloat16ToFloat(floatToBfloat16(normal(engine)));
    return values;
}

inline std::vector<Bf16> toBf16(const std::vector<float>& values) {
    std::vector<Bf16> bits(values.size());
    for (size_t i = 0; i < values.size(); ++i)
        bits[i] = floatToBfloat16(values[i]);
    return bits;
}

inline std::vector<float> toFloats(const std::vector<Bf16>& bits) {
    std::vector<float> values(bits.size());
    for (size_t i = 0; i < bits.size(); ++i)
        values[i] = bfloat16ToFloat(bits[i]);
    return values;
}

// A matrix on the device with its rows padded, from dense rows.
class DeviceMatrix {
public:
    DeviceMatrix(const std::vector<float>& dense, int rows, int columns)
        : m_columns(columns), m_rows(rows), m_stride(static_cast<int>(paddedColumns(columns))), m_data(padded(dense)) {}
    WeightMatrix view() const { return {m_data.get(), m_rows, m_columns, m_stride}; }

private:
    std::vector<Bf16> padded(const std::vector<float>& dense) const {
        std::vector<Bf16> bits(static_cast<size_t>(m_rows) * static_cast<size_t>(m_stride), 0);
        for (int row = 0; row < m_rows; ++row)
            for (int column = 0; column < m_columns; ++column)
                bits[static_cast<size_t>(row * m_stride + column)] =
                    floatToBfloat16(dense[static_cast<size_t>(row * m_columns + column)]);
        return bits;
    }
    int m_columns, m_rows, m_stride;
    DeviceArray<Bf16> m_data;
};

inline constexpr float kBf16Error = 1.0F / 128;  // twice half a unit in the last place, relative

inline void expectNear(const std::vector<float>& actual, const std::vector<float>& expected, float relative,
                       float absolute) {
    ASSERT_EQ(actual.size(), expected.size());
    int shown = 0;
    for (size_t i = 0; i < actual.size() && shown < 5; ++i) {
        const float allowed = absolute + relative * std::abs(expected[i]);
        if (std::abs(actual[i] - expected[i]) <= allowed) continue;
        ADD_FAILURE() << "at " << i << ": " << actual[i] << " instead of " << expected[i];
        ++shown;
    }
}

}  // namespace gapscope::cuda
