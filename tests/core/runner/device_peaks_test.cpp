#include "core/runner/device_peaks.h"

#include <gtest/gtest.h>

#include <fstream>

#include "kernels/cpu/arithmetic_rate.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

TEST(DevicePeaks, KeepTheBestOfEachRate) {
    const TempFolder folder;
    const auto file = folder / "deeper" / "device-peaks.tsv";
    EXPECT_EQ(devicePeaks(file, "a\tb", {10, 5}), (DevicePeakRates{10, 5}));
    EXPECT_EQ(devicePeaks(file, "other", {1, 1}), (DevicePeakRates{1, 1}));
    EXPECT_EQ(devicePeaks(file, "a\tb", {7, 8}), (DevicePeakRates{10, 8}));
    EXPECT_EQ(devicePeaks(file, "a\tb", {0, 0}), (DevicePeakRates{10, 8}));
    EXPECT_EQ(devicePeaks(file, "other", {0, 0}), (DevicePeakRates{1, 1}));
    EXPECT_EQ(devicePeaks({}, "a\tb", {2, 3}), (DevicePeakRates{2, 3})) << "no cache folder";
}

TEST(DevicePeaks, ADamagedFileIsNoMemory) {
    const TempFolder folder;
    const auto file = folder / "device-peaks.tsv";
    std::ofstream(file) << "k\t1e99\t1\nk\tnan\t1\nk\t-3\t1\nk\t9\nk\t9 \t9\n\n";
    EXPECT_EQ(devicePeaks(file, "k", {2, 3}), (DevicePeakRates{2, 3}));
    EXPECT_EQ(devicePeaks(file, "k", {1, 1}), (DevicePeakRates{2, 3}));
}

TEST(ArithmeticRate, IsARateThatCoresCanHave) {
    for (const Isa isa : supportedIsas()) {
        EXPECT_GT(cpu::measureArithmeticRate(isa, 1), 1e7);
        EXPECT_LT(cpu::measureArithmeticRate(isa, 2), 1e14);
    }
}

}  // namespace gapscope
