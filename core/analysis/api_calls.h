// What an API call does, told by its name: the one table of it. And which calls are outermost on their thread.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

struct ApiTraits {
    bool launches = false;  // puts kernels on the device (graph launches too)
    bool copies = false;    // copy or set
    bool waits = false;     // the host stands still until the device is done
};

// `name` without version suffix: "cudaLaunchKernel", "cuLaunchKernelEx", "cpuGraphLaunch", "hipMemcpy".
ApiTraits apiTraits(std::string_view name);

// Traits of every call name of a trace, looked up by StringId: one string match a name, not a row.
class ApiNames {
public:
    explicit ApiNames(const Trace& trace);
    ApiTraits operator[](StringId name) const {
        return name.valid() && name.value < m_traits.size() ? m_traits[name.value] : ApiTraits{};
    }

private:
    std::vector<ApiTraits> m_traits;
};

// For each API call the outermost call of its thread that contains it (itself, if none does).
std::vector<uint32_t> outermostCalls(const Trace& trace, std::stop_token stop = {});

}  // namespace gapscope
