// Expected failure as a value. An Error is one sentence a person can act on: what failed, where, what to try.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace gapscope {

enum class ErrorKind {
    General,
    Cancelled,  // the person asked to stop; show nothing
    WrongUse,   // the request itself is wrong (bad option, empty prompt): exit code 2 in the CLI
    NotFound,
    BadFile,  // a file is not what it claims to be
    NoSpace,
    GpuUnusable,  // CUDA refuses all further work of this process: the CPU or a restart helps
};

struct Error {
    std::string message;
    ErrorKind kind = ErrorKind::General;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(std::string message, ErrorKind kind = ErrorKind::General) {
    return tl::unexpected<Error>(Error{std::move(message), kind});
}

}  // namespace gapscope

#define GAPSCOPE_CONCAT_INNER(a, b) a##b
#define GAPSCOPE_CONCAT(a, b) GAPSCOPE_CONCAT_INNER(a, b)

// Leaves the function with the error of `expression`, a Status or Result, if it has one.
#define RETURN_IF_ERROR(expression)                                                        \
    do {                                                                                   \
        if (auto gapscopeStatus = (expression); !gapscopeStatus)                           \
            return ::tl::unexpected<::gapscope::Error>(std::move(gapscopeStatus).error()); \
    } while (false)

// ASSIGN_OR_RETURN(auto value, makeValue()); It is several statements: after an `if` it needs braces.
#define ASSIGN_OR_RETURN(target, expression) \
    ASSIGN_OR_RETURN_INNER(GAPSCOPE_CONCAT(gapscopeResult, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_INNER(result, target, expression)                              \
    auto result = (expression);                                                         \
    if (!result) return ::tl::unexpected<::gapscope::Error>(std::move(result).error()); \
    target = std::move(*result)
