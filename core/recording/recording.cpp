// Three threads of our own: the run thread loads and generates; the collector, which alone touches the builder, empties
// the activity log into the trace, and with it what the GPU's tracer saw; the writing thread puts snapshots of the
// trace into the session file. Writing half a second of an eager GPU run takes a quarter of one, in which the collector
// must not stand still.
#include "core/recording/recording.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>
#include <utility>

#include "core/capture/activity_capture.h"
#include "core/capture/device_capture.h"
#include "core/capture/nvml_sampler.h"
#include "core/export/session_writer.h"
#include "core/runner/devices.h"
#include "core/runner/prefix_memory.h"

namespace gapscope {

namespace {

// 20 snapshots a second look live; a killed process loses at most half a second of rows (the design allows one).
constexpr auto kCollectPeriod = std::chrono::milliseconds(50);
constexpr auto kWritePeriod = std::chrono::milliseconds(500);

std::string_view traceLevelName(TraceLevel level) {
    switch (level) {
        case TraceLevel::Off:
            return "off";
        case TraceLevel::Graph:
            return "graph";
        case TraceLevel::Full:
            return "full";
    }
    return "full";
}

TraceOrigin originNow() {
    const auto utc = std::chrono::system_clock::now().time_since_epoch();
    return {nowNs(), std::chrono::duration_cast<std::chrono::nanoseconds>(utc).count()};
}

RunInfo runInfoOf(const RecordingSettings& settings) {
    const GenerateSettings& run = settings.generate;
    RunInfo info;
    info.modelPath = settings.modelPath.filename().string();  // no folders: they name users
    info.modelName = info.modelPath;
    info.device = run.device;
    info.precision = precisionName(run.precision);
    info.mode = run.mode ? modeName(*run.mode) : "";
    info.traceLevel = traceLevelName(settings.traceLevel);
    info.prompt = run.prompt;
    if (!run.prompts.empty()) {
        info.prompt.clear();
        for (const std::string& prompt : run.prompts)
            info.prompt += (info.prompt.empty() ? "" : "\n") + prompt;
        info.sequences = static_cast<int64_t>(run.prompts.size());
        info.batch = run.batch;
    }
    info.maxNewTokens = run.maxNewTokens;
    info.warmup = run.warmup;
    info.repeats = run.repeats;
    info.temperature = run.sampling.temperature;
    info.topK = run.sampling.topK;
    info.topP = run.sampling.topP;
    info.seed = run.sampling.seed;
    info.speculation = run.speculation.name();
    if (run.speculation.kind != Speculation::Off) info.draftTokens = run.speculation.draftTokens;
    return info;
}

}  // namespace

struct Recording::Impl {
    explicit Impl(RecordingSettings given)
        : settings(std::move(given)),
          log(settings.traceLevel),
          capture(builder, origin),
          run(runInfoOf(settings)),
          loadedModel(settings.model) {
        builder.setRun(run);
        snapshot = builder.snapshot();
    }

    void runThread();
    void collectThread();
    void writeThread();
    void wakeAll();
    void startDeviceCapture();
    void collect();
    Result<GenerateResult> loadAndGenerate();
    GenerateEvents events();
    void onPrepared(const PreparedInfo& prepared);
    void onToken(const TokenEvent& token);

    const RecordingSettings settings;
    ActivityLog log;
    TraceBuilder builder;
    const TraceOrigin origin = originNow();
    ActivityCapture capture;
    std::unique_ptr<DeviceCapture> deviceCapture;  // of a run on a GPU
    std::unique_ptr<NvmlSampler> sampler;          // the same
    int64_t gpuMemoryBytes = 0;
    std::latch watching{1};  // opened once the GPU is watched, or will not be: what is above is then settled
    std::unique_ptr<SessionWriter> writer;

    mutable std::mutex mutex;  // guards the block below
    RunInfo run;
    bool runChanged = true;
    std::vector<DeviceRow> newDevices;
    uint32_t newLaunchThread = 0;  // 0: none, or told to the builder already
    RecordingProgress progress;
    TracePtr snapshot;
    std::shared_ptr<const Model> loadedModel;

    std::atomic<bool> runEnded = false;
    std::atomic<bool> isCollected = false;  // the snapshot is the last one
    std::atomic<bool> isDone = false;
    Result<GenerateResult> result = fail("The run has not ended yet.");
    Status sessionStatus;
    std::condition_variable wake;
    std::mutex wakeMutex;
    std::stop_source stop;
    std::thread runner, collector;  // last: they use everything above
};

void Recording::Impl::onPrepared(const PreparedInfo& prepared) {
    const std::lock_guard lock(mutex);
    run.device = prepared.device;
    run.deviceName = prepared.deviceName;
    run.precision = precisionName(prepared.precision);
    run.mode = modeName(prepared.mode);
    run.chat = prepared.chat;
    run.promptTokens = prepared.promptTokens;
    run.threads = prepared.threads;
    run.contextLength = prepared.contextLength;
    run.weightBytes = prepared.weightBytes;
    run.kvBytes = prepared.kvBytes;
    newDevices.push_back({.id = static_cast<uint32_t>(cudaDeviceId(prepared.device)),
                          .kind = prepared.device == "cpu" ? DeviceKind::Cpu : DeviceKind::Cuda,
                          .name = prepared.deviceName,
                          .totalMemoryBytes = gpuMemoryBytes,
                          .peakBytesPerSecond = prepared.peakBytesPerSecond,
                          .peakFlopsPerSecond = prepared.peakFlopsPerSecond});
    runChanged = true;
    progress.state = RecordingState::Running;
}

void Recording::Impl::onToken(const TokenEvent& token) {
    const std::lock_guard lock(mutex);
    if (token.index == 0) {
        progress.text.clear();
        progress.texts.assign(settings.generate.prompts.size(), {});
        progress.repeat = token.repeat;
    }
    if (progress.texts.empty()) {
        progress.text += token.text;
    } else {
        progress.texts[static_cast<size_t>(token.sequence)] += token.text;
        progress.text.clear();
        for (const std::string& text : progress.texts)
            progress.text += text + '\n';
    }
    progress.tokenCount = token.index + 1;
}

GenerateEvents Recording::Impl::events() {
    GenerateEvents events;
    events.onProgress = [this](const std::string& phase, double share) {
        const std::lock_guard lock(mutex);
        progress.phase = phase;
        progress.share = share;
    };
    events.onPrepared = [this](const PreparedInfo& prepared) { onPrepared(prepared); };
    events.onToken = [this](const TokenEvent& token) { onToken(token); };
    events.onRepeat = [this](int16_t, const RepeatResult& repeat) {
        const std::lock_guard lock(mutex);
        run.repeatTimes.push_back(
            {repeat.prefillNs, repeat.timeToFirstTokenNs, repeat.decodeNs, static_cast<int64_t>(repeat.tokens.size())});
        run.reusedPromptTokens = repeat.reusedTokens;
        run.kvPages = repeat.kvPages;
        runChanged = true;
    };
    return events;
}

Result<GenerateResult> Recording::Impl::loadAndGenerate() {
    std::shared_ptr<const Model> model = settings.model;
    if (!model) {
        const int64_t startNs = nowNs();
        ASSIGN_OR_RETURN(model, Model::load(settings.modelPath, events().onProgress, stop.get_token()));
        const std::lock_guard lock(mutex);
        run.loadSeconds = static_cast<double>(nowNs() - startNs) / 1e9;
        loadedModel = model;
    }
    {
        const std::lock_guard lock(mutex);
        run.modelName = model->config().name.empty() ? run.modelName : model->config().name;
        run.textIsNoise = model->isRandom();
        runChanged = true;
    }
    if (settings.memory && settings.memory->model != model) *settings.memory = {.model = model};
    return generate(*model, settings.generate, log, events(), stop.get_token(), settings.memory.get());
}

// Before the run opens the GPU, because CUPTI wants to be there first. Without CUPTI the run goes on and says what its
// timeline lacks.
void Recording::Impl::startDeviceCapture() {
    const Result<std::string> device = resolveDevice(settings.generate.device);
    if (!log.enabled() || !device || *device == "cpu") return;
    if (auto started = DeviceCapture::start(builder, origin, log))
        deviceCapture = std::move(*started);
    else
        builder.diagnostics().add("gpu_not_traced", Severity::DataLoss, 1, started.error().message);
    for (const RunDevice& known : cudaDevices().devices) {
        if (known.id != *device) continue;
        gpuMemoryBytes = known.memoryBytes;
        sampler = std::make_unique<NvmlSampler>(
            NvmlLibrary::open(),
            NvmlSettings{.pciBusId = known.pciBusId, .deviceId = static_cast<uint32_t>(cudaDeviceId(*device))});
    }
}

void Recording::Impl::runThread() {
    watching.wait();
    {
        const std::lock_guard lock(mutex);
        newLaunchThread = currentThreadId();
    }
    result = loadAndGenerate();
    {
        const std::lock_guard lock(mutex);
        if (result) {
            run.stopReason = result->stopReason;
            progress.state = run.stopReason == "cancelled" ? RecordingState::Cancelled : RecordingState::Finished;
        } else if (result.error().kind == ErrorKind::Cancelled) {
            run.stopReason = "cancelled";
            progress.state = RecordingState::Cancelled;
        } else {
            run.stopReason = "failed: " + result.error().message;
            progress.state = RecordingState::Failed;
        }
        runChanged = true;
    }
    runEnded = true;
    wakeAll();
}

void Recording::Impl::collect() {
    if (deviceCapture) deviceCapture->gather();
    const ActivityLog::Batch batch = log.drain();
    capture.take(batch);
    if (deviceCapture) deviceCapture->take(batch);
    if (sampler) sampler->take(builder, origin);
    std::vector<DeviceRow> devices;
    uint32_t launchThread = 0;
    {
        const std::lock_guard lock(mutex);
        devices.swap(newDevices);
        launchThread = std::exchange(newLaunchThread, 0);
        if (std::exchange(runChanged, false)) builder.setRun(run);
    }
    for (DeviceRow& device : devices)
        builder.setDevice(std::move(device));
    if (launchThread != 0)
        builder.setThread(makeGlobalTid(static_cast<uint32_t>(getpid()), launchThread), "CPU launch");
    TracePtr newest = builder.snapshot();
    const std::lock_guard lock(mutex);
    snapshot = std::move(newest);
}

void Recording::Impl::collectThread() {
    startDeviceCapture();
    watching.count_down();
    std::thread writing;
    if (writer) writing = std::thread([this] { writeThread(); });
    while (!runEnded) {
        {
            std::unique_lock lock(wakeMutex);
            wake.wait_for(lock, kCollectPeriod, [this] { return runEnded.load(); });
        }
        collect();
    }
    if (sampler) sampler->stop();
    if (deviceCapture) deviceCapture->stop();
    collect();
    deviceCapture.reset();  // the next recording's turn, though this object may live on
    sampler.reset();
    isCollected = true;
    wakeAll();
    if (writing.joinable()) writing.join();
    isDone = true;
    wakeAll();
}

void Recording::Impl::writeThread() {
    for (bool isLast = false; !isLast;) {
        {
            std::unique_lock lock(wakeMutex);
            wake.wait_for(lock, kWritePeriod, [this] { return isCollected.load(); });
        }
        isLast = isCollected;
        TracePtr newest;
        {
            const std::lock_guard lock(mutex);
            newest = snapshot;
        }
        if (sessionStatus) sessionStatus = writer->append(*newest);
    }
    if (const Status finished = writer->finish(); sessionStatus) sessionStatus = finished;
    writer.reset();
}

void Recording::Impl::wakeAll() {
    const std::lock_guard lock(wakeMutex);
    wake.notify_all();
}

Result<std::unique_ptr<Recording>> Recording::start(RecordingSettings settings) {
    RETURN_IF_ERROR(validate(settings.generate));
    if (settings.modelPath.empty() && !settings.model)
        return fail("No model was named and none was found.", ErrorKind::NotFound);
    auto impl = std::make_unique<Impl>(std::move(settings));
    if (!impl->settings.sessionPath.empty()) {
        ASSIGN_OR_RETURN(impl->writer, SessionWriter::create(impl->settings.sessionPath));
    }
    impl->runner = std::thread([self = impl.get()] { self->runThread(); });
    impl->collector = std::thread([self = impl.get()] { self->collectThread(); });
    return std::unique_ptr<Recording>(new Recording(std::move(impl)));
}

Recording::Recording(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Recording::~Recording() {
    cancel();
    m_impl->runner.join();
    m_impl->collector.join();
}

void Recording::cancel() {
    m_impl->stop.request_stop();
}

bool Recording::done() const {
    return m_impl->isDone;
}

void Recording::wait() {
    std::unique_lock lock(m_impl->wakeMutex);
    m_impl->wake.wait(lock, [this] { return m_impl->isDone.load(); });
}

RecordingProgress Recording::progress() const {
    const std::lock_guard lock(m_impl->mutex);
    return m_impl->progress;
}

TracePtr Recording::trace() const {
    const std::lock_guard lock(m_impl->mutex);
    return m_impl->snapshot;
}

std::shared_ptr<const Model> Recording::model() const {
    const std::lock_guard lock(m_impl->mutex);
    return m_impl->loadedModel;
}

const std::filesystem::path& Recording::sessionPath() const {
    return m_impl->settings.sessionPath;
}

const Result<GenerateResult>& Recording::result() const {
    return m_impl->result;
}

const Status& Recording::sessionStatus() const {
    return m_impl->sessionStatus;
}

}  // namespace gapscope
