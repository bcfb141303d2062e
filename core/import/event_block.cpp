#include "core/import/event_block.h"

#include <algorithm>
#include <limits>

#include "core/import/own_chrome.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

RangeTable rangeTable(EventKind kind) {
    switch (kind) {
        case EventKind::CpuOp:
            return RangeTable::CpuOp;
        case EventKind::PythonFunction:
            return RangeTable::PythonFunction;
        case EventKind::Overhead:
            return RangeTable::Overhead;
        default:
            return RangeTable::User;
    }
}

int32_t narrowed(int64_t value) {
    using Limits = std::numeric_limits<int32_t>;
    return static_cast<int32_t>(std::clamp<int64_t>(value, Limits::min(), Limits::max()));
}

// Other programs call things "kernel" too; a device operation says where it ran or what launched it.
bool isDeviceOp(const TraceEvent& event) {
    const EventArgs& args = event.args;
    const bool isOfDevice = event.kind == EventKind::Kernel || event.kind == EventKind::Copy ||
                            event.kind == EventKind::Set || event.kind == EventKind::Stage;
    return isOfDevice && (args.device >= 0 || args.stream >= 0 || args.correlation >= 0);
}

}  // namespace

void EventBlock::clear() {
    names.clear();
    threads.clear();
    tracks.clear();
    configs.clear();
    roles.clear();
    ops.clear();
    calls.clear();
    ranges.clear();
    edges.clear();
    waits.clear();
    samples.clear();
    tokens.clear();
    labels.clear();
    devices.clear();
    baseTimeNs.reset();
    ownHead = {};
    unplaced = {};
    m_configOfName.clear();
    m_madeTexts.clear();
}

void EventBlock::add(const TraceEvent& event) {
    switch (event.phase) {
        case 'X':
            return addComplete(event);
        case 'B':
            return addEdge(event, BlockEdge::Kind::Begin);
        case 'E':
            return addEdge(event, BlockEdge::Kind::End);
        case 'b':
        case 'S':
            return addEdge(event, BlockEdge::Kind::AsyncBegin);
        case 'e':
        case 'F':
            return addEdge(event, BlockEdge::Kind::AsyncEnd);
        case 's':
        case 't':
        case 'f':
            return leaveOut(Unplaced::Flow);
        case 'i':
        case 'I':
        case 'n':
        case 'T':
        case 'p':
        case 'R':
            if (event.name == "[memory]") return addMemory(event);
            if (event.category == "token" && event.scope == "g") return addToken(event);
            if (event.scope == "g" || event.scope == "p") return leaveOut(Unplaced::Instant);
            if (!event.hasTime || !areSaneTimes(event.timeNs, event.timeNs)) return leaveOut(Unplaced::WithoutTime);
            return addRange(event, event.timeNs);
        case 'C':
            return addCounter(event);
        case 'M':
            return addLabel(event);
        case '\0':
            if (!event.hasTime && event.name.empty()) return;  // XLA ends its list with an empty object
            return leaveOut(Unplaced::NotAnEvent);
        default:
            return leaveOut(Unplaced::OtherPhase);
    }
}

void EventBlock::addComplete(const TraceEvent& event) {
    if (event.kind == EventKind::GpuAnnotation) return leaveOut(Unplaced::GpuAnnotation);
    if (event.kind == EventKind::ProfilerSpan) return leaveOut(Unplaced::ProfilerSpan);
    // Both are checked before they are added.
    const bool isSane = event.hasTime && areSaneTimes(event.timeNs, event.timeNs) && event.durationNs >= 0 &&
                        event.durationNs < kFarthestNs && areSaneTimes(event.timeNs, event.timeNs + event.durationNs);
    if (!isSane) return leaveOut(Unplaced::WithoutTime);
    if (!event.hasDuration) {
        if (isDeviceOp(event)) return leaveOut(Unplaced::DeviceOpWithoutEnd);
        return addEdge(event, BlockEdge::Kind::WithoutEnd);
    }
    if (isDeviceOp(event)) return addDeviceOp(event);
    if (event.kind == EventKind::RuntimeCall || event.kind == EventKind::DriverCall) {
        calls.push_back({.startNs = event.timeNs,
                         .endNs = event.timeNs + event.durationNs,
                         .name = names.placeOf(event.name),
                         .thread = threadOf(event),
                         .correlation = saneCorrelation(event.args.correlation),
                         .apiClass = event.kind == EventKind::DriverCall ? ApiClass::Driver : ApiClass::Runtime});
        return;
    }
    if (event.kind == EventKind::Wait) {
        waits.push_back({.startNs = event.timeNs,
                         .endNs = event.timeNs + event.durationNs,
                         .name = names.placeOf(event.name),
                         .thread = threadOf(event),
                         .correlation = saneCorrelation(event.args.correlation)});
        return;
    }
    addRange(event, event.timeNs + event.durationNs);
}

void EventBlock::addDeviceOp(const TraceEvent& event) {
    const EventArgs& args = event.args;
    BlockOp op{.startNs = event.timeNs,
               .endNs = event.timeNs + event.durationNs,
               .bytes = std::max<int64_t>(args.bytes, 0),
               .graphNode = args.graphNode,
               .name = names.placeOf(event.name),
               .track = tracks.placeOf(
                   {.thread = threadOf(event), .device = args.device, .context = args.context, .stream = args.stream}),
               .correlation = saneCorrelation(args.correlation)};
    if (event.kind == EventKind::Copy) op.kind = DeviceOpKind::Copy;
    if (event.kind == EventKind::Set) op.kind = DeviceOpKind::Set;
    op.isStage = event.kind == EventKind::Stage;
    BlockConfig config{.name = op.name,
                       .registersPerThread = narrowed(args.registersPerThread),
                       .sharedBytes = narrowed(args.sharedBytes),
                       .occupancyPercent = static_cast<int32_t>(std::clamp<int64_t>(args.occupancyPercent, -1, 100))};
    for (size_t axis = 0; axis < 3; ++axis) {
        config.grid[axis] = narrowed(args.grid[axis]);
        config.block[axis] = narrowed(args.block[axis]);
    }
    if (args.areOurs) addOwnArgs(event, op, config);
    if (!op.isStage && (op.kind == DeviceOpKind::Kernel || (args.areOurs && config.isTold)))
        op.config = configOf(config);
    ops.push_back(op);
}

void EventBlock::addOwnArgs(const TraceEvent& event, BlockOp& op, BlockConfig& config) {
    const OwnOpArgs own = readOwnOpArgs(event.argsText);
    if (own.isGraphLaunch) op.kind = DeviceOpKind::GraphLaunch;
    if (own.recordedName) config.name = op.name = names.placeOf(*own.recordedName);
    if (own.fullName) config.fullName = names.placeOf(*own.fullName);
    config.isTold = own.hasConfig;
    config.staticSharedBytes = narrowed(own.staticSharedBytes);
    config.sharedBytes = narrowed(event.args.sharedBytes - config.staticSharedBytes);
    op.category = categoryFromName(own.category).value_or(Category::Other);
    op.token = narrowed(own.token);
    op.repeat = static_cast<int16_t>(std::clamp<int64_t>(own.repeat, -1, INT16_MAX));
    if (own.op)
        op.role = roles.placeOf({.name = names.placeOf(*own.op),
                                 .shapes = names.placeOf(own.shapes),
                                 .dtype = names.placeOf(own.dtype),
                                 .layer = narrowed(own.layer),
                                 .bytesMoved = own.bytesMoved,
                                 .flops = own.flops});
}

uint32_t EventBlock::configOf(const BlockConfig& config) {
    // A kernel mostly runs as it did the last time.
    if (m_configOfName.size() <= config.name) m_configOfName.resize(config.name + 1, BlockOp::kNone);
    uint32_t& last = m_configOfName[config.name];
    if (last == BlockOp::kNone || configs[last] != config) last = configs.placeOf(config);
    return last;
}

void EventBlock::addRange(const TraceEvent& event, int64_t endNs) {
    ranges.push_back({.startNs = event.timeNs,
                      .endNs = endNs,
                      .name = names.placeOf(event.name),
                      .thread = threadOf(event),
                      .table = rangeTable(event.kind)});
}

void EventBlock::addEdge(const TraceEvent& event, BlockEdge::Kind kind) {
    if (!event.hasTime || !areSaneTimes(event.timeNs, event.timeNs)) return leaveOut(Unplaced::WithoutTime);
    BlockEdge edge{.timeNs = event.timeNs,
                   .name = names.placeOf(event.name),
                   .thread = threadOf(event),
                   .table = rangeTable(event.kind),
                   .kind = kind};
    if (kind == BlockEdge::Kind::AsyncBegin || kind == BlockEdge::Kind::AsyncEnd) {
        m_madeTexts.push_back(std::string(event.category) + '\n' + std::string(event.id));
        edge.key = names.placeOf(m_madeTexts.back());
    }
    edges.push_back(edge);
}

// An allocation, with what PyTorch's allocator then held on its device.
void EventBlock::addMemory(const TraceEvent& event) {
    constexpr double kOfCuda = 1;  // c10::DeviceType
    double deviceType = 0, device = -1, allocated = -1, reserved = -1;
    forEachNumber(event.argsText, [&](std::string_view key, double value) {
        if (key == "Device Type") deviceType = value;
        if (key == "Device Id") device = value;
        if (key == "Total Allocated") allocated = value;
        if (key == "Total Reserved") reserved = value;
    });
    if (!event.hasTime || !areSaneTimes(event.timeNs, event.timeNs)) return leaveOut(Unplaced::WithoutTime);
    const bool isOfDevice = deviceType == kOfCuda && device >= 0 && device < UINT32_MAX;
    if (!isOfDevice || (allocated < 0 && reserved < 0)) return leaveOut(Unplaced::MemoryEvent);
    const auto add = [&](std::string_view name, double value) {
        if (value < 0) return;
        samples.push_back({.timeNs = event.timeNs,
                           .value = value,
                           .name = names.placeOf(name),
                           .device = static_cast<int64_t>(device),
                           .unit = CounterUnit::Bytes});
    };
    add("memory allocated by PyTorch", allocated);
    add("memory reserved by PyTorch", reserved);
}

// Counters of devices stand in processes named for them: "GPU 0 Counters".
void EventBlock::addCounter(const TraceEvent& event) {
    std::string_view of = event.process;
    if (!event.hasTime || !areSaneTimes(event.timeNs, event.timeNs)) return leaveOut(Unplaced::WithoutTime);
    if (event.category == "counter") {
        if (const auto own = readOwnSample(event.argsText)) {
            samples.push_back({.timeNs = event.timeNs,
                               .value = own->second,
                               .name = names.placeOf(event.name),
                               .unit = own->first,
                               .thread = threadOf(event)});
            return;
        }
    }
    if (!of.starts_with("GPU ") || !of.ends_with(" Counters")) return leaveOut(Unplaced::Counter);
    of.remove_prefix(4);
    of.remove_suffix(9);
    const auto device = integerOf(of);
    if (!device || *device < 0) return leaveOut(Unplaced::Counter);
    forEachNumber(event.argsText, [&](std::string_view key, double value) {
        m_madeTexts.push_back(std::string(event.name) + (key == "value" ? "" : " " + std::string(key)));
        samples.push_back(
            {.timeNs = event.timeNs, .value = value, .name = names.placeOf(m_madeTexts.back()), .device = *device});
    });
}

void EventBlock::addToken(const TraceEvent& event) {
    if (!event.hasTime || !areSaneTimes(event.timeNs, event.timeNs)) return leaveOut(Unplaced::WithoutTime);
    const OwnTokenArgs own = readOwnTokenArgs(event.argsText);
    tokens.push_back({.timeNs = event.timeNs,
                      .text = names.placeOf(own.text),
                      .index = narrowed(own.index),
                      .id = narrowed(own.id),
                      .repeat = static_cast<int16_t>(std::clamp<int64_t>(own.repeat, -1, INT16_MAX)),
                      .drafted = own.drafted,
                      .accepted = own.accepted,
                      .place = own.place,
                      .sequence = own.sequence});
}

void EventBlock::addLabel(const TraceEvent& event) {
    if (event.args.name.empty()) return;
    if (event.name == "process_name") {
        labels.push_back({.of = BlockLabel::Of::Process, .thread = threadOf(event), .text = event.args.name});
    } else if (event.name == "thread_name") {
        labels.push_back({.of = BlockLabel::Of::Thread, .thread = threadOf(event), .text = event.args.name});
    }
}

}  // namespace gapscope
