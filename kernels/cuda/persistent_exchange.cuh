// How the blocks of the persistent decode step hand one another what they computed. Each value travels with the number
// of its exchange in one store of 8 or 4 bytes; who needs it reads until the number is right. So a step costs one store
// and one load on its way, where a barrier over all blocks costs a fence, a count, a poll and then the load. A value is
// written anew only after every block has read it: all have read those of later exchanges, which depend on it.
#pragma once

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

// A float and the number of its exchange.
using Message = uint2;

// What lies where in the memory of the exchanges, in bytes; zeros before the first launch.
struct ExchangeLayout {
    int projectedAt = 0;  // Message[hidden]: o_proj's, then down's rows
    int stackedAt = 0;    // Message[query, key and value rows]
    int partsAt = 0;      // Message[splits, heads, messagesOfPart()]
    int joinedAt = 0;     // uint32_t[inputs of o_proj], as activatedAt: many parts joined
    int activatedAt = 0;  // uint32_t[feedForward, padded]: bf16 in the upper half, the number's lower half in the lower
    int probesAt = 0;     // Message[kMostProbes]: of each block's head by bounds
    int bytes = 0;
};
constexpr int kMostProbes = 1024;  // blocks and one more
// Of attention: a head's output by some of its keys, then their largest score and the sum of their weights by it.
GAPSCOPE_HOST_DEVICE constexpr int messagesOfPart(int headDim) {
    return headDim + 2;
}

// How long a thread waits before it looks again: all threads of all blocks wait at once, and what they ask for keeps
// the L2 cache from the weights. 5 % of a token on an H100.
constexpr unsigned kPollPauseNs = 400;

// Exchanges of a layer, in their order.
enum Exchange : unsigned {
    kStacked = 1,
    kParts,
    kJoined,
    kAttended,
    kActivated,
    kLayerDone,
    kExchangesOfLayer = kLayerDone
};
constexpr unsigned kExchangesOfHead = 1;  // after those of all layers: the probes

#if __CUDA_ARCH__ >= 900

__device__ __forceinline__ void send(Message* to, float value, unsigned number) {
    asm volatile(
        "{\n"
        ".reg .b64 message;\n"
        "mov.b64 message, {%1, %2};\n"
        "st.relaxed.gpu.global.b64 [%0], message;\n"
        "}\n" ::"l"(to),
        "r"(__float_as_uint(value)), "r"(number)
        : "memory");
}

__device__ __forceinline__ void sendHalf(uint32_t* to, Bf16 value, unsigned number) {
    const uint32_t word = static_cast<uint32_t>(value) << 16 | (number & 0xffffU);
    asm volatile("st.relaxed.gpu.global.b32 [%0], %1;" ::"l"(to), "r"(word) : "memory");
}

// Two messages, each whole.
__device__ __forceinline__ uint4 peekTwo(const Message* from) {
    uint4 two;
    asm volatile(
        "{\n"
        ".reg .b64 first, second;\n"
        "ld.relaxed.gpu.global.v2.b64 {first, second}, [%4];\n"
        "mov.b64 {%0, %1}, first;\n"
        "mov.b64 {%2, %3}, second;\n"
        "}\n"
        : "=r"(two.x), "=r"(two.y), "=r"(two.z), "=r"(two.w)
        : "l"(from)
        : "memory");
    return two;
}

__device__ __forceinline__ uint4 peekFourHalves(const uint32_t* from) {
    uint4 four;
    asm volatile("ld.relaxed.gpu.global.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
                 : "l"(from)
                 : "memory");
    return four;
}

// `count` messages, an even number, to shared memory at `to`, by all of kThreads threads: each has kAhead loads of two
// on their way and repeats them until what it wants has come. Little code, as all that runs between the products: what
// a layer runs through has to stay in a multiprocessor's instruction cache.
template <int kThreads, int kAhead>
__device__ __forceinline__ void gather(const Message* from, int count, unsigned number, unsigned to) {
#pragma unroll 1
    for (int first = 2 * static_cast<int>(threadIdx.x); first < count; first += 2 * kThreads * kAhead) {
        uint4 pairs[kAhead];
#pragma unroll
        for (int i = 0; i < kAhead; ++i) {
            const unsigned have = first + 2 * kThreads * i < count ? ~number : number;
            pairs[i] = make_uint4(0, have, 0, have);
        }
        unsigned wrong = 0;
        do {
            wrong = 0;
#pragma unroll
            for (int i = 0; i < kAhead; ++i)
                if (((pairs[i].y ^ number) | (pairs[i].w ^ number)) != 0)
                    pairs[i] = peekTwo(from + first + 2 * kThreads * i);
#pragma unroll
            for (int i = 0; i < kAhead; ++i)
                wrong |= (pairs[i].y ^ number) | (pairs[i].w ^ number);
            if (wrong != 0) __nanosleep(kPollPauseNs);
        } while (wrong != 0);
#pragma unroll
        for (int i = 0; i < kAhead; ++i)
            if (first + 2 * kThreads * i < count)
                asm volatile(
                    "st.shared.v2.b32 [%0], {%1, %2};" ::"r"(to + 4U * static_cast<unsigned>(first + 2 * kThreads * i)),
                    "r"(pairs[i].x), "r"(pairs[i].z)
                    : "memory");
    }
}

// The same for halves, `count` a multiple of eight, to bf16.
template <int kThreads, int kAhead>
__device__ __forceinline__ void gatherHalves(const uint32_t* from, int count, unsigned number, unsigned to) {
    number &= 0xffffU;
#pragma unroll 1
    for (int first = 4 * static_cast<int>(threadIdx.x); first < count; first += 4 * kThreads * kAhead) {
        uint4 fours[kAhead];
#pragma unroll
        for (int i = 0; i < kAhead; ++i) {
            const unsigned have = first + 4 * kThreads * i < count ? ~number & 0xffffU : number;
            fours[i] = make_uint4(have, have, have, have);
        }
        unsigned wrong = 0;
        const auto wrongOf = [&](uint4 four) {
            return ((four.x ^ number) | (four.y ^ number) | (four.z ^ number) | (four.w ^ number)) & 0xffffU;
        };
        do {
            wrong = 0;
#pragma unroll
            for (int i = 0; i < kAhead; ++i)
                if (wrongOf(fours[i]) != 0) fours[i] = peekFourHalves(from + first + 4 * kThreads * i);
#pragma unroll
            for (int i = 0; i < kAhead; ++i)
                wrong |= wrongOf(fours[i]);
            if (wrong != 0) __nanosleep(kPollPauseNs);
        } while (wrong != 0);
#pragma unroll
        for (int i = 0; i < kAhead; ++i)
            if (first + 4 * kThreads * i < count)
                asm volatile(
                    "st.shared.v2.b32 [%0], {%1, %2};" ::"r"(to + 2U * static_cast<unsigned>(first + 4 * kThreads * i)),
                    "r"(__byte_perm(fours[i].x, fours[i].y, 0x7632)), "r"(__byte_perm(fours[i].z, fours[i].w, 0x7632))
                    : "memory");
    }
}

// kCount pairs of messages, all loads on their way at once, until all have come. `from(i)` is where pair i lies,
// nullptr for none: zeros.
template <int kCount, class From>
__device__ __forceinline__ void receive(uint4 (&pairs)[kCount], unsigned number, From from) {
#pragma unroll
    for (int i = 0; i < kCount; ++i)
        pairs[i] = {0, number, 0, number};
    unsigned wrong = 0;
    do {
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            if (from(i) != nullptr) pairs[i] = peekTwo(from(i));
        wrong = 0;
#pragma unroll
        for (int i = 0; i < kCount; ++i)
            wrong |= (pairs[i].y ^ number) | (pairs[i].w ^ number);
    } while (wrong != 0);
}

#endif

}  // namespace gapscope::cuda
