// The buffers that CUPTI writes its records into: a pool made beforehand and kept up by refill(), because CUPTI asks on
// the thread that is about to launch a kernel, and the queue of the full ones. Thread-safe; no call into CUPTI or CUDA
// from here, so none of its locks can meet ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace gapscope {

struct CuptiBuffer {
    uint8_t* data = nullptr;
    size_t validBytes = 0;
};

class CuptiBuffers {
public:
    // Small, so that a flush every 50 ms hands them over before they age. 2,000 kernels with their calls fit in one.
    static constexpr size_t kBufferBytes = size_t{512} * 1024;

    // What a buffer more than `most` means: CUPTI before 12.9 can crash on a refusal, so it gets one anyway.
    enum class WhenExhausted { Refuse, Grow };

    CuptiBuffers(size_t preallocated, size_t most);

    // A zeroed buffer of kBufferBytes, or null past the bound.
    uint8_t* request(WhenExhausted whenExhausted);
    void complete(uint8_t* data, size_t validBytes);
    // Makes buffers until as many are free as at first, within the bound: ahead of the requests, on a thread that has
    // the time. The reader may be behind by hundreds.
    void refill();
    std::vector<CuptiBuffer> takeCompleted();
    // Zeroes it (CUPTI expects that) and puts it back into the pool.
    void recycle(const CuptiBuffer& buffer);

    struct Counts {
        int64_t grown = 0;    // buffers made by request(), while CUPTI waited for one
        int64_t refused = 0;  // requests refused: records were lost
    };
    Counts takeCounts();  // since the last call

private:
    struct Free {
        void operator()(uint8_t* data) const;
    };
    using Memory = std::unique_ptr<uint8_t, Free>;
    static Memory allocate();

    const size_t m_preallocated, m_most;
    std::mutex m_mutex;
    std::vector<Memory> m_owned;
    std::vector<uint8_t*> m_free;
    std::vector<CuptiBuffer> m_completed;
    Counts m_counts;
};

}  // namespace gapscope
