#include "core/capture/launch_joins.h"

#include <gtest/gtest.h>

namespace gapscope {
namespace {

constexpr auto kWindow = static_cast<uint32_t>(LaunchJoins::kRemembered);

struct LaunchJoinsTest : testing::Test {
    LaunchJoins joins;
    LaunchContext context;
    void announce(uint64_t id, uint32_t op) {
        const LaunchActivity launch{.externalId = id, .context = {.op = op}};
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

TEST_F(LaunchJoinsTest, ManyLaunchesAreForgottenOldestFirstButNotInTheRoundThatBringsThem) {
    for (uint64_t id = 1; id <= kWindow + 10; ++id)
        announce(id, static_cast<uint32_t>(id));
    joins.addExternalId(1, 10);
    joins.addExternalId(2, 11);
    EXPECT_EQ(find(1), LaunchJoins::Found::Yes);  // a long round: their records come behind all the launches
    joins.forgetOldLaunches();
    EXPECT_EQ(find(1), LaunchJoins::Found::NotYet);
    EXPECT_EQ(find(2), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 11u);
}

TEST_F(LaunchJoinsTest, IdsMayBeLeftOut) {
    announce(7, 10);
    announce(4097, 20);
    for (const uint32_t id : {6u, 7u, 8u, 4096u, 4097u, 4098u})
        joins.addExternalId(id, id);
    for (const uint32_t unused : {6u, 8u, 4096u, 4098u})
        EXPECT_EQ(find(unused), LaunchJoins::Found::NotYet) << unused;
    EXPECT_EQ(find(7), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 10u);
    EXPECT_EQ(find(4097), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 20u);
}

TEST_F(LaunchJoinsTest, GraphNodesStayKnownWhenTheirCaptureIsForgotten) {
    announce(1, 10);
    const GraphNodeActivity node{.nodeId = 7, .originalNodeId = 0, .externalId = 1};
    joins.addGraphNodes({&node, 1});
    for (uint64_t id = 2; id <= kWindow + 10; ++id)
        announce(id, 0);
    joins.forgetOldLaunches();
    joins.addExternalId(5, kWindow + 10);
    EXPECT_EQ(joins.find(5, 7, context), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 10u);
}

TEST_F(LaunchJoinsTest, AGraphsNodeIsNotUnlearntWhenItIsToldOfAgainWithoutASource) {
    announce(1, 10);
    const GraphNodeActivity told[] = {{.nodeId = 7, .originalNodeId = 0, .externalId = 1},
                                      {.nodeId = 8, .originalNodeId = 0, .externalId = 0},  // CUPTI: created, and then
                                      {.nodeId = 8, .originalNodeId = 7, .externalId = 0},  // cloned, or the other way
                                      {.nodeId = 8, .originalNodeId = 0, .externalId = 0},
                                      {.nodeId = 8, .originalNodeId = 99, .externalId = 0}};
    joins.addGraphNodes(told);
    announce(2, 20);
    joins.addExternalId(5, 2);
    EXPECT_EQ(joins.find(5, 8, context), LaunchJoins::Found::Yes);
    EXPECT_EQ(context.op, 10u);
}

TEST_F(LaunchJoinsTest, TheCostOfAnOpIsToldOfItsFirstNodeOncePerLaunch) {
    const LaunchActivity captured{.externalId = 1, .context = {.op = 10, .bytes = 100, .flops = 200}};
    joins.addLaunches({&captured, 1});
    const GraphNodeActivity nodes[] = {{.nodeId = 7, .originalNodeId = 0, .externalId = 1},
                                       {.nodeId = 8, .originalNodeId = 0, .externalId = 1},
                                       {.nodeId = 17, .originalNodeId = 7},
                                       {.nodeId = 18, .originalNodeId = 8}};
    joins.addGraphNodes(nodes);
    announce(2, 20);
    announce(3, 20);
    for (const uint32_t launch : {2u, 3u}) {
        joins.addExternalId(launch, launch);
        for (const auto& [node, bytes] : {std::pair{18, 0}, {17, 100}, {17, 0}, {18, 0}}) {
            EXPECT_EQ(joins.find(launch, static_cast<uint64_t>(node), context), LaunchJoins::Found::Yes);
            EXPECT_EQ(context.op, 10u);
            EXPECT_EQ(context.bytes, bytes);
            EXPECT_EQ(context.flops, 2 * bytes);
        }
    }
}

}  // namespace
}  // namespace gapscope
