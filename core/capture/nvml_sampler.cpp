#include "core/capture/nvml_sampler.h"

#include <array>
#include <optional>
#include <utility>

#include "core/base/activity.h"

namespace gapscope {

namespace {

// The result of the library's function; none where the library lacks it.
using Answer = std::optional<int32_t>;

Answer readMemory(const NvmlApi& api, void* device, double& value) {
    if (!api.memoryInfo) return std::nullopt;
    nvml::Memory memory;
    const int32_t result = api.memoryInfo(device, &memory);
    value = static_cast<double>(memory.usedBytes);
    return result;
}

Answer readClock(const NvmlApi& api, void* device, double& value) {
    if (!api.clockMegahertz) return std::nullopt;
    uint32_t megahertz = 0;
    const int32_t result = api.clockMegahertz(device, nvml::kClockSm, &megahertz);
    value = megahertz * 1e6;
    return result;
}

Answer readPower(const NvmlApi& api, void* device, double& value) {
    if (!api.powerMilliwatts) return std::nullopt;
    uint32_t milliwatts = 0;
    const int32_t result = api.powerMilliwatts(device, &milliwatts);
    value = milliwatts / 1e3;
    return result;
}

Answer readTemperature(const NvmlApi& api, void* device, double& value) {
    if (!api.temperatureCelsius) return std::nullopt;
    uint32_t celsius = 0;
    const int32_t result = api.temperatureCelsius(device, nvml::kTemperatureGpu, &celsius);
    value = celsius;
    return result;
}

Answer readClockEventReasons(const NvmlApi& api, void* device, double& value) {
    if (!api.clockEventReasons) return std::nullopt;
    uint64_t reasons = 0;
    const int32_t result = api.clockEventReasons(device, &reasons);
    value = static_cast<double>(reasons);  // nine bits are in use; a double keeps 53
    return result;
}

struct Quantity {
    std::string_view name;
    CounterUnit unit;
    Answer (*read)(const NvmlApi& api, void* device, double& value);
};
constexpr std::array<Quantity, 5> kQuantities = {{
    {"memory used", CounterUnit::Bytes, readMemory},
    {"SM clock", CounterUnit::Hertz, readClock},
    {"power", CounterUnit::Watt, readPower},
    {"temperature", CounterUnit::Celsius, readTemperature},
    {"clock limits", CounterUnit::ClockEventReasons, readClockEventReasons},
}};

}  // namespace

NvmlSampler::NvmlSampler(NvmlLibrary library, NvmlSettings settings)
    : m_library(std::move(library)), m_settings(std::move(settings)), m_asked(kQuantities.size(), true) {
    if (!m_library)
        report("nvml_missing", m_library.problem + " The rows for memory, clock, power and temperature are missing.");
    else
        m_thread = std::thread([this] { run(); });
}

NvmlSampler::~NvmlSampler() {
    stop();
}

void NvmlSampler::stop() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
    }
    m_wake.notify_all();
    if (m_thread.joinable()) m_thread.join();
}

void NvmlSampler::run() {
    const NvmlApi& api = m_library.api;
    if (const int32_t result = api.init(); result != nvml::kSuccess) {
        report("nvml_missing", "NVML did not start: " + api.resultText(result) +
                                   ". The rows for memory, clock, power and temperature are missing.");
        return;
    }
    void* device = nullptr;
    const int32_t found = api.deviceByPciBusId(m_settings.pciBusId.c_str(), &device);
    if (found != nvml::kSuccess)
        report("nvml_missing", "NVML does not know the GPU at " + m_settings.pciBusId + ": " + api.resultText(found) +
                                   ". The rows for memory, clock, power and temperature are missing.");
    for (bool first = true; found == nvml::kSuccess; first = false) {
        sampleAll(device, first ? "nvml_not_told" : "nvml_stopped_telling");
        // The same pause after a slow answer as after a quick one: a driver that is busy is not asked more often.
        std::unique_lock lock(m_mutex);
        if (m_wake.wait_for(lock, m_settings.period, [this] { return m_stopping; })) break;
    }
    api.shutdown();
}

void NvmlSampler::sampleAll(void* device, const char* refusal) {
    std::string refused;
    std::vector<Sample> samples;
    for (size_t i = 0; i < kQuantities.size(); ++i) {
        if (!m_asked[i]) continue;
        Sample sample{.steadyNs = nowNs(), .quantity = i};
        const Answer answer = kQuantities[i].read(m_library.api, device, sample.value);
        if (answer == nvml::kSuccess) {
            samples.push_back(sample);
            continue;
        }
        m_asked[i] = false;
        refused += (refused.empty() ? "" : ", ") + std::string(kQuantities[i].name) + " (" +
                   (answer ? m_library.api.resultText(*answer) : "not in this driver") + ")";
    }
    if (!refused.empty())
        report(refusal,
               "The GPU or its driver does not tell: " + refused + ". The timeline lacks these rows from then on.");
    const std::lock_guard lock(m_mutex);
    m_samples.insert(m_samples.end(), samples.begin(), samples.end());
}

void NvmlSampler::report(const char* name, std::string text) {
    const std::lock_guard lock(m_mutex);
    m_problems.push_back({name, std::move(text)});
}

void NvmlSampler::take(TraceBuilder& builder, TraceOrigin origin) {
    std::vector<Sample> samples;
    std::vector<Problem> problems;
    {
        const std::lock_guard lock(m_mutex);
        samples.swap(m_samples);
        problems.swap(m_problems);
    }
    for (const Problem& problem : problems)
        builder.diagnostics().add(problem.name, Severity::Info, 1, problem.text);
    for (const Sample& sample : samples) {
        const Quantity& quantity = kQuantities[sample.quantity];
        builder.add(CounterSampleRow{
            .timeNs = sample.steadyNs - origin.steadyNs,
            .counter = builder.internCounter(
                {.name = builder.intern(quantity.name), .unit = quantity.unit, .deviceId = m_settings.deviceId}),
            .value = sample.value});
    }
}

}  // namespace gapscope
