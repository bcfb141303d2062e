#include "kernels/cuda/memory_bandwidth.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <memory>

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 512;
constexpr int kBlocksPerMultiprocessor = 4;  // 2048 threads: all an SM can hold, from sm_80 on
constexpr int kUnroll = 4;                   // independent 16-byte loads in flight a thread

__global__ void __launch_bounds__(kThreads) read_all(const uint4* data, int64_t count, unsigned* sink) {
    const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
    int64_t at = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    unsigned mix = 0;
    for (; at + (kUnroll - 1) * stride < count; at += kUnroll * stride) {
        uint4 loaded[kUnroll];
#pragma unroll
        for (int i = 0; i < kUnroll; ++i)
            loaded[i] = data[at + i * stride];
#pragma unroll
        for (int i = 0; i < kUnroll; ++i)
            mix ^= loaded[i].x ^ loaded[i].y ^ loaded[i].z ^ loaded[i].w;
    }
    for (; at < count; at += stride)
        mix ^= data[at].x ^ data[at].y ^ data[at].z ^ data[at].w;
    // The memory holds zeros, so this never writes; the compiler cannot know and must keep the loads.
    if (mix != 0) *sink = mix;
}

struct DeviceFree {
    void operator()(void* memory) const { cudaFree(memory); }
};
using DeviceMemory = std::unique_ptr<void, DeviceFree>;

struct Event {
    Event() { created = cudaEventCreate(&event) == cudaSuccess; }
    ~Event() {
        if (created) cudaEventDestroy(event);
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    cudaEvent_t event{};
    bool created = false;
};

}  // namespace

DeviceList listDevices() {
    DeviceList list;
    int count = 0;
    if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
        list.error = cudaGetErrorString(error);
        return list;
    }
    for (int id = 0; id < count; ++id) {
        cudaDeviceProp properties;
        if (cudaGetDeviceProperties(&properties, id) != cudaSuccess) continue;
        char busId[32] = "";
        if (cudaDeviceGetPCIBusId(busId, sizeof busId, id) != cudaSuccess) busId[0] = 0;
        list.devices.push_back({id, properties.name, static_cast<int64_t>(properties.totalGlobalMem),
                                properties.l2CacheSize, properties.major, properties.minor,
                                properties.multiProcessorCount, busId});
    }
    if (list.devices.empty()) list.error = "no device could be asked";
    return list;
}

BandwidthMeasurement measureReadBandwidth(int deviceId, int runs) {
    BandwidthMeasurement measurement{.runs = runs};
    cudaGetLastError();  // what an earlier call left behind is not this one's failure
    const auto failed = [&](cudaError_t error) {
        if (error != cudaSuccess) measurement.error = cudaGetErrorString(error);
        return error != cudaSuccess;
    };
    if (failed(cudaSetDevice(deviceId))) return measurement;
    cudaDeviceProp properties;
    if (failed(cudaGetDeviceProperties(&properties, deviceId))) return measurement;
    size_t freeBytes = 0, totalBytes = 0;
    if (failed(cudaMemGetInfo(&freeBytes, &totalBytes))) return measurement;

    const size_t wanted = std::max<size_t>(size_t{16} * static_cast<size_t>(properties.l2CacheSize), size_t{256} << 20);
    const int64_t count = static_cast<int64_t>(std::min(wanted, freeBytes / 4) / sizeof(uint4));
    measurement.bytes = count * static_cast<int64_t>(sizeof(uint4));
    void* raw = nullptr;
    if (failed(cudaMalloc(&raw, static_cast<size_t>(measurement.bytes) + sizeof(uint4)))) return measurement;
    const DeviceMemory memory(raw);
    if (failed(cudaMemset(raw, 0, static_cast<size_t>(measurement.bytes) + sizeof(uint4)))) return measurement;

    const auto* data = static_cast<const uint4*>(raw);
    auto* sink = const_cast<unsigned*>(reinterpret_cast<const unsigned*>(data + count));
    const int blocks = properties.multiProcessorCount * kBlocksPerMultiprocessor;
    const Event begin, end;
    if (!begin.created || !end.created) {
        failed(cudaGetLastError());
        return measurement;
    }
    std::vector<double> rates;
    for (int run = -2; run < runs; ++run) {  // two warm-ups
        cudaEventRecord(begin.event);
        read_all<<<blocks, kThreads>>>(data, count, sink);
        cudaEventRecord(end.event);
        if (failed(cudaEventSynchronize(end.event)) || failed(cudaGetLastError())) return measurement;
        float milliseconds = 0;
        if (failed(cudaEventElapsedTime(&milliseconds, begin.event, end.event))) return measurement;
        if (run >= 0 && milliseconds > 0)
            rates.push_back(static_cast<double>(measurement.bytes) / (milliseconds * 1e-3));
    }
    if (rates.empty()) {
        measurement.error = "the device's clock did not advance";
        return measurement;
    }
    std::nth_element(rates.begin(), rates.begin() + rates.size() / 2, rates.end());
    measurement.bytesPerSecond = rates[rates.size() / 2];
    return measurement;
}

}  // namespace gapscope::cuda
