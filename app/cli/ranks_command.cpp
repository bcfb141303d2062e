// Devices side by side: the ranks of a distributed run, opened together.
#include <algorithm>

#include "app/cli/csv_columns.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/device_shares.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

std::string nameOf(const Trace& trace, uint32_t deviceId) {
    const auto it = std::ranges::find(trace.devices(), deviceId, &DeviceRow::id);
    return it == trace.devices().end() || it->name.empty() ? "device " + std::to_string(deviceId) : it->name;
}

}  // namespace

void addRanksCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(
        app, outcome, "ranks", "Busy, computing and communicating, device by device",
        [](const OpenedTrace& opened) -> Status {
            const std::vector<DeviceShares> shares = deviceShares(*opened.trace, opened.window);
            const int64_t windowNs = opened.window.durationNs();
            if (opened.csv) {
                CsvText csv{"device", "name",         "windowNs",        "busyNs",
                            "idleNs", "computeNs",    "communicationNs", "exposedCommunicationNs",
                            "copyNs", "exposedCopyNs"};
                for (const DeviceShares& share : shares) {
                    csv.cell(share.deviceId).cell(nameOf(*opened.trace, share.deviceId)).cell(windowNs);
                    csv.cell(share.busyNs).cell(share.idleNs).cell(share.computeNs).cell(share.communicationNs);
                    csv.cell(share.exposedCommunicationNs).cell(share.copyNs).cell(share.exposedCopyNs).endRow();
                }
                printCsv(csv);
                return {};
            }
            if (opened.json) {
                JsonWriter json;
                json.beginObject().field("windowNs", windowNs).key("ranks").beginArray();
                for (const DeviceShares& share : shares)
                    json.beginObject()
                        .field("device", int64_t{share.deviceId})
                        .field("name", nameOf(*opened.trace, share.deviceId))
                        .field("busyNs", share.busyNs)
                        .field("idleNs", share.idleNs)
                        .field("computeNs", share.computeNs)
                        .field("communicationNs", share.communicationNs)
                        .field("exposedCommunicationNs", share.exposedCommunicationNs)
                        .field("copyNs", share.copyNs)
                        .field("exposedCopyNs", share.exposedCopyNs)
                        .endObject();
                json.endArray().endObject();
                printJson(json);
                return {};
            }
            using Align = TextTable::Align;
            TextTable table({{"device", Align::Left},
                             {"busy"},
                             {"of window"},
                             {"computing"},
                             {"communicating"},
                             {"exposed"},
                             {"of window"},
                             {"exposed copies"}});
            const auto percent = [&](int64_t ns) {
                return windowNs > 0 ? formatPercent(static_cast<double>(ns) / static_cast<double>(windowNs))
                                    : std::string();
            };
            for (const DeviceShares& share : shares)
                table.add({nameOf(*opened.trace, share.deviceId), formatDuration(share.busyNs), percent(share.busyNs),
                           formatDuration(share.computeNs), formatDuration(share.communicationNs),
                           formatDuration(share.exposedCommunicationNs), percent(share.exposedCommunicationNs),
                           formatDuration(share.exposedCopyNs)});
            print(table.text());
            print("\nexposed: while nothing computes (copies: nothing computes or communicates)\n");
            return {};
        });
}

}  // namespace gapscope::cli
