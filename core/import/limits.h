// What a file from anywhere may cost: every bound of every reader, in one place. README.md beside this says the same
// for people; tests/core/import/limits_test.cpp holds each. Beyond a bound the file is refused with one sentence, or
// what is too much is left out and counted in the trace's diagnostics. Internal to the import room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gapscope {

// Packed data (gzip, zstd, packets within a Perfetto trace) may grow by this factor at most, once past the first bytes.
// Traces grow 10 to 60 times; a file made to fill a machine's memory grows 1,000 times and more.
inline constexpr int64_t kMostExpansion = 250;
inline constexpr int64_t kUncheckedExpansionBytes = int64_t{64} << 20;
// The largest window of a zstd frame, 128 MiB: what this much memory can be asked for by a file of a few bytes.
inline constexpr int kMostZstdWindowLog = 27;

// Chrome traces. Deeper objects and lists are damage (real traces nest about five deep; reading starts again inside of
// what was damaged, so this also bounds how often one byte is looked at), as is an event or a member of the outer
// object that is longer. Names are cut.
inline constexpr int kMostJsonDepth = 128;
inline constexpr size_t kMostUnitBytes = size_t{64} << 20;
inline constexpr size_t kMostNameBytes = size_t{1} << 16;
inline constexpr size_t kMostEventRows = size_t{500'000'000};  // of one kind

// Perfetto traces. A larger packet, or packed ones that make more, are damage.
inline constexpr size_t kMostPacketBytes = size_t{1} << 28;
inline constexpr size_t kMostPerfettoName = size_t{1} << 16;
struct PerfettoLimits {
    size_t interned = 4'000'000;  // texts and descriptions that packets give numbers to
    size_t tracks = 1'000'000;
    size_t sequences = 100'000;
    size_t notes = 20'000;       // of our own kind: devices, the run, diagnostics
    size_t marks = 500'000'000;  // beginnings, ends and samples
    size_t listValues = 1'000'000;
    size_t snapshotClocks = 1'000'000;
};

// SQLite files. One row for so many bytes of the file and so much text for each of them, and a little more: damaged
// pages can be read over and over. One value is held to kMostDatabaseValueBytes (core/base/sqlite.h).
inline constexpr int64_t kLeastBytesARow = 4;
inline constexpr int64_t kMostTextBytesAByte = 4;
inline constexpr int64_t kFreeRows = 1000;
inline constexpr int64_t kFreeTextBytes = 1000;
inline constexpr size_t kMostMetricNames = 65536;
inline constexpr size_t kMostProfilerMessages = 64;
inline constexpr size_t kMostMessageLetters = 300;
inline constexpr size_t kMostTablesLookedAt = 1000;
inline constexpr size_t kMostTablesNamed = 64;

// What a trace shows, of any format.
inline constexpr size_t kMostTracks = 60000;  // streams; their ids have 16 bits
inline constexpr size_t kMostThreads = 8192;
inline constexpr size_t kMostDevices = 1024;
inline constexpr size_t kMostCounters = 256;  // each is a row of the timeline
inline constexpr size_t kMostDiagnostics = 1024;
// Notes and arrangements of rows are held to what a trace keeps of them, however they come: core/trace/annotations.h.

// Times: sums and differences of two such still fit 64 bits; 73 years.
inline constexpr int64_t kFarthestNs = int64_t{1} << 61;

}  // namespace gapscope
