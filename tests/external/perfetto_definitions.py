#!/usr/bin/env python3
"""Our Perfetto traces, decoded with Perfetto's own protobuf definitions, and traces made with these, read by us.

  perfetto_definitions.py GAPSCOPE_CLI SOURCE_FOLDER
"""
import csv
import sys
import tempfile
import zlib
from collections import Counter, defaultdict
from pathlib import Path

from readers import Cli, check, example, finish, use_readers

use_readers("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pf  # noqa: E402


class Decoded:
    """Slices of a trace as a viewer pairs them: by track, the innermost first."""

    def __init__(self, path):
        trace = pf.Trace()
        trace.ParseFromString(path.read_bytes())
        names, categories, argument_names, texts = {}, {}, {}, {}
        self.tracks, self.slices, self.instants, self.counters, self.unmatched = {}, [], [], [], 0
        self.clock, self.defaults = None, None
        events = defaultdict(list)
        for packet in trace.packet:
            if packet.HasField("clock_snapshot"):
                self.clock = packet.clock_snapshot
            if packet.HasField("trace_packet_defaults"):
                self.defaults = packet.trace_packet_defaults
            for entry in packet.interned_data.event_names:
                names[entry.iid] = entry.name
            for entry in packet.interned_data.event_categories:
                categories[entry.iid] = entry.name
            for entry in packet.interned_data.debug_annotation_names:
                argument_names[entry.iid] = entry.name
            for entry in packet.interned_data.debug_annotation_string_values:
                texts[entry.iid] = entry.str.decode()
            if packet.HasField("track_descriptor"):
                self.tracks[packet.track_descriptor.uuid] = packet.track_descriptor
            if not packet.HasField("track_event"):
                continue
            event = packet.track_event
            args = {}
            for one in event.debug_annotations:
                kind = one.WhichOneof("value")
                value = texts[one.string_value_iid] if kind == "string_value_iid" else getattr(one, kind) if kind else None
                if one.array_values:
                    value = [element.int_value for element in one.array_values]
                args[one.name or argument_names[one.name_iid]] = value
            row = {"name": event.name or names.get(event.name_iid, ""), "category": [categories[i] for i in event.category_iids],
                   "start": packet.timestamp, "args": args, "flows": list(event.flow_ids), "track": event.track_uuid}
            if event.type == pf.TrackEvent.TYPE_COUNTER:
                self.counters.append((event.track_uuid, packet.timestamp, event.double_counter_value))
            else:
                events[event.track_uuid].append((packet.timestamp, event.type, row))
        for track in events.values():
            track.sort(key=lambda one: one[0])  # stable, as Perfetto's sorter is
            stack = []
            for time, kind, row in track:
                if kind == pf.TrackEvent.TYPE_SLICE_BEGIN:
                    stack.append(row)
                elif kind == pf.TrackEvent.TYPE_SLICE_END and stack:
                    row = stack.pop()
                    row["duration"] = time - row["start"]
                    self.slices.append(row)
                elif kind == pf.TrackEvent.TYPE_INSTANT:
                    self.instants.append(row)
                else:
                    self.unmatched += 1
            self.unmatched += len(stack)


def check_export(cli, name, trace, folder):
    exported = folder / f"{name}.pftrace"
    report = cli.json("convert", trace, exported)
    decoded = Decoded(exported)
    check(f"{name}: slices that do not pair", 0, decoded.unmatched)
    kinds = Counter(row["category"][0] for row in decoded.slices)
    written = report["written"]
    check(f"{name}: kernels", written["kernels"], kinds["kernel"])
    check(f"{name}: copies and sets", written["copies"] + written["sets"], kinds["gpu_memcpy"] + kinds["gpu_memset"])
    check(f"{name}: calls", written["apiCalls"], kinds["cuda_runtime"] + kinds["cuda_driver"])
    total = defaultdict(int)
    for row in decoded.slices:
        if row["category"] == ["kernel"]:
            total[row["name"]] += row["duration"]
    ours = {one["name"]: one["totalNs"] for one in cli.json("kernels", trace, "--window", "all")["kernels"]}
    check(f"{name}: time of each kernel", ours, dict(total))
    calls = {row["flows"][0]: row for row in decoded.slices if row["flows"] and row["category"][0].startswith("cuda_")}
    joined = [row for row in decoded.slices if row["flows"] and not row["category"][0].startswith("cuda_")]
    check(f"{name}: arrows", written["flows"], len(joined))
    check(f"{name}: arrows to the right call", True,
          all(calls[row["flows"][0]]["args"]["correlation"] == row["args"]["correlation"] for row in joined))
    check(f"{name}: every event lies on a described track", True,
          all(row["track"] in decoded.tracks for row in decoded.slices + decoded.instants))
    check(f"{name}: its clock", decoded.defaults.timestamp_clock_id, decoded.clock.primary_trace_clock)
    return decoded


def made_trace():
    """A trace as Perfetto's SDK and a GPU's producer would write it, with the things that make reading hard."""
    trace = pf.Trace()
    clock = trace.packet.add(trusted_packet_sequence_id=1).clock_snapshot
    for ident, time in ((6, 1_000_000), (3, 400_000), (1, 1_700_000_000_000_000_000)):
        clock.clocks.add(clock_id=ident, timestamp=time)

    # A sequence with interned names and a clock of its own that counts microseconds from the last packet.
    start = trace.packet.add(trusted_packet_sequence_id=2, sequence_flags=1, timestamp=1_000_000, timestamp_clock_id=6)
    start.trace_packet_defaults.timestamp_clock_id = 64
    start.trace_packet_defaults.track_event_defaults.track_uuid = 11
    start.clock_snapshot.clocks.add(clock_id=6, timestamp=1_000_000)
    start.clock_snapshot.clocks.add(clock_id=64, timestamp=0, is_incremental=True, unit_multiplier_ns=1000)
    process = trace.packet.add(trusted_packet_sequence_id=2).track_descriptor
    process.uuid, process.process.pid, process.process.process_name = 10, 77, "python"
    thread = trace.packet.add(trusted_packet_sequence_id=2).track_descriptor
    thread.uuid, thread.parent_uuid = 11, 10
    thread.thread.pid, thread.thread.tid, thread.thread.thread_name = 77, 78, "main"
    first = trace.packet.add(trusted_packet_sequence_id=2, sequence_flags=2, timestamp=10)
    first.interned_data.event_names.add(iid=1, name="cudaLaunchKernel")
    first.interned_data.event_categories.add(iid=1, name="cuda_runtime")
    first.track_event.type, first.track_event.name_iid = 1, 1
    first.track_event.category_iids.append(1)
    first.track_event.flow_ids.append(99)
    trace.packet.add(trusted_packet_sequence_id=2, sequence_flags=2, timestamp=5).track_event.type = 2
    # The kernel of that call, joined by the arrow alone, on a track of its own.
    gpu = trace.packet.add(trusted_packet_sequence_id=2).track_descriptor
    gpu.uuid, gpu.name = 20, "GPU 1"
    stream = trace.packet.add(trusted_packet_sequence_id=2).track_descriptor
    stream.uuid, stream.parent_uuid, stream.name = 21, 20, "stream 9"
    kernel = trace.packet.add(trusted_packet_sequence_id=2, sequence_flags=2, timestamp=20).track_event
    kernel.type, kernel.track_uuid, kernel.name = 1, 21, "ampere_sgemm_128x64"
    kernel.categories.append("gpu")
    kernel.terminating_flow_ids.append(99)
    end = trace.packet.add(trusted_packet_sequence_id=2, sequence_flags=2, timestamp=7).track_event
    end.type, end.track_uuid = 2, 21
    # Packets whose names are lost.
    lost = trace.packet.add(trusted_packet_sequence_id=3, sequence_flags=2, timestamp=1)
    lost.track_event.type, lost.track_event.name_iid = 1, 1
    # A counter, and an event of the older form.
    counter = trace.packet.add(trusted_packet_sequence_id=4).track_descriptor
    counter.uuid, counter.name, counter.parent_uuid = 30, "memory used", 20
    counter.counter.unit, counter.counter.unit_multiplier = 3, 1024
    for step in range(3):
        sample = trace.packet.add(trusted_packet_sequence_id=4, timestamp=1_010_000 + step * 1000).track_event
        sample.type, sample.track_uuid, sample.counter_value = 4, 30, step
    beside = trace.packet.add(trusted_packet_sequence_id=4, timestamp=1_013_000).track_event
    beside.type, beside.track_uuid, beside.name = 3, 11, "with a counter"
    beside.extra_counter_track_uuids.append(30)
    beside.extra_counter_values.append(3)
    old = trace.packet.add(trusted_packet_sequence_id=4, timestamp=1_060_000).track_event
    old.name, old.track_uuid = "old style", 11
    old.legacy_event.phase, old.legacy_event.duration_us = ord("X"), 4
    # What a GPU's own producer writes, packed.
    packed = pf.Trace()
    stage = packed.packet.add(trusted_packet_sequence_id=5, sequence_flags=1, timestamp=1_070_000)
    stage.interned_data.gpu_specifications.add(iid=1, name="Queue 3")
    stage.interned_data.gpu_specifications.add(iid=2, name="Compute")
    stage.interned_data.graphics_contexts.add(iid=5, pid=77)
    event = stage.gpu_render_stage_event
    event.duration, event.gpu_id, event.hw_queue_iid, event.stage_iid, event.context = 2_500, 0, 1, 2, 5
    event.name = "softmax_kernel"
    event.launch.grid_size.x, event.launch.grid_size.y, event.launch.grid_size.z = 4, 2, 1
    event.launch.workgroup_size.x = 64
    event.extra_data.add(name="correlation_id", value="7")
    trace.packet.add(compressed_packets=zlib.compress(packed.SerializeToString()))
    trace.packet.add(trusted_packet_sequence_id=6).battery.capacity_percent = 50
    return trace.SerializeToString()


def check_import(cli, folder):
    made, tables = folder / "made.pftrace", folder / "tables"
    made.write_bytes(made_trace())
    cli.run("convert", made, f"{tables}/")

    def rows(table, *columns):
        with open(tables / f"{table}.csv", newline="") as file:
            return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]

    # The clock of the sequence ran 10, 15, 35 and 42 us past 1 ms; time 0 is the first slice.
    check("made: calls", [("cudaLaunchKernel", "runtime", "0", "5000", "8", "77", "78", "main")],
          rows("api_calls", "name", "class", "startNs", "durationNs", "correlationId", "process", "thread", "threadName"))
    check("made: kernels",
          [("ampere_sgemm_128x64", "gemm", "25000", "7000", "77", "1", "9", "8", "0"),
           ("softmax_kernel", "attention", "60000", "2500", "77", "0", "3", "7", "4")],
          [row for row in rows("kernels", "name", "category", "startNs", "durationNs", "process", "device", "stream",
                               "correlationId", "gridX")])
    check("made: ranges", [("with a counter", "3000", "0", "78"), ("old style", "50000", "4000", "78")],
          rows("ranges", "name", "startNs", "durationNs", "thread"))
    check("made: counters",
          [("1", "memory used", "bytes", "0", "0"), ("1", "memory used", "bytes", "1000", "1024"),
           ("1", "memory used", "bytes", "2000", "2048"), ("1", "memory used", "bytes", "3000", "3072")], rows("counters", "device", "name", "unit", "timeNs", "value"))
    found = {one["name"]: one["count"] for one in cli.json("summary", made, "--window", "all")["diagnostics"]}
    check("made: what could not be used", {"packet_not_read": 1, "packet_without_state": 1, "operation_without_launch": 1},
          found)


def main():
    cli, source = Cli(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        check_export(cli, "example", example(source, folder), folder)
        check_import(cli, folder)
    finish()


main()
