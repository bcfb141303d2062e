// What a recording asks CUPTI for: kinds of records, calls, events. One list, because the benchmark that tells our cost
// from CUPTI's own must ask for the same.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/activity.h"
#include "core/capture/cupti_types.h"

namespace gapscope {

struct CuptiKindChoice {
    cupti::Kind kind;
    const char* what;
};

// In the order in which they are switched on. Kernels first: without them there is nothing to show. Never Kind::Kernel,
// which runs them one at a time; no Kind::Driver, which records every driver call.
inline std::vector<CuptiKindChoice> cuptiKinds(TraceLevel level) {
    std::vector<CuptiKindChoice> kinds = {{cupti::Kind::ConcurrentKernel, "kernels"}};
    // CUPTI drops the node records of a graph that is traced as a whole.
    if (level == TraceLevel::Graph) kinds.push_back({cupti::Kind::GraphTrace, "graph launches as a whole"});
    kinds.insert(kinds.end(), {{cupti::Kind::Memcpy, "copies"},
                               {cupti::Kind::Memset, "memory sets"},
                               {cupti::Kind::Synchronization, "synchronisation"},
                               {cupti::Kind::Overhead, "CUPTI's own cost"},
                               {cupti::Kind::ExternalCorrelation, "the join of kernels to ops"},
                               {cupti::Kind::Runtime, "runtime calls"}});
    return kinds;
}

// Calls that only ask or set something small: frequent in front of every launch, of no interest, and each costs a
// record. Switched off behind Kind::Runtime. The numbers are CUPTI's CUPTI_RUNTIME_TRACE_CBID_*, which never change.
inline constexpr auto kNoisyRuntimeCalls = std::to_array<uint32_t>({
    10,                            // cudaGetLastError
    11,                            // cudaPeekAtLastError
    15,                            // cudaFuncGetAttributes
    16,                            // cudaSetDevice
    17,                            // cudaGetDevice
    200,                           // cudaDeviceGetAttribute
    207, 210, 251,                 // cudaOccupancyMaxActiveBlocksPerMultiprocessor
    317, 318,                      // cudaStreamIsCapturing
    324, 325, 409, 410, 461, 462,  // cudaStreamGetCaptureInfo
    327,                           // cudaThreadExchangeStreamCaptureMode
});

// Launches that bypass the runtime: cuBLASLt and code made at run time call the driver itself.
inline constexpr auto kDriverLaunches = std::to_array<uint32_t>({
    307, 442,  // cuLaunchKernel
    652, 653,  // cuLaunchKernelEx
    477, 478,  // cuLaunchCooperativeKernel
    514, 515,  // cuGraphLaunch
});

// Resource events that tell which op each node of a graph is for.
inline constexpr auto kGraphNodeEvents = std::to_array<uint32_t>({cupti::kGraphNodeCreated, cupti::kGraphNodeCloned});

}  // namespace gapscope
