#include "core/import/perfetto_events.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/utf8.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

std::string_view firstText(std::string_view message, uint32_t field) {
    ProtoReader reader(message);
    while (reader.next())
        if (reader.field() == field && !reader.isNumber()) return reader.bytes();
    return {};
}

CounterUnit unitOf(uint64_t measure) {
    switch (measure) {
        case pf::gpu_counter::kByte:
            return CounterUnit::Bytes;
        case pf::gpu_counter::kHertz:
            return CounterUnit::Hertz;
        case pf::gpu_counter::kWatt:
            return CounterUnit::Watt;
        case pf::gpu_counter::kCelsius:
            return CounterUnit::Celsius;
        default:
            return CounterUnit::Number;
    }
}

}  // namespace

// Resources of a kernel or launch: in messages of `field` within `message`.
void PerfettoReader::readComputeArgs(std::string_view message, uint32_t field, const Sequence& sequence,
                                     PerfettoArgs& args) {
    ProtoReader reader(message);
    while (reader.next()) {
        if (reader.field() != field) continue;
        std::string_view name;
        int64_t value = 0;
        ProtoReader part(reader.bytes());
        while (part.next()) {
            if (part.field() == pf::stage::kArgName) name = part.bytes();
            if (part.field() == pf::stage::kArgInt || part.field() == pf::stage::kArgUnsigned)
                value = std::clamp<int64_t>(part.signedNumber(), 0, INT32_MAX);
            if (part.field() != pf::stage::kArgNameIid) continue;
            if (const Interned* entry = find(sequence, pf::interned::kComputeArgNames, part.number()))
                name = entry->text;
        }
        if (name == "registers_per_thread")
            args.config.registersPerThread = static_cast<int32_t>(value);
        else if (name == "shared_mem_static")
            args.config.staticSharedBytes = static_cast<int32_t>(value);
        else if (name == "shared_mem_dynamic")
            args.config.dynamicSharedBytes = static_cast<int32_t>(value);
        else
            ++m_argsNotKept;
    }
}

// What a GPU did, as its driver's producer tells it: one packet a stage, with its duration.
void PerfettoReader::takeStage(const Packet& packet, Sequence& sequence) {
    ++m_eventCount;
    int64_t durationNs = 0, gpu = 0, context = -1;
    uint64_t queue = 0, stageIid = 0, nameIid = 0, submission = 0, eventId = 0;
    const Interned* kernel = nullptr;
    int64_t queueId = -1, stageId = -1;
    std::string_view name;
    PerfettoArgs args;
    ProtoReader reader(packet.body);
    while (reader.next()) {
        switch (reader.field()) {
            case pf::stage::kEventId:
                eventId = reader.number();
                break;
            case pf::stage::kKernelIid:
                kernel = find(sequence, pf::interned::kComputeKernels, reader.number());
                m_unknownNames += kernel ? 0 : 1;
                break;
            case pf::stage::kDuration:
                durationNs = static_cast<int64_t>(std::min<uint64_t>(reader.number(), kFarthestNs));
                break;
            case pf::stage::kGpu:
                gpu = static_cast<int32_t>(reader.number());
                break;
            case pf::stage::kContext:
                context = reader.signedNumber();
                break;
            case pf::stage::kQueueIid:
                queue = reader.number();
                break;
            case pf::stage::kQueueId:
                queueId = static_cast<int32_t>(reader.number());
                break;
            case pf::stage::kStageIid:
                stageIid = reader.number();
                break;
            case pf::stage::kStageId:
                stageId = static_cast<int32_t>(reader.number());
                break;
            case pf::stage::kName:
                name = reader.bytes();
                break;
            case pf::stage::kNameIid:
                nameIid = reader.number();
                break;
            case pf::stage::kSubmission:
                submission = reader.number();
                break;
            case pf::stage::kLaunch: {
                readComputeArgs(reader.bytes(), pf::stage::kLaunchArgs, sequence, args);
                ProtoReader launch(reader.bytes());
                while (launch.next()) {
                    if (launch.field() == pf::stage::kLaunchArgs) continue;
                    std::array<int32_t, 3> size{};
                    ProtoReader dimensions(launch.bytes());
                    while (dimensions.next())
                        if (dimensions.field() >= 1 && dimensions.field() <= 3)
                            size[dimensions.field() - 1] =
                                static_cast<int32_t>(std::clamp<int64_t>(dimensions.signedNumber(), 0, INT32_MAX));
                    if (launch.field() == pf::stage::kGrid) args.config.grid = size;
                    if (launch.field() == pf::stage::kBlock) args.config.block = size;
                    args.hasConfig = true;
                }
                break;
            }
            case pf::stage::kExtra: {
                const std::string_view key = firstText(reader.bytes(), pf::stage::kExtraName);
                const std::string_view value = firstText(reader.bytes(), pf::stage::kExtraValue);
                if (key == "correlation" || key == "correlation_id") {
                    std::from_chars(value.data(), value.data() + value.size(), submission);
                } else {
                    ++m_argsNotKept;
                }
                break;
            }
            case pf::stage::kSpecifications: {
                // Older producers describe queues and stages by their place in a list.
                int64_t queues = 0, stages = 0;
                ProtoReader part(reader.bytes());
                while (part.next()) {
                    if (m_internedCount >= m_limits.interned) {
                        ++m_beyondBounds;
                        break;
                    }
                    const bool isQueue = part.field() == pf::stage::kQueues;
                    if (!isQueue && part.field() != pf::stage::kStages) continue;
                    ++m_internedCount;
                    const int64_t place = isQueue ? -1 - 2 * queues++ : -2 - 2 * stages++;
                    sequence.interned[pf::interned::kGpuSpecifications].insert_or_assign(
                        static_cast<uint64_t>(place), Interned{.text = std::string(firstText(part.bytes(), 1))});
                }
                break;
            }
            default:
                ++m_argsNotKept;  // render targets, passes, command buffers, what it waited for
                break;
        }
    }
    if (kernel) {
        readComputeArgs(kernel->message, pf::stage::kKernelArgs, sequence, args);
        args.hasConfig = true;
    }
    if (queue == 0 && queueId >= 0) queue = static_cast<uint64_t>(-1 - 2 * queueId);
    if (stageIid == 0 && stageId >= 0) stageIid = static_cast<uint64_t>(-2 - 2 * stageId);
    PerfettoMark mark{.durationNs = durationNs, .what = PerfettoMark::What::Complete};
    if (!timeOf(packet, sequence, mark.timeNs, mark.clock)) {
        // A first packet may hold nothing but descriptions.
        m_withoutTime += durationNs != 0 ? 1 : 0;
        return;
    }
    const Interned* const queueEntry = find(sequence, pf::interned::kGpuSpecifications, queue);
    const Interned* const stageEntry = find(sequence, pf::interned::kGpuSpecifications, stageIid);
    const std::string_view stageName = stageEntry ? std::string_view(stageEntry->text) : std::string_view();
    PerfettoSlice slice{.kind = PerfettoKind::Kernel,
                        .correlationId = saneCorrelation(static_cast<int64_t>(submission)),
                        .stage = eventId};
    const Interned* const nameEntry = find(sequence, pf::interned::kNames, nameIid);
    if (name.empty() && nameEntry) name = nameEntry->text;
    if (name.empty() && kernel) name = kernel->text;
    if (name.empty()) name = stageName.empty() ? std::string_view("GPU stage") : stageName;
    slice.name = intern(name);
    const std::string text = std::string(stageName) + " " + std::string(name);
    const auto holds = [&](std::string_view part) { return text.find(part) != std::string::npos; };
    if (holds("Memcpy") || holds("memcpy")) slice.kind = PerfettoKind::Copy;
    if (holds("Memset") || holds("memset")) slice.kind = PerfettoKind::Set;
    args.device = gpu;
    args.context = context;
    if (const auto it = sequence.contextPids.find(static_cast<uint64_t>(context)); it != sequence.contextPids.end())
        args.process = it->second;
    // A queue of each GPU is a row; its number is the one in its name.
    const std::string queueName = queueEntry ? queueEntry->text : "queue " + std::to_string(queueId);
    mark.track = trackPlace(uint64_t{3} << 62 | ((queue * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(gpu)) >> 2));
    PerfettoTrack& track = m_events.tracks[mark.track];
    track.isQueue = true;
    track.name = toValidUtf8(std::string_view(queueName).substr(0, kMostPerfettoName));
    slice.args = static_cast<uint32_t>(m_events.args.size());
    m_events.args.push_back(args);
    mark.slice = static_cast<uint32_t>(m_events.slices.size());
    m_events.slices.push_back(slice);
    addMark(mark);
}

void PerfettoReader::readCounterSpecs(std::string_view message, Sequence& sequence) {
    ProtoReader descriptor(message);
    while (descriptor.next()) {
        if (descriptor.field() != pf::gpu_counter::kSpecs) continue;
        if (sequence.gpuCounters.size() > kMostThreads) {
            ++m_beyondBounds;
            continue;
        }
        uint32_t id = 0;
        GpuCounter counter;
        ProtoReader spec(descriptor.bytes());
        while (spec.next()) {
            if (spec.field() == pf::gpu_counter::kSpecId) id = static_cast<uint32_t>(spec.number());
            if (spec.field() == pf::gpu_counter::kSpecName)
                counter.name = toValidUtf8(spec.bytes().substr(0, kMostPerfettoName));
            if (spec.field() == pf::gpu_counter::kSpecUnits && spec.isNumber()) counter.unit = unitOf(spec.number());
        }
        sequence.gpuCounters[id] = std::move(counter);
    }
}

void PerfettoReader::takeGpuCounters(const Packet& packet, Sequence& sequence) {
    ++m_eventCount;
    int64_t gpu = -1;
    uint64_t descriptorIid = 0;
    std::vector<std::pair<uint32_t, double>> values;
    ProtoReader reader(packet.body);
    while (reader.next()) {
        if (reader.field() == pf::gpu_counter::kGpu) gpu = static_cast<int32_t>(reader.number());
        if (reader.field() == pf::gpu_counter::kDescriptor) readCounterSpecs(reader.bytes(), sequence);
        if (reader.field() == pf::gpu_counter::kDescriptorIid) descriptorIid = reader.number();
        if (reader.field() != pf::gpu_counter::kValues) continue;
        uint32_t id = 0;
        double value = 0;
        ProtoReader part(reader.bytes());
        while (part.next()) {
            if (part.field() == pf::gpu_counter::kValueId) id = static_cast<uint32_t>(part.number());
            if (part.field() == pf::gpu_counter::kValueSigned) value = static_cast<double>(part.signedNumber());
            if (part.field() == pf::gpu_counter::kValueDouble) value = part.real();
        }
        values.emplace_back(id, value);
    }
    if (const Interned* shared = find(sequence, pf::interned::kGpuCounterDescriptors, descriptorIid)) {
        if (gpu < 0) gpu = shared->gpu;
        if (sequence.counterDescriptor != descriptorIid) readCounterSpecs(shared->message, sequence);
        sequence.counterDescriptor = descriptorIid;
    }
    gpu = std::max<int64_t>(gpu, 0);
    int64_t timeNs = 0;
    uint32_t clock = 0;
    if (values.empty()) return;
    if (!timeOf(packet, sequence, timeNs, clock)) {
        ++m_withoutTime;
        return;
    }
    for (const auto& [id, value] : values) {
        // A row for each counter of each GPU, below one for the GPU.
        const uint64_t parent = uint64_t{3} << 61 | static_cast<uint64_t>(gpu & 0xFFFF);
        m_events.tracks[trackPlace(parent)].name = "GPU " + std::to_string(gpu);
        const uint32_t place = trackPlace(parent | uint64_t{id} << 16 | uint64_t{1} << 48);
        PerfettoTrack& track = m_events.tracks[place];
        track.parent = parent;
        const auto spec = sequence.gpuCounters.find(id);
        const bool known = spec != sequence.gpuCounters.end() && !spec->second.name.empty();
        track.name = known ? spec->second.name : "counter " + std::to_string(id);
        track.counter = known ? spec->second.unit : CounterUnit::Number;
        addSample({timeNs, clock, place, value});
    }
}

}  // namespace gapscope
