#include "app/cli/trace_pair.h"

namespace gapscope::cli {

namespace {

const std::string& windowOf(const PairOptions& options, const std::string& ofSide) {
    return ofSide.empty() ? options.window : ofSide;
}

Result<OpenedTrace> openSide(const PairOptions& options, const std::string& file, const std::string& window) {
    return openFor({.files = {file}, .alignAt = {}, .window = windowOf(options, window), .device = options.device});
}

}  // namespace

Result<OpenedTrace> openFirst(const PairOptions& options) {
    return openSide(options, options.before, options.windowBefore);
}

Result<std::pair<OpenedTrace, OpenedTrace>> openPair(const PairOptions& options) {
    if (options.before == "-" && options.after == "-")
        return fail("The standard input (-) can be read only once.", ErrorKind::WrongUse);
    ASSIGN_OR_RETURN(OpenedTrace first, openFirst(options));
    ASSIGN_OR_RETURN(OpenedTrace second, options.after.empty()
                                             ? withWindow(first, windowOf(options, options.windowAfter))
                                             : openSide(options, options.after, options.windowAfter));
    return std::pair(std::move(first), std::move(second));
}

}  // namespace gapscope::cli
