#include "tests/bench/bare_cupti.h"

#include <condition_variable>
#include <mutex>

#include "core/capture/cupti_buffers.h"
#include "core/capture/cupti_choices.h"
#include "core/capture/cupti_library.h"

namespace gapscope::bench {

namespace {

// 64 MiB at once: no launch waits for memory.
CuptiBuffers& buffers() {
    static CuptiBuffers& all = *new CuptiBuffers(128, 512);
    return all;
}

const CuptiApi& api() {
    return CuptiLibrary::instance().api;
}

Status need(int32_t result, const char* what) {
    if (result == cupti::kSuccess) return {};
    return fail(std::string(what) + " failed: " + api().resultText(result) + ".");
}

}  // namespace

Result<std::unique_ptr<BareCupti>> BareCupti::start(const BareCuptiSettings& settings) {
    const CuptiLibrary& library = CuptiLibrary::instance();
    if (!library) return fail(library.problem, ErrorKind::NotFound);
    buffers();
    std::unique_ptr<BareCupti> bare(new BareCupti);
    RETURN_IF_ERROR(
        need(api().registerTimestampCallback([] { return static_cast<uint64_t>(nowNs()); }), "Registering our clock"));
    uint8_t zeroed = 1;
    size_t size = sizeof zeroed;
    RETURN_IF_ERROR(
        need(api().setAttribute(cupti::kAttributeZeroedBuffers, &size, &zeroed), "Choosing zeroed buffers"));
    RETURN_IF_ERROR(need(api().setThreadIdType(cupti::kThreadIdSystem), "Choosing thread ids"));
    RETURN_IF_ERROR(need(api().registerCallbacks(
                             [](uint8_t** buffer, size_t* bytes, size_t* most) {
                                 *buffer = buffers().request(CuptiBuffers::WhenExhausted::Grow);
                                 *bytes = *buffer ? CuptiBuffers::kBufferBytes : 0;
                                 *most = 0;
                             },
                             [](void*, uint32_t, uint8_t* buffer, size_t, size_t validBytes) {
                                 buffers().complete(buffer, validBytes);
                             }),
                         "Registering buffers"));
    void* subscriber = nullptr;
    RETURN_IF_ERROR(need(api().subscribe(
                             &subscriber, [](void*, int32_t, uint32_t, const void*) {}, nullptr),
                         "Subscribing"));
    for (const uint32_t event : kGraphNodeEvents)
        RETURN_IF_ERROR(need(api().enableCallback(1, subscriber, cupti::kDomainResource, event), "A callback"));
    for (const auto& [kind, what] : cuptiKinds(settings.level)) {
        const bool isKernels = kind == cupti::Kind::ConcurrentKernel || kind == cupti::Kind::GraphTrace;
        if (settings.kernelsOnly && !isKernels) continue;
        if (!settings.externalIds && kind == cupti::Kind::ExternalCorrelation) continue;
        RETURN_IF_ERROR(need(api().enable(kind), what));
        if (kind == cupti::Kind::ExternalCorrelation) bare->m_pushesIds = true;
    }
    if (!settings.kernelsOnly) {
        if (!api().enableRuntimeApi || !api().enableDriverApi)
            return fail("This CUPTI cannot choose calls, so it cannot be compared.");
        for (const uint32_t call : kNoisyRuntimeCalls)
            api().enableRuntimeApi(call, 0);
        for (const uint32_t call : kDriverLaunches)
            RETURN_IF_ERROR(need(api().enableDriverApi(call, 1), "A driver call"));
    }
    bare->m_flusher = std::jthread([self = bare.get(), period = settings.flushPeriod](const std::stop_token& stopped) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stopped.stop_requested()) {
            wake.wait_for(lock, stopped, period, [] { return false; });
            if (!stopped.stop_requested()) self->flush(0);
        }
    });
    return bare;
}

void BareCupti::flush(uint32_t flags) {
    api().flushAll(flags);
    size_t dropped = 0;
    if (api().getNumDroppedRecords(nullptr, 0, &dropped) == cupti::kSuccess)
        m_counts.dropped += static_cast<int64_t>(dropped);
    for (const CuptiBuffer& buffer : buffers().takeCompleted()) {
        m_counts.recordBytes += static_cast<int64_t>(buffer.validBytes);
        buffers().recycle(buffer);
    }
}

BareCupti::Counts BareCupti::stop() {
    if (m_flusher.joinable()) {
        m_flusher.request_stop();
        m_flusher.join();
        flush(cupti::kFlushForced);
    }
    return m_counts;
}

BareCupti::~BareCupti() {
    stop();
}

void BareCupti::enterLaunch(const LaunchContext&, std::span<const LaunchContext>) {
    if (m_pushesIds) api().pushExternalCorrelationId(cupti::kExternalKindCustom0, ++m_lastId);
}

void BareCupti::leaveLaunch() {
    uint64_t last = 0;
    if (m_pushesIds) api().popExternalCorrelationId(cupti::kExternalKindCustom0, &last);
}

}  // namespace gapscope::bench
