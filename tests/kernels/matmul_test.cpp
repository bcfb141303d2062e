// Matmuls of every weight format, arithmetic and instruction set against products in double precision.
#include <gtest/gtest.h>

#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/quantize_rows.h"
#include "tests/kernels/test_support.h"

namespace gapscope {
namespace {

using test::FileMatrix;
using test::kUntouched;
using test::randomFloats;

struct Product {
    std::vector<float> values;     // [tokens, rows], rounded from double
    std::vector<float> magnitude;  // sum of |x w|: what rounding errors scale with
};

Product product(const std::vector<float>& x, const std::vector<float>& weights, int64_t tokens, int64_t rows,
                int64_t columns) {
    Product result;
    for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t n = 0; n < rows; ++n) {
            double sum = 0;
            double magnitude = 0;
            for (int64_t k = 0; k < columns; ++k) {
                const double term = static_cast<double>(x[static_cast<size_t>(t * columns + k)]) *
                                    weights[static_cast<size_t>(n * columns + k)];
                sum += term;
                magnitude += std::fabs(term);
            }
            result.values.push_back(static_cast<float>(sum));
            result.magnitude.push_back(static_cast<float>(magnitude));
        }
    }
    return result;
}

void expectProduct(const std::vector<float>& got, int64_t stride, const Product& wanted, int64_t tokens, int64_t rows) {
    for (int64_t t = 0; t < tokens; ++t) {
        for (int64_t n = 0; n < rows; ++n) {
            const auto i = static_cast<size_t>(t * rows + n);
            const double error =
                std::fabs(static_cast<double>(got[static_cast<size_t>(t * stride + n)]) - wanted.values[i]);
            ASSERT_LE(error, 1e-7 + 1e-6 * wanted.magnitude[i])
                << "token " << t << " row " << n << ": " << got[static_cast<size_t>(t * stride + n)] << " instead of "
                << wanted.values[i];
        }
        for (int64_t n = rows; n < stride; ++n)
            ASSERT_EQ(got[static_cast<size_t>(t * stride + n)], kUntouched) << "written past the row, token " << t;
    }
}

std::vector<float> throughInt8(const std::vector<float>& x, const std::vector<std::byte>& quantized) {
    std::vector<float> values(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        QuantizedBlock block;
        std::memcpy(&block, quantized.data() + i / 32 * sizeof block, sizeof block);
        values[i] = block.scale * static_cast<float>(block.values[i % 32]);
    }
    return values;
}

struct Shape {
    int64_t tokens, rows, columns;
};

class Matmul : public testing::TestWithParam<std::tuple<Isa, WeightType>> {
protected:
    const CpuOps& ops() const { return cpuOps(std::get<0>(GetParam())); }
    Isa isa() const { return std::get<0>(GetParam()); }
    WeightType type() const { return std::get<1>(GetParam()); }
    int64_t block() const { return weightTypeInfo(type()).blockElements; }

    // Odd columns where the format allows them.
    std::vector<Shape> shapes() const {
        const int64_t unit = block() == 1 ? 37 : block();
        return {{1, 1, unit},       {1, 16, unit},     {1, 50, 3 * unit}, {2, 33, unit},      {3, 40, 2 * unit},
                {4, 17, unit},      {5, 64, 2 * unit}, {7, 31, 5 * unit}, {12, 48, 3 * unit}, {13, 32, unit},
                {25, 35, 2 * unit}, {1, 20, 2560},     {14, 20, 2560},    {64, 16, 512}};
    }
};

TEST_P(Matmul, ExactIsTheProduct) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(testing::Message() << shape.tokens << " x " << shape.rows << " x " << shape.columns);
        const FileMatrix file(type(), shape.rows, shape.columns, 7);
        const std::vector<float> x = randomFloats(shape.tokens * shape.columns, 8);
        const Product wanted = product(x, file.floats(), shape.tokens, shape.rows, shape.columns);
        const int64_t stride = shape.rows + 5;
        for (const bool borrowed : {false, true}) {
            const PackedMatrix weights = borrowed ? PackedMatrix::borrow(file.view(), Arithmetic::Exact)
                                                  : PackedMatrix::pack(file.view(), isa(), Arithmetic::Exact);
            for (const int parts : test::kPartCounts) {
                std::vector<float> out(static_cast<size_t>(shape.tokens * stride), kUntouched);
                MatmulArgs args{.x = x.data(), .xStride = shape.columns, .tokens = shape.tokens};
                args.targets[0] = {&weights, out.data(), stride};
                test::runParts(ops().matmul, args, parts);
                ASSERT_NO_FATAL_FAILURE(expectProduct(out, stride, wanted, shape.tokens, shape.rows))
                    << (borrowed ? "borrowed" : "packed") << ", parts " << parts;
            }
        }
    }
}

class QuantizedMatmul : public Matmul {};

TEST_P(QuantizedMatmul, IsTheProductOfInt8Activations) {
    for (const Shape& shape : shapes()) {
        SCOPED_TRACE(testing::Message() << shape.tokens << " x " << shape.rows << " x " << shape.columns);
        const FileMatrix file(type(), shape.rows, shape.columns, 9);
        const std::vector<float> x = randomFloats(shape.tokens * shape.columns, 10);
        std::vector<std::byte> quantized(static_cast<size_t>(quantizedBytes(shape.tokens, shape.columns)));
        test::runParts(ops().quantizeRows,
                       QuantizeRowsArgs{x.data(), shape.columns, shape.tokens, shape.columns, quantized.data()}, 3);
        const Product wanted =
            product(throughInt8(x, quantized), file.floats(), shape.tokens, shape.rows, shape.columns);
        const int64_t stride = shape.rows + 3;
        for (const bool borrowed : {false, true}) {
            const PackedMatrix weights = borrowed ? PackedMatrix::borrow(file.view(), Arithmetic::Quantized)
                                                  : PackedMatrix::pack(file.view(), isa(), Arithmetic::Quantized);
            ASSERT_TRUE(weights.wantsQuantized());
            for (const int parts : test::kPartCounts) {
                for (const bool selfQuantized : {false, true}) {
                    if (selfQuantized && shape.tokens > 1) continue;
                    std::vector<float> out(static_cast<size_t>(shape.tokens * stride), kUntouched);
                    MatmulArgs args{.x = x.data(), .xStride = shape.columns, .tokens = shape.tokens};
                    args.quantized = selfQuantized ? nullptr : quantized.data();
                    args.targets[0] = {&weights, out.data(), stride};
                    test::runParts(ops().matmul, args, parts);
                    ASSERT_NO_FATAL_FAILURE(expectProduct(out, stride, wanted, shape.tokens, shape.rows))
                        << (borrowed ? "borrowed" : "packed") << ", parts " << parts << ", self " << selfQuantized;
                }
            }
        }
    }
}

// Largest weights and activations of one sign: where 16-bit sums of products would saturate.
TEST_P(QuantizedMatmul, DoesNotSaturate) {
    for (const int fill : {0x00, 0xff, 0x7f, 0x80}) {
        const int64_t columns = 256;
        const WeightTypeInfo info = weightTypeInfo(type());
        std::vector<std::byte> bytes(static_cast<size_t>(16 * rowBytes(type(), columns)), static_cast<std::byte>(fill));
        const uint16_t one = floatToHalf(1.0F);
        for (size_t b = 0; b < bytes.size(); b += static_cast<size_t>(info.blockBytes)) {
            std::memcpy(bytes.data() + b + (type() == WeightType::Q6_K ? 208 : 0), &one, 2);
            if (type() == WeightType::Q4_K || type() == WeightType::Q5_K) std::memcpy(bytes.data() + b + 2, &one, 2);
        }
        const MatrixView view{type(), 16, columns, bytes.data()};
        std::vector<float> weightFloats(16 * 256);
        for (int64_t r = 0; r < 16; ++r)
            dequantizeRow(type(), view.row(r), columns, weightFloats.data() + r * columns);
        for (const float value : {1.0F, -1.0F}) {
            const std::vector<float> x(256, value);
            const Product wanted = product(x, weightFloats, 1, 16, columns);
            const PackedMatrix weights = PackedMatrix::pack(view, isa(), Arithmetic::Quantized);
            std::vector<float> out(16, kUntouched);
            MatmulArgs args{.x = x.data(), .xStride = columns, .tokens = 1};
            args.targets[0] = {&weights, out.data(), 16};
            ops().matmul(args, {0, 1});
            ASSERT_NO_FATAL_FAILURE(expectProduct(out, 16, wanted, 1, 16)) << "bytes " << fill << " x " << value;
        }
    }
}

TEST_P(Matmul, SeveralTargetsShareOneInput) {
    const int64_t columns = 512;
    const int64_t tokens = 3;
    const FileMatrix files[] = {
        {type(), 40, columns, 1}, {WeightType::Q8_0, 16, columns, 2}, {WeightType::F32, 23, columns, 3}};
    const std::vector<float> x = randomFloats(tokens * columns, 4);
    std::vector<std::byte> quantized(static_cast<size_t>(quantizedBytes(tokens, columns)));
    ops().quantizeRows({x.data(), columns, tokens, columns, quantized.data()}, {0, 1});
    for (const Arithmetic arithmetic : {Arithmetic::Exact, Arithmetic::Quantized}) {
        const MatrixView views[] = {files[0].view(), files[1].view(), files[2].view()};
        const std::vector<PackedMatrix> weights = PackedMatrix::packAll(views, isa(), arithmetic);
        for (const int parts : test::kPartCounts) {
            std::vector<float> outs[3];
            MatmulArgs args{.x = x.data(), .xStride = columns, .quantized = quantized.data(), .tokens = tokens};
            args.targetCount = 3;
            for (size_t i = 0; i < 3; ++i) {
                outs[i].assign(static_cast<size_t>(tokens * views[i].rows), kUntouched);
                args.targets[i] = {&weights[i], outs[i].data(), views[i].rows};
            }
            test::runParts(ops().matmul, args, parts);
            for (size_t i = 0; i < 3; ++i) {
                const std::vector<float> input = weights[i].wantsQuantized() ? throughInt8(x, quantized) : x;
                const Product wanted = product(input, files[i].floats(), tokens, views[i].rows, columns);
                ASSERT_NO_FATAL_FAILURE(expectProduct(outs[i], views[i].rows, wanted, tokens, views[i].rows))
                    << "target " << i << ", parts " << parts;
            }
        }
    }
}

// What speculative decoding stands on: checked together, tokens get the bits that each has alone.
TEST_P(Matmul, TokensAsSinglesHaveTheBitsOfEachAlone) {
    const int64_t columns = block() == 1 ? 333 : 512;
    const int64_t rows = 37;
    const FileMatrix file(type(), rows, columns, 21);
    std::vector<Arithmetic> arithmetics = {Arithmetic::Exact};
    if (block() > 1) arithmetics.push_back(Arithmetic::Quantized);
    for (const Arithmetic arithmetic : arithmetics) {
        const PackedMatrix weights = PackedMatrix::pack(file.view(), isa(), arithmetic);
        for (const int64_t tokens : {2, 3, 4, 5, 6, 7, 8, 11, 13, 17}) {
            const std::vector<float> x = randomFloats(tokens * columns, 22);
            std::vector<std::byte> quantized(static_cast<size_t>(quantizedBytes(tokens, (columns + 31) / 32 * 32)));
            if (weights.wantsQuantized())
                ops().quantizeRows({x.data(), columns, tokens, columns, quantized.data()}, {0, 1});
            std::vector<float> together(static_cast<size_t>(tokens * rows), kUntouched);
            MatmulArgs args{.x = x.data(), .xStride = columns, .tokens = tokens, .asSingles = true};
            args.quantized = quantized.data();
            args.targets[0] = {&weights, together.data(), rows};
            test::runParts(ops().matmul, args, 3);
            std::vector<float> gate(together.size(), kUntouched), scratch(together.size(), kUntouched);
            GateUpArgs gateUp{.x = x.data(), .xStride = columns, .quantized = quantized.data(), .tokens = tokens};
            gateUp.asSingles = true;
            gateUp.gate = gateUp.up = &weights;
            gateUp.out = gate.data();
            gateUp.scratch = scratch.data();
            gateUp.outStride = gateUp.scratchStride = rows;
            test::runParts(ops().gateUp, gateUp, 2);
            for (int64_t t = 0; t < tokens; ++t) {
                std::vector<float> alone(static_cast<size_t>(rows)), gateAlone(alone), scratchAlone(alone);
                args = {.x = x.data() + t * columns, .xStride = columns, .tokens = 1};
                args.targets[0] = {&weights, alone.data(), rows};
                test::runParts(ops().matmul, args, 2);
                gateUp.x = args.x;
                gateUp.quantized = nullptr;
                gateUp.tokens = 1;
                gateUp.asSingles = false;
                gateUp.out = gateAlone.data();
                gateUp.scratch = scratchAlone.data();
                test::runParts(ops().gateUp, gateUp, 3);
                for (int64_t n = 0; n < rows; ++n) {
                    const auto at = static_cast<size_t>(t * rows + n);
                    ASSERT_EQ(together[at], alone[static_cast<size_t>(n)]) << tokens << " tokens, token " << t;
                    ASSERT_EQ(gate[at], gateAlone[static_cast<size_t>(n)]) << tokens << " tokens, token " << t;
                }
            }
        }
    }
}

TEST_P(Matmul, GateUpAppliesTheGelu) {
    const int64_t columns = 256;
    const int64_t rows = 44;
    for (const int64_t tokens : {1, 6}) {
        const FileMatrix gateFile(type(), rows, columns, 5);
        const FileMatrix upFile(type(), rows, columns, 6);
        const std::vector<float> x = randomFloats(tokens * columns, 7, 0.1F);
        const PackedMatrix gate = PackedMatrix::pack(gateFile.view(), isa(), Arithmetic::Exact);
        const PackedMatrix up = PackedMatrix::pack(upFile.view(), isa(), Arithmetic::Exact);
        const Product gates = product(x, gateFile.floats(), tokens, rows, columns);
        const Product ups = product(x, upFile.floats(), tokens, rows, columns);
        std::vector<float> wanted;
        for (size_t i = 0; i < gates.values.size(); ++i) {
            const double g = gates.values[i];
            const double gelu = 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g)));
            wanted.push_back(static_cast<float>(gelu * ups.values[i]));
        }
        for (const int parts : test::kPartCounts) {
            std::vector<float> out(wanted.size(), kUntouched);
            std::vector<float> scratch(wanted.size(), kUntouched);
            test::runParts(ops().gateUp,
                           GateUpArgs{.x = x.data(),
                                      .xStride = columns,
                                      .tokens = tokens,
                                      .gate = &gate,
                                      .up = &up,
                                      .out = out.data(),
                                      .outStride = rows,
                                      .scratch = scratch.data(),
                                      .scratchStride = rows},
                           parts);
            ASSERT_NO_FATAL_FAILURE(test::expectClose(out, wanted, 1e-4, 1e-4, "gateUp"));
        }
    }
}

std::string paramName(const testing::TestParamInfo<std::tuple<Isa, WeightType>>& test) {
    return std::string(isaName(std::get<0>(test.param))) + "_" +
           std::string(weightTypeInfo(std::get<1>(test.param)).name);
}

constexpr WeightType kQuantisedTypes[] = {WeightType::Q8_0, WeightType::Q4_0, WeightType::Q5_0,
                                          WeightType::Q4_K, WeightType::Q5_K, WeightType::Q6_K};

INSTANTIATE_TEST_SUITE_P(Isas, Matmul,
                         testing::Combine(testing::ValuesIn(supportedIsas()), testing::ValuesIn(kWeightTypes)),
                         paramName);
INSTANTIATE_TEST_SUITE_P(Isas, QuantizedMatmul,
                         testing::Combine(testing::ValuesIn(supportedIsas()), testing::ValuesIn(kQuantisedTypes)),
                         paramName);

class QuantizeRows : public testing::TestWithParam<Isa> {};

TEST_P(QuantizeRows, RoundsToNearestWithTheBlocksOwnScale) {
    const int64_t columns = 96;
    const int64_t tokens = 5;
    std::vector<float> x = randomFloats(tokens * columns, 3);
    for (size_t i = 32; i < 64; ++i)
        x[i] = 0;  // a block of zeros
    for (size_t i = 64; i < 96; ++i)
        x[i] *= 1e-30F;  // a tiny one
    for (const int parts : test::kPartCounts) {
        std::vector<std::byte> out(static_cast<size_t>(quantizedBytes(tokens, columns)));
        test::runParts(cpuOps(GetParam()).quantizeRows,
                       QuantizeRowsArgs{x.data(), columns, tokens, columns, out.data()}, parts);
        for (size_t b = 0; b < out.size() / sizeof(QuantizedBlock); ++b) {
            QuantizedBlock block;
            std::memcpy(&block, out.data() + b * sizeof block, sizeof block);
            double peak = 0;
            for (size_t i = 0; i < 32; ++i)
                peak = std::max(peak, std::fabs(static_cast<double>(x[32 * b + i])));
            ASSERT_NEAR(block.scale, peak / 127, 1e-6 * peak);
            int sum = 0;
            int low = 0;
            for (size_t i = 0; i < 32; ++i) {
                ASSERT_NEAR(block.values[i] * static_cast<double>(block.scale), x[32 * b + i], 0.5001 * peak / 127);
                sum += block.values[i];
                if (i < 16) low += block.values[i];
            }
            ASSERT_EQ(block.minusSum, -sum);
            ASSERT_EQ(block.minusSumLow, -low);
            ASSERT_FLOAT_EQ(block.scaledSum, block.scale * static_cast<float>(sum));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, QuantizeRows, testing::ValuesIn(supportedIsas()),
                         [](const auto& test) { return std::string(isaName(test.param)); });

TEST(CpuOpsTable, IsOfTheIsaAskedFor) {
    for (const Isa isa : supportedIsas())
        EXPECT_EQ(cpuOps(isa).isa, isa);
    EXPECT_TRUE(isaSupported(bestIsa()));
}

TEST(PackedMatrixMemory, IsAboutTheFilesBytes) {
    for (const Isa isa : supportedIsas()) {
        for (const WeightType type : kWeightTypes) {
            const FileMatrix file(type, 64, 1024, 1);
            const PackedMatrix packed = PackedMatrix::pack(file.view(), isa, Arithmetic::Quantized);
            EXPECT_LE(static_cast<double>(packed.bytes()), 1.03 * static_cast<double>(file.view().bytes()))
                << isaName(isa) << " " << weightTypeInfo(type).name;
            EXPECT_EQ(reinterpret_cast<uintptr_t>(packed.data()) % 64, 0U);
        }
    }
}

}  // namespace
}  // namespace gapscope
