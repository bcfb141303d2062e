// The small ops, each against the plain C++ op of the same name.
#include "kernels/cuda/elementwise.h"

#include "cuda_test_support.h"
#include "kernels/cpu/cpu_ops.h"
#include "kernels/cuda/embedding.h"

namespace gapscope::cuda {

namespace {

const CpuOps& oracle() {
    return cpuOps(Isa::Scalar);
}

}  // namespace

TEST(CudaElementwise, OneElementInOneOut) {
    GAPSCOPE_NEEDS_GPU();
    for (const size_t count : {size_t{1}, size_t{255}, size_t{256}, size_t{1152}, size_t{10007}}) {
        SCOPED_TRACE(count);
        const auto n = static_cast<int64_t>(count);
        const auto x = randomNumbers(count, 1, 2);
        const auto y = randomNumbers(count, 2, 2);
        const DeviceArray<float> deviceX(x), out(count);
        const DeviceArray<Bf16> halfX(toBf16(x)), halfY(toBf16(y)), halfOut(count);
        std::vector<float> expected(count);

        GAPSCOPE_CUDA_OK(castToFloat(halfX.get(), out.get(), n, {}));
        EXPECT_EQ(out.read(), x);
        GAPSCOPE_CUDA_OK(castToBf16(deviceX.get(), halfOut.get(), n, {}));
        EXPECT_EQ(toFloats(halfOut.read()), x);
        oracle().square({x.data(), expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(square(deviceX.get(), out.get(), n, {}));
        EXPECT_EQ(out.read(), expected);
        oracle().addScalar({x.data(), 1e-3F, expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(addScalar(deviceX.get(), 1e-3F, out.get(), n, {}));
        EXPECT_EQ(out.read(), expected);
        const DeviceArray<float> positive(expected = [&] {
            std::vector<float> values = x;
            for (float& value : values)
                value = std::abs(value) + 0.25F;
            return values;
        }());
        const std::vector<float> input = expected;
        oracle().rsqrt({input.data(), expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(rsqrtEach(positive.get(), out.get(), n, {}));
        expectNear(out.read(), expected, 1e-6F, 0);
        oracle().mulScalar({x.data(), 34, expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(mulScalar(halfX.get(), 34, halfOut.get(), n, {}));
        expectNear(toFloats(halfOut.read()), expected, kBf16Error, 0);
        oracle().gelu({x.data(), expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(gelu(halfX.get(), halfOut.get(), n, {}));
        expectNear(toFloats(halfOut.read()), expected, kBf16Error, 1e-5F);
        oracle().mul({x.data(), y.data(), expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(mul(halfX.get(), halfY.get(), halfOut.get(), n, {}));
        expectNear(toFloats(halfOut.read()), expected, kBf16Error, 0);
        oracle().add({x.data(), y.data(), expected.data(), n}, {});
        GAPSCOPE_CUDA_OK(add(halfX.get(), halfY.get(), halfOut.get(), n, {}));
        expectNear(toFloats(halfOut.read()), expected, kBf16Error, 1e-6F);
    }
}

TEST(CudaElementwise, CastRoundsToNearestEven) {
    GAPSCOPE_NEEDS_GPU();
    const std::vector<float> values{1.0F, 1.00390625F, 1.01171875F, -1.00390625F, 3.4e38F, INFINITY, 1e-40F, 0.1F};
    const DeviceArray<float> in(values);
    const DeviceArray<Bf16> out(values.size());
    GAPSCOPE_CUDA_OK(castToBf16(in.get(), out.get(), static_cast<int64_t>(values.size()), {}));
    EXPECT_EQ(out.read(), toBf16(values));
    const DeviceArray<float> nan(std::vector<float>{std::nanf("")});
    const DeviceArray<Bf16> nanOut(1);
    GAPSCOPE_CUDA_OK(castToBf16(nan.get(), nanOut.get(), 1, {}));
    EXPECT_TRUE(std::isnan(bfloat16ToFloat(nanOut.read()[0])));
}

TEST(CudaElementwise, RowsAndColumns) {
    GAPSCOPE_NEEDS_GPU();
    for (const int rows : {1, 4, 33})
        for (const int columns : {1, 33, 256, 1152}) {
            SCOPED_TRACE(testing::Message() << rows << " x " << columns);
            const auto count = static_cast<size_t>(rows * columns);
            const auto x = randomNumbers(count, 3);
            const auto byRow = randomNumbers(static_cast<size_t>(rows), 4);
            const auto byColumn = randomNumbers(static_cast<size_t>(columns), 5);
            const DeviceArray<float> deviceX(x), deviceRow(byRow), deviceColumn(byColumn), out(count),
                means(static_cast<size_t>(rows));
            std::vector<float> expected(count), expectedMeans(static_cast<size_t>(rows));
            MeanRowsArgs mean{x.data(), columns, rows, columns, expectedMeans.data()};
            oracle().meanRows(mean, {});
            GAPSCOPE_CUDA_OK(meanRows(deviceX.get(), rows, columns, means.get(), {}));
            expectNear(means.read(), expectedMeans, 1e-5F, 1e-6F);
            MulFactorsArgs factors{x.data(), columns, rows, columns, byRow.data(), expected.data(), columns};
            oracle().mulRows(factors, {});
            GAPSCOPE_CUDA_OK(mulRows(deviceX.get(), deviceRow.get(), rows, columns, out.get(), {}));
            EXPECT_EQ(out.read(), expected);
            factors.factors = byColumn.data();
            oracle().mulWeights(factors, {});
            GAPSCOPE_CUDA_OK(mulWeights(deviceX.get(), deviceColumn.get(), rows, columns, out.get(), {}));
            EXPECT_EQ(out.read(), expected);
        }
}

TEST(CudaElementwise, HeadsAndHalves) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kHeads = 3;
    for (const int tokens : {1, 5})
        for (const int headDim : {2, 32, 256}) {
            SCOPED_TRACE(testing::Message() << tokens << " tokens, " << headDim);
            const int columns = kHeads * headDim;
            const auto count = static_cast<size_t>(tokens * columns);
            const auto x = randomNumbers(count, 6);
            const auto factors = randomNumbers(static_cast<size_t>(tokens * headDim), 7);
            const DeviceArray<Bf16> deviceX(toBf16(x)), deviceFactors(toBf16(factors)), negated(count / 2), out(count);
            std::vector<float> expected(count);
            oracle().mulBroadcastHeads(
                {x.data(), columns, tokens, kHeads, headDim, factors.data(), expected.data(), columns}, {});
            GAPSCOPE_CUDA_OK(mulHeads(deviceX.get(), deviceFactors.get(), tokens, kHeads, headDim, out.get(), {}));
            expectNear(toFloats(out.read()), expected, kBf16Error, 0);
            oracle().rotateHalf({x.data(), columns, tokens, kHeads, headDim, expected.data(), columns}, {});
            GAPSCOPE_CUDA_OK(negateUpperHalf(deviceX.get(), tokens * kHeads, headDim / 2, negated.get(), {}));
            GAPSCOPE_CUDA_OK(joinHalves(negated.get(), deviceX.get(), tokens * kHeads, headDim / 2, out.get(), {}));
            EXPECT_EQ(toFloats(out.read()), expected);
        }
}

TEST(CudaElementwise, GeluGatePadsItsRows) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 3, kColumns = 61, kStride = 64;
    const auto gate = randomNumbers(kRows * kColumns, 8, 2);
    const auto up = randomNumbers(kRows * kColumns, 9, 2);
    std::vector<float> expected(kRows * kStride, 0);
    gapscope::GeluGateArgs args;
    args.gate = gate.data();
    args.up = up.data();
    args.gateStride = args.upStride = args.columns = kColumns;
    args.rows = kRows;
    args.out = expected.data();
    args.outStride = kStride;
    oracle().geluGate(args, {});
    const DeviceArray<float> deviceGate(gate), deviceUp(up);
    const DeviceArray<Bf16> out(kRows * kStride);
    GAPSCOPE_CUDA_OK(geluGate({deviceGate.get(), deviceUp.get(), kRows, kColumns, out.get(), kStride}, {}));
    expectNear(toFloats(out.read()), expected, kBf16Error, 1e-5F);
}

TEST(CudaEmbedding, RowsOfTheTable) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 41, kColumns = 300;
    const auto dense = randomNumbers(kRows * kColumns, 10);
    const DeviceMatrix table(dense, kRows, kColumns);
    const std::vector<int32_t> ids{40, 0, 7, 7};
    const DeviceArray<int32_t> deviceIds(ids);
    const DeviceArray<float> out(ids.size() * kColumns);
    GAPSCOPE_CUDA_OK(embedding({table.view(), deviceIds.get(), 4, 2.5F, out.get(), nullptr}, {}));
    std::vector<float> expected;
    for (const int32_t id : ids)
        for (int i = 0; i < kColumns; ++i)
            expected.push_back(2.5F * dense[static_cast<size_t>(id * kColumns + i)]);
    EXPECT_EQ(out.read(), expected);
    const DeviceArray<StepState> state(std::vector<StepState>{{3, 5}});
    GAPSCOPE_CUDA_OK(setPosition(state.get(), 77, {}));
    EXPECT_EQ(state.read()[0].position, 77);
    EXPECT_EQ(state.read()[0].token, 5);
}

}  // namespace gapscope::cuda
