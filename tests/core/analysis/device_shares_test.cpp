// What a device computes, communicates and copies, nanosecond by nanosecond.
#include "core/analysis/device_shares.h"

#include <gtest/gtest.h>

#include <map>

#include "core/analysis/busy.h"
#include "tests/core/analysis/random_traces.h"

namespace gapscope {

using DeviceSharesOf = RandomTraces;

TEST_P(DeviceSharesOf, AgreeWithCountingEachNanosecond) {
    const DeviceOps& ops = trace->deviceOps();
    std::map<uint32_t, DeviceShares> expected;
    for (size_t row = 0; row < ops.startNs.size(); ++row)
        expected[trace->tracks()[ops.track[row].value].deviceId];
    for (auto& [id, share] : expected) {
        share.deviceId = id;
        for (int64_t ns = window.startNs; ns < window.endNs; ++ns) {
            bool computes = false, communicates = false, copies = false;
            for (size_t row = 0; row < ops.startNs.size(); ++row) {
                if (trace->tracks()[ops.track[row].value].deviceId != id) continue;
                if (ns < ops.startNs[row] || ns >= ops.endNs[row]) continue;
                const bool isCopy = ops.kind[row] == DeviceOpKind::Copy || ops.kind[row] == DeviceOpKind::Set;
                const bool isCommunication = !isCopy && ops.category[row] == Category::Communication;
                (isCopy ? copies : isCommunication ? communicates : computes) = true;
            }
            share.computeNs += computes;
            share.communicationNs += communicates;
            share.copyNs += copies;
            share.exposedCommunicationNs += communicates && !computes;
            share.exposedCopyNs += copies && !computes && !communicates;
            share.busyNs += computes || communicates || copies;
            share.idleNs += !(computes || communicates || copies);
        }
    }
    const std::vector<DeviceShares> shares = deviceShares(*trace, window);
    ASSERT_EQ(shares.size(), expected.size());
    const std::vector<DeviceBusy> busy = deviceBusy(*trace, window);
    for (size_t i = 0; i < shares.size(); ++i) {
        const DeviceShares& share = shares[i];
        const DeviceShares& right = expected[share.deviceId];
        EXPECT_EQ(share.computeNs, right.computeNs);
        EXPECT_EQ(share.communicationNs, right.communicationNs);
        EXPECT_EQ(share.exposedCommunicationNs, right.exposedCommunicationNs);
        EXPECT_EQ(share.copyNs, right.copyNs);
        EXPECT_EQ(share.exposedCopyNs, right.exposedCopyNs);
        EXPECT_EQ(share.busyNs, right.busyNs);
        EXPECT_EQ(share.idleNs, right.idleNs);
        EXPECT_EQ(share.busyNs, share.computeNs + share.exposedCommunicationNs + share.exposedCopyNs);
        EXPECT_EQ(share.busyNs, busy[i].busyNs);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeviceSharesOf, testing::Range(0, 30));

}  // namespace gapscope
