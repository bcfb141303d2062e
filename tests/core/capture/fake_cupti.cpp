#include "tests/core/capture/fake_cupti.h"

#include <algorithm>

namespace gapscope::testing_support {

namespace {

FakeCupti*& currentFake() {
    static FakeCupti* fake = nullptr;
    return fake;
}

}  // namespace

FakeCupti& FakeCupti::current() {
    return *currentFake();
}

int32_t FakeCupti::made(const std::string& call) {
    const std::lock_guard lock(m_mutex);
    m_calls.push_back(call);
    const auto failure = m_failures.find(call);
    return failure == m_failures.end() ? cupti::kSuccess : failure->second;
}

FakeCupti& FakeCupti::makeCurrent() {
    static std::vector<std::unique_ptr<FakeCupti>> all;
    all.push_back(std::make_unique<FakeCupti>());
    currentFake() = all.back().get();
    CuptiApi& api = current().api;
    api = readingApi();
    api.version = 130001;
    api.getResultString = [](int32_t result, const char** text) {
        *text = result == cupti::kUnknownError ? "CUPTI_ERROR_UNKNOWN" : "CUPTI_ERROR_FAKE";
        return cupti::kSuccess;
    };
    api.registerTimestampCallback = [](cupti::TimestampCallback* callback) {
        current().m_clock = callback;
        return current().made("clock");
    };
    api.setAttribute = [](int32_t attribute, size_t*, void*) {
        return current().made("attribute " + std::to_string(attribute));
    };
    api.setThreadIdType = [](int32_t type) { return current().made("thread id type " + std::to_string(type)); };
    api.registerCallbacks = [](cupti::BufferRequested* requested, cupti::BufferCompleted* completed) {
        current().m_requested = requested;
        current().m_completed = completed;
        return current().made("callbacks");
    };
    api.enable = [](cupti::Kind kind) {
        return current().made("enable " + std::to_string(static_cast<uint32_t>(kind)));
    };
    api.disable = [](cupti::Kind kind) {
        return current().made("disable " + std::to_string(static_cast<uint32_t>(kind)));
    };
    api.flushAll = [](uint32_t flags) {
        FakeCupti& fake = current();
        const int32_t result = fake.made("flush " + std::to_string(flags));
        if (result != cupti::kSuccess) return result;
        if (fake.onFlush) fake.onFlush();
        fake.deliver();
        return result;
    };
    api.getNumDroppedRecords = [](void*, uint32_t, size_t* dropped) {
        if (current().onDropped) current().onDropped();
        *dropped = std::exchange(current().dropped, 0);
        return current().made("dropped");
    };
    api.pushExternalCorrelationId = [](uint32_t, uint64_t id) {
        current().externalIds.push_back(id);
        return current().made("push");
    };
    api.popExternalCorrelationId = [](uint32_t, uint64_t* last) {
        *last = current().externalIds.back();
        current().externalIds.pop_back();
        return current().made("pop");
    };
    api.subscribe = [](void** subscriber, cupti::ResourceCallback* callback, void*) {
        *subscriber = &current();
        current().m_resource = callback;
        return current().made("subscribe");
    };
    api.unsubscribe = [](void*) { return current().made("unsubscribe"); };
    api.enableCallback = [](uint32_t, void*, int32_t domain, uint32_t cbid) {
        return current().made("callback " + std::to_string(domain) + " " + std::to_string(cbid));
    };
    api.getGraphNodeId = [](void* node, uint64_t* id) {
        if (!node) return 1;
        *id = reinterpret_cast<uintptr_t>(node);
        return cupti::kSuccess;
    };
    api.enableRuntimeApi = [](uint32_t cbid, uint8_t enable) {
        return current().made((enable ? "runtime on " : "runtime off ") + std::to_string(cbid));
    };
    api.enableDriverApi = [](uint32_t cbid, uint8_t enable) {
        return current().made((enable ? "driver on " : "driver off ") + std::to_string(cbid));
    };
    return current();
}

std::vector<std::string> FakeCupti::callsMade() const {
    const std::lock_guard lock(m_mutex);
    return m_calls;
}

size_t FakeCupti::countOf(const std::string& call) const {
    const std::lock_guard lock(m_mutex);
    return static_cast<size_t>(std::ranges::count(m_calls, call));
}

bool FakeCupti::write(const HandMadeBuffer& records, bool atOnce) {
    uint8_t* data = nullptr;
    size_t size = 0, maxRecords = 99;
    m_requested(&data, &size, &maxRecords);
    if (!data) return false;
    HandMadeBuffer copy = records;
    const CuptiBuffer filled = copy.buffer();
    if (filled.validBytes > size || maxRecords != 0 || reinterpret_cast<uintptr_t>(data) % 8 != 0) return false;
    if (std::any_of(data, data + size, [](uint8_t byte) { return byte != 0; })) return false;  // we promised zeroes
    std::memcpy(data, filled.data, filled.validBytes);
    const std::lock_guard lock(m_mutex);
    m_pending.push_back({data, size, filled.validBytes});
    if (atOnce) {
        const Pending last = m_pending.back();
        m_pending.pop_back();
        m_completed(nullptr, 0, last.data, last.size, last.validBytes);
    }
    return true;
}

void FakeCupti::deliver() {
    std::vector<Pending> pending;
    {
        const std::lock_guard lock(m_mutex);
        pending.swap(m_pending);
    }
    for (const Pending& buffer : pending)
        m_completed(nullptr, 0, buffer.data, buffer.size, buffer.validBytes);
}

void FakeCupti::graphNodeCreated(void* node) {
    cupti::GraphData graph{};
    graph.node = node;
    const cupti::ResourceData data{.context = nullptr, .stream = nullptr, .resourceDescriptor = &graph};
    m_resource(nullptr, cupti::kDomainResource, cupti::kGraphNodeCreated, &data);
}

void FakeCupti::graphNodeCloned(void* node, void* original) {
    cupti::GraphData graph{};
    graph.node = node;
    graph.originalNode = original;
    const cupti::ResourceData data{.context = nullptr, .stream = nullptr, .resourceDescriptor = &graph};
    m_resource(nullptr, cupti::kDomainResource, cupti::kGraphNodeCloned, &data);
}

}  // namespace gapscope::testing_support
