// One model eager and with fused kernels, so small that every number of a comparison can be worked out by hand.
#pragma once

#include "tests/core/analysis/hand_made_trace.h"

namespace gapscope {

// Two tokens after the prompt's, each a launch of `add` and one of `mul`. Prompt kernel 1000-2000, then a token is
//   calls 100 long at +0 and +300, kernels from +150 to +250 and from +450 to +650; the next begins at +1000.
// Token ends: 2000 (prompt and token 0), 2650, 3650: a token takes 650 and then 1000.
inline Builder eagerRun() {
    Builder b;
    b.setRun(RunInfo{
        .mode = "eager", .weightBytes = 400, .repeatTimes = {{.prefillNs = 1000, .decodeNs = 1650, .newTokens = 3}}});
    b.setDevice({.id = 0, .name = "D", .peakBytesPerSecond = 1e9, .peakFlopsPerSecond = 1e12});
    b.call(900, 950, "cudaLaunchKernel", 1);
    b.kernel(1000, 2000, 1, kPrefillToken, "prompt");
    for (int token = 1; token <= 2; ++token) {
        const int64_t at = 2000 + (token - 1) * 1000;
        const auto id = static_cast<uint32_t>(token * 10);
        b.call(at, at + 100, "cudaLaunchKernel", id);
        b.call(at + 300, at + 400, "cudaLaunchKernel", id + 1);
        b.kernel(at + 150, at + 250, id, token, "add");
        b.kernel(at + 450, at + 650, id + 1, token, "mul");
    }
    for (int token = 0; token <= 2; ++token)
        b.add(TokenRow{.emittedNs = 2100 + token * 1000, .index = token, .id = token});
    b.range(900, 4000, "model_inference");
    return b;
}

// The same with one kernel `add_mul` of 250 a token: at +150 to +400, tokens 500 apart. Ends: 2000, 2400, 2900.
inline Builder fusedRun() {
    Builder b;
    b.setRun(RunInfo{
        .mode = "fused", .weightBytes = 400, .repeatTimes = {{.prefillNs = 1000, .decodeNs = 900, .newTokens = 3}}});
    b.setDevice({.id = 0, .name = "D", .peakBytesPerSecond = 1e9, .peakFlopsPerSecond = 1e12});
    b.call(900, 950, "cudaLaunchKernel", 1);
    b.kernel(1000, 2000, 1, kPrefillToken, "prompt");
    for (int token = 1; token <= 2; ++token) {
        const int64_t at = 2000 + (token - 1) * 500;
        b.call(at, at + 100, "cudaLaunchKernel", static_cast<uint32_t>(token * 10));
        b.kernel(at + 150, at + 400, static_cast<uint32_t>(token * 10), token, "add_mul");
    }
    for (int token = 0; token <= 2; ++token)
        b.add(TokenRow{.emittedNs = 2100 + token * 500, .index = token, .id = token});
    b.range(900, 3000, "model_inference");
    return b;
}

}  // namespace gapscope
