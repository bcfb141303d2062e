// CUPTI, found and opened at run time: its functions as a table that tests fill with their own, and a report of what
// was looked for where, for `doctor` and the device menu.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cuda_library.h"
#include "core/base/result.h"
#include "core/capture/cupti_types.h"

namespace gapscope {

// CUPTI's functions that we call. All return a CUptiResult.
struct CuptiApi {
    int32_t (*getVersion)(uint32_t* version);
    int32_t (*getResultString)(int32_t result, const char** text);
    int32_t (*registerTimestampCallback)(cupti::TimestampCallback* callback);
    int32_t (*setAttribute)(int32_t attribute, size_t* valueSize, void* value);
    int32_t (*setThreadIdType)(int32_t type);
    int32_t (*registerCallbacks)(cupti::BufferRequested* requested, cupti::BufferCompleted* completed);
    int32_t (*enable)(cupti::Kind kind);
    int32_t (*disable)(cupti::Kind kind);
    int32_t (*flushAll)(uint32_t flags);
    int32_t (*getNextRecord)(uint8_t* buffer, size_t validBytes, cupti::Record** record);
    int32_t (*getNumDroppedRecords)(void* context, uint32_t streamId, size_t* dropped);
    int32_t (*pushExternalCorrelationId)(uint32_t kind, uint64_t id);
    int32_t (*popExternalCorrelationId)(uint32_t kind, uint64_t* lastId);
    int32_t (*subscribe)(void** subscriber, cupti::ResourceCallback* callback, void* userData);
    int32_t (*unsubscribe)(void* subscriber);
    int32_t (*enableCallback)(uint32_t enable, void* subscriber, int32_t domain, uint32_t cbid);
    int32_t (*getCallbackName)(int32_t domain, uint32_t cbid, const char** name);
    int32_t (*getGraphNodeId)(void* node, uint64_t* nodeId);
    // Younger than the oldest CUPTI that we take; null there.
    int32_t (*enableRuntimeApi)(uint32_t cbid, uint8_t enable);
    int32_t (*enableDriverApi)(uint32_t cbid, uint8_t enable);

    uint32_t version = 0;  // 19: CUDA 12.0 … 28: 12.9 update 1; since 13.0 as 130001

    std::string resultText(int32_t result) const;  // "CUPTI_ERROR_UNKNOWN (999)"
};

inline constexpr uint32_t kOldestCuptiVersion = 19;         // CUDA 12.0
inline constexpr uint32_t kCuptiVersionTakesRefusals = 27;  // CUDA 12.9; before, a refused buffer can crash CUPTI

// The toolkit that a version of CUPTI came with: "12.0" for 19, "13.0" for 130001.
std::string cuptiReleaseName(uint32_t version);

struct CuptiLibrary {
    CuptiApi api{};
    std::string path;                      // of the file in use; empty when there is none
    std::vector<LibraryAttempt> attempts;  // in order
    std::string problem;                   // one sentence; empty when CUPTI can be used

    explicit operator bool() const { return problem.empty(); }

    // Looks for it once in the life of the process.
    static const CuptiLibrary& instance();
    // The search itself, for tests and for a report that is up to date.
    static CuptiLibrary open();
    static CuptiLibrary openIn(std::span<const std::filesystem::path> folders);

private:
    static CuptiLibrary from(const CudaLibrary& library);
};

}  // namespace gapscope
