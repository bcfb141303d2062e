// Attention, rope and the cache against the plain C++ ops.
#include "kernels/cuda/attention.h"

#include <initializer_list>

#include "cuda_test_support.h"
#include "kernels/cpu/cpu_ops.h"
#include "kernels/cuda/attention_prefill.h"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/rope.h"

namespace gapscope::cuda {

namespace {

const CpuOps& oracle() {
    return cpuOps(Isa::Scalar);
}

struct Shape {
    int heads, kvHeads, headDim, window, slots, position, tokens;
};

// Queries, a cache filled up to the last token, and what attention over them gives.
struct AttentionCase {
    explicit AttentionCase(const Shape& s)
        : shape(s),
          q(randomNumbers(static_cast<size_t>(s.tokens * s.heads * s.headDim), 1)),
          keys(randomNumbers(static_cast<size_t>(s.slots * s.kvHeads * s.headDim), 2)),
          values(randomNumbers(keys.size(), 3)),
          expected(q.size()),
          deviceQ(toBf16(q)),
          deviceKeys(toBf16(keys)),
          deviceValues(toBf16(values)),
          state(std::vector<StepState>{{s.position, 0}}) {
        gapscope::AttentionArgs args;
        args.q = q.data();
        args.qStride = args.outStride = s.heads * s.headDim;
        args.tokens = s.tokens;
        args.heads = s.heads;
        args.firstPosition = s.position;
        args.window = s.window;
        args.scale = 0.11F;
        args.cache = {KvType::F32, keys.data(), values.data(), s.slots, s.kvHeads, s.headDim};
        args.out = expected.data();
        oracle().attention(args, {});
    }
    AttentionArgs args(int splits, float* partials, Bf16* out) const {
        AttentionArgs result;
        result.q = deviceQ.get();
        result.tokens = shape.tokens;
        result.heads = shape.heads;
        result.window = shape.window;
        result.scale = 0.11F;
        result.state = state.get();
        result.cache = {deviceKeys.get(), deviceValues.get(), shape.slots, shape.kvHeads, shape.headDim};
        result.splits = splits;
        result.partials = partials;
        result.out = out;
        return result;
    }

    Shape shape;
    std::vector<float> q, keys, values, expected;
    DeviceArray<Bf16> deviceQ, deviceKeys, deviceValues;
    DeviceArray<StepState> state;
};

const std::vector<Shape>& shapes() {
    static const std::vector<Shape> kShapes = {
        {4, 1, 256, 0, 1, 0, 1},           // the very first token
        {4, 1, 256, 0, 700, 0, 33},        // a prompt
        {4, 1, 256, 512, 512, 511, 1},     // the window just full
        {4, 1, 256, 512, 512, 512, 1},     // and just wrapped
        {4, 1, 256, 512, 767, 1000, 256},  // a chunk over a wrapped ring
        {4, 1, 256, 0, 5000, 4998, 1},     // long
        {4, 2, 32, 16, 16, 37, 1},         // the tiny model
        {4, 2, 32, 16, 75, 37, 23},       {3, 3, 48, 5, 5, 11, 1}, {8, 1, 64, 0, 130, 99, 7}, {6, 1, 16, 3, 9, 40, 2},
    };
    return kShapes;
}

}  // namespace

TEST(CudaAttention, WithAnyNumberOfParts) {
    GAPSCOPE_NEEDS_GPU();
    for (const Shape& shape : shapes()) {
        const AttentionCase test(shape);
        for (const int splits : {1, 2, 7, 32}) {
            SCOPED_TRACE(testing::Message() << shape.heads << " heads, position " << shape.position << ", window "
                                            << shape.window << ", " << splits << " parts");
            const DeviceArray<float> partials(
                static_cast<size_t>(attentionPartialFloats(shape.tokens, shape.heads, shape.headDim, splits)));
            const DeviceArray<Bf16> out(test.q.size());
            const AttentionArgs args = test.args(splits, partials.get(), out.get());
            GAPSCOPE_CUDA_OK(attention(args, {}));
            if (splits > 1) {
                GAPSCOPE_CUDA_OK(attentionCombine(args, {}));
            }
            expectNear(toFloats(out.read()), test.expected, kBf16Error, 2e-3F);
        }
    }
}

// With tensor cores: prompts of odd lengths, that go on in a cache, that are longer than the window, with every number
// of heads to a kv head and every size of a head; and twice the same bits.
TEST(CudaAttention, OfAPromptByTensorCores) {
    GAPSCOPE_NEEDS_GPU();
    std::vector<Shape> prompts = shapes();
    for (const Shape& shape : std::initializer_list<Shape>{
             {4, 1, 256, 512, 1023, 0, 512},    // a whole first chunk
             {4, 1, 256, 512, 1023, 512, 512},  // the next one
             {4, 1, 256, 512, 1023, 1024, 476},
             {4, 1, 256, 0, 1500, 0, 511},
             {4, 1, 256, 0, 1500, 1024, 476},
             {4, 1, 256, 512, 1024, 0, 513},
             {4, 1, 256, 0, 900, 700, 17},
             {8, 4, 128, 100, 300, 260, 129},
             {5, 1, 112, 0, 64, 3, 61},
             {4, 4, 64, 0, 200, 100, 100},
             {12, 2, 80, 7, 40, 55, 33},
         })
        prompts.push_back(shape);
    // As if there were few multiprocessors, or many: more rows a block, or more blocks.
    for (const int multiprocessors : {1, 1000})
        for (const Shape& shape : prompts) {
            SCOPED_TRACE(testing::Message()
                         << shape.heads << " heads on " << shape.kvHeads << " of " << shape.headDim << ", position "
                         << shape.position << ", " << shape.tokens << " tokens, window " << shape.window << ", "
                         << multiprocessors << " multiprocessors");
            const AttentionCase test(shape);
            const DeviceArray<Bf16> out(test.q.size()), again(test.q.size());
            Launch launch;
            launch.multiprocessors = multiprocessors;
            GAPSCOPE_CUDA_OK(attentionPrefill(test.args(1, nullptr, out.get()), launch));
            GAPSCOPE_CUDA_OK(attentionPrefill(test.args(1, nullptr, again.get()), launch));
            expectNear(toFloats(out.read()), test.expected, kBf16Error, 4e-3F);
            EXPECT_EQ(again.read(), out.read());
        }
}

TEST(CudaAttention, FusedDecodeNormsRopesWritesAndAttends) {
    GAPSCOPE_NEEDS_GPU();
    for (const Shape& shape : shapes()) {
        if (shape.tokens != 1) continue;
        SCOPED_TRACE(testing::Message() << shape.heads << " heads, position " << shape.position);
        const int columns = shape.heads * shape.headDim;
        const int kvColumns = shape.kvHeads * shape.headDim;
        const int half = shape.headDim / 2;
        AttentionCase test(shape);
        const auto k = randomNumbers(static_cast<size_t>(kvColumns), 11);
        const auto v = randomNumbers(static_cast<size_t>(kvColumns), 12);
        const auto queryWeights = randomNumbers(static_cast<size_t>(shape.headDim), 13);
        const auto keyWeights = randomNumbers(static_cast<size_t>(shape.headDim), 14);
        std::vector<float> frequencies;
        for (int i = 0; i < half; ++i)
            frequencies.push_back(
                std::pow(10000.0F, -2.0F * static_cast<float>(i) / static_cast<float>(shape.headDim)));

        std::vector<float> cos(static_cast<size_t>(shape.headDim)), sin(cos.size());
        const std::vector<int32_t> positions{shape.position};
        gapscope::CosSinArgs table{positions.data(), 1, frequencies.data(), half, 8, cos.data(), sin.data()};
        oracle().cosSin(table, {});
        std::vector<float> roped = test.q;
        gapscope::QkNormRopeArgs rope;
        rope.q = roped.data();
        rope.qStride = columns;
        rope.k = k.data();
        rope.kStride = rope.vStride = kvColumns;
        rope.v = v.data();
        rope.tokens = 1;
        rope.heads = shape.heads;
        rope.queryWeights = queryWeights.data();
        rope.keyWeights = keyWeights.data();
        rope.cos = cos.data();
        rope.sin = sin.data();
        rope.firstPosition = shape.position;
        rope.cache = {KvType::F32, test.keys.data(), test.values.data(), shape.slots, shape.kvHeads, shape.headDim};
        oracle().qkNormRope(rope, {});
        gapscope::AttentionArgs plain;
        plain.q = roped.data();
        plain.qStride = plain.outStride = columns;
        plain.tokens = 1;
        plain.heads = shape.heads;
        plain.firstPosition = shape.position;
        plain.window = shape.window;
        plain.scale = 0.11F;
        plain.cache = rope.cache;
        plain.out = test.expected.data();
        oracle().attention(plain, {});

        const DeviceArray<float> deviceQ(test.q), deviceK(k), deviceV(v), deviceQueryWeights(queryWeights),
            deviceKeyWeights(keyWeights), deviceFrequencies(frequencies);
        for (const int splits : {2, 5, 32}) {
            const DeviceArray<float> partials(
                static_cast<size_t>(attentionPartialFloats(1, shape.heads, shape.headDim, splits)));
            const DeviceArray<Bf16> out(test.q.size());
            AttentionDecodeArgs args;
            args.attention = test.args(splits, partials.get(), out.get());
            args.rope = {deviceQueryWeights.get(), deviceKeyWeights.get(), 1e-6F};
            args.q = deviceQ.get();
            args.k = deviceK.get();
            args.v = deviceV.get();
            const DeviceArray<float> tables(static_cast<size_t>(4 * half));
            GAPSCOPE_CUDA_OK(ropeTable(
                {test.state.get(), deviceFrequencies.get(), deviceFrequencies.get(), half, 8, tables.get()}, {}));
            args.cosSin = tables.get() + 2 * half;
            GAPSCOPE_CUDA_OK(attentionDecode(args, {}));
            GAPSCOPE_CUDA_OK(attentionCombine(args.attention, {}));
            expectNear(toFloats(out.read()), test.expected, 2 * kBf16Error, 0.02F);
            expectNear(toFloats(test.deviceKeys.read()), test.keys, kBf16Error, 1e-3F);
            expectNear(toFloats(test.deviceValues.read()), test.values, kBf16Error, 1e-6F);

            // The same parts joined inside the next product.
            const int rows = 37;
            const auto dense = randomNumbers(static_cast<size_t>(rows * columns), 15, 0.1F);
            const DeviceMatrix matrix(dense, rows, columns);
            const DeviceArray<float> product(static_cast<size_t>(rows));
            GAPSCOPE_CUDA_OK(
                gemvCombine({matrix.view(), partials.get(), shape.heads, shape.headDim, splits, product.get()}, {}));
            const auto joined = toFloats(out.read());
            std::vector<float> expected(static_cast<size_t>(rows), 0);
            for (int row = 0; row < rows; ++row)
                for (int i = 0; i < columns; ++i)
                    expected[static_cast<size_t>(row)] +=
                        dense[static_cast<size_t>(row * columns + i)] * joined[static_cast<size_t>(i)];
            expectNear(product.read(), expected, 1e-2F, 2e-2F);
        }
    }
}

TEST(CudaRope, ManyTokensAreNormedRopedAndCached) {
    GAPSCOPE_NEEDS_GPU();
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(testing::Message() << shape.heads << " heads, position " << shape.position);
        const int columns = shape.heads * shape.headDim;
        const int kvColumns = shape.kvHeads * shape.headDim;
        const int half = shape.headDim / 2;
        AttentionCase test(shape);
        const auto k = randomNumbers(static_cast<size_t>(shape.tokens * kvColumns), 21);
        const auto v = randomNumbers(k.size(), 22);
        const auto queryWeights = randomNumbers(static_cast<size_t>(shape.headDim), 23);
        const auto keyWeights = randomNumbers(static_cast<size_t>(shape.headDim), 24);
        std::vector<float> frequencies;
        for (int i = 0; i < half; ++i)
            frequencies.push_back(std::pow(1e6F, -2.0F * static_cast<float>(i) / static_cast<float>(shape.headDim)));
        std::vector<int32_t> positions;
        for (int t = 0; t < shape.tokens; ++t)
            positions.push_back(shape.position + t);
        std::vector<float> cos(static_cast<size_t>(shape.tokens * shape.headDim)), sin(cos.size());
        gapscope::CosSinArgs table{positions.data(), shape.tokens, frequencies.data(), half, 1, cos.data(), sin.data()};
        oracle().cosSin(table, {});
        gapscope::QkNormRopeArgs rope;
        std::vector<float> roped = test.q;
        rope.q = roped.data();
        rope.qStride = columns;
        rope.k = k.data();
        rope.kStride = rope.vStride = kvColumns;
        rope.v = v.data();
        rope.tokens = shape.tokens;
        rope.heads = shape.heads;
        rope.queryWeights = queryWeights.data();
        rope.keyWeights = keyWeights.data();
        rope.cos = cos.data();
        rope.sin = sin.data();
        rope.firstPosition = shape.position;
        rope.cache = {KvType::F32, test.keys.data(), test.values.data(), shape.slots, shape.kvHeads, shape.headDim};
        oracle().qkNormRope(rope, {});

        const DeviceArray<float> deviceQ(test.q), deviceK(k), deviceV(v), deviceQueryWeights(queryWeights),
            deviceKeyWeights(keyWeights), deviceFrequencies(frequencies);
        const DeviceArray<Bf16> out(test.q.size());
        QkNormRopeArgs args;
        const DeviceArray<float> tables(static_cast<size_t>(4 * half * shape.tokens));
        GAPSCOPE_CUDA_OK(ropeTable(
            {test.state.get(), deviceFrequencies.get(), deviceFrequencies.get(), half, 1, tables.get(), shape.tokens},
            {}));
        args.rope = {deviceQueryWeights.get(), deviceKeyWeights.get(), 1e-6F};
        args.cosSin = tables.get() + 2 * half;
        args.cosSinStride = 4 * half;
        args.q = deviceQ.get();
        args.k = deviceK.get();
        args.v = deviceV.get();
        args.qStride = columns;
        args.kvStride = kvColumns;
        args.tokens = shape.tokens;
        args.heads = shape.heads;
        args.state = test.state.get();
        args.cache = test.args(1, nullptr, nullptr).cache;
        args.out = out.get();
        GAPSCOPE_CUDA_OK(qkNormRope(args, {}));
        expectNear(toFloats(out.read()), roped, kBf16Error, 2e-3F);

        // All three in one row, as one product leaves them: the same bits.
        std::vector<float> together;
        for (int t = 0; t < shape.tokens; ++t) {
            together.insert(together.end(), &test.q[static_cast<size_t>(t * columns)],
                            &test.q[static_cast<size_t>(t * columns)] + columns);
            for (const auto* part : {&k, &v})
                together.insert(together.end(), part->begin() + t * kvColumns, part->begin() + (t + 1) * kvColumns);
        }
        const DeviceArray<float> deviceTogether(together);
        const DeviceArray<Bf16> again(test.q.size());
        QkNormRopeArgs stacked = args;
        stacked.q = deviceTogether.get();
        stacked.k = stacked.q + columns;
        stacked.v = stacked.k + kvColumns;
        stacked.qStride = stacked.kvStride = columns + 2 * kvColumns;
        stacked.out = again.get();
        GAPSCOPE_CUDA_OK(qkNormRope(stacked, {}));
        EXPECT_EQ(again.read(), out.read());
        expectNear(toFloats(test.deviceKeys.read()), test.keys, kBf16Error, 2e-3F);
        expectNear(toFloats(test.deviceValues.read()), test.values, kBf16Error, 1e-6F);

        // The tables that eager multiplies by.
        const DeviceArray<Bf16> deviceCos(cos.size()), deviceSin(sin.size());
        GAPSCOPE_CUDA_OK(cosSin(
            {test.state.get(), deviceFrequencies.get(), shape.tokens, half, 1, deviceCos.get(), deviceSin.get()}, {}));
        expectNear(toFloats(deviceCos.read()), cos, kBf16Error, 1e-3F);
        expectNear(toFloats(deviceSin.read()), sin, kBf16Error, 1e-3F);
    }
}

TEST(CudaRope, CacheWriteWrapsAroundTheRing) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kSlots = 5, kColumns = 7, kTokens = 4, kPosition = 13;
    const auto x = randomNumbers(kTokens * kColumns, 31);
    const DeviceArray<Bf16> deviceX(toBf16(x));
    const DeviceArray<Bf16> cache(toBf16(std::vector<float>(kSlots * kColumns, 9)));
    const DeviceArray<StepState> state(std::vector<StepState>{{kPosition, 0}});
    GAPSCOPE_CUDA_OK(cacheWrite({deviceX.get(), kTokens, kColumns, state.get(), cache.get(), kSlots}, {}));
    std::vector<float> expected(kSlots * kColumns, 9);
    for (int t = 0; t < kTokens; ++t)
        for (int i = 0; i < kColumns; ++i)
            expected[static_cast<size_t>((kPosition + t) % kSlots * kColumns + i)] =
                x[static_cast<size_t>(t * kColumns + i)];
    EXPECT_EQ(toFloats(cache.read()), expected);
}

}  // namespace gapscope::cuda
