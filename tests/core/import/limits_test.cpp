// What a file may cost: beyond each bound of core/import/limits.h the file is refused with one sentence, or what is too
// much is left out and counted. (Bounds of the text itself stand in json_cursor_test, event_chunks_test and
// table_reader_test; those of unpacking in byte_source_test.)
#include "core/import/limits.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "core/base/perfetto_format.h"
#include "core/base/sqlite.h"
#include "core/export/proto_message.h"
#include "core/export/session_writer.h"
#include "core/import/chrome_trace.h"
#include "core/import/open_trace.h"
#include "core/import/perfetto_trace.h"
#include "core/import/table_reader.h"
#include "core/trace/trace_builder.h"
#include "tests/core/testing/packed.h"
#include "tests/core/testing/small_nsys_export.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

std::string inObject(const std::string& events) {
    return "{\"traceEvents\":[" + events + "]}";
}

TracePtr readJson(const std::string& text, const ChunkOptions& options = {}) {
    ByteSource source = ByteSource::over(text, "input.json");
    auto trace = readChromeTrace(source, options);
    EXPECT_TRUE(trace) << trace.error().message;
    return trace ? *trace : TraceBuilder().snapshot();
}

TracePtr readPackets(const std::string& bytes, const PerfettoLimits& limits = {}) {
    ByteSource source = ByteSource::over(bytes, "input.pftrace");
    auto trace = readPerfettoTrace(source, {}, {}, limits);
    EXPECT_TRUE(trace) << trace.error().message;
    return trace ? *trace : TraceBuilder().snapshot();
}

TracePtr opened(const std::filesystem::path& path) {
    auto trace = openTrace(path);
    EXPECT_TRUE(trace) << trace.error().message;
    return trace ? *trace : TraceBuilder().snapshot();
}

// "12: More devices ..." of the diagnostic, or nothing.
std::string told(const Trace& trace, std::string_view name) {
    for (const Diagnostic& entry : trace.diagnostics().entries())
        if (entry.name == name) return std::to_string(entry.count) + ": " + entry.text;
    return {};
}

std::string packet(const ProtoMessage& content) {
    return ProtoMessage().message(pf::kTracePacket, content).bytes();
}

ProtoMessage packetOf(uint32_t sequence) {
    return ProtoMessage().number(pf::packet::kTimestamp, 1).number(pf::packet::kSequenceId, sequence);
}

std::string instant(uint32_t sequence, uint64_t track, const std::string& name) {
    ProtoMessage event;
    event.number(pf::event::kType, pf::event::kInstant).number(pf::event::kTrack, track).text(pf::event::kName, name);
    return packet(packetOf(sequence).message(pf::packet::kTrackEvent, event));
}

std::string trackOf(uint64_t uuid) {
    return packet(packetOf(1).message(pf::packet::kTrackDescriptor,
                                      ProtoMessage().number(pf::track::kUuid, uuid).text(pf::track::kName, "t")));
}

Database created(const std::filesystem::path& path, const std::string& sql) {
    auto database = Database::open(path, Database::Mode::Create);
    if (!database || !database->execute(sql)) std::abort();  // the test itself is wrong
    return std::move(*database);
}

}  // namespace

TEST(Limits, RowsOfAChromeTrace) {
    std::string list;
    for (int i = 0; i < 9; ++i)
        list += (i ? "," : "") + std::string(R"({"ph":"X","name":"a","dur":1,"pid":1,"tid":1,"ts":)") +
                std::to_string(i) + "}";
    const TracePtr trace = readJson(inObject(list), {.mostRows = 4});
    EXPECT_EQ(trace->ranges().startNs.size(), 4u);
    EXPECT_EQ(told(*trace, "too_many_events").substr(0, 3), "5: ");
    EXPECT_EQ(told(*readJson(inObject(list)), "too_many_events"), "");
}

TEST(Limits, DepthOfAChromeTrace) {
    const auto event = [](int depth) {
        return R"({"ph":"X","name":"deep","ts":1,"dur":1,"pid":1,"tid":1,"args":{"a":)" +
               std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']') + "}}";
    };
    const std::string plain = R"({"ph":"X","name":"a","ts":3,"dur":1,"pid":1,"tid":1})";
    // The object of the arguments is the first of these levels.
    const TracePtr whole = readJson(inObject(event(kMostJsonDepth - 1) + "," + plain));
    EXPECT_EQ(whole->ranges().startNs.size(), 2u);
    EXPECT_TRUE(whole->diagnostics().entries().empty());
    for (const int depth : {kMostJsonDepth, 1'000'000}) {
        const TracePtr cut = readJson(inObject(event(depth) + "," + plain));
        EXPECT_EQ(cut->ranges().startNs.size(), 1u);
        EXPECT_NE(told(*cut, "json_damaged").find("no valid JSON"), std::string::npos);
    }
}

TEST(Limits, StreamsDevicesAndCounters) {
    constexpr int kMore = 10;
    std::string list, devices, counters;
    for (size_t i = 0; i < kMostTracks + kMore; ++i)
        list += (i ? "," : "") + std::string(R"({"ph":"X","cat":"kernel","name":"k","ts":1,"dur":1,"pid":0,"tid":7,)") +
                R"("args":{"device":)" + std::to_string(i % (kMostDevices + kMore)) + R"(,"stream":)" +
                std::to_string(i) + R"(,"correlation":1}})";
    const TracePtr streams = readJson(inObject(list));
    EXPECT_EQ(streams->tracks().size(), kMostTracks);
    EXPECT_EQ(told(*streams, "too_many_streams").substr(0, 4), std::to_string(kMore) + ": ");
    EXPECT_EQ(streams->devices().size(), kMostDevices);
    EXPECT_EQ(told(*streams, "too_many_devices").substr(0, 4), std::to_string(kMore) + ": ");

    for (size_t i = 0; i < kMostCounters + kMore; ++i)
        counters += (i ? "," : "") + std::string(R"({"ph":"C","name":"c)") + std::to_string(i) +
                    R"(","pid":"GPU 0 Counters","tid":0,"ts":1,"args":{"value":2}})";
    const TracePtr samples = readJson(inObject(counters));
    EXPECT_EQ(samples->counters().size(), kMostCounters);
    EXPECT_EQ(told(*samples, "too_many_counters").substr(0, 4), std::to_string(kMore) + ": ");
}

TEST(Limits, EachOfAPerfettoTrace) {
    const auto beyond = [](const std::string& bytes, const PerfettoLimits& limits) {
        EXPECT_EQ(told(*readPackets(bytes), "beyond_bounds"), "") << "within the bounds as they are";
        const std::string text = told(*readPackets(bytes, limits), "beyond_bounds");
        return text.substr(0, text.find(':'));
    };
    std::string tracks, instants, notes;
    for (uint64_t uuid = 1; uuid <= 5; ++uuid) {
        tracks += trackOf(uuid);
        instants += instant(static_cast<uint32_t>(uuid), 1, "x");
        ProtoMessage note;
        note.number(pf::event::kType, pf::event::kInstant).text(pf::event::kCategories, std::string(pf::kOwnCategory));
        note.text(pf::event::kName, std::string(pf::kDeviceEvent)).number(pf::event::kTrack, 1);
        notes += packet(packetOf(1).message(pf::packet::kTrackEvent, note));
    }
    EXPECT_EQ(beyond(tracks, {.tracks = 3}), "2");
    EXPECT_EQ(beyond(trackOf(1) + instants, {.sequences = 3}), "2");
    EXPECT_EQ(beyond(trackOf(1) + instants, {.marks = 4}), "1");
    EXPECT_EQ(beyond(trackOf(1) + notes, {.notes = 2}), "3");

    ProtoMessage names, snapshot;
    for (uint64_t iid = 1; iid <= 5; ++iid) {
        names.message(pf::interned::kNames,
                      ProtoMessage().number(pf::interned::kIid, iid).text(pf::interned::kText, "n"));
        snapshot.message(pf::clocks::kClocks, ProtoMessage().number(pf::clocks::kId, iid).number(pf::clocks::kTime, 9));
    }
    EXPECT_EQ(beyond(packet(packetOf(1).message(pf::packet::kInternedData, names)), {.interned = 2}), "3");
    EXPECT_EQ(beyond(packet(packetOf(1).message(pf::packet::kClockSnapshot, snapshot)), {.snapshotClocks = 1}), "4");

    ProtoMessage called;
    called.number(pf::event::kType, pf::event::kInstant).number(pf::event::kTrack, 1).text(pf::event::kName, "c");
    for (int i = 0; i < 5; ++i)
        called.number(pf::event::kExtraTracks, 1);
    EXPECT_EQ(beyond(trackOf(1) + packet(packetOf(1).message(pf::packet::kTrackEvent, called)), {.listValues = 3}),
              "2");

    const std::string longName(kMostPerfettoName + 10, 'n');
    const TracePtr cut = readPackets(trackOf(1) + instant(1, 1, longName));
    ASSERT_EQ(cut->ranges().startNs.size(), 1u);
    EXPECT_EQ(cut->string(cut->ranges().name[0]).size(), kMostPerfettoName);
    EXPECT_EQ(told(*cut, "long_name_cut").substr(0, 3), "1: ");

    // A packet that says that it is longer than any may be ends the reading there and then.
    std::string large = trackOf(1) + instant(1, 1, "x") + "\x0A";
    for (uint64_t length = kMostPacketBytes + 1; length > 0; length >>= 7)
        large += static_cast<char>((length & 0x7F) | (length > 0x7F ? 0x80 : 0));
    const TracePtr stopped = readPackets(large + std::string(1000, '\0'));
    EXPECT_EQ(stopped->ranges().startNs.size(), 1u);
    EXPECT_NE(told(*stopped, "packets_cut_short").find("stops being a Perfetto trace"), std::string::npos);
}

// Files of a few hundred KB that would unpack to 300 MB: of every format that may be packed.
TEST(Limits, BombsOfEveryFormat) {
    const TempFolder folder, temporary;
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
    std::string content(size_t{300} << 20, ' ');
    const std::string beginnings[] = {"[", std::string("SQLite format 3\0", 16), trackOf(1)};
    for (const std::string& beginning : beginnings) {
        content.replace(0, beginning.size(), beginning);
        for (const std::string& packed : {gzipped(content), zstdPacked(content)}) {
            ASSERT_LT(packed.size(), size_t{1} << 20);
            std::ofstream(folder / "bomb", std::ios::binary | std::ios::trunc) << packed;
            const auto trace = openTrace(folder / "bomb");
            // What follows a Perfetto trace's last packet is no packet: it is not even unpacked.
            if (beginning == beginnings[2] && trace) {
                EXPECT_NE(told(**trace, "packets_cut_short"), "");
                continue;
            }
            ASSERT_FALSE(trace);
            EXPECT_EQ(trace.error().message, (folder / "bomb").string() +
                                                 " unpacks to more than 250 times its size, which no trace does: it "
                                                 "was not read further.");
            EXPECT_EQ(trace.error().kind, ErrorKind::BadFile);
        }
        content.replace(0, beginning.size(), std::string(beginning.size(), ' '));
    }
    EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
    ::unsetenv("TMPDIR");
}

TEST(Limits, RowsOfADatabaseThatItsSizeCannotHold) {
    const TempFolder folder;
    Database database = created(folder / "rows.sqlite",
                                "CREATE TABLE rows (a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                                "WHERE i < 1100) INSERT INTO rows SELECT i FROM n");
    const ImportProgress none;
    for (const int64_t fileBytes : {int64_t{0}, 100 * kLeastBytesARow}) {
        ImportBudget budget(fileBytes, none, {});
        int64_t rows = 0;
        const Status status = forEachRow(database, budget, "rows", {"a"}, [&](TableReader&) { ++rows; });
        EXPECT_EQ(rows, kFreeRows + fileBytes / kLeastBytesARow);
        EXPECT_EQ(status.has_value(), rows == 1100);
        if (!status) {
            EXPECT_NE(status.error().message.find("leads to more rows"), std::string::npos);
        }
    }
}

TEST(Limits, AValueOfADatabase) {
    const TempFolder folder;
    writeSmallNsysExport(folder / "long.sqlite", NsysSchema::V3_25);
    sqlite3* raw = nullptr;  // ours refuses to write it, too
    ASSERT_EQ(sqlite3_open((folder / "long.sqlite").c_str(), &raw), SQLITE_OK);
    const std::string insert = "INSERT INTO StringIds VALUES (99, CAST(zeroblob(" +
                               std::to_string(kMostDatabaseValueBytes + 1) + ") AS TEXT))";
    EXPECT_EQ(sqlite3_exec(raw, insert.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    const auto trace = openTrace(folder / "long.sqlite");
    ASSERT_FALSE(trace);
    EXPECT_EQ(trace.error().message,
              (folder / "long.sqlite").string() + " holds a value of more than 64 MB, which no trace does.");
}

TEST(Limits, NamesInDatabases) {
    const TempFolder folder;
    constexpr int64_t kMore = 7;
    TraceBuilder builder;
    const auto endAt = [&](size_t most) { return static_cast<uint32_t>(most + static_cast<size_t>(kMore)); };
    for (uint32_t i = 0; i < endAt(kMostThreads); ++i)
        builder.setThread(makeGlobalTid(1, i), "thread");
    for (uint32_t i = 0; i < endAt(kMostDevices); ++i)
        builder.setDevice({.id = i, .kind = DeviceKind::Cuda, .name = "GPU"});
    for (uint32_t i = 0; i < endAt(kMostDiagnostics); ++i)
        builder.diagnostics().add("d" + std::to_string(i), Severity::Info, 1, "text");
    for (uint32_t i = 0; i < endAt(kMostCounters); ++i)
        builder.add(CounterSampleRow{
            1, builder.internCounter({.name = builder.intern("c" + std::to_string(i)), .unit = {}, .deviceId = 0}), 1});
    ASSERT_TRUE(saveSession(*builder.snapshot(), folder / "own.gapscope"));
    const TracePtr own = opened(folder / "own.gapscope");
    EXPECT_EQ(own->threads().size(), kMostThreads);
    EXPECT_EQ(own->devices().size(), kMostDevices);
    EXPECT_EQ(own->counters().size(), kMostCounters);
    for (const char* name : {"too_many_thread_names", "too_many_devices", "more_diagnostics", "too_many_counters"})
        EXPECT_EQ(told(*own, name).substr(0, 3), std::to_string(kMore) + ": ") << name;

    writeSmallNsysExport(folder / "nsys.sqlite", NsysSchema::V3_25);
    auto database = Database::open(folder / "nsys.sqlite", Database::Mode::ReadWrite);
    ASSERT_TRUE(database);
    // As many metrics and devices as there are too many of; each device has a kernel, each thread a call.
    ASSERT_TRUE(database->execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(endAt(kMostDevices) - 1) +
        ") INSERT INTO CUPTI_ACTIVITY_KIND_MEMSET (start, end, deviceId, contextId, streamId, correlationId, "
        "globalPid, "
        "value, bytes) SELECT 1, 2, i, 1, 7, 0, 0, 0, 1 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(endAt(kMostThreads) - 2) +  // beside the one that is there
        ") INSERT INTO ThreadNames (nameId, globalTid) SELECT 8, (7 << 24) + i FROM n;"
        "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME SELECT 1, 2, 0, globalTid, 0, 2, 0, NULL FROM ThreadNames WHERE "
        "globalTid >> 24 = 7;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(endAt(kMostCounters) - 1) +
        ") INSERT INTO GPU_METRICS (timestamp, typeId, metricId, value) SELECT 5, 0, 1000 + i, 1 FROM n;"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(endAt(kMostProfilerMessages) - 1) +
        ") INSERT INTO DIAGNOSTIC_EVENT SELECT 1, 1, 1, 1, 'message ' || i, NULL FROM n"))
        << "the test itself is wrong";
    ASSERT_TRUE(database->close());
    const TracePtr nsys = opened(folder / "nsys.sqlite");
    EXPECT_EQ(nsys->devices().size(), kMostDevices);
    EXPECT_EQ(told(*nsys, "too_many_devices").substr(0, 3), std::to_string(kMore) + ": ");
    EXPECT_EQ(told(*nsys, "too_many_thread_names").substr(0, 3), std::to_string(kMore) + ": ");
    EXPECT_EQ(nsys->counters().size(), kMostCounters);
    EXPECT_NE(told(*nsys, "too_many_counters"), "");
    EXPECT_NE(told(*nsys, "nsight_messages_more"), "");
}

TEST(Limits, TimesOutOfAllTime) {
    const TracePtr trace = readJson(inObject(
        R"({"ph":"X","name":"a","ts":1,"dur":1,"pid":1,"tid":1},{"ph":"X","name":"b","ts":2305843009213694,"dur":1,)"
        R"("pid":1,"tid":1},{"ph":"X","name":"c","ts":1,"dur":2305843009213694,"pid":1,"tid":1})"));
    EXPECT_EQ(trace->ranges().startNs.size(), 1u);
    EXPECT_EQ(told(*trace, "row_without_time").substr(0, 3), "2: ");
}

}  // namespace gapscope
