// Keys and values of all layers. Of one sequence: a ring of the window (and one chunk of a prompt) for local layers,
// every position for global ones. Of several: pages, of which each holds kKvPagePositions positions in every layer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/runner/model_config.h"
#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {

class KvCache {
public:
    // Holds `contextLength` positions, written at most `chunkTokens` at a time. Throws std::bad_alloc.
    KvCache(const ModelConfig& config, KvType type, int64_t contextLength, int64_t chunkTokens);
    // A paged one. Likewise.
    // note: local layers keep what left their window too, so that one table of pages serves all layers and a shared
    // beginning is whole; rings would hold less once a sequence is longer than the window.
    KvCache(const ModelConfig& config, KvType type, int64_t pages);

    // The first `tokens` positions of another cache of the same model and type, as far as its rings still hold them.
    void copyPrefix(const KvCache& from, int64_t tokens);

    const KvCacheView& layer(int64_t index) const { return m_layers[static_cast<size_t>(index)]; }
    int64_t bytes() const { return m_bytes; }

private:
    void addLayer(const ModelConfig& config, KvType type, int64_t slots);

    std::vector<KvCacheView> m_layers;
    std::vector<std::unique_ptr<std::byte[]>> m_memory;
    int64_t m_bytes = 0;
};

// Rows of a local layer's ring: a chunk's first query still sees its window when the chunk's last key is written.
int64_t localSlots(const ModelConfig& config, int64_t contextLength, int64_t chunkTokens);

}  // namespace gapscope
