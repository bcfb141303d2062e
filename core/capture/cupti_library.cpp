#include "core/capture/cupti_library.h"

#include <array>

namespace gapscope {

namespace {

// The one that the CUDA code was built for first; a driver of CUDA 13 works with both.
constexpr std::array<std::string_view, 3> kSonames = {"libcupti.so.13", "libcupti.so.12", "libcupti.so"};

constexpr const char* kInstallHint =
    "Install a CUDA toolkit (its CUPTI) or pip's nvidia-cuda-cupti, or name its folder in GAPSCOPE_CUDA_LIBRARIES.";

// Empty, or the name of the function that the library lacks.
std::string resolveAll(const CudaLibrary& library, CuptiApi& api) {
    std::string missing;
    const auto need = [&](const char* name, auto& function) {
        if (!library.resolve(name, function) && missing.empty()) missing = name;
    };
    need("cuptiGetVersion", api.getVersion);
    need("cuptiGetResultString", api.getResultString);
    need("cuptiActivityRegisterTimestampCallback", api.registerTimestampCallback);
    need("cuptiActivitySetAttribute", api.setAttribute);
    need("cuptiSetThreadIdType", api.setThreadIdType);
    need("cuptiActivityRegisterCallbacks", api.registerCallbacks);
    need("cuptiActivityEnable", api.enable);
    need("cuptiActivityDisable", api.disable);
    need("cuptiActivityFlushAll", api.flushAll);
    need("cuptiActivityGetNextRecord", api.getNextRecord);
    need("cuptiActivityGetNumDroppedRecords", api.getNumDroppedRecords);
    need("cuptiActivityPushExternalCorrelationId", api.pushExternalCorrelationId);
    need("cuptiActivityPopExternalCorrelationId", api.popExternalCorrelationId);
    need("cuptiSubscribe", api.subscribe);
    need("cuptiUnsubscribe", api.unsubscribe);
    need("cuptiEnableCallback", api.enableCallback);
    need("cuptiGetCallbackName", api.getCallbackName);
    need("cuptiGetGraphNodeId", api.getGraphNodeId);
    library.resolve("cuptiActivityEnableRuntimeApi", api.enableRuntimeApi);
    library.resolve("cuptiActivityEnableDriverApi", api.enableDriverApi);
    return missing;
}

}  // namespace

std::string CuptiApi::resultText(int32_t result) const {
    const char* text = nullptr;
    if (getResultString && getResultString(result, &text) == cupti::kSuccess && text)
        return std::string(text) + " (" + std::to_string(result) + ")";
    return "CUPTI error " + std::to_string(result);
}

std::string cuptiReleaseName(uint32_t version) {
    if (version >= 130000) return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100);
    static constexpr std::array<std::string_view, 10> kReleases = {"12.0", "12.2", "12.3", "12.4", "12.5",
                                                                   "12.6", "12.7", "12.8", "12.9", "12.9"};
    if (version < kOldestCuptiVersion) return "before 12.0";
    const uint32_t index = version - kOldestCuptiVersion;
    return index < kReleases.size() ? std::string(kReleases[index]) : "unknown";
}

CuptiLibrary CuptiLibrary::from(const CudaLibrary& library) {
    CuptiLibrary found;
    found.attempts = library.attempts();
    if (!library) {
        found.problem = std::string("CUPTI was not found, so GPU work cannot be traced. ") + kInstallHint;
        return found;
    }
    found.path = library.path();
    if (const std::string missing = resolveAll(library, found.api); !missing.empty()) {
        found.problem = found.path + " is not a CUPTI of CUDA 12 or newer: it lacks " + missing + ". " + kInstallHint;
        return found;
    }
    if (const int32_t result = found.api.getVersion(&found.api.version); result != cupti::kSuccess) {
        found.problem = "CUPTI in " + found.path + " does not tell its version: " + found.api.resultText(result) + ".";
    } else if (found.api.version < kOldestCuptiVersion) {
        found.problem = "CUPTI in " + found.path + " is of version " + std::to_string(found.api.version) +
                        ", before CUDA 12.0. " + kInstallHint;
    }
    return found;
}

CuptiLibrary CuptiLibrary::open() {
    return from(CudaLibrary::open(kSonames));
}

CuptiLibrary CuptiLibrary::openIn(std::span<const std::filesystem::path> folders) {
    return from(CudaLibrary::openIn(folders, kSonames));
}

const CuptiLibrary& CuptiLibrary::instance() {
    // Never destroyed: CUPTI's own threads may call back until the process ends.
    static const CuptiLibrary& library = *new CuptiLibrary(open());
    return library;
}

}  // namespace gapscope
