// What every CUDA op shares at its door: number formats, the weight layout on the device, and how a launch is made.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#ifdef __CUDACC__
#define GAPSCOPE_HOST_DEVICE __host__ __device__
#else
#define GAPSCOPE_HOST_DEVICE
#endif

namespace gapscope::cuda {

using Bf16 = uint16_t;  // bit pattern of a bfloat16
struct Half {           // of an IEEE half
    uint16_t bits = 0;
};

// A weight matrix on the device: rows of `columns` bf16, each row padded with zeros to a multiple of kRowPadding
// elements, so that rows can be read 16 bytes at a time whatever the model's sizes are.
struct WeightMatrix {
    const Bf16* data = nullptr;  // aligned to 16 bytes
    int rows = 0;
    int columns = 0;
    int stride = 0;  // elements from row to row
};
inline constexpr int kRowPadding = 8;
constexpr int64_t paddedColumns(int64_t columns) {
    return (columns + kRowPadding - 1) / kRowPadding * kRowPadding;
}

// Where and how a kernel is launched. `overlap` is programmatic dependent launch: the kernel may start while its
// predecessor in the stream still runs, and waits for its end before it reads or writes anything that is not constant.
// Only for devices from compute capability 9.0 on.
struct Launch {
    cudaStream_t stream = nullptr;
    bool overlap = false;
    int multiprocessors = 64;  // of the device: how many blocks a kernel whose blocks stay for many rows launches
};

// What a run's position is, on the device, so that a captured graph serves every token.
struct StepState {
    int32_t position = 0;  // of the first token of the step
    int32_t token = 0;     // chosen by the last head
};

}  // namespace gapscope::cuda
