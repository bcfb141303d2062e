#include "core/import/own_session.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/session_format.h"
#include "core/base/utf8.h"
#include "core/import/annotation_intake.h"
#include "core/trace/run_fields.h"

namespace gapscope {

namespace {

class OwnReader {
public:
    OwnReader(Database& database, ImportBudget& budget, TraceBuilder& builder)
        : m_database(database), m_budget(budget), m_builder(builder) {}

    Status read() {
        RETURN_IF_ERROR(m_strings.read(m_database, m_budget, m_builder, FileStrings::Intern::All));
        RETURN_IF_ERROR(readOrigin());
        RETURN_IF_ERROR(readInterned());
        RETURN_IF_ERROR(readDeviceOps());
        RETURN_IF_ERROR(readStages());
        RETURN_IF_ERROR(readHostRows());
        RETURN_IF_ERROR(readTokens());
        RETURN_IF_ERROR(readCounters());
        RETURN_IF_ERROR(readSmallTables());
        RETURN_IF_ERROR(readAnnotations());
        return readRun();
    }

private:
    template <class Use>
    Status forEach(std::string_view table, const std::vector<std::string>& columns, Use use) {
        return forEachRow(m_database, m_budget, table, columns, use);
    }

    StringId name(int64_t fileId) { return m_strings.id(fileId, m_builder); }

    // Ids are places of rows read before; what points nowhere is no id.
    template <class Id>
    Id place(const std::vector<Id>& ids, int64_t fileId) {
        if (fileId == -1) return {};
        if (fileId >= 0 && static_cast<size_t>(fileId) < ids.size()) return ids[static_cast<size_t>(fileId)];
        m_builder.diagnostics().add("dangling_reference", Severity::DataLoss, 1,
                                    "Rows refer to others that the session does not hold.");
        return {};
    }

    Status readOrigin() {
        return forEach("TARGET_INFO_SESSION_START_TIME", {"utcEpochNs", "systemClockNs"}, [&](TableReader& row) {
            m_builder.setOrigin({.steadyNs = row.integer(1), .utcEpochNs = row.integer(0)});
        });
    }

    Status readInterned() {
        RETURN_IF_ERROR(
            forEach("GAPSCOPE_TRACK", {"globalPid", "deviceId", "contextId", "streamId"}, [&](TableReader& row) {
                m_tracks.push_back(m_boundedTracks.intern({.globalPid = static_cast<uint64_t>(row.integer(0)),
                                                           .deviceId = static_cast<uint32_t>(row.integer(1)),
                                                           .contextId = static_cast<uint32_t>(row.integer(2)),
                                                           .streamId = static_cast<uint32_t>(row.integer(3))},
                                                          m_builder));
            }));
        RETURN_IF_ERROR(
            forEach("GAPSCOPE_OP", {"nameId", "shapesId", "dtypeId", "layer", "bytes", "flops"}, [&](TableReader& row) {
                m_ops.push_back(m_builder.internOp({.name = name(row.integer(0)),
                                                    .shapes = name(row.integer(1)),
                                                    .dtype = name(row.integer(2)),
                                                    .layer = static_cast<int32_t>(row.integer(3)),
                                                    .bytes = row.integer(4),
                                                    .flops = row.integer(5)}));
            }));
        return forEach("GAPSCOPE_LAUNCH_CONFIG",
                       {"fullNameId", "gridX", "gridY", "gridZ", "blockX", "blockY", "blockZ", "registersPerThread",
                        "staticSharedBytes", "dynamicSharedBytes", "occupancyPercent"},
                       [&](TableReader& row) {
                           const auto number = [&](int column) { return static_cast<int32_t>(row.integer(column)); };
                           m_configs.push_back(
                               m_builder.internLaunchConfig({.fullName = name(row.integer(0)),
                                                             .grid = {number(1), number(2), number(3)},
                                                             .block = {number(4), number(5), number(6)},
                                                             .registersPerThread = number(7),
                                                             .staticSharedBytes = number(8),
                                                             .dynamicSharedBytes = number(9),
                                                             // sessions of 0.1 lack it
                                                             .occupancyPercent = row.isNull(10) ? -1 : number(10)}));
                       });
    }

    // GAPSCOPE_DEVICE_OP has the order over all kinds; times and streams lie in the table of each kind, in step with
    // it.
    Status readDeviceOps() {
        std::vector<EventTable> tables;
        for (const DeviceOpKind kind :
             {DeviceOpKind::Kernel, DeviceOpKind::Copy, DeviceOpKind::Set, DeviceOpKind::GraphLaunch}) {
            ASSIGN_OR_RETURN(EventTable table, EventTable::open(m_database, m_budget, kind));
            tables.push_back(std::move(table));
        }
        ASSIGN_OR_RETURN(TableReader rows, TableReader::open(m_database, m_budget, "GAPSCOPE_DEVICE_OP",
                                                             {"kind", "eventRow", "nameId", "trackId", "category",
                                                              "opId", "configId", "token", "repeat"}));
        for (;;) {
            ASSIGN_OR_RETURN(const bool more, rows.next());
            if (!more) return {};
            const int64_t kind = rows.integer(0), category = rows.integer(4);
            EventRow event;
            bool found = kind >= 0 && kind < 4 && category >= 0 && category < kCategoryCount;
            while (found && event.rowId < rows.integer(1)) {
                ASSIGN_OR_RETURN(found, tables[static_cast<size_t>(kind)].next(event));
            }
            if (!found || event.rowId != rows.integer(1)) {
                m_builder.diagnostics().add("device_row_without_event", Severity::DataLoss, 1,
                                            "Device operations have lost their times and are left out.");
                continue;
            }
            if (!timesAreSane(event.startNs, event.endNs, m_builder)) continue;
            const TrackId track = place(m_tracks, rows.integer(3));
            if (!track.valid()) continue;
            m_builder.add(DeviceOpRow{.startNs = event.startNs,
                                      .endNs = event.endNs,
                                      .name = name(rows.integer(2)),
                                      .track = track,
                                      .kind = static_cast<DeviceOpKind>(kind),
                                      .category = static_cast<Category>(category),
                                      .correlationId = event.correlationId,
                                      .op = place(m_ops, rows.integer(5)),
                                      .config = place(m_configs, rows.integer(6)),
                                      .token = static_cast<int32_t>(rows.integer(7)),
                                      .repeat = static_cast<int16_t>(rows.integer(8)),
                                      .copyBytes = event.bytes,
                                      .graphNodeId = event.graphNodeId});
        }
    }

    // Later than the format: a session without the table has no stages.
    Status readStages() {
        return forEach("GAPSCOPE_STAGE",
                       {"start", "end", "nameId", "trackId", "correlationId", "category", "opId", "token", "repeat"},
                       [&](TableReader& row) {
                           if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
                           const TrackId track = place(m_tracks, row.integer(3));
                           if (!track.valid()) return;
                           const int64_t category = row.integer(5);
                           m_builder.add(StageRow{.startNs = row.integer(0),
                                                  .endNs = row.integer(1),
                                                  .name = name(row.integer(2)),
                                                  .track = track,
                                                  .correlationId = saneCorrelation(row.integer(4)),
                                                  .category = category >= 0 && category < kCategoryCount
                                                                  ? static_cast<Category>(category)
                                                                  : Category::Other,
                                                  .op = place(m_ops, row.integer(6)),
                                                  .token = static_cast<int32_t>(row.integer(7)),
                                                  .repeat = static_cast<int16_t>(row.integer(8))});
                       });
    }

    Status readHostRows() {
        RETURN_IF_ERROR(forEach(
            "CUPTI_ACTIVITY_KIND_RUNTIME", {"start", "end", "eventClass", "globalTid", "correlationId", "nameId"},
            [&](TableReader& row) {
                if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
                m_builder.add(ApiCallRow{.startNs = row.integer(0),
                                         .endNs = row.integer(1),
                                         .name = name(row.integer(5)),
                                         .globalTid = static_cast<uint64_t>(row.integer(3)),
                                         .correlationId = saneCorrelation(row.integer(4)),
                                         .apiClass = row.integer(2) == 1 ? ApiClass::Driver : ApiClass::Runtime});
            }));
        RETURN_IF_ERROR(
            forEach("NVTX_EVENTS", {"start", "end", "category", "globalTid", "textId"}, [&](TableReader& row) {
                if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
                const int64_t kind = row.integer(2);
                m_builder.add(
                    RangeRow{.startNs = row.integer(0),
                             .endNs = row.integer(1),
                             .name = name(row.integer(4)),
                             .globalTid = static_cast<uint64_t>(row.integer(3)),
                             .kind = kind >= 0 && kind <= 3 ? static_cast<RangeKind>(kind) : RangeKind::User});
            }));
        return forEach("CUPTI_ACTIVITY_KIND_OVERHEAD", {"start", "end", "globalTid", "nameId"}, [&](TableReader& row) {
            if (!timesAreSane(row.integer(0), row.integer(1), m_builder)) return;
            m_builder.add(OverheadRow{.startNs = row.integer(0),
                                      .endNs = row.integer(1),
                                      .name = name(row.integer(3)),
                                      .globalTid = static_cast<uint64_t>(row.integer(2))});
        });
    }

    Status readTokens() {
        // The last four are later than the format: a session without them had no drafts and one sequence.
        return forEach(
            "GAPSCOPE_TOKEN",
            {"emittedNs", "repeat", "tokenIndex", "tokenId", "textId", "drafted", "accepted", "place", "sequence"},
            [&](TableReader& row) {
                if (!timesAreSane(row.integer(0), row.integer(0), m_builder)) return;
                TokenRow token{.emittedNs = row.integer(0),
                               .repeat = static_cast<int16_t>(row.integer(1)),
                               .index = static_cast<int32_t>(row.integer(2)),
                               .id = static_cast<int32_t>(row.integer(3)),
                               .text = name(row.integer(4))};
                setDrafts(token, row.integer(5), row.integer(6), row.integer(7));
                setSequence(token, row.integer(8));
                m_builder.add(token);
            });
    }

    Status readCounters() {
        std::vector<CounterId> counters;
        RETURN_IF_ERROR(forEach("GAPSCOPE_COUNTER", {"nameId", "unit", "deviceId"}, [&](TableReader& row) {
            const auto unit = std::ranges::find(kCounterUnitNames, row.text(1));
            const size_t at =
                unit == kCounterUnitNames.end() ? 0 : static_cast<size_t>(unit - kCounterUnitNames.begin());
            const bool fits = counters.size() < kMostCounters;
            counters.push_back(fits ? m_builder.internCounter({.name = name(row.integer(0)),
                                                               .unit = static_cast<CounterUnit>(at),
                                                               .deviceId = static_cast<uint32_t>(row.integer(2))})
                                    : CounterId{});
        }));
        std::vector<int64_t> latestNs(kMostCounters, std::numeric_limits<int64_t>::min());
        return forEach("GAPSCOPE_COUNTER_SAMPLE", {"timeNs", "counterId", "value"}, [&](TableReader& row) {
            const CounterSampleRow sample{row.integer(0), place(counters, row.integer(1)), row.real(2)};
            if (!timesAreSane(sample.timeNs, sample.timeNs, m_builder)) return;
            const int64_t id = row.integer(1);
            if (id >= static_cast<int64_t>(kMostCounters) && id < static_cast<int64_t>(counters.size())) {
                m_builder.diagnostics().add("too_many_counters", Severity::DataLoss, 1,
                                            "Samples of more counters than a trace shows are left out.");
                return;
            }
            if (!sample.counter.valid() || !std::isfinite(sample.value) ||
                sample.timeNs < latestNs[sample.counter.value]) {
                m_builder.diagnostics().add("counter_sample_unusable", Severity::DataLoss, 1,
                                            "Samples of counters name no counter, have no value or go back in time; "
                                            "they are left out.");
                return;
            }
            latestNs[sample.counter.value] = sample.timeNs;
            m_builder.add(sample);
        });
    }

    Status readSmallTables() {
        size_t threads = 0, diagnostics = 0;
        RETURN_IF_ERROR(forEach("ThreadNames", {"nameId", "globalTid"}, [&](TableReader& row) {
            const std::string* text = m_strings.text(row.integer(0));
            if (!text) return;
            if (++threads <= kMostThreads)
                m_builder.setThread(static_cast<uint64_t>(row.integer(1)), *text);
            else
                countThreadsWithoutName(1, m_builder);
        }));
        std::vector<std::pair<int64_t, DeviceRow>> devices;
        RETURN_IF_ERROR(forEach(
            "GAPSCOPE_DEVICE",
            {"id", "place", "kind", "name", "totalMemoryBytes", "peakBytesPerSecond", "peakFlopsPerSecond"},
            [&](TableReader& row) {
                const int64_t kind = row.integer(2);
                if (devices.size() >= kMostDevices) return countDevicesWithoutName(1, m_builder);
                devices.emplace_back(
                    row.integer(1),
                    DeviceRow{.id = static_cast<uint32_t>(row.integer(0)),
                              .kind = kind >= 0 && kind <= 2 ? static_cast<DeviceKind>(kind) : DeviceKind::Other,
                              .name = toValidUtf8(row.text(3)),
                              .totalMemoryBytes = row.integer(4),
                              .peakBytesPerSecond = row.real(5),
                              .peakFlopsPerSecond = row.real(6)});
            }));
        std::ranges::stable_sort(devices, {}, [](const auto& entry) { return entry.first; });
        for (auto& [at, device] : devices)
            m_builder.setDevice(std::move(device));
        return forEach("GAPSCOPE_DIAGNOSTIC", {"name", "severity", "count", "text"}, [&](TableReader& row) {
            if (++diagnostics > kMostDiagnostics) {
                m_builder.diagnostics().add("more_diagnostics", Severity::Info, 1,
                                            "The session holds more diagnostics than are kept.");
                return;
            }
            const int64_t severity = row.integer(1);
            m_builder.diagnostics().add(
                toValidUtf8(row.text(0)),
                severity >= 0 && severity <= 2 ? static_cast<Severity>(severity) : Severity::Error, row.integer(2),
                toValidUtf8(row.text(3)));
        });
    }

    // Later than the format: a session without these tables has no notes, and its rows stand as they do by themselves.
    Status readAnnotations() {
        AnnotationIntake intake;
        RETURN_IF_ERROR(forEach("GAPSCOPE_NOTE", {"startNs", "endNs", "text"}, [&](TableReader& row) {
            if (row.isNull(0) || row.isNull(1)) return intake.countBadNote();
            intake.addNote(row.integer(0), row.integer(1), row.text(2));
        }));
        RETURN_IF_ERROR(forEach(
            "GAPSCOPE_ROW", {"key", "hidden", "folded", "pinnedPlace", "orderPlace", "laneHeight"},
            [&](TableReader& row) {
                const auto place = [&](int column) {
                    return row.isNull(column) ? -1
                                              : static_cast<int>(std::clamp<int64_t>(row.integer(column), -1, INT_MAX));
                };
                intake.addChoice({.key = std::string(row.text(0)),
                                  .hidden = row.integer(1) != 0,
                                  .folded = row.integer(2) != 0,
                                  .pinnedPlace = place(3),
                                  .orderPlace = place(4),
                                  .laneHeight = static_cast<int>(std::clamp<int64_t>(row.integer(5), 0, INT_MAX))});
            }));
        intake.finish(m_builder);
        return {};
    }

    Status readRun() {
        // This table has no rowid: read by name, in no order.
        ASSIGN_OR_RETURN(const std::vector<std::string> columns, m_database.columnsOf("GAPSCOPE_RUN"));
        if (columns.size() != 2) return {};
        RunInfo run;
        bool found = false;
        ASSIGN_OR_RETURN(Statement field, m_database.prepare("SELECT value FROM GAPSCOPE_RUN WHERE name = ?1"));
        Status status;
        forEachRunField(run, [&](std::string_view fieldName, auto& value) {
            if (!status) return;
            field.bind(0, fieldName);
            auto row = field.step();
            if (!row) {
                status = tl::unexpected<Error>(row.error());
                return;
            }
            if (*row) {
                found = true;
                using Value = std::remove_reference_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, std::string>) {
                    status = m_budget.takeText(field.text(0).size());
                    if (!status) return;
                    value = toValidUtf8(field.text(0));
                } else if constexpr (std::is_same_v<Value, double>) {
                    value = field.real(0);
                } else {
                    value = static_cast<Value>(field.integer(0));
                }
            }
            field.reset();
        });
        RETURN_IF_ERROR(status);
        if (!found) return {};
        RETURN_IF_ERROR(forEach("GAPSCOPE_PROMPT_TOKEN", {"tokenId"}, [&](TableReader& row) {
            run.promptTokens.push_back(static_cast<int32_t>(row.integer(0)));
        }));
        RETURN_IF_ERROR(forEach("GAPSCOPE_REPEAT", {"prefillNs", "timeToFirstTokenNs", "decodeNs", "newTokens"},
                                [&](TableReader& row) {
                                    run.repeatTimes.push_back({.prefillNs = row.integer(0),
                                                               .timeToFirstTokenNs = row.integer(1),
                                                               .decodeNs = row.integer(2),
                                                               .newTokens = row.integer(3)});
                                }));
        m_builder.setRun(std::move(run));
        return {};
    }

    Database& m_database;
    ImportBudget& m_budget;
    TraceBuilder& m_builder;
    FileStrings m_strings;
    BoundedTracks m_boundedTracks;
    std::vector<TrackId> m_tracks;
    std::vector<OpId> m_ops;
    std::vector<LaunchConfigId> m_configs;
};

}  // namespace

Result<bool> isOwnSession(Database& database, const std::string& path) {
    ASSIGN_OR_RETURN(const std::vector<std::string> columns, database.columnsOf("GAPSCOPE_META"));
    if (columns.empty()) return false;
    ASSIGN_OR_RETURN(const int64_t version,
                     database.queryInteger("SELECT value FROM GAPSCOPE_META WHERE name = 'formatVersion'", 0));
    if (version > kSessionFormatVersion) {
        return fail(path + " was written by a newer Gapscope (session format " + std::to_string(version) +
                        ", this program reads up to " + std::to_string(kSessionFormatVersion) +
                        "): update Gapscope to open it.",
                    ErrorKind::BadFile);
    }
    if (version < 1) return fail(path + " is damaged: it names no valid session format.", ErrorKind::BadFile);
    return true;
}

Status readOwnSession(Database& database, ImportBudget& budget, TraceBuilder& builder) {
    return OwnReader(database, budget, builder).read();
}

}  // namespace gapscope
