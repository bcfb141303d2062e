#include "core/capture/cupti_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>

#include "tests/core/capture/fake_cupti.h"

namespace gapscope {
namespace {

using testing_support::FakeCupti;
using testing_support::HandMadeBuffer;
using testing_support::kernel;

// So long that the flush thread stays out of a test's way; its first flush comes after this.
constexpr CuptiSettings kQuiet{.level = TraceLevel::Full, .flushPeriod = std::chrono::hours(1)};

struct CuptiSessionTest : testing::Test {
    FakeCupti& cupti = FakeCupti::makeCurrent();
    std::unique_ptr<CuptiSession> started(const CuptiSettings& settings = kQuiet) {
        auto session = CuptiSession::start(cupti.api, settings);
        EXPECT_TRUE(session) << (session ? "" : session.error().message);
        return session ? std::move(*session) : nullptr;
    }
    ptrdiff_t placeOf(const std::string& call) const {
        const std::vector<std::string> calls = cupti.callsMade();
        const auto it = std::ranges::find(calls, call);
        EXPECT_NE(it, calls.end()) << call;
        return it - calls.begin();
    }
    static bool waitUntil(const std::function<bool()>& isTrue) {
        for (int i = 0; i < 20000; ++i) {
            if (isTrue()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return false;
    }
};

TEST_F(CuptiSessionTest, SetUpKeepsTheOrderThatCuptiNeeds) {
    const auto session = started();
    EXPECT_LT(placeOf("clock"), placeOf("subscribe"));
    EXPECT_LT(placeOf("clock"), placeOf("enable 10"));
    EXPECT_LT(placeOf("attribute 5"), placeOf("callbacks"));
    EXPECT_LT(placeOf("thread id type 1"), placeOf("enable 10"));
    EXPECT_LT(placeOf("callbacks"), placeOf("enable 10"));
    EXPECT_LT(placeOf("subscribe"), placeOf("enable 10"));
    for (const char* kind : {"enable 1", "enable 2", "enable 5", "enable 17", "enable 38", "enable 39"})
        EXPECT_EQ(cupti.countOf(kind), 1u) << kind;
    EXPECT_EQ(cupti.countOf("enable 3"), 0u);   // would run kernels one at a time
    EXPECT_EQ(cupti.countOf("enable 4"), 0u);   // all driver calls
    EXPECT_EQ(cupti.countOf("enable 51"), 0u);  // would hide the kernels of graphs
    EXPECT_EQ(cupti.countOf("driver on 307"), 1u);
    EXPECT_EQ(cupti.countOf("driver on 514"), 1u);
    EXPECT_LT(placeOf("enable 5"), placeOf("runtime off 17"));  // the kind switches every call on
    EXPECT_TRUE(session->failures().empty());
}

TEST_F(CuptiSessionTest, TheClockIsTheSteadyOneAndRegisteredOncePerProcess) {
    for (int i = 0; i < 3; ++i)
        started();
    EXPECT_EQ(cupti.countOf("clock"), 1u);
    EXPECT_EQ(cupti.countOf("callbacks"), 1u);
    EXPECT_EQ(cupti.countOf("enable 10"), 3u);
    const int64_t before = nowNs();
    const auto read = static_cast<int64_t>(cupti.clock());
    EXPECT_LE(before, read);
    EXPECT_LE(read, nowNs());
}

TEST_F(CuptiSessionTest, TheClockIsNotRegisteredAgainWhenTheBuffersWereRefused) {
    cupti.failWith("callbacks", 7);
    EXPECT_FALSE(CuptiSession::start(cupti.api, kQuiet));
    cupti.failWith("callbacks", cupti::kSuccess);
    started();
    EXPECT_EQ(cupti.countOf("clock"), 1u);
    EXPECT_EQ(cupti.countOf("callbacks"), 2u);
}

TEST_F(CuptiSessionTest, TheCheapLevelTracesGraphsAsAWhole) {
    const auto session = started({.level = TraceLevel::Graph, .flushPeriod = std::chrono::hours(1)});
    EXPECT_EQ(cupti.countOf("enable 51"), 1u);
    EXPECT_EQ(cupti.countOf("enable 10"), 1u);  // kernels that no graph launches
}

TEST_F(CuptiSessionTest, StoppingDisablesThenFlushesByForceAndNeverComesTwice) {
    auto session = started();
    session->stop();
    session->stop();
    const ptrdiff_t forced = placeOf("flush 1");
    for (const char* kind : {"disable 10", "disable 5", "disable 39", "driver off 307"})
        EXPECT_LT(placeOf(kind), forced) << kind;
    EXPECT_LT(forced, placeOf("unsubscribe"));
    session.reset();
    EXPECT_EQ(cupti.countOf("flush 1"), 1u);
    EXPECT_EQ(cupti.countOf("unsubscribe"), 1u);
}

TEST_F(CuptiSessionTest, OneAtATime) {
    const auto session = started();
    const auto second = CuptiSession::start(cupti.api, kQuiet);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("already"), std::string::npos);
    EXPECT_EQ(cupti.countOf("enable 10"), 1u);
}

TEST_F(CuptiSessionTest, WithoutADriverTheErrorSaysSoAndAnotherTryIsFree) {
    cupti.failWith("clock", cupti::kUnknownError);
    for (int i = 0; i < 2; ++i) {
        const auto session = CuptiSession::start(cupti.api, kQuiet);
        ASSERT_FALSE(session);
        EXPECT_NE(session.error().message.find("driver"), std::string::npos) << session.error().message;
        EXPECT_NE(session.error().message.find("CUPTI_ERROR_UNKNOWN (999)"), std::string::npos);
    }
    EXPECT_EQ(cupti.countOf("subscribe"), 0u);
    EXPECT_EQ(cupti.countOf("enable 10"), 0u);
}

TEST_F(CuptiSessionTest, AnotherProfilerInTheProcessIsNamedAsTheCause) {
    cupti.failWith("subscribe", cupti::kMultipleSubscribers);
    const auto session = CuptiSession::start(cupti.api, kQuiet);
    ASSERT_FALSE(session);
    EXPECT_NE(session.error().message.find("another profiler"), std::string::npos);
    EXPECT_EQ(cupti.countOf("enable 10"), 0u);
    EXPECT_EQ(cupti.countOf("unsubscribe"), 0u);  // what was never ours
}

TEST_F(CuptiSessionTest, WithoutKernelsThereIsNoSession) {
    cupti.failWith("enable 10", 27);
    EXPECT_FALSE(CuptiSession::start(cupti.api, kQuiet));
    EXPECT_EQ(cupti.countOf("unsubscribe"), 1u);  // what was set up is taken back
}

TEST_F(CuptiSessionTest, MissingRightsAreExplainedWhereverTheyShow) {
    for (const char* call : {"clock", "callbacks", "subscribe", "enable 10"}) {
        cupti.failWith(call, cupti::kInsufficientPrivileges);
        const auto session = CuptiSession::start(cupti.api, kQuiet);
        ASSERT_FALSE(session);
        EXPECT_NE(session.error().message.find("administrators"), std::string::npos) << session.error().message;
        cupti.failWith(call, cupti::kSuccess);
    }
    cupti.failWith("enable 38", cupti::kInsufficientPrivileges);
    const auto session = started();
    ASSERT_EQ(session->failures().size(), 1u);
    EXPECT_NE(session->failures()[0].find("administrators"), std::string::npos);
}

TEST_F(CuptiSessionTest, WhatElseCannotBeEnabledIsListedAndTheRestRecorded) {
    cupti.failWith("enable 17", 27);
    cupti.failWith("enable 39", 27);
    cupti.failWith("driver on 652", 27);
    cupti.failWith("thread id type 1", 27);
    cupti.failWith("callback 3 20", 27);
    const auto session = started();
    EXPECT_EQ(session->failures().size(), 5u);
    for (const std::string& failure : session->failures())
        EXPECT_TRUE(failure.ends_with(".")) << failure;
    session->enterLaunch(1);
    session->leaveLaunch();
    EXPECT_EQ(cupti.countOf("push"), 0u);  // nobody would write the records
    session->stop();
    EXPECT_EQ(cupti.countOf("disable 17"), 0u);
    EXPECT_EQ(cupti.countOf("disable 1"), 1u);
}

TEST_F(CuptiSessionTest, AnOldCuptiWithoutChosenCallsIsUsedAndSaysWhatIsMissing) {
    cupti.api.enableRuntimeApi = nullptr;
    cupti.api.enableDriverApi = nullptr;
    const auto session = started();
    EXPECT_EQ(session->failures().size(), 1u);
}

TEST_F(CuptiSessionTest, ANoisyCallThatThisCuptiDoesNotKnowNeedsNoHiding) {
    cupti.failWith("runtime off 462", 1);
    EXPECT_TRUE(started()->failures().empty());
}

// Its own lock is held while it answers, and the thread that waits for that lock may want one of ours.
TEST_F(CuptiSessionTest, NoLockIsHeldWhileCuptiIsAsked) {
    const auto session = started();
    HandMadeBuffer records;
    records.add(kernel(1, 2, 3));
    int asked = 0;
    const auto useEverything = [&] {
        ++asked;
        std::thread([&] {
            EXPECT_TRUE(cupti.write(records, true));
            cupti.graphNodeCreated(&asked);
            for (const CuptiBuffer& buffer : session->takeBuffers())
                session->recycle(buffer);
            session->takeGraphNodes();
            session->takeCounts();
        }).join();
    };
    cupti.onFlush = useEverything;
    cupti.onDropped = useEverything;
    session->stop();
    EXPECT_EQ(asked, 2);
}

// Before 12.9 a refusal can crash CUPTI. The bound is the real one: this takes 350 MiB.
TEST_F(CuptiSessionTest, PastTheBoundABufferIsRefusedOnlyWhereCuptiTakesIt) {
    HandMadeBuffer records;
    records.add(kernel(1, 2, 3));
    const auto writeMost = [&] {
        int written = 0;
        while (written < 700 && cupti.write(records, true))
            ++written;
        return written;
    };
    {
        const auto session = started();
        EXPECT_LE(writeMost(), 512);
        EXPECT_EQ(session->takeCounts().refusedBuffers, 1);
    }
    cupti.api.version = kCuptiVersionTakesRefusals - 1;
    const auto session = started();
    EXPECT_EQ(writeMost(), 700);
    EXPECT_EQ(session->takeCounts().refusedBuffers, 0);
}

TEST_F(CuptiSessionTest, ItsOwnThreadFlushesAndAsksWhatWasDropped) {
    cupti.dropped = 3;
    const auto session = started({.level = TraceLevel::Full, .flushPeriod = std::chrono::milliseconds(1)});
    EXPECT_TRUE(waitUntil([&] { return cupti.countOf("flush 0") >= 3 && cupti.countOf("dropped") >= 3; }));
    EXPECT_EQ(session->takeCounts().droppedRecords, 3);
    EXPECT_EQ(session->takeCounts().droppedRecords, 0);
}

TEST_F(CuptiSessionTest, ItsThreadKeepsBuffersReadyHoweverFarTheReaderIsBehind) {
    const auto session = started({.level = TraceLevel::Full, .flushPeriod = std::chrono::milliseconds(1)});
    HandMadeBuffer records;
    records.add(kernel(1, 2, 3));
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 15; ++i)
            EXPECT_TRUE(cupti.write(records));
        // The second one began after the buffers were taken, so the refill behind the first has seen them gone.
        const size_t flushes = cupti.countOf("flush 0");
        EXPECT_TRUE(waitUntil([&] { return cupti.countOf("flush 0") >= flushes + 2; }));
    }
    EXPECT_EQ(session->takeCounts().grownBuffers, 0);
    for (const CuptiBuffer& buffer : session->takeBuffers())
        session->recycle(buffer);
}

TEST_F(CuptiSessionTest, AFailedFlushIsCounted) {
    cupti.failWith("flush 1", 999);
    const auto session = started();
    session->stop();
    EXPECT_EQ(session->takeCounts().failedFlushes, 1);
}

TEST_F(CuptiSessionTest, AFailedFlushDoesNotEndTheFlushing) {
    cupti.failWith("flush 0", 999);
    const auto session = started({.level = TraceLevel::Full, .flushPeriod = std::chrono::milliseconds(1)});
    EXPECT_TRUE(waitUntil([&] { return cupti.countOf("flush 0") >= 3; }));
    session->stop();
    EXPECT_GE(session->takeCounts().failedFlushes, 3);
}

TEST_F(CuptiSessionTest, RecordsArriveInTheOrderOfTheirBuffersAlsoWhenWrittenWhileFlushing) {
    const auto session = started();
    HandMadeBuffer first, second;
    first.add(kernel(1, 2, 3));
    second.add(kernel(4, 5, 6)).add(kernel(7, 8, 9));
    EXPECT_TRUE(cupti.write(first, true));
    cupti.onFlush = [&] {
        EXPECT_TRUE(cupti.write(second));
    };  // would stand still, did we hold a lock of the callbacks
    session->stop();
    const std::vector<CuptiBuffer> buffers = session->takeBuffers();
    ASSERT_EQ(buffers.size(), 2u);
    EXPECT_EQ(buffers[0].validBytes, 216u);
    EXPECT_EQ(buffers[1].validBytes, 432u);
    for (const CuptiBuffer& buffer : buffers)
        session->recycle(buffer);
    EXPECT_TRUE(session->takeBuffers().empty());
    for (int i = 0; i < 40; ++i)  // every buffer of the pool is zero again: the fake looks
        EXPECT_TRUE(cupti.write(first, true));
}

TEST_F(CuptiSessionTest, WhatAnEarlierSessionLeftBehindIsNotTakenForOurs) {
    HandMadeBuffer late;
    late.add(kernel(1, 2, 3));
    started();
    EXPECT_TRUE(cupti.write(late, true));  // a buffer completed after the end
    cupti.graphNodeCreated(&late);
    const auto session = started();
    EXPECT_TRUE(session->takeBuffers().empty());
    EXPECT_TRUE(session->takeGraphNodes().empty());
}

TEST_F(CuptiSessionTest, LaunchScopesReachCuptiAndMayNest) {
    const auto session = started();
    session->enterLaunch(5);
    session->enterLaunch(6);
    EXPECT_EQ(cupti.externalIds, (std::vector<uint64_t>{5, 6}));
    session->leaveLaunch();
    session->leaveLaunch();
    EXPECT_TRUE(cupti.externalIds.empty());
}

TEST_F(CuptiSessionTest, ScopesDeeperThanAreKeptGiveTheirNodesNoOpAndTheOuterOnesKeepTheirs) {
    const auto session = started();
    int deep = 0, outer = 0;
    for (uint64_t id = 1; id <= 40; ++id)
        session->enterLaunch(id);
    cupti.graphNodeCreated(&deep);
    for (int i = 0; i < 38; ++i)
        session->leaveLaunch();
    cupti.graphNodeCreated(&outer);
    session->leaveLaunch();
    session->leaveLaunch();
    const std::vector<GraphNodeActivity> nodes = session->takeGraphNodes();
    ASSERT_EQ(nodes.size(), 2u);
    EXPECT_EQ(nodes[0].externalId, 0u);
    EXPECT_EQ(nodes[1].externalId, 2u);
}

TEST_F(CuptiSessionTest, GraphNodesRememberTheScopeOfTheirThread) {
    const auto session = started();
    int a = 0, b = 0, c = 0, clone = 0;
    session->enterLaunch(5);
    cupti.graphNodeCreated(&a);
    session->enterLaunch(6);
    cupti.graphNodeCreated(&b);
    std::thread([&] { cupti.graphNodeCreated(&c); }).join();  // in no scope
    session->leaveLaunch();
    session->leaveLaunch();
    cupti.graphNodeCloned(&clone, &a);
    const std::vector<GraphNodeActivity> nodes = session->takeGraphNodes();
    ASSERT_EQ(nodes.size(), 4u);
    EXPECT_EQ(nodes[0].externalId, 5u);
    EXPECT_EQ(nodes[1].externalId, 6u);
    EXPECT_EQ(nodes[2].externalId, 0u);
    EXPECT_EQ(nodes[3].originalNodeId, nodes[0].nodeId);
    EXPECT_NE(nodes[3].nodeId, nodes[0].nodeId);
    EXPECT_TRUE(session->takeGraphNodes().empty());
}

TEST(CuptiBuffersTest, ThePoolGrowsToItsBoundAndThenRefusesOrNot) {
    CuptiBuffers buffers(1, 2);
    EXPECT_NE(buffers.request(CuptiBuffers::WhenExhausted::Refuse), nullptr);
    EXPECT_EQ(buffers.takeCounts().grown, 0);
    EXPECT_NE(buffers.request(CuptiBuffers::WhenExhausted::Refuse), nullptr);
    EXPECT_EQ(buffers.request(CuptiBuffers::WhenExhausted::Refuse), nullptr);
    const CuptiBuffers::Counts counts = buffers.takeCounts();
    EXPECT_EQ(counts.grown, 1);
    EXPECT_EQ(counts.refused, 1);
    uint8_t* beyond = buffers.request(CuptiBuffers::WhenExhausted::Grow);
    ASSERT_NE(beyond, nullptr);
    std::memset(beyond, 0xAB, CuptiBuffers::kBufferBytes);
    buffers.complete(beyond, CuptiBuffers::kBufferBytes + 1);  // never more than there is
    buffers.complete(nullptr, 0);
    const std::vector<CuptiBuffer> completed = buffers.takeCompleted();
    ASSERT_EQ(completed.size(), 1u);
    EXPECT_EQ(completed[0].validBytes, CuptiBuffers::kBufferBytes);
    buffers.recycle(completed[0]);
    uint8_t* again = buffers.request(CuptiBuffers::WhenExhausted::Refuse);
    ASSERT_EQ(again, beyond);
    EXPECT_TRUE(std::all_of(again, again + CuptiBuffers::kBufferBytes, [](uint8_t byte) { return byte == 0; }));
}

TEST(CuptiBuffersTest, RefillingMakesBuffersAheadOfTheRequestsUpToTheBound) {
    CuptiBuffers buffers(2, 5);
    const auto take = [&](int count) {
        for (int i = 0; i < count; ++i)
            ASSERT_NE(buffers.request(CuptiBuffers::WhenExhausted::Refuse), nullptr);
    };
    take(2);
    buffers.refill();
    take(2);
    EXPECT_EQ(buffers.takeCounts().grown, 0);
    buffers.refill();
    take(1);
    EXPECT_EQ(buffers.request(CuptiBuffers::WhenExhausted::Refuse), nullptr);
    EXPECT_EQ(buffers.takeCounts().grown, 0);
}

TEST(CuptiBuffersTest, ManyThreadsAskAndHandOverWhileOneReads) {
    CuptiBuffers buffers(4, 64);
    constexpr int kEach = 300;
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < 4; ++thread)
        writers.emplace_back([&] {
            for (int i = 0; i < kEach; ++i)
                buffers.complete(buffers.request(CuptiBuffers::WhenExhausted::Grow), 8);
        });
    int read = 0;
    while (read < 4 * kEach) {
        for (const CuptiBuffer& buffer : buffers.takeCompleted()) {
            ++read;
            buffers.recycle(buffer);
        }
        std::this_thread::yield();
    }
    EXPECT_EQ(read, 4 * kEach);
}

}  // namespace
}  // namespace gapscope
