#include "core/capture/launch_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace gapscope {
namespace {

TEST(LaunchQueue, LaunchesComeOutOnceInOrderWithTheirIds) {
    LaunchQueue queue;
    EXPECT_TRUE(queue.drain().empty());
    const uint64_t first = queue.add({.op = 3, .token = 5, .repeat = -1, .bytes = 10, .flops = 20});
    const uint64_t second = queue.add({.op = 4});
    EXPECT_NE(first, 0u);
    EXPECT_GT(second, first);
    const std::vector<LaunchActivity> launches = queue.drain();
    ASSERT_EQ(launches.size(), 2u);
    EXPECT_EQ(launches[0].externalId, first);
    EXPECT_EQ(launches[0].context.op, 3u);
    EXPECT_EQ(launches[0].context.token, 5);
    EXPECT_EQ(launches[0].context.repeat, -1);
    EXPECT_EQ(launches[0].context.bytes, 10);
    EXPECT_EQ(launches[0].context.flops, 20);
    EXPECT_EQ(launches[0].nodeCount, 0u);
    EXPECT_EQ(launches[1].externalId, second);
    EXPECT_TRUE(queue.drain().empty());
}

TEST(LaunchQueue, NodesStandBehindTheirLaunchUnderTheNextIds) {
    LaunchQueue queue;
    const LaunchContext nodes[] = {{.op = 1}, {.op = 2}};
    const uint64_t graph = queue.add({.op = 9}, nodes);
    const uint64_t next = queue.add({.op = 10});
    EXPECT_EQ(next, graph + 3);
    const std::vector<LaunchActivity> launches = queue.drain();
    ASSERT_EQ(launches.size(), 4u);
    EXPECT_EQ(launches[0].nodeCount, 2u);
    for (uint32_t i = 0; i < 4; ++i)
        EXPECT_EQ(launches[i].externalId, graph + i);
    EXPECT_EQ(launches[1].context.op, 1u);
    EXPECT_EQ(launches[2].context.op, 2u);
    EXPECT_EQ(launches[3].context.op, 10u);
}

TEST(LaunchQueue, MoreThanAChunkIsLostNeitherUnreadNorReadOnTheWay) {
    LaunchQueue queue;
    uint32_t added = 0, read = 0;
    uint64_t lastId = 0;
    const auto readAll = [&] {
        for (const LaunchActivity& launch : queue.drain()) {
            ASSERT_EQ(launch.context.op, read++);
            ASSERT_GT(launch.externalId, lastId);
            lastId = launch.externalId;
        }
    };
    for (const uint32_t burst : {1u, LaunchQueue::kPlaces - 1, 1u, 10 * LaunchQueue::kPlaces, LaunchQueue::kPlaces}) {
        for (uint32_t i = 0; i < burst; ++i)
            queue.add({.op = added++});
        readAll();
        EXPECT_EQ(read, added);
    }
}

TEST(LaunchQueue, WhatDoesNotFitIntoAChunkBeginsTheNext) {
    LaunchQueue queue;
    const std::vector<LaunchContext> nodes(1000, LaunchContext{.op = 1});
    const std::vector<LaunchContext> most(LaunchQueue::kMostNodes, LaunchContext{.op = 2});
    size_t expected = 0;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 10; ++i) {
            queue.add({.op = 0}, nodes);
            queue.add({.op = 5});
            expected += 1002;
        }
        queue.add({.op = 0}, most);
        expected += LaunchQueue::kPlaces;
        const std::vector<LaunchActivity> launches = queue.drain();
        ASSERT_EQ(launches.size(), expected);
        for (size_t i = 0; i < launches.size(); i += 1 + launches[i].nodeCount)
            for (uint32_t node = 1; node <= launches[i].nodeCount; ++node)
                ASSERT_EQ(launches[i + node].externalId, launches[i].externalId + node);
        expected = 0;
    }
}

TEST(LaunchQueue, ManyThreadsAddWhileOneReads) {
    LaunchQueue queue;
    constexpr uint32_t kThreads = 4, kEach = 40000;
    std::atomic<uint32_t> finished = 0;
    std::vector<std::vector<uint64_t>> given(kThreads), read(kThreads);  // ids
    std::vector<std::jthread> threads;
    for (uint32_t thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&, thread] {
            const LaunchContext nodes[] = {{.op = thread}, {.op = thread}};
            for (uint32_t i = 0; i < kEach; ++i)
                given[thread].push_back(queue.add({.op = thread, .bytes = i}, std::span(nodes).first(i % 3)));
            ++finished;
        });
    uint64_t lastId = 0;
    bool isOver = false;
    while (!isOver) {
        isOver = finished == kThreads;
        const std::vector<LaunchActivity> launches = queue.drain();
        for (size_t i = 0; i < launches.size(); i += 1 + launches[i].nodeCount) {
            const LaunchActivity& launch = launches[i];
            ASSERT_GT(launch.externalId, lastId);
            lastId = launch.externalId + launch.nodeCount;
            std::vector<uint64_t>& ids = read.at(launch.context.op);
            ASSERT_EQ(launch.context.bytes, static_cast<int64_t>(ids.size()));
            ids.push_back(launch.externalId);
            ASSERT_EQ(launch.nodeCount, static_cast<uint32_t>(launch.context.bytes % 3));
            for (uint32_t node = 1; node <= launch.nodeCount; ++node)
                ASSERT_EQ(launches[i + node].context.op, launch.context.op);
        }
    }
    EXPECT_EQ(read, given);
}

}  // namespace
}  // namespace gapscope
