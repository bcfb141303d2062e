#include "core/capture/launch_joins.h"

#include <gtest/gtest.h>

namespace gapscope {
namespace {

constexpr auto kWindow = static_cast<uint32_t>(LaunchJoins::kRemembered);

struct LaunchJoinsTest : testing::Test {
    LaunchJoins joins;
    LaunchContext context;
    void announce(uint64_t id, uint32_t op) {
        const LaunchActivity launch{.externalId = id, .context = {.op = op}, .nodes = {}};
        joins.addLaunches({&launch, 1});
    }
    LaunchJoins::Found find(uint32_t correlationId) { return joins.find(correlationId, 0, context); }
};

TEST_F(LaunchJoinsTest, ALateRecordDoesNotPushOutANewerOne) {
    announce(1, 10);
    announce(2, 20);
    joins.addExternalId(kWindow + 5, 2);
    joins.addExternalId(5, 1);  // shares its place
    EXPECT_EQ(find(kWindow + 5), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 20u);
    EXPECT_EQ(find(5), LaunchJoins::Found::NotYet);
}

TEST_F(LaunchJoinsTest, ANewerRecordTakesThePlaceOfAnOldOne) {
    announce(1, 10);
    joins.addExternalId(5, 1);
    joins.addCall(5, 77);
    EXPECT_TRUE(joins.callSeen(5));
    joins.addCall(kWindow + 5, 78);
    EXPECT_FALSE(joins.callSeen(5));
    EXPECT_EQ(joins.threadOfCall(kWindow + 5), 78u);
    EXPECT_EQ(find(kWindow + 5), LaunchJoins::Found::NotYet);  // no external id inherited
}

TEST_F(LaunchJoinsTest, CorrelationIdsMayWrapAround) {
    announce(1, 10);
    joins.addCall(0xFFFFFFFF, 1);
    joins.addExternalId(0xFFFFFFFF + kWindow, 1);  // wraps to a small number, and is the newer one
    EXPECT_EQ(find(0xFFFFFFFF + kWindow), LaunchJoins::Found::Yes);
}

TEST_F(LaunchJoinsTest, ZeroIsNoCorrelationId) {
    announce(1, 10);
    joins.addExternalId(0, 1);
    joins.addCall(0, 1);
    EXPECT_EQ(find(0), LaunchJoins::Found::NotYet);
    EXPECT_FALSE(joins.callSeen(0));
}

TEST_F(LaunchJoinsTest, ManyLaunchesAreForgottenOldestFirst) {
    for (uint64_t id = 1; id <= kWindow + 10; ++id)
        announce(id, static_cast<uint32_t>(id));
    joins.addExternalId(1, 10);
    joins.addExternalId(2, 11);
    EXPECT_EQ(find(1), LaunchJoins::Found::NotYet);
    EXPECT_EQ(find(2), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 11u);
}

TEST_F(LaunchJoinsTest, GraphNodesStayKnownWhenTheirCaptureIsForgotten) {
    announce(1, 10);
    const GraphNodeActivity node{.nodeId = 7, .originalNodeId = 0, .externalId = 1};
    joins.addGraphNodes({&node, 1});
    for (uint64_t id = 2; id <= kWindow + 10; ++id)
        announce(id, 0);
    joins.addExternalId(5, kWindow + 10);
    EXPECT_EQ(joins.find(5, 7, context), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 10u);
}

TEST_F(LaunchJoinsTest, SharesOfGraphLaunchesAreBoundedInAll) {
    const std::vector<LaunchContext> shares(1000, LaunchContext{.op = 3});
    for (uint64_t id = 1; id <= 3000; ++id) {
        const LaunchActivity launch{.externalId = id, .context = {}, .nodes = shares};
        joins.addLaunches({&launch, 1});
    }
    joins.addExternalId(1, 1);
    joins.addExternalId(2, 3000);
    EXPECT_EQ(find(1), LaunchJoins::Found::NotYet);
    EXPECT_EQ(find(2), LaunchJoins::Found::Yes);
}

}  // namespace
}  // namespace gapscope
