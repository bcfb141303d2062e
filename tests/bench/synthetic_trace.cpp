#include "tests/bench/synthetic_trace.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string>

namespace gapscope::bench {

namespace {

// Lengths as in real traces: half of the kernels have short names, the others carry their template arguments.
constexpr std::array kKernelNames = {
    "nvjet_tst_64x8_64x16_1x1_h_bz_splitK_TNT",
    "void at::native::vectorized_elementwise_kernel<4, at::native::BinaryFunctor<c10::BFloat16, c10::BFloat16, "
    "c10::BFloat16, at::native::binary_internal::MulFunctor<float> >, std::array<char*, 3ul> >(int, "
    "at::native::BinaryFunctor<c10::BFloat16, c10::BFloat16, c10::BFloat16, at::native::binary_internal::MulFunctor<"
    "float> >, std::array<char*, 3ul>)",
    "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::MeanOps<float, float, float, "
    "float>, unsigned int, float, 4, 4> >(at::native::ReduceOp<float, at::native::MeanOps<float, float, float, float>, "
    "unsigned int, float, 4, 4>)",
    "triton_poi_fused_gelu_mul_3",
    "void at::native::unrolled_elementwise_kernel<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::"
    "{lambda()#3}::operator()() const::{lambda(float)#1}, std::array<char*, 2ul>, 4, TrivialOffsetCalculator<1, "
    "unsigned int>, LoadWithCast<1>, StoreWithCast<1> >(int)",
    "void pytorch_flash::flash_fwd_splitkv_kernel<Flash_fwd_kernel_traits<256, 64, 64, 4, false, false, "
    "cutlass::bfloat16_t>, true, false, false, false, true, true, false>(pytorch_flash::Flash_fwd_params)",
    "void rms_norm_fused_kernel<__nv_bfloat16, 256>(__nv_bfloat16*, __nv_bfloat16 const*, float, int)"};
constexpr std::array kOpNames = {"aten::linear", "aten::mul", "aten::mean", "aten::gelu",
                                 "aten::to",     "aten::add", "aten::rsqrt"};
constexpr int kPid = 4242;
constexpr int64_t kBeginNs = 6'612'345'678'000;

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

class Writer {
public:
    explicit Writer(std::FILE* file) : m_file(file) {}

    // One event of the list: its first lines, then its arguments, if it has any.
    void event(const char* first, int64_t startNs, int64_t durationNs, const std::string& args) {
        std::fprintf(m_file,
                     "  {\n    \"ph\": \"X\", %s,\n    \"ts\": %lld.%03lld, \"dur\": %lld.%03lld,\n    \"args\": {\n"
                     "      %s\n    }\n  },\n",
                     first, static_cast<long long>(startNs / 1000), static_cast<long long>(startNs % 1000),
                     static_cast<long long>(durationNs / 1000), static_cast<long long>(durationNs % 1000),
                     args.c_str());
    }
    void flow(char phase, int64_t id, int pid, int tid, int64_t atNs) {
        std::fprintf(m_file,
                     "  {\n    \"ph\": \"%c\", \"id\": %lld, \"pid\": %d, \"tid\": %d, \"ts\": %lld.%03lld,\n"
                     "    \"cat\": \"ac2g\", \"name\": \"ac2g\"%s\n  },\n",
                     phase, static_cast<long long>(id), pid, tid, static_cast<long long>(atNs / 1000),
                     static_cast<long long>(atNs % 1000), phase == 'f' ? ", \"bp\": \"e\"" : "");
    }

private:
    std::FILE* m_file;
};

std::string on(const char* category, const char* name, int pid, int tid) {
    return std::string("\"cat\": \"") + category + "\", \"name\": \"" + name + "\", \"pid\": " + std::to_string(pid) +
           ", \"tid\": " + std::to_string(tid);
}

}  // namespace

bool writeSyntheticTrace(const std::filesystem::path& path, int64_t kernelCount, SyntheticSums& sums) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wb"));
    if (!file) return false;
    std::mt19937 random(1);
    const auto number = [&](int64_t from, int64_t to) { return from + static_cast<int64_t>(random() % (to - from)); };
    std::fputs(
        "\n{\n  \"schemaVersion\": 1,\n  \"deviceProperties\": [\n    {\n      \"id\": 0, \"name\": \"NVIDIA "
        "H100\", \"totalGlobalMem\": 85000000000\n    }\n  ],\n  \"displayTimeUnit\": \"ms\",\n  "
        "\"baseTimeNanoseconds\": 1700000000000000000,\n  \"traceEvents\": [\n",
        file.get());
    Writer writer(file.get());
    sums = {};
    int64_t hostNs = kBeginNs, freeNs = kBeginNs;
    for (int64_t i = 0; i < kernelCount; ++i) {
        const auto kind = static_cast<size_t>(random()) % kKernelNames.size();
        const int64_t correlation = 1000 + i;
        hostNs += number(2'000, 4'000);
        const std::string external = "\"External id\": " + std::to_string(i) + ",\"Record function id\": 0, ";
        const std::string dims =
            "\"Concrete Inputs\": [\"\", \"\"], \"Input type\": [\"c10::BFloat16\", "
            "\"c10::BFloat16\"], \"Input Strides\": [[1152, 1], [1, 1152]], \"Input Dims\": [[1, "
            "1152], [1152, 6912]], \"Ev Idx\": " +
            std::to_string(i);
        writer.event(on("cpu_op", kOpNames[kind], kPid, kPid).c_str(), hostNs, 9'000, external + dims);
        if (i % 5 < 3) writer.event(on("cpu_op", "aten::mm", kPid, kPid).c_str(), hostNs + 500, 8'000, external + dims);
        const int64_t launchNs = hostNs + 1'000 + number(0, 1'000), launchDurationNs = number(1'200, 2'000);
        writer.event(on("cuda_runtime", "cudaLaunchKernel", kPid, kPid).c_str(), launchNs, launchDurationNs,
                     "\"External id\": " + std::to_string(i) +
                         ",\n      \"cbid\": 211, \"correlation\": " + std::to_string(correlation));
        writer.flow('s', correlation, kPid, kPid, launchNs);
        const int64_t startNs = std::max(freeNs, launchNs + 3'000), durationNs = number(2'000, 9'000);
        writer.event(
            on("kernel", kKernelNames[kind], 0, 7).c_str(), startNs, durationNs,
            "\"External id\": " + std::to_string(i) +
                ",\n      \"queued\": 0, \"device\": 0, \"context\": 1,\n      \"stream\": 7, "
                "\"correlation\": " +
                std::to_string(correlation) +
                ",\n      \"registers per thread\": 168,\n      \"shared memory\": 163840,\n      \"blocks "
                "per SM\": 1.0,\n      \"warps per SM\": 12.0,\n      \"grid\": [132, 1, 1],\n      \"block\": "
                "[384, 1, 1],\n      \"est. achieved occupancy %\": 18");
        writer.flow('f', correlation, 0, 7, startNs);
        freeNs = startNs + durationNs + number(400, 1'200);
        hostNs = std::max(hostNs + 9'000, freeNs - 200'000);
        sums.selfGpuNs += durationNs;
    }
    sums.kernelCount = kernelCount;
    sums.busyNs = sums.selfGpuNs;  // one stream: nothing overlaps
    std::fprintf(file.get(),
                 "  {\n    \"name\": \"Record Window End\", \"ph\": \"i\", \"s\": \"g\",\n    \"pid\": \"\", \"tid\": "
                 "\"\", \"ts\": %lld\n  }\n  ],\n  \"traceName\": \"synthetic\"\n}\n",
                 static_cast<long long>(freeNs / 1000));
    return std::fflush(file.get()) == 0 && std::ferror(file.get()) == 0;
}

}  // namespace gapscope::bench
