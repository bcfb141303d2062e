// The barriers in shared memory by which the bulk copies of a Hopper block are awaited (PTX: mbarrier, cp.async.bulk).
#pragma once

#include <cstdint>

namespace gapscope::cuda {

__device__ __forceinline__ unsigned sharedAddress(const void* pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

// 16 or 4 bytes to shared memory, by this thread, which waits for its own. Before compute capability 8.0 they are there
// at once.
__device__ __forceinline__ void copyAhead(void* to, const void* from) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(sharedAddress(to)), "l"(from) : "memory");
#else
    *static_cast<uint4*>(to) = *static_cast<const uint4*>(from);
#endif
}
__device__ __forceinline__ void copyFourAhead(void* to, const void* from) {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(sharedAddress(to)), "l"(from) : "memory");
#else
    *static_cast<unsigned*>(to) = *static_cast<const unsigned*>(from);
#endif
}
__device__ __forceinline__ void waitForCopies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}
// In groups: those before the last end are waited for.
__device__ __forceinline__ void endOfCopies() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
__device__ __forceinline__ void waitForCopiesButLast() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group 1;" ::: "memory");
#endif
}

#if __CUDA_ARCH__ >= 900

// The same address, in a way that makes the compiler keep it in a register: how it is made takes longer than a barrier.
__device__ __forceinline__ unsigned keptAddress(const void* pointer) {
    unsigned address = sharedAddress(pointer);
    asm volatile("" : "+r"(address));
    return address;
}

__device__ __forceinline__ void initBarrier(unsigned barrier, unsigned arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// One arrival, and so many bytes that copies are to bring before the phase ends.
__device__ __forceinline__ void arriveExpecting(unsigned barrier, unsigned bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

__device__ __forceinline__ void arrive(unsigned barrier, int times) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(times) : "memory");
}

__device__ __forceinline__ void waitForPhase(unsigned barrier, unsigned parity) {
    asm volatile(
        "{\n"
        ".reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@done bra ready;\n"
        "bra again;\n"
        "ready:\n"
        "}\n" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

// For data that is read once: it is to leave the L2 cache before what is read again.
__device__ __forceinline__ uint64_t readOncePolicy() {
    uint64_t policy = 0;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}

// Bytes, a multiple of 16 like both addresses, that the barrier waits for.
__device__ __forceinline__ void copyBulk(void* to, const void* from, unsigned bytes, unsigned barrier,
                                         uint64_t policy) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::
            "r"(sharedAddress(to)),
        "l"(from), "r"(bytes), "r"(barrier), "l"(policy)
        : "memory");
}

#endif

// A barrier of the first `kThreads` threads of a block; `kId` tells it from others, 0 is __syncthreads'.
template <int kId, int kThreads>
__device__ __forceinline__ void syncThreads() {
    asm volatile("bar.sync %0, %1;" ::"n"(kId), "n"(kThreads) : "memory");
}

}  // namespace gapscope::cuda
