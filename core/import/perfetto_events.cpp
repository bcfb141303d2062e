#include "core/import/perfetto_events.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/utf8.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace pf = perfetto;

namespace {

// Of a field of InternedData; those that stand beyond the array go to its end.
size_t internedPlace(uint32_t field) {
    if (field == pf::interned::kComputeKernels) return 48;
    if (field == pf::interned::kComputeArgNames) return 49;
    return field;
}

}  // namespace

int perfettoArgOf(std::string_view name) {
    const auto it = std::ranges::find(pf::kArgNames, name);
    return it == pf::kArgNames.end() ? -1 : static_cast<int>(it - pf::kArgNames.begin());
}

void PerfettoReader::take(std::string_view bytes) {
    Packet packet;
    bool known = false, isOfOtherKind = false;
    ProtoReader reader(bytes);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::packet::kTimestamp:
                packet.timestamp = reader.number();
                packet.hasTime = true;
                break;
            case pf::packet::kClockId:
                packet.clock = static_cast<uint32_t>(reader.number());
                break;
            case pf::packet::kSequenceId:
                packet.sequence = static_cast<uint32_t>(reader.number());
                break;
            case pf::packet::kSequenceFlags:
                packet.flags |= reader.number();
                break;
            case pf::packet::kStateCleared:
                if (reader.number() != 0) packet.flags |= pf::packet::kStateClearedFlag;
                break;
            case pf::packet::kPreviousDropped:
                m_dropped += reader.number() != 0 ? 1 : 0;
                break;
            case pf::packet::kInternedData:
                packet.internedData = reader.bytes();
                known = true;
                break;
            case pf::packet::kDefaults:
                packet.defaults = reader.bytes();
                known = true;
                break;
            case pf::packet::kSynchronizationMarker:
                known = true;
                break;
            case pf::packet::kProcessTree:
            case pf::packet::kClockSnapshot:
            case pf::packet::kTrackEvent:
            case pf::packet::kProcessDescriptor:
            case pf::packet::kThreadDescriptor:
            case pf::packet::kGpuCounterEvent:
            case pf::packet::kGpuRenderStageEvent:
            case pf::packet::kTrackDescriptor:
                packet.bodyField = reader.field();
                packet.body = reader.bytes();
                known = true;
                break;
            default:
                isOfOtherKind |= !reader.isNumber();
                break;
        }
    }
    if (reader.isDamaged()) {
        ++m_damaged;
        return;
    }
    if (!known || (isOfOtherKind && packet.bodyField == 0)) ++m_notRead;
    if (!known) return;
    if (m_sequences.size() >= m_limits.sequences && !m_sequences.contains(packet.sequence)) {
        ++m_beyondBounds;
        return;
    }
    Sequence& sequence = m_sequences[packet.sequence];
    if (packet.flags & pf::packet::kStateClearedFlag) {
        for (InternedList& list : sequence.interned)
            list.clear();
        sequence.contextPids.clear();
        sequence.defaultClock = 0;
        sequence.defaultTrack = 0;
        sequence.extraTracks.clear();
        sequence.extraDoubleTracks.clear();
        sequence.counterDescriptor = 0;
        sequence.hasState = true;
    } else if ((packet.flags & pf::packet::kNeedsStateFlag) && !sequence.hasState) {
        ++m_withoutState;  // its names lie in packets that are lost
        return;
    }
    if (!packet.defaults.empty()) takeDefaults(sequence, packet.defaults);
    if (!packet.internedData.empty()) takeInterned(sequence, packet.internedData);
    switch (packet.bodyField) {
        case pf::packet::kProcessTree:
            return takeProcessTree(packet.body);
        case pf::packet::kClockSnapshot:
            return takeSnapshot(packet, sequence);
        case pf::packet::kTrackEvent:
            return takeEvent(packet, sequence);
        case pf::packet::kProcessDescriptor:
            return takeProcess(packet.body, nullptr);
        case pf::packet::kThreadDescriptor:
            return takeThread(packet.body, nullptr, &sequence);
        case pf::packet::kGpuCounterEvent:
            return takeGpuCounters(packet, sequence);
        case pf::packet::kGpuRenderStageEvent:
            return takeStage(packet, sequence);
        case pf::packet::kTrackDescriptor:
            return takeTrack(packet.body);
        default:
            return;
    }
}

void PerfettoReader::takeInterned(Sequence& sequence, std::string_view message) {
    ProtoReader reader(message);
    while (reader.next()) {
        static constexpr std::array kTexts = {pf::interned::kCategories,        pf::interned::kNames,
                                              pf::interned::kAnnotationNames,   pf::interned::kAnnotationTexts,
                                              pf::interned::kGpuSpecifications, pf::interned::kComputeArgNames};
        const bool isText = std::ranges::find(kTexts, reader.field()) != kTexts.end();
        const bool isContext = reader.field() == pf::interned::kGraphicsContexts;
        const bool isKernel = reader.field() == pf::interned::kComputeKernels;
        const bool areCounters = reader.field() == pf::interned::kGpuCounterDescriptors;
        if (reader.isNumber() || !(isText || isContext || isKernel || areCounters)) continue;
        if (++m_internedCount > m_limits.interned) {
            ++m_beyondBounds;
            continue;
        }
        uint64_t iid = 0;
        int64_t pid = -1;
        Interned entry;
        ProtoReader part(reader.bytes());
        while (part.next()) {
            if (part.field() == pf::interned::kIid) iid = part.number();
            if (areCounters) {
                if (part.field() == pf::gpu_counter::kInternedDescriptor) entry.message = part.bytes();
                if (part.field() == pf::gpu_counter::kInternedGpu) entry.gpu = static_cast<int32_t>(part.number());
            } else if (part.field() == pf::interned::kText) {
                if (entry.text.empty()) entry.text = part.bytes();
                pid = static_cast<int32_t>(part.number());
            }
            if (isKernel && part.field() == pf::stage::kDemangledName) entry.text = part.bytes();
        }
        if (isKernel) entry.message = reader.bytes();
        if (isContext) {
            sequence.contextPids[iid] = pid;
            continue;
        }
        if (reader.field() == pf::interned::kAnnotationNames) entry.arg = perfettoArgOf(entry.text);
        sequence.interned[internedPlace(reader.field())].insert_or_assign(iid, std::move(entry));
    }
}

void PerfettoReader::takeDefaults(Sequence& sequence, std::string_view message) {
    ProtoReader reader(message);
    while (reader.next()) {
        if (reader.field() == pf::defaults::kClockId) sequence.defaultClock = static_cast<uint32_t>(reader.number());
        if (reader.field() != pf::defaults::kTrackEvent) continue;
        ProtoReader part(reader.bytes());
        Event defaults;
        while (part.next()) {
            if (part.field() == pf::defaults::kTrack) sequence.defaultTrack = part.number();
            readExtra(part, defaults);
        }
        sequence.extraTracks = std::move(defaults.extraTracks);
        sequence.extraDoubleTracks = std::move(defaults.extraDoubleTracks);
    }
}

void PerfettoReader::takeSnapshot(const Packet& packet, Sequence& sequence) {
    for (const PerfettoClocks::Clock& clock : m_events.clocks.addSnapshot(packet.body, packet.sequence)) {
        if (clock.id < pf::clocks::kFirstOfSequence || clock.id >= pf::clocks::kFirstGlobal) continue;
        sequence.clocks[clock.id] = {clock.timeNs, clock.multiplierNs, clock.isIncremental};
    }
}

uint32_t PerfettoReader::trackPlace(uint64_t uuid) {
    const auto it = m_trackPlaces.find(uuid);
    if (it != m_trackPlaces.end()) return it->second;
    if (m_events.tracks.size() >= m_limits.tracks) {
        ++m_beyondBounds;
        return 0;
    }
    const auto place = static_cast<uint32_t>(m_events.tracks.size());
    m_trackPlaces.emplace(uuid, place);
    m_events.tracks.push_back({.uuid = uuid});
    return place;
}

uint32_t PerfettoReader::clockPlace(uint32_t clock, uint32_t sequence) {
    const ClockKey key = clock == 0 ? 0 : clockKey(clock, sequence);  // 0: the trace's own
    const auto [it, isNew] = m_clockPlaces.try_emplace(key, static_cast<uint32_t>(m_events.clockKeys.size()));
    if (isNew) m_events.clockKeys.push_back(key);
    return it->second;
}

bool PerfettoReader::timeOf(const Packet& packet, Sequence& sequence, int64_t& timeNs, uint32_t& clock) {
    const uint32_t id = packet.clock != 0 ? packet.clock : sequence.defaultClock;
    __int128 time = packet.timestamp;
    if (const auto it = sequence.clocks.find(id); it != sequence.clocks.end()) {
        SequenceClock& state = it->second;
        time *= state.multiplierNs;
        if (state.isIncremental) time += state.lastNs;
        if (time < kFarthestNs) state.lastNs = static_cast<int64_t>(time);
    }
    if (!packet.hasTime || time >= kFarthestNs) return false;
    timeNs = static_cast<int64_t>(time);
    clock = clockPlace(id, packet.sequence);
    return true;
}

void PerfettoReader::nameProcess(int64_t pid, std::string_view name) {
    if (name.empty()) return;
    if (m_events.processNames.size() < kMostThreads)
        m_events.processNames[pid] = toValidUtf8(name.substr(0, kMostPerfettoName));
    else
        ++m_beyondBounds;
}

void PerfettoReader::nameThread(int64_t pid, int64_t tid, std::string_view name) {
    if (name.empty()) return;
    if (m_events.threadNames.size() < 8 * kMostThreads)
        m_events.threadNames[{pid, tid}] = toValidUtf8(name.substr(0, kMostPerfettoName));
    else
        ++m_beyondBounds;
}

void PerfettoReader::takeProcess(std::string_view message, PerfettoTrack* track) {
    int64_t pid = -1;
    std::string_view name;
    ProtoReader reader(message);
    while (reader.next()) {
        if (reader.field() == pf::process::kPid) pid = static_cast<int32_t>(reader.number());
        if (reader.field() == pf::process::kName) name = reader.bytes();
    }
    nameProcess(pid, name);
    if (track) track->pid = pid;
}

void PerfettoReader::takeThread(std::string_view message, PerfettoTrack* track, Sequence* sequence) {
    int64_t pid = -1, tid = -1, referenceUs = 0;
    std::string_view name;
    ProtoReader reader(message);
    while (reader.next()) {
        if (reader.field() == pf::thread::kPid) pid = static_cast<int32_t>(reader.number());
        if (reader.field() == pf::thread::kTid) tid = reader.signedNumber();
        if (reader.field() == pf::thread::kName) name = reader.bytes();
        if (reader.field() == pf::thread::kReferenceUs) referenceUs = reader.signedNumber();
    }
    nameThread(pid, tid, name);
    if (track) {
        track->pid = pid;
        track->tid = tid;
    }
    if (!sequence) return;
    sequence->threadPid = pid;
    sequence->threadTid = tid;
    if (referenceUs > 0 && referenceUs < kFarthestNs / 1000) sequence->referenceNs = referenceUs * 1000;
}

void PerfettoReader::takeProcessTree(std::string_view message) {
    constexpr uint32_t kProcesses = 1, kThreads = 2, kCommand = 3, kName = 2, kNumber = 1, kOfProcess = 3;
    ProtoReader reader(message);
    while (reader.next()) {
        int64_t number = -1, process = -1;
        std::string_view name;
        ProtoReader part(reader.bytes());
        const bool isThread = reader.field() == kThreads;
        while (part.next()) {
            if (part.field() == kNumber) number = static_cast<int32_t>(part.number());
            if (isThread && part.field() == kOfProcess) process = static_cast<int32_t>(part.number());
            if (part.field() == (isThread ? kName : kCommand) && name.empty()) name = part.bytes();
        }
        // What a descriptor said of it is kept.
        if (isThread && !m_events.threadNames.contains({process, number}))
            nameThread(process, number, name);
        else if (reader.field() == kProcesses && !m_events.processNames.contains(number))
            nameProcess(number, name);
    }
}

void PerfettoReader::takeTrack(std::string_view message) {
    uint64_t uuid = 0;
    ProtoReader head(message);
    while (head.next())
        if (head.field() == pf::track::kUuid) uuid = head.number();
    PerfettoTrack& track = m_events.tracks[trackPlace(uuid)];
    if (track.uuid != uuid) return;
    ProtoReader reader(message);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::track::kParent:
                track.parent = reader.number();
                break;
            case pf::track::kName:
            case pf::track::kStaticName:
                track.name = toValidUtf8(reader.bytes().substr(0, kMostPerfettoName));
                break;
            case pf::track::kProcess:
                takeProcess(reader.bytes(), &track);
                break;
            case pf::track::kThread:
                takeThread(reader.bytes(), &track, nullptr);
                break;
            case pf::track::kCounter: {
                track.counter = CounterUnit::Number;
                ProtoReader part(reader.bytes());
                while (part.next()) {
                    if (part.field() == pf::counter::kUnit && part.number() == pf::counter::kUnitBytes)
                        track.counter = CounterUnit::Bytes;
                    if (part.field() == pf::counter::kMultiplier) track.multiplier = part.signedNumber();
                    if (part.field() == pf::counter::kIncremental) track.isIncremental = part.number() != 0;
                    if (part.field() != pf::counter::kUnitName) continue;
                    const auto unit = std::ranges::find(kCounterUnitNames, part.bytes());
                    if (unit != kCounterUnitNames.end())
                        track.counter = static_cast<CounterUnit>(unit - kCounterUnitNames.begin());
                }
                break;
            }
            default:
                break;
        }
    }
}

const PerfettoReader::Interned* PerfettoReader::find(const Sequence& sequence, uint32_t list, uint64_t iid) const {
    const InternedList& entries = sequence.interned[internedPlace(list)];
    const auto it = entries.find(iid);
    return it == entries.end() ? nullptr : &it->second;
}

StringId PerfettoReader::intern(std::string_view text) {
    if (text.size() > kMostPerfettoName) ++m_cutNames;
    return m_builder.intern(toValidUtf8(text.substr(0, kMostPerfettoName)));
}

StringId PerfettoReader::nameOf(Sequence& sequence, uint32_t list, uint64_t iid, std::string_view text) {
    if (!text.empty() || iid == 0) return text.empty() ? StringId{} : intern(text);
    InternedList& entries = sequence.interned[internedPlace(list)];
    const auto it = entries.find(iid);
    if (it == entries.end()) {
        ++m_unknownNames;
        return intern("[unknown]");
    }
    if (!it->second.id.valid()) it->second.id = intern(it->second.text);
    return it->second.id;
}

void PerfettoReader::addMark(PerfettoMark mark) {
    if (m_events.marks.size() >= m_limits.marks) {
        ++m_beyondBounds;
        return;
    }
    m_events.marks.push_back(mark);
}

void PerfettoReader::addSample(const PerfettoSample& sample) {
    if (m_events.samples.size() >= m_limits.marks) {
        ++m_beyondBounds;
        return;
    }
    m_events.samples.push_back(sample);
}

PerfettoEvents PerfettoReader::finish() {
    m_events.clocks.finish();
    Diagnostics& diagnostics = m_builder.diagnostics();
    diagnostics.add("packet_not_read", Severity::Info, m_notRead,
                    "Packets of kinds that Gapscope has no use for are passed over.");
    diagnostics.add("packet_damaged", Severity::DataLoss, m_damaged, "Packets are no valid messages and are left out.");
    diagnostics.add("packet_without_state", Severity::DataLoss, m_withoutState,
                    "Packets refer to names in packets that the file does not hold; they are left out.");
    diagnostics.add("packets_lost", Severity::DataLoss, m_dropped,
                    "The recorder says that packets were lost before others.");
    diagnostics.add("beyond_bounds", Severity::DataLoss, m_beyondBounds + m_events.clocks.leftOutCount(),
                    "Names, tracks or events beyond what one trace can hold are left out.");
    diagnostics.add("other_event", Severity::Info, m_legacy,
                    "Events that are no slices, moments or counters are not shown.");
    diagnostics.add("event_arguments", Severity::Info, m_argsNotKept,
                    "Arguments of events that Gapscope has no column for are not kept.");
    diagnostics.add("counter_sample_unusable", Severity::DataLoss, m_samplesWithoutTrack,
                    "Samples of counters without a value, or of more counters than a trace shows, are left out.");
    diagnostics.add("unknown_name", Severity::DataLoss, m_unknownNames,
                    "Rows name a text that the file does not hold; they are shown as [unknown].");
    diagnostics.add("long_name_cut", Severity::Info, m_cutNames, "Names are shown without their end.");
    countRowsWithoutTime(m_withoutTime, m_builder);
    return std::move(m_events);
}

}  // namespace gapscope
