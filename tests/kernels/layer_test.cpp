// Norms, rope, cache writes, embedding and attention of every instruction set against formulas in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/kernels/test_support.h"

namespace gapscope {
namespace {

using test::expectClose;
using test::kPartCounts;
using test::kUntouched;
using test::randomFloats;

size_t at(int64_t index) {
    return static_cast<size_t>(index);
}

std::vector<double> normed(const float* x, const float* weights, int64_t columns, double epsilon) {
    double squares = 0;
    for (int64_t i = 0; i < columns; ++i)
        squares += static_cast<double>(x[i]) * x[i];
    const double factor = 1 / std::sqrt(squares / static_cast<double>(columns) + epsilon);
    std::vector<double> out;
    for (int64_t i = 0; i < columns; ++i)
        out.push_back(x[i] * factor * weights[i]);
    return out;
}

std::vector<double> rotated(const std::vector<double>& x, double position, double theta) {
    const auto half = x.size() / 2;
    std::vector<double> out(x.size());
    for (size_t i = 0; i < half; ++i) {
        const double angle = position * std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(x.size()));
        out[i] = x[i] * std::cos(angle) - x[half + i] * std::sin(angle);
        out[half + i] = x[half + i] * std::cos(angle) + x[i] * std::sin(angle);
    }
    return out;
}

std::vector<float> inverseFrequencies(int64_t headDim, double theta) {
    std::vector<float> frequencies;
    for (int64_t i = 0; i < headDim / 2; ++i)
        frequencies.push_back(
            static_cast<float>(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(headDim))));
    return frequencies;
}

class LayerOps : public testing::TestWithParam<Isa> {
protected:
    const CpuOps& ops() const { return cpuOps(GetParam()); }
};

TEST_P(LayerOps, RmsNorm) {
    for (const int64_t columns : {1, 15, 16, 33, 256, 640, 643}) {
        for (const int64_t rows : {1, 5}) {
            const int64_t stride = columns + 3;
            const std::vector<float> x = randomFloats(rows * stride, 1, 3.0F);
            const std::vector<float> weights = randomFloats(columns, 2);
            std::vector<float> wanted(at(rows * stride), kUntouched);
            for (int64_t r = 0; r < rows; ++r) {
                const std::vector<double> row = normed(x.data() + r * stride, weights.data(), columns, 1e-6);
                for (int64_t i = 0; i < columns; ++i)
                    wanted[at(r * stride + i)] = static_cast<float>(row[at(i)]);
            }
            for (const int parts : kPartCounts) {
                std::vector<float> out(at(rows * stride), kUntouched);
                test::runParts(ops().rmsNorm,
                               RmsNormArgs{x.data(), stride, rows, columns, weights.data(), 1e-6F, out.data(), stride},
                               parts);
                ASSERT_NO_FATAL_FAILURE(expectClose(out, wanted, 1e-6, 1e-6, "out of place"));
            }
            std::vector<float> inPlace = x;
            ops().rmsNorm({inPlace.data(), stride, rows, columns, weights.data(), 1e-6F, inPlace.data(), stride},
                          {0, 1});
            for (int64_t r = 0; r < rows; ++r)
                for (int64_t i = 0; i < columns; ++i)
                    ASSERT_NEAR(inPlace[at(r * stride + i)], wanted[at(r * stride + i)], 1e-5);
        }
    }
}

TEST_P(LayerOps, RmsNormOfZerosIsZero) {
    const std::vector<float> x(40, 0.0F);
    const std::vector<float> weights(40, 1.0F);
    std::vector<float> out(40, kUntouched);
    ops().rmsNorm({x.data(), 40, 1, 40, weights.data(), 1e-6F, out.data(), 40}, {0, 1});
    EXPECT_EQ(out, x);
}

TEST_P(LayerOps, AddRmsNorm) {
    for (const int64_t columns : {1, 37, 640}) {
        for (const bool inPlace : {false, true}) {
            const int64_t rows = 4;
            const std::vector<float> y = randomFloats(rows * columns, 1, 5.0F);
            const std::vector<float> x = randomFloats(rows * columns, 2);
            const std::vector<float> post = randomFloats(columns, 3);
            const std::vector<float> next = randomFloats(columns, 4);
            std::vector<float> wantedX;
            std::vector<float> wanted;
            for (int64_t r = 0; r < rows; ++r) {
                const std::vector<double> row = normed(y.data() + r * columns, post.data(), columns, 1e-6);
                for (int64_t i = 0; i < columns; ++i)
                    wantedX.push_back(static_cast<float>(x[at(r * columns + i)] + row[at(i)]));
                const std::vector<double> after = normed(wantedX.data() + r * columns, next.data(), columns, 1e-6);
                for (const double value : after)
                    wanted.push_back(static_cast<float>(value));
            }
            for (const int parts : kPartCounts) {
                std::vector<float> gotX = x;
                std::vector<float> gotY = y;
                std::vector<float> out(x.size(), kUntouched);
                float* const to = inPlace ? gotY.data() : out.data();
                test::runParts(ops().addRmsNorm,
                               AddRmsNormArgs{gotY.data(), columns, gotX.data(), columns, rows, columns, post.data(),
                                              next.data(), 1e-6F, to, columns},
                               parts);
                ASSERT_NO_FATAL_FAILURE(expectClose(gotX, wantedX, 1e-5, 1e-5, "x"));
                ASSERT_NO_FATAL_FAILURE(expectClose(inPlace ? gotY : out, wanted, 1e-5, 1e-5, "out"));
            }
        }
    }
}

TEST_P(LayerOps, Rope) {
    for (const int64_t headDim : {2, 10, 64, 256}) {
        const int64_t tokens = 3;
        const int64_t heads = 3;
        const int64_t stride = heads * headDim + 4;
        const std::vector<int32_t> positions = {0, 7, 3000};
        const std::vector<float> frequencies = inverseFrequencies(headDim, 1e4);
        const std::vector<float> x = randomFloats(tokens * stride, 5);
        for (const int parts : kPartCounts) {
            std::vector<float> cos(at(tokens * headDim), kUntouched);
            std::vector<float> sin(at(tokens * headDim), kUntouched);
            test::runParts(
                ops().cosSin,
                CosSinArgs{positions.data(), tokens, frequencies.data(), headDim / 2, 8.0F, cos.data(), sin.data()},
                parts);
            std::vector<float> got = x;
            test::runParts(ops().rope, RopeArgs{got.data(), stride, tokens, heads, headDim, cos.data(), sin.data()},
                           parts);
            std::vector<float> wanted = x;
            for (int64_t t = 0; t < tokens; ++t) {
                for (int64_t h = 0; h < heads; ++h) {
                    const auto first = x.begin() + t * stride + h * headDim;
                    const std::vector<double> head =
                        rotated({first, first + headDim}, static_cast<double>(positions[at(t)]) / 8.0, 1e4);
                    for (int64_t i = 0; i < headDim; ++i)
                        wanted[at(t * stride + h * headDim + i)] = static_cast<float>(head[at(i)]);
                }
            }
            // fp32 angles up to 375 are good to 2e-5 radians.
            ASSERT_NO_FATAL_FAILURE(expectClose(got, wanted, 2e-4, 1e-5, "rope"));
            for (int64_t i = 0; i < headDim / 2; ++i) {
                ASSERT_EQ(cos[at(i)], cos[at(headDim / 2 + i)]);
                ASSERT_EQ(sin[at(i)], sin[at(headDim / 2 + i)]);
            }
        }
    }
}

// The fused op and the single ones against one formula; F16 and F32 caches, a ring that wraps.
TEST_P(LayerOps, QkNormRopeAndKvWrite) {
    for (const KvType type : {KvType::F32, KvType::F16}) {
        for (const int64_t headDim : {10, 64, 256}) {
            const int64_t tokens = 5;
            const int64_t heads = 4;
            const int64_t kvHeads = 2;
            const int64_t slots = 6;
            const int64_t firstPosition = 15;  // slots 3, 4, 5, 0, 1
            const int64_t kvColumns = kvHeads * headDim;
            const std::vector<float> q = randomFloats(tokens * heads * headDim, 1);
            const std::vector<float> k = randomFloats(tokens * kvColumns, 2);
            const std::vector<float> v = randomFloats(tokens * kvColumns, 3);
            const std::vector<float> qWeights = randomFloats(headDim, 4);
            const std::vector<float> kWeights = randomFloats(headDim, 5);
            const std::vector<float> frequencies = inverseFrequencies(headDim, 1e6);
            std::vector<int32_t> positions;
            for (int64_t t = 0; t < tokens; ++t)
                positions.push_back(static_cast<int32_t>(firstPosition + t));
            std::vector<float> cos(at(tokens * headDim));
            std::vector<float> sin(at(tokens * headDim));
            ops().cosSin({positions.data(), tokens, frequencies.data(), headDim / 2, 1.0F, cos.data(), sin.data()},
                         {0, 1});

            const auto bytes = at(slots * kvColumns * kvElementBytes(type));
            const auto element = [&](const std::vector<std::byte>& plane, int64_t index) {
                if (type == KvType::F32) {
                    float value = 0;
                    std::memcpy(&value, plane.data() + 4 * index, 4);
                    return value;
                }
                uint16_t value = 0;
                std::memcpy(&value, plane.data() + 2 * index, 2);
                return halfToFloat(value);
            };
            const double relative = type == KvType::F32 ? 1e-5 : 6e-4;
            for (const int parts : kPartCounts) {
                std::vector<std::byte> keys(bytes);
                std::vector<std::byte> values(bytes);
                std::vector<float> gotQ = q;
                QkNormRopeArgs args{.q = gotQ.data(),
                                    .qStride = heads * headDim,
                                    .k = k.data(),
                                    .kStride = kvColumns,
                                    .v = v.data(),
                                    .vStride = kvColumns,
                                    .tokens = tokens,
                                    .heads = heads,
                                    .queryWeights = qWeights.data(),
                                    .keyWeights = kWeights.data(),
                                    .epsilon = 1e-6F,
                                    .cos = cos.data(),
                                    .sin = sin.data(),
                                    .firstPosition = firstPosition};
                args.cache = {type, keys.data(), values.data(), slots, kvHeads, headDim};
                test::runParts(ops().qkNormRope, args, parts);
                for (int64_t t = 0; t < tokens; ++t) {
                    for (int64_t h = 0; h < heads; ++h) {
                        const int64_t first = (t * heads + h) * headDim;
                        const std::vector<double> wanted =
                            rotated(normed(q.data() + first, qWeights.data(), headDim, 1e-6), positions[at(t)], 1e6);
                        for (int64_t i = 0; i < headDim; ++i)
                            ASSERT_NEAR(gotQ[at(first + i)], wanted[at(i)], 2e-5);
                    }
                    const int64_t row = (firstPosition + t) % slots * kvColumns;
                    for (int64_t h = 0; h < kvHeads; ++h) {
                        const int64_t first = t * kvColumns + h * headDim;
                        const std::vector<double> wanted =
                            rotated(normed(k.data() + first, kWeights.data(), headDim, 1e-6), positions[at(t)], 1e6);
                        for (int64_t i = 0; i < headDim; ++i)
                            ASSERT_NEAR(element(keys, row + h * headDim + i), wanted[at(i)],
                                        2e-5 + relative * std::fabs(wanted[at(i)]));
                    }
                    for (int64_t i = 0; i < kvColumns; ++i)
                        ASSERT_NEAR(element(values, row + i), v[at(t * kvColumns + i)],
                                    1e-7 + relative * std::fabs(v[at(t * kvColumns + i)]));
                }
                // Slot 2 belongs to no token of this pass.
                for (int64_t i = 0; i < kvColumns; ++i)
                    ASSERT_EQ(element(keys, 2 * kvColumns + i), 0.0F);

                std::vector<std::byte> plainKeys(bytes);
                std::vector<std::byte> plainValues(bytes);
                KvWriteArgs write{k.data(), kvColumns, v.data(), kvColumns, tokens, firstPosition, {}};
                write.cache = {type, plainKeys.data(), plainValues.data(), slots, kvHeads, headDim};
                test::runParts(ops().kvWrite, write, parts);
                ASSERT_EQ(plainValues, values);
                for (int64_t t = 0; t < tokens; ++t)
                    for (int64_t i = 0; i < kvColumns; ++i)
                        ASSERT_NEAR(element(plainKeys, (firstPosition + t) % slots * kvColumns + i),
                                    k[at(t * kvColumns + i)], 1e-7 + relative * std::fabs(k[at(t * kvColumns + i)]));
            }
        }
    }
}

TEST_P(LayerOps, EmbeddingScalesTheRowsAskedFor) {
    for (const WeightType type : {WeightType::F32, WeightType::BF16, WeightType::Q8_0, WeightType::Q6_K}) {
        const int64_t columns = 512;
        const test::FileMatrix table(type, 20, columns, 1);
        const std::vector<float> floats = table.floats();
        const std::vector<int32_t> ids = {19, 0, 7, 7};
        for (const int parts : kPartCounts) {
            std::vector<float> out(4 * 512, kUntouched);
            test::runParts(ops().embedding, EmbeddingArgs{table.view(), ids.data(), 4, 25.3F, out.data(), columns},
                           parts);
            for (size_t t = 0; t < 4; ++t)
                for (size_t i = 0; i < 512; ++i)
                    ASSERT_FLOAT_EQ(out[t * 512 + i], 25.3F * floats[static_cast<size_t>(ids[t]) * 512 + i]);
        }
    }
}

struct AttentionCase {
    int64_t tokens, firstPosition, window, slots, heads, kvHeads, headDim;
};

// Keys and values by absolute position are kept beside the ring; the formula reads those.
TEST_P(LayerOps, Attention) {
    const AttentionCase cases[] = {
        {1, 0, 0, 1, 1, 1, 256},       // the very first token
        {1, 4, 0, 8, 4, 1, 256},       // decode
        {1, 700, 0, 1024, 4, 1, 256},  // long context
        {1, 700, 512, 512, 4, 1, 64},  // window, ring wrapped, all slots in use
        {1, 511, 512, 512, 4, 1, 32},  // last position before the window bites
        {1, 512, 512, 512, 4, 1, 32},  // first one where it does
        {9, 0, 0, 16, 4, 2, 20},       // prefill, two kv heads, odd head size
        {13, 0, 4, 16, 6, 2, 32},      // prefill with a window shorter than it
        {7, 30, 10, 16, 3, 1, 48},     // second chunk: window and wrap inside
        {70, 3, 0, 80, 2, 2, 34},      // more keys than a block
        {5, 100, 1, 8, 4, 4, 16},      // a window of one: the own key only
    };
    for (const AttentionCase& c : cases) {
        for (const KvType type : {KvType::F32, KvType::F16}) {
            SCOPED_TRACE(testing::Message() << "tokens " << c.tokens << " first " << c.firstPosition << " window "
                                            << c.window << " slots " << c.slots);
            const int64_t kvColumns = c.kvHeads * c.headDim;
            const int64_t positions = c.firstPosition + c.tokens;
            std::vector<float> k = randomFloats(positions * kvColumns, 1);
            std::vector<float> v = randomFloats(positions * kvColumns, 2);
            if (type == KvType::F16)
                for (std::vector<float>* plane : {&k, &v})
                    for (float& value : *plane)
                        value = halfToFloat(floatToHalf(value));
            const std::vector<float> q = randomFloats(c.tokens * c.heads * c.headDim, 3);
            std::vector<std::byte> keys(at(c.slots * kvColumns * kvElementBytes(type)));
            std::vector<std::byte> values(keys.size());
            KvCacheView cache{type, keys.data(), values.data(), c.slots, c.kvHeads, c.headDim};
            ops().kvWrite({k.data(), kvColumns, v.data(), kvColumns, positions, 0, cache}, {0, 1});

            const float scale = 0.3F;
            std::vector<float> wanted;
            for (int64_t t = 0; t < c.tokens; ++t) {
                const int64_t last = c.firstPosition + t;
                const int64_t first = c.window > 0 ? std::max<int64_t>(0, last - c.window + 1) : 0;
                for (int64_t h = 0; h < c.heads; ++h) {
                    const int64_t kvFirst = h / (c.heads / c.kvHeads) * c.headDim;
                    std::vector<double> mixed(at(c.headDim));
                    double total = 0;
                    for (int64_t j = first; j <= last; ++j) {
                        double score = 0;
                        for (int64_t d = 0; d < c.headDim; ++d)
                            score += static_cast<double>(q[at((t * c.heads + h) * c.headDim + d)]) *
                                     k[at(j * kvColumns + kvFirst + d)];
                        const double weight = std::exp(score * scale);
                        total += weight;
                        for (int64_t d = 0; d < c.headDim; ++d)
                            mixed[at(d)] += weight * v[at(j * kvColumns + kvFirst + d)];
                    }
                    for (const double value : mixed)
                        wanted.push_back(static_cast<float>(value / total));
                }
            }
            for (const int parts : kPartCounts) {
                std::vector<float> out(wanted.size(), kUntouched);
                AttentionArgs args{.q = q.data(),
                                   .qStride = c.heads * c.headDim,
                                   .tokens = c.tokens,
                                   .heads = c.heads,
                                   .firstPosition = c.firstPosition,
                                   .window = c.window,
                                   .scale = scale,
                                   .cache = cache,
                                   .out = out.data(),
                                   .outStride = c.heads * c.headDim};
                test::runParts(ops().attention, args, parts);
                ASSERT_NO_FATAL_FAILURE(expectClose(out, wanted, 2e-5, 2e-5, "attention"));
                std::vector<float> inPlace = q;
                args.q = args.out = inPlace.data();
                test::runParts(ops().attention, args, parts);
                ASSERT_EQ(inPlace, out) << "out over q";

                // The same keys in pages, in no order: the same bits.
                const int64_t pageCount = (positions + kKvPagePositions - 1) / kKvPagePositions;
                std::vector<std::byte> pagedKeys(
                    at(2 * pageCount * kKvPagePositions * kvColumns * kvElementBytes(type)));
                std::vector<std::byte> pagedValues(pagedKeys.size());
                args.cache = {type,      pagedKeys.data(), pagedValues.data(), 2 * pageCount * kKvPagePositions,
                              c.kvHeads, c.headDim};
                std::vector<int32_t> allPositions(at(positions)), rowPositions(at(c.tokens)), table, tables;
                std::iota(allPositions.begin(), allPositions.end(), 0);
                std::iota(rowPositions.begin(), rowPositions.end(), static_cast<int32_t>(c.firstPosition));
                for (int64_t page = pageCount; page-- > 0;)
                    table.push_back(static_cast<int32_t>(2 * page + 1));
                for (int64_t t = 0; t < c.tokens; ++t)
                    tables.insert(tables.end(), table.begin(), table.end());
                const KvRows written{allPositions.data(), table.data(), 0};
                test::runParts(ops().kvWrite,
                               KvWriteArgs{k.data(), kvColumns, v.data(), kvColumns, positions, 0, args.cache, written},
                               parts);
                for (const int64_t stride : {int64_t{0}, pageCount}) {
                    std::vector<float> paged(wanted.size(), kUntouched);
                    args.q = q.data();
                    args.out = paged.data();
                    args.rows = {rowPositions.data(), tables.data(), stride};
                    test::runParts(ops().attention, args, parts);
                    ASSERT_EQ(paged, out) << "pages, stride " << stride;
                }
            }
        }
    }
}

// Scores far apart and huge: the softmax must neither overflow nor lose the winner.
TEST_P(LayerOps, AttentionWithExtremeScores) {
    const int64_t headDim = 16;
    std::vector<float> k(3 * 16, 0.0F);
    std::vector<float> v(3 * 16, 0.0F);
    for (size_t j = 0; j < 3; ++j) {
        k[j * 16] = j == 1 ? 1000.0F : -1000.0F;
        v[j * 16] = static_cast<float>(j);
    }
    std::vector<float> q(16, 0.0F);
    q[0] = 10.0F;
    const KvCacheView cache{KvType::F32, k.data(), v.data(), 3, 1, headDim};
    std::vector<float> out(16, kUntouched);
    ops().attention({.q = q.data(),
                     .qStride = 16,
                     .tokens = 1,
                     .heads = 1,
                     .firstPosition = 2,
                     .scale = 1.0F,
                     .cache = cache,
                     .out = out.data(),
                     .outStride = 16},
                    {0, 1});
    EXPECT_FLOAT_EQ(out[0], 1.0F);
}

INSTANTIATE_TEST_SUITE_P(Isas, LayerOps, testing::ValuesIn(supportedIsas()),
                         [](const auto& test) { return std::string(isaName(test.param)); });

}  // namespace
}  // namespace gapscope
