// What checks drafts gives each token the bits that the kernels of one token give it. (packed_test.cpp and
// int8_test.cpp hold the products of their formats to the same.)
#include "kernels/cuda/draft_check.h"

#include <algorithm>
#include <span>

#include "gemv_rows_test_support.h"
#include "kernels/cuda/argmax.h"
#include "kernels/cuda/rope.h"

namespace gapscope::cuda {

TEST(CudaDraftCheck, ProductsHaveTheBitsOfEachToken) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int rows, columns;
    };
    for (const Size size : {Size{1, 8}, Size{33, 64}, Size{257, 1152}, Size{640, 1280}, Size{130, 6912}, Size{9, 1288},
                            Size{20001, 136}, Size{17, 5376}}) {
        SCOPED_TRACE(testing::Message() << size.rows << " x " << size.columns);
        const DeviceMatrix matrix(randomNumbers(static_cast<size_t>(size.rows) * static_cast<size_t>(size.columns), 5),
                                  size.rows, size.columns);
        const DeviceArray<Bf16> x(toBf16(randomNumbers(17 * static_cast<size_t>(size.columns), 6)));
        expectBitsOfGemv(matrix.view(), size.rows, x, size.columns);
    }
}

TEST(CudaDraftCheck, NormsAndWhatReadsThemHaveTheBitsOfEachToken) {
    GAPSCOPE_NEEDS_GPU();
    for (const int columns : {64, 640, 1152, 2560})
        for (const bool withY : {false, true}) {
            const auto matrix = [&](int rows, unsigned seed) {
                return DeviceMatrix(randomNumbers(static_cast<size_t>(rows) * static_cast<size_t>(columns), seed), rows,
                                    columns);
            };
            const DeviceMatrix q = matrix(133, 1), k = matrix(17, 2), v = matrix(1, 3), gate = matrix(331, 4),
                               up = matrix(331, 5);
            expectBitsOfFusedNorms<WeightMatrix>({q.view(), k.view(), v.view()}, gate.view(), up.view(), columns,
                                                 withY);
        }
}

TEST(CudaDraftCheck, LogitsOfTheHeadHaveTheBitsOfEachToken) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kColumns = 640, kRows = 20003;
    const DeviceMatrix head(randomNumbers(static_cast<size_t>(kRows) * kColumns, 9), kRows, kColumns);
    const NormRowsCase norm(kColumns, true);
    const int blocks = gemvHeadBlocks(Launch{}.multiprocessors);
    const DeviceArray<float> stream(17 * static_cast<size_t>(kColumns));
    const DeviceArray<Bf16> normed(17 * static_cast<size_t>(kColumns));
    const DeviceArray<float> logits(17 * static_cast<size_t>(kRows)), values(17 * static_cast<size_t>(blocks));
    const DeviceArray<int32_t> indices(17 * static_cast<size_t>(blocks)), ids(std::vector<int32_t>(17, -1)),
        ring(std::vector<int32_t>(20, -1));
    const DeviceArray<StepState> state(std::vector<StepState>{{15, 0}});
    GAPSCOPE_CUDA_OK(normRows({norm.token(0, stream.get()), 17, kColumns, normed.get(), NormThreads::OfGateUp}, {}));
    GemvRowsArgs args;
    args.matrices[0] = head.view();
    args.x = normed.get();
    args.tokens = 17;
    args.out[0] = logits.get();
    GAPSCOPE_CUDA_OK(gemvRows(args, {}));
    GAPSCOPE_CUDA_OK(argmaxPartial({logits.get(), kRows, values.get(), indices.get(), blocks, 17}, {}));
    GAPSCOPE_CUDA_OK(
        argmaxFinishRows({values.get(), indices.get(), blocks, 17, ids.get(), state.get(), ring.get(), 20}, {}));
    const auto all = logits.read();
    const auto chosen = ids.read();
    const auto noted = ring.read();
    EXPECT_EQ(state.read()[0].position, 15 + 17);
    EXPECT_EQ(state.read()[0].token, chosen[16]);
    for (int t = 0; t < 17; ++t) {
        SCOPED_TRACE(t);
        const DeviceArray<float> one(static_cast<size_t>(kRows)), best(static_cast<size_t>(blocks)),
            out(static_cast<size_t>(kColumns));
        const DeviceArray<int32_t> bestAt(static_cast<size_t>(blocks));
        GAPSCOPE_CUDA_OK(
            gemvNormHead({norm.token(t, out.get()), head.view(), one.get(), best.get(), bestAt.get(), blocks}, {}));
        const auto expected = one.read();
        const auto row = std::span(all).subspan(static_cast<size_t>(t * kRows), static_cast<size_t>(kRows));
        EXPECT_TRUE(std::ranges::equal(row, expected));
        const auto largest = static_cast<int32_t>(std::ranges::max_element(expected) - expected.begin());
        EXPECT_EQ(chosen[static_cast<size_t>(t)], largest);
        EXPECT_EQ(noted[static_cast<size_t>((16 + t) % 20)], largest);
    }
}

// A step of several tokens against as many steps of one: the cache, the parts of attention, and what they join to;
// around the ring and past the window.
TEST(CudaDraftCheck, AttentionHasTheBitsOfEachToken) {
    GAPSCOPE_NEEDS_GPU();
    struct Shape {
        int heads, kvHeads, headDim, window, slots, position, splits;
    };
    for (const Shape& s :
         {Shape{4, 1, 256, 0, 200, 0, 2}, Shape{4, 1, 256, 512, 530, 1000, 16}, Shape{4, 2, 64, 32, 48, 45, 3},
          Shape{3, 3, 48, 0, 400, 333, 32}, Shape{8, 1, 128, 7, 24, 90, 2}}) {
        for (const int tokens : {1, 2, 5, 17}) {
            SCOPED_TRACE(testing::Message() << s.heads << "/" << s.kvHeads << " x " << s.headDim << " at " << s.position
                                            << ", " << tokens << " tokens");
            const auto floatsOf = [](int64_t count, unsigned seed) {
                return randomNumbers(static_cast<size_t>(count), seed);
            };
            const int half = s.headDim / 2;
            const int64_t kvColumns = static_cast<int64_t>(s.kvHeads) * s.headDim;
            const int64_t columns = static_cast<int64_t>(s.heads) * s.headDim;
            const auto keys = toBf16(floatsOf(s.slots * kvColumns, 1));
            const auto values = toBf16(floatsOf(s.slots * kvColumns, 2));
            const DeviceArray<float> q(floatsOf(tokens * columns, 3)), k(floatsOf(tokens * kvColumns, 4)),
                v(floatsOf(tokens * kvColumns, 5)), queryWeights(floatsOf(s.headDim, 6)),
                keyWeights(floatsOf(s.headDim, 7)), frequencies(floatsOf(half, 8));
            const QkNormRope rope{queryWeights.get(), keyWeights.get(), 1e-6F};
            const auto partialCount = [&](int count) {
                return static_cast<size_t>(attentionPartialFloats(count, s.heads, s.headDim, s.splits));
            };
            const auto attention = [&](const KvCache& cache, const StepState* state, int count, float* partials,
                                       Bf16* out) {
                AttentionArgs args;
                args.tokens = count;
                args.heads = s.heads;
                args.window = s.window;
                args.scale = 0.11F;
                args.state = state;
                args.cache = cache;
                args.splits = s.splits;
                args.partials = partials;
                args.out = out;
                return args;
            };
            // One after the other.
            const DeviceArray<Bf16> keysAlone(keys), valuesAlone(values);
            const KvCache alone{keysAlone.get(), valuesAlone.get(), s.slots, s.kvHeads, s.headDim};
            std::vector<float> identity(static_cast<size_t>(columns * columns), 0);
            for (int64_t i = 0; i < columns; ++i)
                identity[static_cast<size_t>(i * columns + i)] = 1;
            const DeviceMatrix unit(identity, static_cast<int>(columns), static_cast<int>(columns));
            std::vector<float> parts, statistics, joined;
            for (int t = 0; t < tokens; ++t) {
                const DeviceArray<StepState> state(std::vector<StepState>{{s.position + t, 0}});
                const DeviceArray<float> table(static_cast<size_t>(4 * half)), partials(partialCount(1)),
                    out(static_cast<size_t>(columns));
                GAPSCOPE_CUDA_OK(
                    ropeTable({state.get(), frequencies.get(), frequencies.get(), half, 1, table.get()}, {}));
                AttentionDecodeArgs args;
                args.attention = attention(alone, state.get(), 1, partials.get(), nullptr);
                args.rope = rope;
                args.q = q.get() + t * columns;
                args.k = k.get() + t * kvColumns;
                args.v = v.get() + t * kvColumns;
                args.cosSin = table.get();
                GAPSCOPE_CUDA_OK(attentionDecode(args, {}));
                GAPSCOPE_CUDA_OK(
                    gemvCombine({unit.view(), partials.get(), s.heads, s.headDim, s.splits, out.get()}, {}));
                const auto all = partials.read();
                const auto statisticsAt = attentionStatisticsAt(1, s.heads, s.headDim, s.splits);
                parts.insert(parts.end(), all.begin(), all.begin() + statisticsAt);
                statistics.insert(statistics.end(), all.begin() + statisticsAt, all.end());
                const auto one = out.read();
                joined.insert(joined.end(), one.begin(), one.end());
            }
            parts.insert(parts.end(), statistics.begin(), statistics.end());

            const DeviceArray<Bf16> keysTogether(keys), valuesTogether(values),
                out(static_cast<size_t>(tokens * columns));
            const KvCache together{keysTogether.get(), valuesTogether.get(), s.slots, s.kvHeads, s.headDim};
            const DeviceArray<StepState> state(std::vector<StepState>{{s.position, 0}});
            const DeviceArray<float> tables(static_cast<size_t>(4 * half * tokens)), partials(partialCount(tokens));
            GAPSCOPE_CUDA_OK(
                ropeTable({state.get(), frequencies.get(), frequencies.get(), half, 1, tables.get(), tokens}, {}));
            GAPSCOPE_CUDA_OK(
                ropeCacheRows({rope, k.get(), v.get(), tokens, state.get(), together, tables.get(), 4 * half}, {}));
            AttentionRowsArgs args;
            args.attention = attention(together, state.get(), tokens, partials.get(), out.get());
            const DeviceArray<unsigned> arrivals(std::vector<unsigned>(static_cast<size_t>(tokens * s.heads), 0));
            args.arrivals = arrivals.get();
            args.rope = rope;
            args.q = q.get();
            args.cosSin = tables.get();
            args.cosSinStride = 4 * half;
            GAPSCOPE_CUDA_OK(attentionRows(args, {}));
            EXPECT_EQ(keysTogether.read(), keysAlone.read());
            EXPECT_EQ(valuesTogether.read(), valuesAlone.read());
            EXPECT_EQ(partials.read(), parts);
            EXPECT_EQ(toFloats(out.read()), joined);
            for (const unsigned left : arrivals.read())
                EXPECT_EQ(left, 0U);
        }
    }
}

}  // namespace gapscope::cuda
