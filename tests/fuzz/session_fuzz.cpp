// An SQLite file from untrusted bytes: an own session, a Nsight Systems export, or what damage makes of them.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/sqlite.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/small_nsys_export.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;

// SQLite reads files: one in memory, where the machine has such a folder.
class InputFile {
public:
    InputFile() {
        std::error_code error;
        const fs::path memory = "/dev/shm";
        m_path = (fs::is_directory(memory, error) ? memory : fs::temp_directory_path()) /
                 ("gapscope-session-fuzz-" + std::to_string(::getpid()));
    }
    ~InputFile() {
        std::error_code error;
        fs::remove(m_path, error);
    }
    const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

volatile int64_t sink;

// Every row and every text: an id that leads nowhere is a finding.
void touch(const gapscope::Trace& trace) {
    int64_t sum = 0;
    const auto addNames = [&](const auto& rows) {
        for (size_t row = 0; row < rows.startNs.size(); ++row)
            sum += rows.endNs[row] - rows.startNs[row] + static_cast<int64_t>(trace.string(rows.name[row]).size());
    };
    addNames(trace.deviceOps());
    addNames(trace.apiCalls());
    addNames(trace.ranges());
    addNames(trace.overheads());
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row) {
        const gapscope::DeviceOpRow op = gapscope::rowAt(trace.deviceOps(), row);
        sum += trace.tracks()[op.track.value].streamId;
        if (op.op.valid()) sum += static_cast<int64_t>(trace.string(trace.ops()[op.op.value].shapes).size());
        if (op.config.valid())
            sum += static_cast<int64_t>(trace.string(trace.launchConfigs()[op.config.value].fullName).size());
    }
    for (size_t row = 0; row < trace.tokens().emittedNs.size(); ++row)
        sum += static_cast<int64_t>(trace.string(trace.tokens().text[row]).size());
    for (const gapscope::ThreadRow& thread : trace.threads())
        sum += static_cast<int64_t>(trace.threadName(thread.globalTid).size());
    sink = sum;
}

std::string bytesOf(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Small pages make small files, of which a change hits more.
std::string packedPages(const fs::path& path) {
    auto database = gapscope::Database::open(path, gapscope::Database::Mode::ReadWrite);
    if (!database || !database->execute("PRAGMA journal_mode=DELETE") || !database->execute("PRAGMA page_size=512") ||
        !database->execute("VACUUM") || !database->close())
        std::abort();
    return bytesOf(path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const InputFile file;
    {
        std::ofstream out(file.path(), std::ios::binary | std::ios::trunc);
        out.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    }
    if (const auto trace = gapscope::openTrace(file.path())) touch(**trace);
    return 0;
}

std::vector<gapscope::test::FuzzSeed> gapscope::test::fuzzSeeds() {
    constexpr size_t kDecidingBytes = 1100;  // SQLite's header and the first rows of the schema
    const TempFolder folder;
    const RandomTraceShape few{.deviceOps = 8, .calls = 6, .ranges = 5, .overheads = 2, .tokens = 2};
    if (!saveSession(*RandomTrace(1, few).build().snapshot(), folder / "own.gapscope")) std::abort();
    writeSmallNsysExport(folder / "new.sqlite", NsysSchema::V3_25);
    writeSmallNsysExport(folder / "old.sqlite", NsysSchema::V2);
    return {{packedPages(folder / "own.gapscope"), kDecidingBytes},
            {packedPages(folder / "new.sqlite"), kDecidingBytes},
            {packedPages(folder / "old.sqlite"), kDecidingBytes}};
}
