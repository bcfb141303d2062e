#include "core/import/chrome_rows.h"

#include <algorithm>

#include "core/base/category_rules.h"
#include "core/import/json_cursor.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

constexpr uint32_t kNoPlace = UINT32_MAX;

std::string plain(std::string_view text) {
    return unescapedJson(text, kMostNameBytes);
}

// "7" and "stream 7" are 7.
int64_t streamNumber(std::string_view text) {
    if (text.starts_with("stream ")) text.remove_prefix(7);
    return integerOf(text).value_or(0);
}

}  // namespace

uint32_t ChromeRows::placeOfName(const EventBlock& block, uint32_t name) {
    uint32_t& place = m_names[name];
    if (place != kNoPlace) return place;
    const std::string_view text = block.names[name];
    if (text.size() > kMostNameBytes) ++m_tables.cutNames;
    return place = m_builder.intern(plain(text)).value;
}

void ChromeRows::placeThreads(const EventBlock& block) {
    m_threads.clear();
    for (uint32_t i = 0; i < block.threads.size(); ++i)
        m_threads.push_back(m_tables.threads.placeOf(plain(block.threads[i].process), plain(block.threads[i].thread)));
    for (const BlockLabel& label : block.labels) {
        if (label.of == BlockLabel::Of::Process) {
            m_tables.threads.nameProcess(m_threads[label.thread], plain(label.text));
        } else {
            m_tables.threads.nameThread(m_threads[label.thread], plain(label.text));
        }
    }
}

void ChromeRows::placeTracks(const EventBlock& block) {
    const ChromeThreads& threads = m_tables.threads;
    m_tracks.clear();
    for (uint32_t i = 0; i < block.tracks.size(); ++i) {
        const BlockTrack& from = block.tracks[i];
        ChromeTrack track{.thread = m_threads[from.thread],
                          .device = from.device,
                          .context = std::max<int64_t>(from.context, 0),
                          .stream = from.stream};
        if (track.device < 0)
            track.device = integerOf(threads.processText(threads.processOf(track.thread))).value_or(0);
        if (track.stream < 0) track.stream = streamNumber(threads.threadText(track.thread));
        const auto [it, isNew] = m_trackPlaces.try_emplace(track, static_cast<uint32_t>(m_tables.tracks.size()));
        if (isNew) m_tables.tracks.push_back(track);
        m_tracks.push_back(it->second);
    }
}

void ChromeRows::placeConfigs(const EventBlock& block) {
    m_configs.clear();
    for (uint32_t i = 0; i < block.configs.size(); ++i) {
        const BlockConfig& config = block.configs[i];
        const StringId name{placeOfName(block, config.name)};
        const auto [category, isNew] = m_tables.categories.try_emplace(name, Category::Other);
        if (isNew) category->second = CategoryRules::builtIn().categoryOf(plain(block.names[config.name]));
        if (!config.isTold) {
            m_configs.push_back(BlockOp::kNone);
            continue;
        }
        const StringId fullName =
            config.fullName == BlockConfig::kAsOperation ? name : StringId{placeOfName(block, config.fullName)};
        m_configs.push_back(m_builder
                                .internLaunchConfig({.fullName = fullName,
                                                     .grid = config.grid,
                                                     .block = config.block,
                                                     .registersPerThread = config.registersPerThread,
                                                     .staticSharedBytes = config.staticSharedBytes,
                                                     // Others tell static and dynamic together.
                                                     .dynamicSharedBytes = config.sharedBytes,
                                                     .occupancyPercent = config.occupancyPercent})
                                .value);
    }
}

void ChromeRows::placeRoles(const EventBlock& block) {
    m_roles.clear();
    for (uint32_t i = 0; i < block.roles.size(); ++i) {
        const BlockRole& role = block.roles[i];
        m_roles.push_back(m_builder
                              .internOp({.name = StringId{placeOfName(block, role.name)},
                                         .shapes = StringId{placeOfName(block, role.shapes)},
                                         .dtype = StringId{placeOfName(block, role.dtype)},
                                         .layer = role.layer,
                                         .bytes = role.bytesMoved,
                                         .flops = role.flops})
                              .value);
    }
}

bool ChromeRows::hasRoom(size_t rows) {
    if (rows < m_mostRows) return true;
    ++m_tables.beyondRoom;
    return false;
}

void ChromeRows::add(const EventBlock& block) {
    m_names.assign(block.names.size(), kNoPlace);
    placeThreads(block);
    placeTracks(block);
    placeConfigs(block);
    placeRoles(block);
    addRows(block);
    for (const BlockDevice& device : block.devices) {
        if (m_tables.devices.size() < kMostDevices)
            m_tables.devices[device.id] = {plain(device.name), device.memoryBytes};
        else
            ++m_tables.unnamedDevices;
    }
    if (block.baseTimeNs) m_tables.baseTimeNs = block.baseTimeNs;
    if (!block.ownHead.empty()) m_tables.ownHead = block.ownHead;
    m_tables.eventCount +=
        static_cast<int64_t>(block.ops.size() + block.calls.size() + block.ranges.size() + block.edges.size() +
                             block.waits.size() + block.samples.size() + block.tokens.size() + block.labels.size());
    for (size_t kind = 0; kind < kUnplacedCount; ++kind) {
        m_tables.unplaced[kind] += block.unplaced[kind];
        if (kind != static_cast<size_t>(Unplaced::NotAnEvent)) m_tables.eventCount += block.unplaced[kind];
    }
}

void ChromeRows::addRows(const EventBlock& block) {
    for (BlockOp op : block.ops) {
        if (!hasRoom(m_tables.ops.size())) continue;
        op.name = placeOfName(block, op.name);
        op.track = m_tracks[op.track];
        if (op.config != BlockOp::kNone) op.config = m_configs[op.config];
        if (op.role != BlockOp::kNone) op.role = m_roles[op.role];
        m_tables.ops.push(op);
    }
    for (BlockCall call : block.calls) {
        if (!hasRoom(m_tables.calls.size())) continue;
        call.name = placeOfName(block, call.name);
        call.thread = m_threads[call.thread];
        m_tables.calls.push(call);
    }
    for (BlockRange range : block.ranges) {
        if (!hasRoom(m_tables.ranges.size())) continue;
        range.name = placeOfName(block, range.name);
        range.thread = m_threads[range.thread];
        m_tables.ranges.push(range);
    }
    for (BlockEdge edge : block.edges) {
        if (!hasRoom(m_tables.edges.size())) continue;
        edge.name = placeOfName(block, edge.name);
        edge.thread = m_threads[edge.thread];
        if (edge.kind == BlockEdge::Kind::AsyncBegin || edge.kind == BlockEdge::Kind::AsyncEnd)
            edge.key = m_keys.try_emplace(std::string(block.names[edge.key]), static_cast<uint32_t>(m_keys.size()))
                           .first->second;
        m_tables.edges.push_back(edge);
    }
    for (BlockWait wait : block.waits) {
        if (!hasRoom(m_tables.waits.size())) continue;
        wait.name = placeOfName(block, wait.name);
        wait.thread = m_threads[wait.thread];
        m_tables.waits.push_back(wait);
    }
    for (BlockSample sample : block.samples) {
        if (!hasRoom(m_tables.samples.size())) continue;
        sample.name = placeOfName(block, sample.name);
        if (sample.thread != BlockSample::kOfDevice) sample.thread = m_threads[sample.thread];
        m_tables.samples.push_back(sample);
    }
    for (BlockToken token : block.tokens) {
        if (!hasRoom(m_tables.tokens.size())) continue;
        token.text = placeOfName(block, token.text);
        m_tables.tokens.push_back(token);
    }
}

}  // namespace gapscope
