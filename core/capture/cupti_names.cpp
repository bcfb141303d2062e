#include "core/capture/cupti_names.h"

#include <cxxabi.h>

#include <cctype>
#include <cstdlib>
#include <memory>

namespace gapscope {

namespace {

std::string_view memoryName(cupti::MemoryKind kind) {
    switch (kind) {
        case cupti::MemoryKind::Unknown:
            return "Unknown";
        case cupti::MemoryKind::Pageable:
            return "Pageable";
        case cupti::MemoryKind::Pinned:
            return "Pinned";
        case cupti::MemoryKind::Device:
            return "Device";
        case cupti::MemoryKind::Array:
            return "Array";
        case cupti::MemoryKind::Managed:
            return "Managed";
        case cupti::MemoryKind::DeviceStatic:
            return "Device Static";
        case cupti::MemoryKind::ManagedStatic:
            return "Managed Static";
    }
    return "Unknown";
}

std::string_view copyDirection(cupti::CopyKind kind) {
    switch (kind) {
        case cupti::CopyKind::Unknown:
            return "";
        case cupti::CopyKind::HostToDevice:
            return "HtoD";
        case cupti::CopyKind::DeviceToHost:
            return "DtoH";
        case cupti::CopyKind::HostToArray:
            return "HtoA";
        case cupti::CopyKind::ArrayToHost:
            return "AtoH";
        case cupti::CopyKind::ArrayToArray:
            return "AtoA";
        case cupti::CopyKind::ArrayToDevice:
            return "AtoD";
        case cupti::CopyKind::DeviceToArray:
            return "DtoA";
        case cupti::CopyKind::DeviceToDevice:
            return "DtoD";
        case cupti::CopyKind::HostToHost:
            return "HtoH";
        case cupti::CopyKind::PeerToPeer:
            return "PtoP";
    }
    return "";
}

// Drops a suffix "_v" with digits.
std::string_view withoutVersion(std::string_view name) {
    size_t end = name.size();
    while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1])))
        --end;
    if (end < name.size() && name.substr(0, end).ends_with("_v")) return name.substr(0, end - 2);
    return name;
}

}  // namespace

std::string demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 && text ? std::string(text.get()) : std::string(name);
}

std::string shortKernelName(std::string_view name) {
    // Walks to the first '(' or '<' that opens parameters or template arguments of the function itself; what stands in
    // brackets before (an anonymous namespace, a class template's arguments) belongs to the path and is skipped.
    size_t begin = 0, end = name.size();
    int depth = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (name.substr(i).starts_with("operator")) break;  // its own brackets; rare for kernels, so shown whole
        if (c == '<' || c == '(' || c == '[' || c == '{') {
            if (depth++ == 0 && end == name.size()) end = i;
        } else if (c == '>' || c == ')' || c == ']' || c == '}') {
            if (depth > 0) --depth;
        } else if (depth == 0 && name.substr(i).starts_with("::")) {
            begin = i + 2;
            end = name.size();
            ++i;
        } else if (depth == 0 && c == ' ' && end == name.size()) {
            begin = i + 1;
        } else if (depth == 0 && c == ' ') {
            // Behind a return type like "std::enable_if<..>::type" or in front of "[clone ..]".
            if (name.substr(i + 1).starts_with("[")) break;
            begin = i + 1;
            end = name.size();
        }
    }
    const std::string_view result = name.substr(begin, end > begin ? end - begin : 0);
    return std::string(result.empty() ? name : result);
}

std::string_view apiNameWithoutSuffix(std::string_view name) {
    name = withoutVersion(name);
    for (const std::string_view mode : {"_ptsz", "_ptds"})
        if (name.ends_with(mode)) name.remove_suffix(mode.size());
    return withoutVersion(name);
}

std::string copyName(cupti::CopyKind kind, cupti::MemoryKind source, cupti::MemoryKind destination) {
    std::string text = "Memcpy ";
    text += copyDirection(kind);
    text += text.back() == ' ' ? "(" : " (";
    text += memoryName(source);
    text += " -> ";
    text += memoryName(destination);
    return text + ")";
}

std::string_view overheadName(cupti::OverheadKind kind) {
    switch (kind) {
        case cupti::OverheadKind::Unknown:
            return "CUPTI";
        case cupti::OverheadKind::DriverCompiler:
            return "driver compiler";
        case cupti::OverheadKind::BufferFlush:
            return "CUPTI buffer flush";
        case cupti::OverheadKind::Instrumentation:
            return "CUPTI instrumentation";
        case cupti::OverheadKind::Resource:
            return "CUPTI resources";
        case cupti::OverheadKind::ModuleLoading:
            return "module loading";
        case cupti::OverheadKind::LazyFunctionLoading:
            return "lazy function loading";
        case cupti::OverheadKind::CommandBufferFull:
            return "command buffer full";
        case cupti::OverheadKind::BufferRequest:
            return "CUPTI buffer request";
        case cupti::OverheadKind::UvmInit:
            return "unified memory set-up";
    }
    return "CUPTI";
}

}  // namespace gapscope
