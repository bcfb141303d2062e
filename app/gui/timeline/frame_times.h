// How long the last frames of the timeline took: a profiler shows its own cost. UI thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gapscope {

class FrameTimes {
public:
    static constexpr size_t kKept = 240;

    struct Frame {
        int64_t buildNs = 0;  // what is seen as numbers: 0 where it was still there
        int64_t paintNs = 0;  // the rest, until the pixels are in the window's memory
        int64_t totalNs() const { return buildNs + paintNs; }
    };

    void add(Frame frame) {
        m_frames[m_count % kKept] = frame;
        ++m_count;
    }
    void clear() { m_count = 0; }
    size_t count() const { return std::min(m_count, kKept); }
    Frame last() const { return m_count == 0 ? Frame{} : m_frames[(m_count - 1) % kKept]; }
    // The smallest time that at least `share` (0..1) of the kept frames do not exceed, of the part `of`; 0: none kept.
    template <class Part>
    int64_t percentile(double share, Part of) const {
        if (m_count == 0) return 0;
        std::vector<int64_t> times;
        for (size_t i = 0; i < count(); ++i)
            times.push_back(of(m_frames[i]));
        const auto rank = static_cast<size_t>(std::max(1.0, share * static_cast<double>(times.size()) + 0.999999));
        const size_t at = std::min(rank, times.size()) - 1;
        std::ranges::nth_element(times, times.begin() + static_cast<ptrdiff_t>(at));
        return times[at];
    }

private:
    std::array<Frame, kKept> m_frames{};
    size_t m_count = 0;
};

}  // namespace gapscope
