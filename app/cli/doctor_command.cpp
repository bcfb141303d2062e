// What this machine has for running and tracing, what is missing and what to install. Says nothing of the person.
#include <unistd.h>

#include <memory>
#include <thread>
#include <utility>

#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/base/format.h"
#include "core/base/utf8.h"
#include "core/recording/gpu_facts.h"
#include "core/runner/model_catalog.h"
#include "kernels/cpu/isa.h"

namespace gapscope::cli {

namespace {

struct CpuFacts {
    std::string name;
    int64_t cores = 0;    // physical, that this process may run on: as many workers a run takes
    int64_t threads = 0;  // logical
    int64_t memoryBytes = 0;
};

CpuFacts cpuFacts() {
    return {.name = cpuName(),
            .cores = physicalCores(),
            .threads = static_cast<int64_t>(std::thread::hardware_concurrency()),
            .memoryBytes = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE)};
}

void printJsonReport(const CpuFacts& cpu, const GpuLibraryFacts& gpu) {
    JsonWriter json;
    json.beginObject().key("cpu").beginObject().field("name", toValidUtf8(cpu.name)).field("isa", isaName(bestIsa()));
    json.field("cores", cpu.cores).field("threads", cpu.threads).field("memoryBytes", cpu.memoryBytes).endObject();
    json.key("libraries").beginArray();
    for (const GpuLibrary& library : gpu.libraries) {
        json.beginObject().field("name", library.name).field("purpose", library.purpose);
        json.key("lookedFor").beginArray();
        for (const std::string& name : library.fileNames)
            json.value(name);
        json.endArray().field("found", library.found).field("path", toValidUtf8(library.path.string()));
        json.field("problem", toValidUtf8(library.problem));
        json.field("install", library.found.empty() ? std::string_view(library.install) : "").endObject();
    }
    json.endArray().key("libraryFolders").beginArray();
    for (const auto& folder : gpu.folders)
        json.value(toValidUtf8(folder.string()));
    json.endArray().key("setFolders").beginArray();
    for (const auto& folder : gpu.setFolders)
        json.value(toValidUtf8(folder.string()));
    json.endArray().field("settingFile", toValidUtf8(gpu.settingFile.string())).key("models").beginArray();
    for (const FoundModel& model : findModels())
        json.beginObject()
            .field("name", toValidUtf8(model.name))
            .field("path", toValidUtf8(model.path.string()))
            .endObject();
    json.endArray().field("modelFolder", toValidUtf8(cacheModelFolder().string())).endObject();
    printJson(json);
}

void printTextReport(const CpuFacts& cpu, const GpuLibraryFacts& gpu) {
    print("CPU      " + printable(cpu.name) + ", " + std::string(isaName(bestIsa())) + ", " +
          std::to_string(cpu.cores) + " cores, " + std::to_string(cpu.threads) + " threads, " +
          formatBytes(static_cast<double>(cpu.memoryBytes)) + "\n\n");
    using Align = TextTable::Align;
    TextTable table({{"library", Align::Left}, {"found", Align::Left}, {"for", Align::Left}});
    std::string missing;
    for (const GpuLibrary& library : gpu.libraries) {
        std::string names;
        for (const std::string& name : library.fileNames)
            names += (names.empty() ? "" : ", ") + name;
        table.add(
            {library.name, library.found.empty() ? "no (" + names + ")" : library.path.string(), library.purpose});
        if (const std::string advice = gpuLibraryAdvice(library); !advice.empty()) missing += printable(advice) + "\n";
    }
    print(table.text());
    if (!missing.empty()) {
        print("\n");
        print(missing);
    }
    if (gpu.libraries[0].found.empty())
        print("Without the driver runs use the CPU; traces of GPUs can still be opened.\n");
    print("\nFolders for these libraries can be named, one a line, in " + printable(gpu.settingFile.string()) + "\n");
    for (const auto& folder : gpu.setFolders)
        print("  " + printable(folder.string()) + "\n");
    print("\nModels\n");
    const auto models = findModels();
    for (const FoundModel& model : models)
        print("  " + printable(model.name + "  " + model.path.string()) + "\n");
    if (models.empty()) print("  none found\n");
    print("Models are kept in " + printable(cacheModelFolder().string()) + "\n");
}

}  // namespace

void addDoctorCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("doctor", "What was found on this machine, what is missing");
    auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "one JSON object on stdout");
    command->callback([json, &outcome] {
        const GpuLibraryFacts gpu = findGpuLibraryFacts();
        if (*json) {
            printJsonReport(cpuFacts(), gpu);
        } else {
            printTextReport(cpuFacts(), gpu);
        }
        outcome.status = {};
    });
}

}  // namespace gapscope::cli
