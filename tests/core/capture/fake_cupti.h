// A CUPTI of our own: notes every call in order, fails where a test wants it, and writes records into the buffers that
// it asks for, so that the whole way from a launch to a row runs without a GPU.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/core/capture/hand_made_records.h"

namespace gapscope::testing_support {

class FakeCupti {
public:
    // Each has its own CuptiApi, never freed: a process keeps what it registered with a CUPTI. One is current at a
    // time.
    static FakeCupti& makeCurrent();
    static FakeCupti& current();

    CuptiApi api{};
    std::vector<std::string> callsMade() const;     // "enable 10", "flush 0"
    size_t countOf(const std::string& call) const;  // exactly so
    void failWith(const std::string& call, int32_t result) { m_failures[call] = result; }
    std::vector<uint64_t> externalIds;  // pushed and not yet popped
    size_t dropped = 0;                 // told and reset by the next question
    std::function<void()> onFlush;      // runs inside flushAll, as CUPTI's deliveries do
    std::function<void()> onDropped;    // runs inside getNumDroppedRecords

    uint64_t clock() const { return m_clock(); }
    // As CUPTI: asks for a buffer, fills it, and hands it over at the next flush or at once.
    bool write(const HandMadeBuffer& records, bool atOnce = false);
    void deliver();
    void graphNodeCreated(void* node);
    void graphNodeCloned(void* node, void* original);

private:
    int32_t made(const std::string& call);

    mutable std::mutex m_mutex;
    std::vector<std::string> m_calls;
    std::map<std::string, int32_t> m_failures;
    struct Pending {
        uint8_t* data;
        size_t size, validBytes;
    };
    std::vector<Pending> m_pending;
    cupti::TimestampCallback* m_clock = nullptr;
    cupti::BufferRequested* m_requested = nullptr;
    cupti::BufferCompleted* m_completed = nullptr;
    cupti::ResourceCallback* m_resource = nullptr;
};

}  // namespace gapscope::testing_support
