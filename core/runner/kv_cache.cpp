#include "core/runner/kv_cache.h"

#include <algorithm>
#include <cstring>

namespace gapscope {

int64_t localSlots(const ModelConfig& config, int64_t contextLength, int64_t chunkTokens) {
    if (config.slidingWindow <= 0) return contextLength;
    return std::min(contextLength, config.slidingWindow - 1 + chunkTokens);
}

KvCache::KvCache(const ModelConfig& config, KvType type, int64_t contextLength, int64_t chunkTokens) {
    for (int64_t i = 0; i < config.layers; ++i)
        addLayer(
            config, type,
            config.isGlobal[static_cast<size_t>(i)] ? contextLength : localSlots(config, contextLength, chunkTokens));
}

KvCache::KvCache(const ModelConfig& config, KvType type, int64_t pages) {
    for (int64_t i = 0; i < config.layers; ++i)
        addLayer(config, type, pages * kKvPagePositions);
}

void KvCache::addLayer(const ModelConfig& config, KvType type, int64_t slots) {
    KvCacheView view;
    view.type = type;
    view.kvHeads = config.kvHeads;
    view.headDim = config.headDim;
    view.slots = slots;
    for (void** part : {&view.keys, &view.values}) {
        const int64_t bytes = slots * config.kvHeads * config.headDim * kvElementBytes(type);
        // Not filled with zeros: a long context that is not used costs no memory then.
        m_memory.push_back(std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(bytes)));
        *part = m_memory.back().get();
        m_bytes += bytes;
    }
    m_layers.push_back(view);
}

void KvCache::copyPrefix(const KvCache& from, int64_t tokens) {
    for (size_t i = 0; i < m_layers.size(); ++i) {
        const KvCacheView& source = from.m_layers[i];
        const KvCacheView& target = m_layers[i];
        const int64_t rowBytes = target.kvHeads * target.headDim * kvElementBytes(target.type);
        const auto copy = [&](const void* keysOrValues, void* into, int64_t position) {
            std::memcpy(static_cast<std::byte*>(into) + position % target.slots * rowBytes,
                        static_cast<const std::byte*>(keysOrValues) + position % source.slots * rowBytes,
                        static_cast<size_t>(rowBytes));
        };
        const int64_t first = std::max<int64_t>(0, tokens - std::min(source.slots, target.slots));
        for (int64_t position = first; position < tokens; ++position) {
            copy(source.keys, target.keys, position);
            copy(source.values, target.values, position);
        }
    }
}

}  // namespace gapscope
