#include "core/import/perfetto_events.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "core/base/utf8.h"
#include "core/import/row_checks.h"
#include "core/import/trace_event.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

using pf::Arg;

int32_t narrowed(int64_t value) {
    return static_cast<int32_t>(std::clamp<int64_t>(value, INT32_MIN, INT32_MAX));
}

std::array<int32_t, 3> sizeOf(const std::vector<int64_t>& list) {
    std::array<int32_t, 3> size{};
    for (size_t i = 0; i < size.size() && i < list.size(); ++i)
        size[i] = narrowed(list[i]);
    return size;
}

}  // namespace

PerfettoReader::Annotation PerfettoReader::readAnnotation(std::string_view message, const Sequence& sequence) {
    Annotation annotation;
    ProtoReader reader(message);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::annotation::kNameIid:
                if (const Interned* name = find(sequence, pf::interned::kAnnotationNames, reader.number())) {
                    annotation.arg = name->arg;
                    annotation.name = name->text;
                }
                break;
            case pf::annotation::kName:
                annotation.name = reader.bytes();
                annotation.arg = perfettoArgOf(annotation.name);
                break;
            case pf::annotation::kBool:
            case pf::annotation::kUnsigned:
            case pf::annotation::kSigned:
            case pf::annotation::kPointer:
                annotation.integer = reader.signedNumber();
                break;
            case pf::annotation::kDouble:
                annotation.real = reader.real();
                annotation.isReal = true;
                if (std::abs(annotation.real) < 9e18) annotation.integer = static_cast<int64_t>(annotation.real);
                break;
            case pf::annotation::kText:
                annotation.text = reader.bytes();
                break;
            case pf::annotation::kTextIid:
                annotation.textIid = reader.number();
                break;
            case pf::annotation::kArray: {
                if (annotation.list.size() >= m_limits.listValues) {
                    ++m_beyondBounds;
                    break;
                }
                ProtoReader element(reader.bytes());
                while (element.next())
                    if (element.field() == pf::annotation::kSigned || element.field() == pf::annotation::kUnsigned)
                        annotation.list.push_back(element.signedNumber());
                break;
            }
            default:
                break;
        }
    }
    return annotation;
}

// Whether the field belongs to the counters and GPU stages that an event of any type may tell beside itself.
bool PerfettoReader::readExtra(const ProtoReader& reader, Event& event) {
    const auto addAll = [&](auto& list, auto valueOf) {
        if (list.size() >= m_limits.listValues) {
            ++m_beyondBounds;
        } else if (reader.isNumber()) {
            list.push_back(valueOf(reader.number()));
        } else {
            ++m_argsNotKept;  // packed, as no writer of this format has them
        }
        return true;
    };
    const auto asId = [](uint64_t value) { return value; };
    switch (reader.field()) {
        case pf::event::kExtraTracks:
            return addAll(event.extraTracks, asId);
        case pf::event::kExtraDoubleTracks:
            return addAll(event.extraDoubleTracks, asId);
        case pf::event::kExtraValues:
            return addAll(event.extraValues, [](uint64_t value) { return static_cast<int64_t>(value); });
        case pf::event::kExtraDoubleValues:
            return addAll(event.extraDoubleValues, [](uint64_t value) { return std::bit_cast<double>(value); });
        default:
            return false;
    }
}

double PerfettoReader::counted(PerfettoTrack& track, double value) const {
    value *= static_cast<double>(track.multiplier == 0 ? 1 : track.multiplier);
    if (track.isIncremental) value = track.lastValue += value;
    if (!track.counter) track.counter = CounterUnit::Number;
    return value;
}

void PerfettoReader::addExtraSamples(const Event& event, const Sequence& sequence) {
    const auto add = [&](const std::vector<uint64_t>& own, const std::vector<uint64_t>& defaults, const auto& values) {
        const std::vector<uint64_t>& tracks = own.empty() ? defaults : own;
        for (size_t i = 0; i < values.size(); ++i) {
            if (i >= tracks.size()) {
                ++m_samplesWithoutTrack;
                continue;
            }
            const uint32_t track = trackPlace(tracks[i]);
            addSample(
                {event.timeNs, event.clock, track, counted(m_events.tracks[track], static_cast<double>(values[i]))});
        }
    };
    add(event.extraTracks, sequence.extraTracks, event.extraValues);
    add(event.extraDoubleTracks, sequence.extraDoubleTracks, event.extraDoubleValues);
}

PerfettoReader::Event PerfettoReader::readEvent(const Packet& packet, Sequence& sequence) {
    Event event;
    event.hasTime = timeOf(packet, sequence, event.timeNs, event.clock);
    ProtoReader reader(packet.body);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::event::kType:
                event.type = reader.number();
                break;
            case pf::event::kTrack:
                event.track = reader.number();
                event.hasTrack = true;
                break;
            case pf::event::kNameIid:
                event.nameIid = reader.number();
                break;
            case pf::event::kName:
                event.name = reader.bytes();
                break;
            case pf::event::kCategories:
                event.categories.push_back(reader.bytes());
                break;
            case pf::event::kCategoryIids:
                if (const Interned* name = find(sequence, pf::interned::kCategories, reader.number()))
                    event.categories.push_back(name->text);
                break;
            case pf::event::kFlows:
            case pf::event::kEndFlows:
            case pf::event::kFlowsOld:
            case pf::event::kEndFlowsOld:
                if (event.flow == 0 && reader.isNumber())
                    event.flow = reader.number();
                else
                    ++m_argsNotKept;
                break;
            case pf::event::kGpuCorrelation: {
                ProtoReader part(reader.bytes());
                while (part.next()) {
                    if (part.field() == pf::event::kSubmittedStages && part.isNumber() &&
                        event.submittedStages.size() < m_limits.listValues)
                        event.submittedStages.push_back(part.number());
                    else
                        ++m_argsNotKept;
                }
                break;
            }
            case pf::event::kGpuApi:
                event.isGpuCall = true;
                break;
            case pf::event::kCorrelationId:
                event.correlationId = reader.number();
                break;
            case pf::event::kCounterValue:
                event.value = static_cast<double>(reader.signedNumber());
                break;
            case pf::event::kDoubleValue:
                event.value = reader.real();
                break;
            case pf::event::kLegacy:
                event.legacy = reader.bytes();
                break;
            case pf::event::kAnnotations:
                event.annotations.push_back(readAnnotation(reader.bytes(), sequence));
                break;
            // Older writers count microseconds from a thread's reference.
            case pf::event::kTimeDeltaUs:
            case pf::event::kTimeUs: {
                if (packet.hasTime) break;
                const int64_t us = reader.signedNumber();
                if (us < -kFarthestNs / 2000 || us > kFarthestNs / 2000) break;
                const bool isDelta = reader.field() == pf::event::kTimeDeltaUs;
                const int64_t timeNs = (isDelta ? sequence.referenceNs : 0) + us * 1000;
                if (isDelta) sequence.referenceNs = std::clamp(timeNs, -kFarthestNs / 2, kFarthestNs / 2);
                event.timeNs = timeNs;
                event.clock = clockPlace(pf::clocks::kMonotonic, packet.sequence);
                event.hasTime = true;
                break;
            }
            default:
                if (!readExtra(reader, event)) ++m_argsNotKept;  // arguments of a type of their own, stacks ...
                break;
        }
    }
    if (!event.hasTrack) event.track = sequence.defaultTrack;
    if (!event.hasTrack && event.track == 0 && sequence.threadTid >= 0) {
        // A track for the thread that the sequence is of, as if its writer had described one.
        event.track = uint64_t{1} << 63 | static_cast<uint64_t>(sequence.threadPid & 0x7FFFFFFF) << 32 |
                      static_cast<uint64_t>(sequence.threadTid & 0xFFFFFFFF);
        PerfettoTrack& track = m_events.tracks[trackPlace(event.track)];
        track.pid = sequence.threadPid;
        track.tid = sequence.threadTid;
    }
    return event;
}

PerfettoKind PerfettoReader::kindOf(const Event& event) const {
    for (const std::string_view category : event.categories) {
        if (category == pf::kGraphCategory) return PerfettoKind::GraphLaunch;
        if (category == pf::kWaitCategory) return PerfettoKind::Wait;
        if (category == pf::kTokenCategory) return PerfettoKind::Token;
        if (category == "gpu") return PerfettoKind::Kernel;
        switch (eventKind(category)) {
            case EventKind::Kernel:
                return PerfettoKind::Kernel;
            case EventKind::Copy:
                return PerfettoKind::Copy;
            case EventKind::Set:
                return PerfettoKind::Set;
            case EventKind::Stage:
                return PerfettoKind::Stage;
            case EventKind::RuntimeCall:
                return PerfettoKind::RuntimeCall;
            case EventKind::DriverCall:
                return PerfettoKind::DriverCall;
            case EventKind::CpuOp:
                return PerfettoKind::CpuOp;
            case EventKind::PythonFunction:
                return PerfettoKind::PythonFunction;
            case EventKind::Wait:
                return PerfettoKind::Wait;
            case EventKind::Overhead:
                return PerfettoKind::Overhead;
            case EventKind::GpuAnnotation:
            case EventKind::ProfilerSpan:
                return PerfettoKind::Skipped;
            case EventKind::Other:
                break;
        }
    }
    return event.isGpuCall ? PerfettoKind::RuntimeCall : PerfettoKind::User;
}

uint32_t PerfettoReader::addSlice(const Event& event, Sequence& sequence) {
    PerfettoSlice slice{.name = nameOf(sequence, pf::interned::kNames, event.nameIid, event.name),
                        .kind = kindOf(event),
                        .correlationId = saneCorrelation(static_cast<int64_t>(event.correlationId)),
                        .flow = event.flow};
    const bool keepsArgs = slice.kind <= PerfettoKind::Stage || slice.kind == PerfettoKind::Token;
    PerfettoArgs args;
    const auto textOf = [&](const Annotation& annotation) {
        return nameOf(sequence, pf::interned::kAnnotationTexts, annotation.textIid, annotation.text);
    };
    for (const Annotation& annotation : event.annotations) {
        if (annotation.arg == static_cast<int>(Arg::Correlation)) {
            slice.correlationId = saneCorrelation(annotation.integer);
            continue;
        }
        if (annotation.arg < 0 || !keepsArgs) {
            ++m_argsNotKept;
            continue;
        }
        switch (static_cast<Arg>(annotation.arg)) {
            case Arg::Device:
                args.device = annotation.integer;
                break;
            case Arg::Context:
                args.context = annotation.integer;
                break;
            case Arg::Stream:
                args.stream = annotation.integer;
                break;
            case Arg::Process:
                args.process = annotation.integer;
                break;
            case Arg::Grid:
                args.config.grid = sizeOf(annotation.list);
                args.hasConfig = true;
                break;
            case Arg::Block:
                args.config.block = sizeOf(annotation.list);
                args.hasConfig = true;
                break;
            case Arg::Registers:
                args.config.registersPerThread = narrowed(annotation.integer);
                args.hasConfig = true;
                break;
            case Arg::StaticShared:
                args.config.staticSharedBytes = narrowed(annotation.integer);
                break;
            case Arg::DynamicShared:
                args.config.dynamicSharedBytes = narrowed(annotation.integer);
                break;
            case Arg::FullName:
                args.config.fullName = textOf(annotation);
                args.hasConfig = true;
                break;
            case Arg::Op:
                args.role.name = textOf(annotation);
                args.hasRole = true;
                break;
            case Arg::Shapes:
                args.role.shapes = textOf(annotation);
                args.hasRole = true;
                break;
            case Arg::Dtype:
                args.role.dtype = textOf(annotation);
                args.hasRole = true;
                break;
            case Arg::Layer:
                args.role.layer = narrowed(annotation.integer);
                args.hasRole = true;
                break;
            case Arg::BytesMoved:
                args.role.bytes = annotation.integer;
                args.hasRole = true;
                break;
            case Arg::Flops:
                args.role.flops = annotation.integer;
                args.hasRole = true;
                break;
            case Arg::Category:
                args.category = categoryFromName(annotation.text);
                break;
            case Arg::Token:
                args.op.token = narrowed(annotation.integer);
                break;
            case Arg::Repeat:
                args.op.repeat = static_cast<int16_t>(std::clamp<int64_t>(annotation.integer, -1, INT16_MAX));
                break;
            case Arg::Bytes:
                args.op.copyBytes = annotation.integer;
                break;
            case Arg::GraphNode:
                args.op.graphNodeId = static_cast<uint64_t>(annotation.integer);
                break;
            case Arg::Index:
                args.index = narrowed(annotation.integer);
                break;
            case Arg::Id:
                args.id = narrowed(annotation.integer);
                break;
            case Arg::Drafted:
                args.drafted = annotation.integer;
                break;
            case Arg::Accepted:
                args.accepted = annotation.integer;
                break;
            case Arg::Place:
                args.place = annotation.integer;
                break;
            case Arg::Sequence:
                args.sequence = annotation.integer;
                break;
            case Arg::Text:
                args.text = textOf(annotation);
                break;
            case Arg::Occupancy:
                args.config.occupancyPercent = static_cast<int32_t>(std::clamp<int64_t>(annotation.integer, -1, 100));
                break;
            case Arg::Correlation:
                break;
        }
    }
    if (!event.submittedStages.empty()) {
        if (slice.flow == 0) slice.flow = uint64_t{1} << 63 | (m_events.flowOfStage.size() + 1);
        for (const uint64_t stage : event.submittedStages)
            if (m_events.flowOfStage.size() < m_limits.marks) m_events.flowOfStage[stage] = slice.flow;
    }
    if (keepsArgs) {
        slice.args = static_cast<uint32_t>(m_events.args.size());
        m_events.args.push_back(args);
    }
    m_events.slices.push_back(slice);
    return static_cast<uint32_t>(m_events.slices.size() - 1);
}

void PerfettoReader::addNote(const Event& event, const Sequence& sequence) {
    if (m_events.notes.size() >= m_limits.notes) {
        ++m_beyondBounds;
        return;
    }
    PerfettoNote note{.name = std::string(event.name), .timeNs = event.timeNs, .clock = event.clock};
    for (const Annotation& annotation : event.annotations) {
        PerfettoNote::Value value{.integer = annotation.integer,
                                  .real = annotation.isReal ? annotation.real : static_cast<double>(annotation.integer),
                                  .text = toValidUtf8(annotation.text)};
        if (const Interned* text = find(sequence, pf::interned::kAnnotationTexts, annotation.textIid))
            value.text = toValidUtf8(text->text);
        for (const int64_t number : annotation.list)
            value.list.push_back(narrowed(number));
        note.values[std::string(annotation.name)] = std::move(value);
    }
    m_events.notes.push_back(std::move(note));
}

void PerfettoReader::takeEvent(const Packet& packet, Sequence& sequence) {
    ++m_eventCount;
    const Event event = readEvent(packet, sequence);
    if (!event.hasTime) {
        ++m_withoutTime;
        return;
    }
    addExtraSamples(event, sequence);
    if (event.type == 0 && !event.legacy.empty()) return takeLegacy(event, sequence);
    PerfettoMark mark{.timeNs = event.timeNs, .clock = event.clock, .track = trackPlace(event.track)};
    switch (event.type) {
        case pf::event::kSliceBegin:
            mark.slice = addSlice(event, sequence);
            return addMark(mark);
        case pf::event::kSliceEnd:
            mark.what = PerfettoMark::What::End;
            return addMark(mark);
        case pf::event::kInstant:
            if (std::ranges::find(event.categories, pf::kOwnCategory) != event.categories.end())
                return addNote(event, sequence);
            mark.what = PerfettoMark::What::Instant;
            mark.slice = addSlice(event, sequence);
            return addMark(mark);
        case pf::event::kCounter: {
            const double value = counted(m_events.tracks[mark.track], event.value);
            return addSample({event.timeNs, event.clock, mark.track, value});
        }
        default:
            ++m_legacy;
    }
}

// Events as the older JSON format knows them, inside the newer one.
void PerfettoReader::takeLegacy(const Event& event, Sequence& sequence) {
    char phase = 0;
    int64_t durationUs = -1;
    uint64_t nameIid = 0, id = 0;
    int64_t pid = -1, tid = -1;
    ProtoReader reader(event.legacy);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::legacy::kNameIid:
                nameIid = reader.number();
                break;
            case pf::legacy::kPhase:
                phase = static_cast<char>(reader.number());
                break;
            case pf::legacy::kDurationUs:
                durationUs = reader.signedNumber();
                break;
            case pf::legacy::kUnscopedId:
            case pf::legacy::kLocalId:
            case pf::legacy::kGlobalId:
                id = reader.number();
                break;
            case pf::legacy::kPid:
                pid = static_cast<int32_t>(reader.number());
                break;
            case pf::legacy::kTid:
                tid = static_cast<int32_t>(reader.number());
                break;
            default:
                break;
        }
    }
    Event slice = event;
    if (slice.nameIid == 0) slice.nameIid = nameIid;
    if (pid >= 0 && tid >= 0) {
        slice.track = uint64_t{1} << 63 | static_cast<uint64_t>(pid) << 32 | static_cast<uint64_t>(tid);
        PerfettoTrack& track = m_events.tracks[trackPlace(slice.track)];
        track.pid = pid;
        track.tid = tid;
    }
    if (phase == 'b' || phase == 'e' || phase == 'S' || phase == 'F') {
        // Asynchronous: each id is a row of its own beside the thread's.
        const uint64_t parent = slice.track;
        slice.track = uint64_t{1} << 62 | ((parent * 0x9E3779B97F4A7C15u ^ id * 0xC2B2AE3D27D4EB4Fu) >> 2);
        m_events.tracks[trackPlace(slice.track)].parent = parent;
    }
    PerfettoMark mark{.timeNs = slice.timeNs, .clock = slice.clock, .track = trackPlace(slice.track)};
    switch (phase) {
        case 'X':
            if (durationUs < 0 || durationUs > kFarthestNs / 1000) break;
            mark.what = PerfettoMark::What::Complete;
            mark.durationNs = durationUs * 1000;
            mark.slice = addSlice(slice, sequence);
            return addMark(mark);
        case 'B':
        case 'b':
        case 'S':
            mark.slice = addSlice(slice, sequence);
            return addMark(mark);
        case 'E':
        case 'e':
        case 'F':
            mark.what = PerfettoMark::What::End;
            return addMark(mark);
        case 'i':
        case 'I':
        case 'n':
            mark.what = PerfettoMark::What::Instant;
            mark.slice = addSlice(slice, sequence);
            return addMark(mark);
        default:
            break;
    }
    ++m_legacy;
}

}  // namespace gapscope
