// Columns against a plain list: of every width, while they are open, when they are packed, and in earlier views.
#include "core/trace/column.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "core/base/ids.h"

namespace gapscope {

namespace {

template <class T>
void expectSame(const ColumnView<T>& view, const std::vector<T>& values) {
    ASSERT_LE(view.size(), values.size());
    for (size_t row = 0; row < view.size(); ++row)
        ASSERT_EQ(view[row], values[row]) << "row " << row;
}

// Fills three chunks and a half with made values, looks at views taken on the way, and returns the bytes of the last.
template <class T, class Make>
size_t fill(Make make) {
    ColumnWriter<T> writer;
    std::vector<T> values;
    std::vector<ColumnView<T>> views;
    const size_t rows = kChunkRows * 7 / 2;
    for (size_t row = 0; row < rows; ++row) {
        if (row % (kChunkRows / 2) == 1) views.push_back(writer.view());
        values.push_back(make(row));
        writer.push(values.back());
        EXPECT_EQ(writer[row], values.back());
    }
    views.push_back(writer.view());
    for (const ColumnView<T>& view : views)
        expectSame(view, values);
    EXPECT_EQ(views.back().size(), rows);
    EXPECT_EQ(views.back().back(), values.back());
    return views.back().memoryBytes();
}

}  // namespace

TEST(Column, KeepsValuesOfEveryWidth) {
    std::mt19937_64 random(5);
    for (const int bits : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64}) {
        const uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
        for (const int64_t base : {int64_t{0}, int64_t{-5}, std::numeric_limits<int64_t>::min(), int64_t{1} << 62}) {
            const auto number = [&](size_t) { return static_cast<uint64_t>(base) + (random() & mask); };
            fill<int64_t>([&](size_t row) { return static_cast<int64_t>(number(row)); });
            fill<uint64_t>(number);
            fill<int32_t>([&](size_t row) { return static_cast<int32_t>(number(row)); });
            fill<uint16_t>([&](size_t row) { return static_cast<uint16_t>(number(row)); });
            fill<StringId>([&](size_t row) { return StringId{static_cast<uint32_t>(number(row))}; });
            fill<TrackId>([&](size_t row) { return TrackId{static_cast<uint16_t>(number(row))}; });
        }
    }
    fill<double>([&](size_t row) { return row % 3 == 0 ? -0.5 : static_cast<double>(random()); });
    fill<int8_t>([&](size_t) { return static_cast<int8_t>(random()); });
}

TEST(Column, ExtremesLieInOneChunk) {
    fill<int64_t>([](size_t row) {
        return row % 2 == 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
    });
    fill<int32_t>([](size_t row) {
        return row % 2 == 0 ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int32_t>::max();
    });
}

TEST(Column, TakesNoRoomForWhatIsEqualAndLittleForWhatIsNear) {
    const size_t full = kChunkRows * 7 / 2 * sizeof(int64_t);
    const size_t open = kChunkRows * sizeof(int64_t);
    EXPECT_LT(fill<int64_t>([](size_t) { return -7; }), open + 1000);
    EXPECT_LT(fill<int64_t>([](size_t row) { return 1'700'000'000'000'000'000 + static_cast<int64_t>(row) * 3000; }),
              open + full / 2);
}

}  // namespace gapscope
