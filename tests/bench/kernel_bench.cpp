// How fast the CPU matmuls run for the shapes of Gemma 3 270M, beside the rate at which this machine reads memory, and
// how many times the processor time of one token a pass of a few takes.
// Prints one JSON object. Arguments: none, or an Isa's name. Matrices of one shape are repeated until no cache holds
// them, because a decode step reads every weight once.
#include <time.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/dequantize.h"
#include "kernels/cpu/read_bandwidth.h"

using namespace gapscope;

namespace {

struct Shape {
    const char* name;
    WeightType type;
    int64_t rows, columns;
};

constexpr Shape kShapes[] = {
    {"head", WeightType::Q8_0, 262144, 640},      {"gate_up", WeightType::Q5_0, 2048, 640},
    {"down", WeightType::Q6_K, 640, 2048},        {"down", WeightType::Q4_K, 640, 2048},
    {"attn_output", WeightType::Q4_K, 640, 1024}, {"gate_up", WeightType::BF16, 2048, 640},
    {"gate_up", WeightType::F32, 2048, 640},
};

constexpr int64_t kColdBytes = 160 << 20;
constexpr int kPasses = 5;
constexpr int64_t kFewTokens[] = {2, 3, 4, 5, 8, 16};  // of checked drafts and of batches

std::vector<std::byte> randomMatrix(const Shape& shape) {
    const WeightTypeInfo info = weightTypeInfo(shape.type);
    std::vector<std::byte> bytes(static_cast<size_t>(shape.rows * rowBytes(shape.type, shape.columns)));
    std::minstd_rand random(1);
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        const auto word = static_cast<uint32_t>(random());
        std::memcpy(bytes.data() + i, &word, 4);
    }
    // Random bytes as a scale could be infinite, and infinities are slower on some machines.
    const uint16_t half = floatToHalf(0.01F);
    for (size_t b = 0; b < bytes.size(); b += static_cast<size_t>(info.blockBytes)) {
        if (info.blockElements == 1) {
            bytes[b + static_cast<size_t>(info.blockBytes) - 1] = std::byte{0x3c};
            continue;
        }
        std::memcpy(bytes.data() + b + (shape.type == WeightType::Q6_K ? 208 : 0), &half, 2);
        if (shape.type == WeightType::Q4_K) std::memcpy(bytes.data() + b + 2, &half, 2);
    }
    return bytes;
}

struct Times {
    double wall = 1e30;
    double cpu = 1e30;  // of the slowest thread: what the pass takes on a machine with nothing else to do
};

double threadCpuSeconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Times bestTimes(int threads, const auto& work) {
    Times best;
    for (int pass = 0; pass < kPasses; ++pass) {
        // Workers take the times: this thread may be scheduled late.
        using Clock = std::chrono::steady_clock;
        std::barrier start(threads);
        const auto count = static_cast<size_t>(threads);
        std::vector<double> cpu(count);
        std::vector<Clock::time_point> begins(count), ends(count);
        std::vector<std::jthread> workers;
        for (size_t i = 0; i < count; ++i)
            workers.emplace_back([&, i] {
                start.arrive_and_wait();
                begins[i] = Clock::now();
                const double begin = threadCpuSeconds();
                work(Part{static_cast<int>(i), threads});
                cpu[i] = threadCpuSeconds() - begin;
                ends[i] = Clock::now();
            });
        workers.clear();
        const std::chrono::duration<double> wall =
            *std::max_element(ends.begin(), ends.end()) - *std::min_element(begins.begin(), begins.end());
        best.wall = std::min(best.wall, wall.count());
        best.cpu = std::min(best.cpu, *std::max_element(cpu.begin(), cpu.end()));
    }
    return best;
}

void benchShape(const CpuOps& ops, const Shape& shape, Arithmetic arithmetic, const char*& separator) {
    const std::vector<std::byte> file = randomMatrix(shape);
    const MatrixView view{shape.type, shape.rows, shape.columns, file.data()};
    const auto copies = static_cast<size_t>(std::max<int64_t>(1, kColdBytes / view.bytes()));
    const std::vector<MatrixView> views(copies, view);
    const std::vector<PackedMatrix> matrices = PackedMatrix::packAll(views, ops.isa, arithmetic);
    const auto measure = [&](int64_t tokens, size_t used, int threads) {
        std::vector<float> x(static_cast<size_t>(tokens * shape.columns), 0.5F);
        for (size_t i = 0; i < x.size(); ++i)
            x[i] = static_cast<float>(i % 17) - 8.0F;
        std::vector<std::byte> quantized(static_cast<size_t>(quantizedBytes(tokens, shape.columns)));
        ops.quantizeRows({x.data(), shape.columns, tokens, shape.columns, quantized.data()}, {0, 1});
        std::vector<float> out(static_cast<size_t>(tokens * shape.rows));
        return bestTimes(threads, [&](Part part) {
            for (size_t i = 0; i < used; ++i) {
                MatmulArgs args{
                    .x = x.data(), .xStride = shape.columns, .quantized = quantized.data(), .tokens = tokens};
                args.targets[0] = {&matrices[i], out.data(), shape.rows};
                ops.matmul(args, part);
            }
        });
    };
    for (const int threads : {1, 2}) {
        const Times decode = measure(1, copies, threads);
        const double bytes = static_cast<double>(matrices[0].bytes()) * static_cast<double>(copies);
        std::printf(
            "%s\n  {\"shape\": \"%s\", \"weights\": \"%s\", \"arithmetic\": \"%s\", \"threads\": %d, "
            "\"decodeGBps\": %.2f, \"decodeGBpsOfCpuTime\": %.2f",
            separator, shape.name, std::string(weightTypeInfo(shape.type).name).c_str(),
            arithmetic == Arithmetic::Exact ? "exact" : "quantized", threads, bytes / decode.wall / 1e9,
            bytes / decode.cpu / 1e9);
        separator = ",";
        std::printf(", \"timesOneToken\": {");
        for (const int64_t tokens : kFewTokens)
            std::printf("%s\"%d\": %.2f", tokens == kFewTokens[0] ? "" : ", ", static_cast<int>(tokens),
                        measure(tokens, copies, threads).cpu / decode.cpu);
        std::printf("}");
        if (copies > 1) {
            const int64_t tokens = 256;
            const size_t used = std::min<size_t>(copies, 8);
            const Times prefill = measure(tokens, used, threads);
            const double macs = static_cast<double>(shape.rows * shape.columns * tokens) * static_cast<double>(used);
            std::printf(", \"prefill256GMACps\": %.1f, \"prefill256GMACpsOfCpuTime\": %.1f", macs / prefill.wall / 1e9,
                        macs / prefill.cpu / 1e9);
        }
        std::printf("}");
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    Isa isa = bestIsa();
    for (const Isa known : supportedIsas())
        if (argc > 1 && isaName(known) == argv[1]) isa = known;
    const CpuOps& ops = cpuOps(isa);
    std::printf("{\"isa\": \"%s\", \"readGBps\": {\"1\": %.2f, \"2\": %.2f}, \"matmuls\": [",
                std::string(isaName(ops.isa)).c_str(), cpu::measureReadBandwidth(1) / 1e9,
                cpu::measureReadBandwidth(2) / 1e9);
    const char* separator = "";
    for (const Shape& shape : kShapes) {
        if (weightTypeInfo(shape.type).blockElements > 1) benchShape(ops, shape, Arithmetic::Quantized, separator);
        benchShape(ops, shape, Arithmetic::Exact, separator);
    }
    std::printf("\n]}\n");
    return 0;
}
