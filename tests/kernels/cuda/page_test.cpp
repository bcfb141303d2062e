// Keys and values in pages: attention over them has the bits that it has over a ring, and they come from the ring and
// go back to it unchanged.
#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "cuda_test_support.h"
#include "kernels/cuda/draft_check.h"
#include "kernels/cuda/page_copy.h"
#include "kernels/cuda/rope.h"

namespace gapscope::cuda {

namespace {

std::vector<float> numbers(int64_t count, unsigned seed) {
    return randomNumbers(static_cast<size_t>(count), seed);
}

std::vector<int32_t> shuffledPages(int pages) {
    std::vector<int32_t> order(static_cast<size_t>(pages));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::shuffle(order, std::mt19937(7));
    return order;
}

// Where a sequence with these pages has its position.
int slotOf(const std::vector<int32_t>& pages, int position) {
    return pages[static_cast<size_t>(position / kPagePositions)] * kPagePositions + position % kPagePositions;
}

struct Row {
    int position, splits;
};

// Of the rings and pages of the copies.
constexpr int kSlots = 50;
constexpr int kColumns = 48;
constexpr int kPages = 6;

}  // namespace

// Each row against a step of one token of its sequence, whose cache is a ring that holds all positions.
TEST(CudaPages, RowsHaveTheBitsThatTheirSequencesHaveAlone) {
    GAPSCOPE_NEEDS_GPU();
    struct Shape {
        int heads, kvHeads, headDim, window;
    };
    const std::vector<Row> rows = {{0, 2}, {31, 2}, {32, 3}, {400, 13}, {95, 4}, {96, 32}, {7, 2}, {511, 16}, {64, 5}};
    constexpr int kSlots = 512, kPagesOfRow = kSlots / kPagePositions, kMostSplits = 32;
    const int count = static_cast<int>(rows.size());
    for (const Shape& s : {Shape{4, 1, 256, 0}, Shape{4, 1, 256, 60}, Shape{4, 2, 64, 32}, Shape{3, 3, 48, 0}}) {
        SCOPED_TRACE(testing::Message() << s.heads << "/" << s.kvHeads << " x " << s.headDim);
        const int half = s.headDim / 2;
        const int64_t kvColumns = static_cast<int64_t>(s.kvHeads) * s.headDim;
        const int64_t columns = static_cast<int64_t>(s.heads) * s.headDim;
        const DeviceArray<float> q(numbers(count * columns, 3)), k(numbers(count * kvColumns, 4)),
            v(numbers(count * kvColumns, 5)), queryWeights(numbers(s.headDim, 6)), keyWeights(numbers(s.headDim, 7)),
            frequencies(numbers(half, 8)), tables(static_cast<size_t>(4 * half * count));
        const QkNormRope rope{queryWeights.get(), keyWeights.get(), 1e-6F};
        const auto step = [&](const KvCache& cache, const StepState* state, const PagedRows& paged, int first,
                              int tokens, int splits, Bf16* out) {
            RopeTableArgs table{state, frequencies.get(), frequencies.get(), half, 1, tables.get(), tokens};
            table.positions = paged.positions;
            GAPSCOPE_CUDA_OK(ropeTable(table, {}));
            RopeCacheRowsArgs write;
            write.rope = rope;
            write.k = k.get() + first * kvColumns;
            write.v = v.get() + first * kvColumns;
            write.tokens = tokens;
            write.state = state;
            write.cache = cache;
            write.paged = paged;
            write.cosSin = tables.get();
            write.cosSinStride = 4 * half;
            GAPSCOPE_CUDA_OK(ropeCacheRows(write, {}));
            const DeviceArray<float> partials(
                static_cast<size_t>(attentionPartialFloats(tokens, s.heads, s.headDim, splits)));
            const DeviceArray<unsigned> arrivals(std::vector<unsigned>(static_cast<size_t>(tokens * s.heads), 0));
            AttentionRowsArgs args;
            args.attention.tokens = tokens;
            args.attention.heads = s.heads;
            args.attention.window = s.window;
            args.attention.scale = 0.11F;
            args.attention.state = state;
            args.attention.cache = cache;
            args.attention.splits = splits;
            args.attention.partials = partials.get();
            args.attention.out = out;
            args.paged = paged;
            args.arrivals = arrivals.get();
            args.rope = rope;
            args.q = q.get() + first * columns;
            args.cosSin = tables.get();
            args.cosSinStride = 4 * half;
            GAPSCOPE_CUDA_OK(attentionRows(args, {}));
            for (const unsigned left : arrivals.read())
                EXPECT_EQ(left, 0U);
        };
        const std::vector<int32_t> pages = shuffledPages(count * kPagesOfRow);
        std::vector<Bf16> pagedKeys(static_cast<size_t>(count * kSlots * kvColumns)), pagedValues(pagedKeys.size());
        std::vector<Bf16> expected, expectedKeys(pagedKeys.size()), expectedValues(pagedKeys.size());
        std::vector<int32_t> positions, splits;
        for (int r = 0; r < count; ++r) {
            const auto [position, parts] = rows[static_cast<size_t>(r)];
            positions.push_back(position);
            splits.push_back(parts);
            const auto keys = toBf16(numbers(kSlots * kvColumns, 20 + static_cast<unsigned>(r)));
            const auto values = toBf16(numbers(kSlots * kvColumns, 40 + static_cast<unsigned>(r)));
            const DeviceArray<Bf16> ringKeys(keys), ringValues(values), out(static_cast<size_t>(columns));
            const DeviceArray<StepState> state(std::vector<StepState>{{position, 0}});
            step({ringKeys.get(), ringValues.get(), kSlots, s.kvHeads, s.headDim}, state.get(), {}, r, 1, parts,
                 out.get());
            const auto one = out.read();
            expected.insert(expected.end(), one.begin(), one.end());
            const auto toPages = [&](const std::vector<Bf16>& from, std::vector<Bf16>& to) {
                for (int p = 0; p < kSlots; ++p)
                    std::copy_n(from.begin() + p * kvColumns, kvColumns,
                                to.begin() +
                                    (pages[static_cast<size_t>(r * kPagesOfRow + p / kPagePositions)] * kPagePositions +
                                     p % kPagePositions) *
                                        kvColumns);
            };
            toPages(keys, pagedKeys);
            toPages(values, pagedValues);
            toPages(ringKeys.read(), expectedKeys);
            toPages(ringValues.read(), expectedValues);
        }
        const DeviceArray<Bf16> keys(pagedKeys), values(pagedValues), out(static_cast<size_t>(count * columns));
        const DeviceArray<int32_t> devicePositions(positions), deviceSplits(splits), table(pages),
            stride(std::vector<int32_t>{kPagesOfRow});
        step({keys.get(), values.get(), count * kSlots, s.kvHeads, s.headDim}, nullptr,
             {devicePositions.get(), deviceSplits.get(), stride.get(), table.get()}, 0, count, kMostSplits, out.get());
        EXPECT_EQ(out.read(), expected);
        EXPECT_EQ(keys.read(), expectedKeys);
        EXPECT_EQ(values.read(), expectedValues);
    }
}

TEST(CudaPages, ComeFromARing) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kFirst = 70, kCount = 45, kEnd = kFirst + kCount;
    const std::vector<int32_t> pages = shuffledPages(kPages);
    const DeviceArray<int32_t> table(pages);
    const auto ringKeys = toBf16(numbers(kSlots * kColumns, 1));
    const auto ringValues = toBf16(numbers(kSlots * kColumns, 2));
    const std::vector<Bf16> blank(static_cast<size_t>(kPages * kPagePositions * kColumns), 0);
    const DeviceArray<Bf16> keys(ringKeys), values(ringValues), keyPages(blank), valuePages(blank);
    const DeviceArray<PagedLayer> layer(
        std::vector<PagedLayer>{{{keys.get(), values.get(), kSlots, 1, kColumns},
                                 {keyPages.get(), valuePages.get(), kPages * kPagePositions, 1, kColumns}}});
    GAPSCOPE_CUDA_OK(copyToPages({layer.get(), 1, kColumns, table.get(), kFirst, kCount}, {}));
    const auto expectPages = [&](const std::vector<Bf16>& ring, const std::vector<Bf16>& paged) {
        std::vector<Bf16> expected = blank;
        for (int p = kFirst; p < kEnd; ++p)
            std::copy_n(ring.begin() + p % kSlots * kColumns, kColumns, expected.begin() + slotOf(pages, p) * kColumns);
        EXPECT_EQ(paged, expected);
    };
    expectPages(ringKeys, keyPages.read());
    expectPages(ringValues, valuePages.read());
}

// Into a ring that is smaller, and one that has room for more.
TEST(CudaPages, GoBackToRings) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kCount = 2 * kSlots + 17;
    const std::vector<int32_t> pages = shuffledPages(kPages);
    const DeviceArray<int32_t> table(pages);
    const auto keyPages = toBf16(numbers(kPages * kPagePositions * kColumns, 3));
    const auto valuePages = toBf16(numbers(kPages * kPagePositions * kColumns, 4));
    const DeviceArray<Bf16> keys(keyPages), values(valuePages);
    const std::vector<int> slots = {kSlots, kCount + 5};
    std::vector<PagedLayer> layers;
    std::vector<std::unique_ptr<DeviceArray<Bf16>>> rings;  // keys and values of each layer
    const auto blankRing = [](int of) { return std::vector<Bf16>(static_cast<size_t>(of * kColumns), 0); };
    for (const int of : slots) {
        for (int half = 0; half < 2; ++half)
            rings.push_back(std::make_unique<DeviceArray<Bf16>>(blankRing(of)));
        layers.push_back({{rings.end()[-2]->get(), rings.end()[-1]->get(), of, 1, kColumns},
                          {keys.get(), values.get(), kPages * kPagePositions, 1, kColumns}});
    }
    const DeviceArray<PagedLayer> deviceLayers(layers);
    GAPSCOPE_CUDA_OK(copyFromPages({deviceLayers.get(), 2, kColumns, table.get(), 0, kCount}, {}));
    for (size_t i = 0; i < rings.size(); ++i) {
        SCOPED_TRACE(i);
        const int of = slots[i / 2];
        std::vector<Bf16> expected = blankRing(of);
        for (int p = 0; p < kCount; ++p)
            std::copy_n((i % 2 == 0 ? keyPages : valuePages).begin() + slotOf(pages, p) * kColumns, kColumns,
                        expected.begin() + p % of * kColumns);
        EXPECT_EQ(rings[i]->read(), expected);
    }
}

}  // namespace gapscope::cuda
