// The roofline (Williams, Waterman, Patterson 2009): what operations moved and computed a second, against what the
// device was measured to move and compute at most. Bytes and flops are the plan's; a trace that tells none has no
// points, and says so.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

struct RooflinePoint {
    StringId name;    // of a role: "q_proj"; else not valid
    StringId kernel;  // of a role: "gemv_q5_0"
    Category category = Category::Other;
    int32_t layer = -1;  // -1: outside the layers, or not of one
    int32_t token = kNoToken;
    int16_t repeat = 0;
    bool prompt = false;  // prompt processing: many tokens share the weights' bytes
    int64_t count = 0;    // operations that begin in the window
    int64_t ns = 0;       // clipped to the window; an overlap belongs to the operation that began first (own_time.h)
    double bytes = 0;     // in proportion for clipped operations
    double flops = 0;
    double bytesPerSecond() const { return ns > 0 ? bytes * 1e9 / static_cast<double>(ns) : 0; }
    double flopsPerSecond() const { return ns > 0 ? flops * 1e9 / static_cast<double>(ns) : 0; }
    double intensity() const { return bytes > 0 ? flops / bytes : 0; }  // flops a byte
};

struct Roofline {
    uint32_t deviceId = 0;          // the one with most time; the points are of all
    double peakBytesPerSecond = 0;  // 0: not measured
    double peakFlopsPerSecond = 0;
    std::vector<RooflinePoint> roles;       // by role, kernel and phase; longest first
    std::vector<RooflinePoint> categories;  // by category and phase; longest first
    std::vector<RooflinePoint> layers;      // decode only, by layer
    std::vector<RooflinePoint> tokens;      // by repeat and token
    int64_t unknownNs = 0;                  // of operations without bytes and flops
    // The memory floor of a token: the weights read once at peak bandwidth, by a step that in a batch gives a token to
    // each of its prompts. 0: not an own run, or no peak.
    int64_t weightBytes = 0;
    double floorNsPerToken = 0;
    double recordedNsPerToken = 0;  // TokenTable::tokensPerSecond(); 0: no token lies in the window as a whole
    std::string lacks;              // what is missing and why, one sentence; empty: nothing

    double ridge() const {
        return peakBytesPerSecond > 0 ? peakFlopsPerSecond / peakBytesPerSecond : 0;
    }  // flops a byte
    // The least time that the point's operations can take, by their recorded time: 1 is on the roof. 0: no peaks.
    double shareOfRoof(const RooflinePoint& point) const;
    // What its bytes and flops would need the longer for: memory (true) or arithmetic.
    bool isUnderMemoryRoof(const RooflinePoint& point) const { return ridge() <= 0 || point.intensity() < ridge(); }
};
Roofline roofline(const Trace& trace, TimeRange window, std::stop_token stop = {});

// Roofline::floorNsPerToken, for who needs nothing else. 0: not an own run, or no peak.
double memoryFloorNsPerToken(const Trace& trace, double peakBytesPerSecond);

}  // namespace gapscope
