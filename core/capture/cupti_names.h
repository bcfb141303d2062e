// Names as CUPTI gives them, made readable.
#pragma once

#include <string>
#include <string_view>

#include "core/capture/cupti_types.h"

namespace gapscope {

// "_Z9add_kernelIfEvPT_" -> "void add_kernel<float>(float*)"; what is not mangled stays as it is.
std::string demangled(const char* name);

// The bare name of a demangled function, for the timeline: no return type, namespaces, template arguments, parameters.
std::string shortKernelName(std::string_view demangledName);

// "cudaLaunchKernel_ptsz_v7000" -> "cudaLaunchKernel": without version and stream-mode suffix.
std::string_view apiNameWithoutSuffix(std::string_view name);

// "Memcpy HtoD (Pageable -> Device)", as the PyTorch profiler writes it.
std::string copyName(cupti::CopyKind kind, cupti::MemoryKind source, cupti::MemoryKind destination);
std::string_view overheadName(cupti::OverheadKind kind);

}  // namespace gapscope
