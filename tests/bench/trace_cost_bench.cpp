// What tracing costs on the GPU: decode time of the same launches without tracing (`off`), with CUPTI switched on as a
// recording does it and the records thrown away (`bare`), and recorded with a session file (`gapscope`); the last two
// once more at the graph level. CUPTI is one per process, so each measurement is a process of its own; they alternate,
// so that the machine's mood falls on all alike. Prints one JSON object a mode: medians, and the ratios of the rows.
//
//   trace_cost_bench MODEL [--tokens 64] [--rounds 5] [--modes eager,graph] [--rows ...] [--device cuda]
//
// A row is off, bare or gapscope with +graph (the cheap level), and to find what costs: bare+kernels (kernel records
// alone), bare+noids (no external ids), bare+100ms (flushed half as often), gapscope+nofile (no session file).
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/json_writer.h"
#include "core/recording/recording.h"
#include "tests/bench/bare_cupti.h"

namespace {

using namespace gapscope;

constexpr int64_t kPromptTokens = 20;
constexpr unsigned kMostSeconds = 180;  // of one measurement: a stuck one ends

struct Options {
    std::string model;
    std::string device = "cuda";
    int64_t tokens = 64;
    int64_t rounds = 5;
    std::vector<std::string> modes = {"eager", "graph"};
    std::vector<std::string> rows = {"off", "bare", "gapscope", "bare+graph", "gapscope+graph"};
};

struct Row {
    std::string kind;
    TraceLevel level = TraceLevel::Full;
    bench::BareCuptiSettings bare;
    bool hasFile = true;
};

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(separator, begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

Result<Row> rowFromName(const std::string& name) {
    const std::vector<std::string> parts = split(name, '+');
    Row row{.kind = parts.front()};
    const bool isBare = row.kind == "bare", isGapscope = row.kind == "gapscope";
    bool known = isBare || isGapscope || name == "off";
    for (size_t i = 1; i < parts.size(); ++i) {
        if (parts[i] == "graph")
            row.level = row.bare.level = TraceLevel::Graph;
        else if (isBare && parts[i] == "kernels")
            row.bare.kernelsOnly = true;
        else if (isBare && parts[i] == "noids")
            row.bare.externalIds = false;
        else if (isBare && parts[i] == "100ms")
            row.bare.flushPeriod = std::chrono::milliseconds(100);
        else if (isGapscope && parts[i] == "nofile")
            row.hasFile = false;
        else
            known = false;
    }
    if (!known) return fail("There is no row " + name + ".", ErrorKind::WrongUse);
    return row;
}

GenerateSettings generateSettings(const Options& options, const Model& model, Mode mode) {
    GenerateSettings settings;
    settings.device = options.device;
    settings.mode = mode;
    for (int64_t i = 0; i < kPromptTokens; ++i)
        settings.promptIds.push_back(static_cast<int32_t>((i * 7919 + 11) % model.config().vocabulary));
    settings.maxNewTokens = options.tokens;
    settings.ignoreEos = true;
    settings.warmup = 2;
    settings.repeats = 3;
    return settings;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

double nsPerToken(const GenerateResult& result) {
    std::vector<double> ns;
    for (const RepeatResult& repeat : result.repeats)
        ns.push_back(static_cast<double>(repeat.decodeNs) / static_cast<double>(repeat.tokens.size() - 1));
    return median(ns);
}

// Off and bare. On a thread of its own, as a recording's.
Result<double> measureRun(const Options& options, const Row& row, const Model& model, Mode mode) {
    std::unique_ptr<bench::BareCupti> bare;
    ActivityLog log(TraceLevel::Off);
    if (row.kind == "bare") {
        ASSIGN_OR_RETURN(bare, bench::BareCupti::start(row.bare));
        log.setDeviceTracer(bare.get());
    }
    Result<GenerateResult> result = fail("The run did not begin.");
    std::thread([&] { result = generate(model, generateSettings(options, model, mode), log); }).join();
    if (!result) return tl::unexpected(result.error());
    if (bare) {
        const bench::BareCupti::Counts counts = bare->stop();
        if (counts.dropped > 0) return fail("CUPTI dropped " + std::to_string(counts.dropped) + " records.");
        if (counts.recordBytes == 0) return fail("CUPTI wrote no records.");
    }
    return nsPerToken(*result);
}

Result<double> measureRecording(const Options& options, const Row& row, std::shared_ptr<const Model> model, Mode mode) {
    RecordingSettings settings;
    settings.modelPath = options.model;
    settings.generate = generateSettings(options, *model, mode);
    settings.model = std::move(model);
    settings.traceLevel = row.level;
    const std::filesystem::path file =
        std::filesystem::temp_directory_path() / ("trace_cost_" + std::to_string(getpid()) + ".gapscope");
    if (row.hasFile) settings.sessionPath = file;
    ASSIGN_OR_RETURN(const auto recording, Recording::start(std::move(settings)));
    recording->wait();
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    if (!recording->result()) return tl::unexpected(recording->result().error());
    RETURN_IF_ERROR(recording->sessionStatus());
    const TracePtr trace = recording->trace();
    // A cheap trace that lacks something would compare well.
    for (const Diagnostic& entry : trace->diagnostics().entries())
        if (entry.severity != Severity::Info)
            return fail(std::to_string(entry.count) + " " + entry.name + ": " + entry.text);
    if (trace->deviceOps().startNs.empty()) return fail("The recording has no device operations.");
    return nsPerToken(*recording->result());
}

// As the child: one measurement; the ns are the only line of its output.
int measure(const Options& options) {
    alarm(kMostSeconds);
    const auto mode = modeFromName(options.modes.front());
    const auto row = rowFromName(options.rows.front());
    if (!mode || !row) return 2;
    const auto ns = [&]() -> Result<double> {
        ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::load(options.model));
        return row->kind == "gapscope" ? measureRecording(options, *row, model, *mode)
                                       : measureRun(options, *row, *model, *mode);
    }();
    if (!ns) {
        std::fprintf(stderr, "%s %s: %s\n", options.modes.front().c_str(), options.rows.front().c_str(),
                     ns.error().message.c_str());
        return 1;
    }
    std::printf("%.1f\n", *ns);
    std::fflush(stdout);
    _exit(0);  // no teardown of CUDA and CUPTI against each other
}

// This program again as a child; nothing where it failed, which it has said.
std::optional<double> measureInChild(const Options& options, const std::string& mode, const std::string& row) {
    int ends[2];
    if (pipe(ends) != 0) return std::nullopt;
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        const std::string tokens = std::to_string(options.tokens);
        execl("/proc/self/exe", "trace_cost_bench", options.model.c_str(), "--tokens", tokens.c_str(), "--device",
              options.device.c_str(), "--modes", mode.c_str(), "--rows", row.c_str(), "--once", nullptr);
        _exit(127);
    }
    close(ends[1]);
    FILE* output = fdopen(ends[0], "r");
    double ns = 0;
    const bool read = output && std::fscanf(output, "%lf", &ns) == 1;
    if (output) std::fclose(output);
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child) return std::nullopt;
    if (WIFSIGNALED(status))
        std::fprintf(stderr, "%s %s: ended by signal %d\n", mode.c_str(), row.c_str(), WTERMSIG(status));
    if (!read || status != 0) return std::nullopt;
    return ns;
}

// All rows of one mode; false where a measurement is missing.
bool compare(const Options& options, const std::string& mode) {
    std::map<std::string, std::vector<double>> times;
    bool complete = true;
    for (int64_t round = 0; round < options.rounds; ++round)
        for (const std::string& row : options.rows) {
            const std::optional<double> ns = measureInChild(options, mode, row);
            if (ns)
                times[row].push_back(*ns * 1e-6);
            else
                complete = false;
        }
    JsonWriter json;
    json.beginObject().field("model", std::filesystem::path(options.model).filename().string());
    json.field("mode", mode).field("newTokens", options.tokens).key("msPerToken").beginObject();
    for (const std::string& row : options.rows) {
        const std::vector<double>& of = times[row];
        if (of.empty()) continue;
        json.key(row).beginObject().field("median", median(of)).field("rounds", of.size());
        json.field("min", std::ranges::min(of)).field("max", std::ranges::max(of)).endObject();
    }
    json.endObject().key("ratio").beginObject();
    const auto ratio = [&](const std::string& of, const std::string& to) {
        if (!times[of].empty() && !times[to].empty()) json.field(of + "/" + to, median(times[of]) / median(times[to]));
    };
    for (const std::string& row : options.rows) {
        if (row == "off") continue;
        ratio(row, "off");
        if (row.starts_with("gapscope")) ratio(row, row.ends_with("+graph") ? "bare+graph" : "bare");
    }
    json.endObject().endObject();
    std::printf("%s\n", json.text().c_str());
    std::fflush(stdout);
    return complete;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    bool once = false;
    bool isWrong = false;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
        if (name == "--once")
            once = true;
        else if (name == "--tokens")
            options.tokens = std::atoll(value().c_str());
        else if (name == "--rounds")
            options.rounds = std::atoll(value().c_str());
        else if (name == "--modes")
            options.modes = split(value(), ',');
        else if (name == "--rows")
            options.rows = split(value(), ',');
        else if (name == "--device")
            options.device = value();
        else if (options.model.empty() && !name.starts_with("--"))
            options.model = name;
        else
            isWrong = true;
    }
    for (const std::string& mode : options.modes)
        isWrong |= !modeFromName(mode);
    for (const std::string& row : options.rows)
        isWrong |= !rowFromName(row);
    if (isWrong || options.model.empty() || options.tokens < 2 || options.rounds < 1) {
        std::fprintf(stderr,
                     "trace_cost_bench MODEL [--tokens 64] [--rounds 5] [--modes eager,graph] [--rows "
                     "off,bare,gapscope,bare+graph,gapscope+graph] [--device cuda]\n");
        return 2;
    }
    if (once) return measure(options);
    bool complete = true;
    for (const std::string& mode : options.modes)
        complete &= compare(options, mode);
    return complete ? 0 : 1;
}
