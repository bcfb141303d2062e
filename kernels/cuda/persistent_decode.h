// A whole decode step as one cooperative kernel: one block a multiprocessor stays for all layers and the head. In each
// block one warp does nothing but stream the block's rows of every matrix, in the order of their use, into a ring of
// shared memory; the other warps multiply. Between steps that depend on one another every block hands the others what
// it computed, each value with a number that tells that it is there (persistent_exchange.cuh); the stream goes on
// meanwhile. The arithmetic is that of the fused kernels (gemv.h, gemv_int8.h, attention.h) in the same order, so the
// logits have the same bits.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "kernels/cuda/attention.h"
#include "kernels/cuda/bounded_head.h"
#include "kernels/cuda/int8_matrix.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope::cuda {

inline constexpr int kPersistentCapability = 9;  // major: bulk copies into shared memory
// Of a head by bounds: a panel of its copy has to go through the ring in one piece.
inline constexpr int kMostPersistentBoundedColumns = 2944;

// `Matrix`: WeightMatrix, or Int8Matrix or PackedMatrix, whose input is quantised as mode graph does it (gemv_int8.h,
// gemv_packed.h).
template <class Matrix>
struct alignas(16) PersistentLayerOf {
    Matrix query, key, value, output, gate, up, down;
    const float* inputNorm = nullptr;  // [hidden], 1 + w; the others likewise
    const float* postAttentionNorm = nullptr;
    const float* preFeedForwardNorm = nullptr;
    const float* postFeedForwardNorm = nullptr;
    const float* queryNorm = nullptr;  // [headDim]
    const float* keyNorm = nullptr;
    KvCache cache;
    int window = 0;  // 0: all keys
    int splits = 1;
    int global = 0;  // which of the two rope tables
};

// Of the embedding and the head.
template <class Matrix>
using PersistentTableOf = std::conditional_t<std::is_same_v<Matrix, PackedMatrix>, PackedMatrix, WeightMatrix>;

template <class Matrix>
struct PersistentDecodeArgsOf {
    const PersistentLayerOf<Matrix>* layers = nullptr;  // [layerCount], in device memory
    int layerCount = 0;
    PersistentTableOf<Matrix> table, head;
    // Of the head: it is read by bounds, which go to `logits`; no data, or packed weights: it is read whole.
    UpperBits upper;
    unsigned long long* rowsInFull = nullptr;  // as HeadChoiceArgs has it
    const float* outputNorm = nullptr;
    float embeddingScale = 1;
    float epsilon = 1e-6F;
    float attentionScale = 1;
    int heads = 0;
    int headDim = 0;
    const float* localFrequencies = nullptr;  // [headDim / 2]
    const float* globalFrequencies = nullptr;
    float globalScale = 1;          // positions of global layers are divided by it
    std::byte* exchange = nullptr;  // persistentExchangeBytes(), zeros before the first launch
    float* logits = nullptr;
    float* partialValues = nullptr;  // [multiprocessors]
    int32_t* partialIndices = nullptr;
    int32_t* ids = nullptr;
    StepState* state = nullptr;
    int32_t* ring = nullptr;  // as ArgmaxFinishArgs has it
    int ringSize = 0;
    // Counts the blocks that came to the choice of the token, over all launches, from 0 on.
    unsigned* arrivals = nullptr;
};

// What the blocks hand one another between the steps.
template <class Matrix>
[[nodiscard]] size_t persistentExchangeBytes(std::span<const PersistentLayerOf<Matrix>> layers, int heads, int headDim);

// Stages of a launch, as one block goes through them: the embedding and the rope's tables; of each layer what brings
// the input of queries, keys and values, their product, attention, and input and product of o_proj, of gate and up, and
// of down; input and product of the head; the choice of the token.
constexpr size_t persistentStageCount(int layers) {
    return 9 * static_cast<size_t>(layers) + 4;
}

// Made ready once, launched for each token. One thread; launches of one object go to one stream.
class PersistentDecode {
public:
    PersistentDecode();
    ~PersistentDecode();

    // `layers`: what args.layers points at, on the host. cudaErrorNotSupported before compute capability 9.0,
    // cudaErrorInvalidConfiguration where a row does not fit or layers differ in their shapes (types of packed matrices
    // may differ). All matrices of one input have one stride, strides are multiples of 8, and hidden is a multiple
    // of 4.
    template <class Matrix>
    [[nodiscard]] cudaError_t prepare(std::span<const PersistentLayerOf<Matrix>> layers,
                                      const PersistentDecodeArgsOf<Matrix>& args, int multiprocessors);
    // `stamps`: uint32_t[persistentStageCount() + 1] in memory that the device can write, or null. The first block
    // writes its multiprocessor's clock there at the begin of the kernel and at the end of each stage.
    [[nodiscard]] cudaError_t launch(cudaStream_t stream, uint32_t* stamps = nullptr);

private:
    struct Prepared;
    std::unique_ptr<Prepared> m_prepared;
};

}  // namespace gapscope::cuda
