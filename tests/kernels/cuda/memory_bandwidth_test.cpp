#include "kernels/cuda/memory_bandwidth.h"

#include <gtest/gtest.h>

namespace gapscope::cuda {

TEST(CudaDevices, AnEmptyListSaysWhy) {
    const DeviceList list = listDevices();
    EXPECT_NE(list.devices.empty(), list.error.empty());
}

TEST(CudaMemoryBandwidth, ADeviceThatIsNotThereIsAnErrorNotACrash) {
    const BandwidthMeasurement measured = measureReadBandwidth(4096, 1);
    EXPECT_FALSE(measured.error.empty());
    EXPECT_EQ(measured.bytesPerSecond, 0);
}

TEST(CudaMemoryBandwidth, ReadsFasterThanHostMemoryAndNotFasterThanPhysics) {
    const DeviceList list = listDevices();
    if (list.devices.empty()) GTEST_SKIP() << "no GPU: " << list.error;
    const BandwidthMeasurement measured = measureReadBandwidth(list.devices[0].id);
    ASSERT_EQ(measured.error, "");
    EXPECT_GE(measured.bytes, 16 * list.devices[0].l2CacheBytes);
    EXPECT_GT(measured.bytesPerSecond, 50e9);
    EXPECT_LT(measured.bytesPerSecond, 20e12);
    RecordProperty("gigabytes_per_second", static_cast<int>(measured.bytesPerSecond / 1e9));
}

}  // namespace gapscope::cuda
