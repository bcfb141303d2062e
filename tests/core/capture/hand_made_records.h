// CUPTI buffers written by hand, and a walk through them as CUPTI's cuptiActivityGetNextRecord does it: so the reading
// of records is tested without a GPU, and with breakage that no GPU makes on demand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "core/capture/cupti_buffers.h"
#include "core/capture/cupti_library.h"

namespace gapscope::testing_support {

// Bytes that a record of CUDA 13 occupies; ours end earlier.
constexpr size_t recordBytes(cupti::Kind kind) {
    switch (kind) {
        case cupti::Kind::Kernel:
        case cupti::Kind::ConcurrentKernel:
            return 216;
        case cupti::Kind::Memcpy:
            return 96;
        case cupti::Kind::Memset:
            return 88;
        case cupti::Kind::Driver:
        case cupti::Kind::Runtime:
            return 40;
        case cupti::Kind::Synchronization:
        case cupti::Kind::Overhead:
        case cupti::Kind::GraphTrace:
            return 56;
        case cupti::Kind::ExternalCorrelation:
            return 24;
        default:
            return 8;
    }
}

class HandMadeBuffer {
public:
    HandMadeBuffer() = default;
    HandMadeBuffer(const HandMadeBuffer& other) : m_bytes(other.m_bytes), m_cut(other.m_cut) {}
    HandMadeBuffer& operator=(const HandMadeBuffer&) = delete;

    template <class Record>
    HandMadeBuffer& add(const Record& record, size_t bytes = 0) {
        const size_t occupied = bytes ? bytes : recordBytes(record.kind);
        const size_t known = std::min(sizeof record, occupied);
        m_bytes.append(reinterpret_cast<const char*>(&record), known);
        m_bytes.append(occupied - known, '\0');
        return *this;
    }
    HandMadeBuffer& cut(size_t bytes) {
        m_cut = bytes;
        return *this;
    }
    size_t validBytes() const { return m_bytes.size() - m_cut; }
    // In memory of just this size, 8-byte aligned, so that a sanitizer sees a read behind it.
    CuptiBuffer buffer() {
        m_memory = std::make_unique<uint64_t[]>((validBytes() + 7) / 8);
        std::memcpy(m_memory.get(), m_bytes.data(), validBytes());
        return {reinterpret_cast<uint8_t*>(m_memory.get()), validBytes()};
    }

private:
    std::string m_bytes;
    std::unique_ptr<uint64_t[]> m_memory;
    size_t m_cut = 0;
};

// As CUPTI's: null begins, a kind that it does not know ends with kInvalidKind.
inline int32_t nextRecord(uint8_t* buffer, size_t validBytes, cupti::Record** record) {
    size_t at = 0;
    if (*record) at = reinterpret_cast<uint8_t*>(*record) - buffer + recordBytes((*record)->kind);
    if (at + 4 > validBytes) return cupti::kMaxLimitReached;
    auto* next = reinterpret_cast<cupti::Record*>(buffer + at);
    if (next->kind == cupti::Kind::Invalid) return cupti::kInvalidKind;
    *record = next;
    return cupti::kSuccess;
}

inline int32_t callbackName(int32_t domain, uint32_t cbid, const char** name) {
    if (domain == cupti::kDomainRuntime && cbid == 211)
        *name = "cudaLaunchKernel_v7000";
    else if (domain == cupti::kDomainRuntime && cbid == 311)
        *name = "cudaGraphLaunch_ptsz_v10000";
    else if (domain == cupti::kDomainRuntime && cbid == 131)
        *name = "cudaStreamSynchronize_v3020";
    else if (domain == cupti::kDomainDriver && cbid == 307)
        *name = "cuLaunchKernel";
    else
        return 1;
    return cupti::kSuccess;
}

inline CuptiApi readingApi() {
    CuptiApi api{};
    api.getNextRecord = nextRecord;
    api.getCallbackName = callbackName;
    return api;
}

inline cupti::KernelRecord kernel(uint64_t start, uint64_t end, uint32_t correlationId, uint64_t graphNodeId = 0,
                                  const char* name = "_Z4gemvIfEvPT_") {
    cupti::KernelRecord record{};
    record.kind = cupti::Kind::ConcurrentKernel;
    record.start = start;
    record.end = end;
    record.correlationId = correlationId;
    record.graphNodeId = graphNodeId;
    record.name = name;
    record.contextId = 1;
    record.streamId = 7;
    return record;
}

inline cupti::ApiRecord call(uint64_t start, uint64_t end, uint32_t correlationId, uint32_t cbid = 211,
                             uint32_t threadId = 77) {
    return {.kind = cupti::Kind::Runtime,
            .cbid = cbid,
            .start = start,
            .end = end,
            .processId = 1,
            .threadId = threadId,
            .correlationId = correlationId,
            .returnValue = 0};
}

inline cupti::ExternalCorrelationRecord externalId(uint64_t id, uint32_t correlationId) {
    return {.kind = cupti::Kind::ExternalCorrelation,
            .externalKind = cupti::kExternalKindCustom0,
            .externalId = id,
            .correlationId = correlationId,
            .reserved = 0};
}

}  // namespace gapscope::testing_support
