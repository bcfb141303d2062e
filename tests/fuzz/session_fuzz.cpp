// An SQLite file from untrusted bytes: an own session, a Nsight Systems export, or what damage makes of them.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/sqlite.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/small_nsys_export.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;

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
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (const auto trace = gapscope::openTraceBytes(bytes, "input")) touch(**trace);
    return 0;
}

#if defined(FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t mostBytes);

// A change of the length makes nearly every database one that is cut short, and a changed magic none at all: mostly the
// head is made to fit again, so that the change is met where it lies.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t mostBytes, unsigned seed) {
    constexpr size_t kHeadBytes = 100;
    constexpr unsigned kLeftAsIs = 8;  // one of so many
    size = LLVMFuzzerMutate(data, size, mostBytes);
    if (seed % kLeftAsIs == 0 || size < kHeadBytes) return size;
    std::copy_n("SQLite format 3", 16, data);
    size_t pageBytes = size_t{data[16]} << 8 | data[17];
    if (pageBytes == 1) pageBytes = 65536;
    if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) != 0) {
        pageBytes = 512;  // as the seeds have
        data[16] = 2;
        data[17] = 0;
    }
    const auto pages = static_cast<uint32_t>(size / pageBytes);
    for (size_t i = 0; i < 4; ++i) {
        data[28 + i] = static_cast<uint8_t>(pages >> (24 - 8 * i));
        data[92 + i] = data[24 + i];  // else the count of pages does not hold
    }
    return size;
}
#endif

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
