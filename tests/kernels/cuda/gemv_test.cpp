// GEMVs, matmul and the norms in them, against the plain C++ ops.
#include "kernels/cuda/gemv.h"

#include <algorithm>

#include "gemv_test_support.h"
#include "kernels/cuda/argmax.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/rms_norm.h"

namespace gapscope::cuda {

TEST(CudaGemv, AnySizeGivesTheProduct) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int rows, columns;
    };
    for (const Size size : {Size{1, 1}, Size{3, 7}, Size{5, 8}, Size{33, 64}, Size{640, 640}, Size{257, 1152},
                            Size{1023, 1279}, Size{9, 1281}, Size{130, 6912}, Size{17, 16387}, Size{20001, 136}}) {
        SCOPED_TRACE(testing::Message() << size.rows << " x " << size.columns);
        const auto dense = randomNumbers(static_cast<size_t>(size.rows) * static_cast<size_t>(size.columns), 5);
        auto x = randomNumbers(static_cast<size_t>(size.columns), 6);
        const DeviceMatrix matrix(dense, size.rows, size.columns);
        const auto expected = multiply(dense, size.rows, size.columns, x);
        x.resize(static_cast<size_t>(matrix.view().stride), 0);
        const DeviceArray<Bf16> deviceX(toBf16(x));
        const DeviceArray<float> out(static_cast<size_t>(size.rows));
        const DeviceArray<Bf16> half(static_cast<size_t>(size.rows));
        GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), out.get(), nullptr}, {}));
        GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), nullptr, half.get()}, {}));
        expectNear(out.read(), expected, 1e-4F, 1e-3F);
        expectNear(toFloats(half.read()), expected, kBf16Error, 1e-2F);
    }
}

TEST(CudaGemv, OverlappingLaunchesGiveTheSameBits) {
    GAPSCOPE_NEEDS_GPU();
    const DeviceList list = listDevices();
    if (list.devices.front().computeMajor < 9) GTEST_SKIP() << "no programmatic dependent launch on this GPU";
    constexpr int kSize = 1152;
    const DeviceMatrix matrix(randomNumbers(static_cast<size_t>(kSize) * kSize, 7, 0.05F), kSize, kSize);
    cudaStream_t stream = nullptr;
    GAPSCOPE_CUDA_OK(cudaStreamCreate(&stream));
    std::vector<std::vector<Bf16>> results;
    for (const bool overlap : {false, true}) {
        // A chain in which each product reads the one before: a wait forgotten shows.
        const DeviceArray<Bf16> a(toBf16(randomNumbers(kSize, 8)));
        const DeviceArray<Bf16> b(toBf16(randomNumbers(kSize, 9)));
        for (int i = 0; i < 100; ++i) {
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), a.get(), nullptr, b.get()}, {stream, overlap}));
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), b.get(), nullptr, a.get()}, {stream, overlap}));
        }
        results.push_back(a.read());
    }
    EXPECT_EQ(results[0], results[1]);
    cudaStreamDestroy(stream);
}

TEST(CudaGemv, NormAndQkv) {
    GAPSCOPE_NEEDS_GPU();
    for (const int columns : {8, 60, 640, 1152, 2564})
        for (const bool withY : {false, true}) {
            SCOPED_TRACE(testing::Message() << columns << (withY ? " with y" : ""));
            const NormCase norm(columns, withY);
            const int rows[3] = {35, 17, 1};
            GemvQkvArgs args;
            args.input = norm.input();
            std::vector<std::vector<float>> dense;
            std::vector<std::unique_ptr<DeviceMatrix>> matrices;
            std::vector<std::unique_ptr<DeviceArray<float>>> outs;
            for (unsigned i = 0; i < 3; ++i) {
                dense.push_back(randomNumbers(static_cast<size_t>(rows[i] * columns), 10 + i));
                matrices.push_back(std::make_unique<DeviceMatrix>(dense[i], rows[i], columns));
                outs.push_back(std::make_unique<DeviceArray<float>>(static_cast<size_t>(rows[i])));
                args.matrices[i] = matrices[i]->view();
                args.out[i] = outs[i]->get();
            }
            GAPSCOPE_CUDA_OK(gemvNormQkv(args, {}));
            for (unsigned i = 0; i < 3; ++i)
                expectNear(outs[i]->read(), multiply(dense[i], rows[i], columns, roundedToBf16(norm.normed)), 1e-3F,
                           sumTolerance(columns));
            if (withY) expectNear(norm.deviceOut.read(), norm.stream, 1e-5F, 1e-5F);
        }
}

TEST(CudaGemv, NormAndGateUp) {
    GAPSCOPE_NEEDS_GPU();
    for (const int rows : {1, 2, 7, 2049})
        for (const int columns : {60, 1152}) {
            SCOPED_TRACE(testing::Message() << rows << " x " << columns);
            const NormCase norm(columns, true);
            const auto size = static_cast<size_t>(rows) * static_cast<size_t>(columns);
            const auto gate = randomNumbers(size, 20, 0.05F);
            const auto up = randomNumbers(size, 21, 0.05F);
            const DeviceMatrix gateMatrix(gate, rows, columns);
            const DeviceMatrix upMatrix(up, rows, columns);
            const DeviceArray<Bf16> out(static_cast<size_t>(rows));
            GAPSCOPE_CUDA_OK(gemvNormGateUp({norm.input(), gateMatrix.view(), upMatrix.view(), out.get()}, {}));
            const auto g = multiply(gate, rows, columns, roundedToBf16(norm.normed));
            const auto u = multiply(up, rows, columns, roundedToBf16(norm.normed));
            std::vector<float> expected(static_cast<size_t>(rows));
            gapscope::GeluGateArgs args;
            args.gate = g.data();
            args.up = u.data();
            args.rows = 1;
            args.columns = args.gateStride = args.upStride = args.outStride = rows;
            args.out = expected.data();
            oracle().geluGate(args, {});
            expectNear(toFloats(out.read()), expected, 2 * kBf16Error, 0.05F);
        }
}

TEST(CudaGemv, NormAndHeadFindTheLargestLogit) {
    GAPSCOPE_NEEDS_GPU();
    const int blocks = gemvHeadBlocks(listDevices().devices.front().multiprocessors);
    for (const int rows : {1, 5, 4099, 50001}) {
        SCOPED_TRACE(rows);
        constexpr int kColumns = 136;
        const NormCase norm(kColumns, true);
        const auto dense = randomNumbers(static_cast<size_t>(rows) * kColumns, 30);
        const DeviceMatrix matrix(dense, rows, kColumns);
        const DeviceArray<float> logits(static_cast<size_t>(rows));
        const DeviceArray<float> values(static_cast<size_t>(blocks));
        const DeviceArray<int32_t> indices(static_cast<size_t>(blocks));
        GAPSCOPE_CUDA_OK(
            gemvNormHead({norm.input(), matrix.view(), logits.get(), values.get(), indices.get(), blocks}, {}));
        const auto written = logits.read();
        expectNear(written, multiply(dense, rows, kColumns, roundedToBf16(norm.normed)), 1e-3F, sumTolerance(kColumns));
        const auto best = std::max_element(written.begin(), written.end()) - written.begin();

        const DeviceArray<int32_t> ids(std::vector<int32_t>{-5, -5});
        const DeviceArray<StepState> state(std::vector<StepState>{{41, 7}});
        ArgmaxFinishArgs finish{values.get(), indices.get(), blocks, 1, ids.get(), state.get(), nullptr, 0};
        GAPSCOPE_CUDA_OK(argmaxFinish(finish, {}));
        EXPECT_EQ(ids.read(), (std::vector<int32_t>{static_cast<int32_t>(best), -5}));
        EXPECT_EQ(state.read()[0].position, 42);
        EXPECT_EQ(state.read()[0].token, best);
    }
}

TEST(CudaArgmax, TiesGoToTheLowestIndexAndNanNeverWins) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kBlocks = 7;
    std::vector<float> logits(10007, -3);
    logits[0] = std::nanf("");
    logits[9000] = 4;
    logits[513] = 4;
    logits[10006] = 4;
    const DeviceArray<float> deviceLogits(logits);
    const DeviceArray<float> values(kBlocks);
    const DeviceArray<int32_t> indices(kBlocks);
    const DeviceArray<int32_t> ids(1);
    const DeviceArray<StepState> state(std::vector<StepState>{{0, 0}});
    GAPSCOPE_CUDA_OK(argmaxPartial({deviceLogits.get(), 10007, values.get(), indices.get(), kBlocks}, {}));
    GAPSCOPE_CUDA_OK(argmaxFinish({values.get(), indices.get(), kBlocks, 20, ids.get(), state.get(), nullptr, 0}, {}));
    EXPECT_EQ(ids.read()[0], 513);
    EXPECT_EQ(state.read()[0].position, 20);
}

TEST(CudaMatmul, AnySizeGivesTheProduct) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int tokens, rows, columns;
    };
    for (const Size size : {Size{1, 1, 1}, Size{2, 65, 17}, Size{65, 63, 136}, Size{130, 256, 1152}}) {
        SCOPED_TRACE(testing::Message() << size.tokens << ", " << size.rows << " x " << size.columns);
        const auto dense = randomNumbers(static_cast<size_t>(size.rows * size.columns), 40);
        const auto x = randomNumbers(static_cast<size_t>(size.tokens * size.columns), 41);
        const DeviceMatrix matrix(dense, size.rows, size.columns);
        const DeviceArray<Bf16> deviceX(toBf16(x));
        const DeviceArray<float> out(static_cast<size_t>(size.tokens * size.rows));
        GAPSCOPE_CUDA_OK(matmul({matrix.view(), deviceX.get(), size.columns, size.tokens, out.get(), nullptr}, {}));
        expectNear(out.read(), multiply(dense, size.rows, size.columns, x, size.tokens), 1e-4F, 1e-3F);
    }
}

TEST(CudaRmsNorm, RowsOfAnyLength) {
    GAPSCOPE_NEEDS_GPU();
    for (const int columns : {1, 60, 1152, 5376})
        for (const int rows : {1, 3}) {
            SCOPED_TRACE(testing::Message() << rows << " x " << columns);
            const auto count = static_cast<size_t>(rows * columns);
            const auto x = randomNumbers(count, 50, 3);
            const auto y = randomNumbers(count, 51, 2);
            const auto post = randomNumbers(static_cast<size_t>(columns), 52);
            const auto next = randomNumbers(static_cast<size_t>(columns), 53);
            std::vector<float> stream = x, expected(count);
            gapscope::AddRmsNormArgs args;
            args.y = y.data();
            args.x = stream.data();
            args.yStride = args.xStride = args.columns = args.outStride = columns;
            args.rows = rows;
            args.postWeights = post.data();
            args.nextWeights = next.data();
            args.out = expected.data();
            oracle().addRmsNorm(args, {});
            const DeviceArray<float> deviceX(x), deviceY(y), devicePost(post), deviceNext(next);
            const DeviceArray<Bf16> out(count);
            GAPSCOPE_CUDA_OK(addRmsNorm({deviceY.get(), deviceX.get(), rows, columns, devicePost.get(),
                                         deviceNext.get(), 1e-6F, out.get(), columns},
                                        {}));
            expectNear(toFloats(out.read()), expected, kBf16Error, 1e-6F);
            expectNear(deviceX.read(), stream, 1e-5F, 1e-5F);

            gapscope::RmsNormArgs plain;
            plain.x = stream.data();
            plain.xStride = plain.columns = plain.outStride = columns;
            plain.rows = rows;
            plain.weights = next.data();
            plain.out = expected.data();
            oracle().rmsNorm(plain, {});
            const DeviceArray<Bf16> again(count);
            GAPSCOPE_CUDA_OK(
                rmsNorm({deviceX.get(), rows, columns, deviceNext.get(), 1e-6F, again.get(), columns}, {}));
            expectNear(toFloats(again.read()), expected, kBf16Error, 1e-6F);
        }
}

}  // namespace gapscope::cuda
