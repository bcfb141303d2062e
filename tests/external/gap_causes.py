#!/usr/bin/env python3
"""Gaps, their causes and their culprits' names, worked out a second time from the trace's JSON text alone (times as decimals,
one plain sweep), against `gaps --json`: on traces of PyTorch with one launch a kernel, with CUDA graphs and with two threads.

  gap_causes.py GAPSCOPE_CLI SOURCE_FOLDER
"""
import bisect
import collections
import decimal
import gzip
import json
import sys
from pathlib import Path

from readers import Cli, check, finish, skip

TRACES = ("own/gemma3-1b-bf16-compiled-h200", "own/gemma3-1b-bf16-first-tokens-h200", "public/hta-nccl_data")
CAUSES = ("hostWaiting", "hostApi", "hostOutside", "profiler", "launchCall", "deviceLatency", "unknown")
Event = collections.namedtuple("Event", "start end name thread correlation device")


def ns(us):
    return int(us * 1000)  # of a decimal: exact, and cut as the text has it


class Union:
    """Time covered by any of the ranges."""

    def __init__(self, ranges):
        self.starts, self.ends, self.before = [], [], []
        total = 0
        for start, end in sorted(ranges):
            if end <= start:
                continue
            if self.ends and start <= self.ends[-1]:
                grown = max(0, end - self.ends[-1])
                self.ends[-1] += grown
                total += grown
                continue
            self.before.append(total)
            self.starts.append(start)
            self.ends.append(end)
            total += end - start

    def until(self, time):
        i = bisect.bisect_right(self.starts, time) - 1
        return 0 if i < 0 else self.before[i] + min(time, self.ends[i]) - self.starts[i]

    def covered(self, start, end):
        return self.until(end) - self.until(start) if end > start else 0


class Trace:
    def __init__(self, path):
        events = json.loads(gzip.decompress(path.read_bytes()), parse_float=decimal.Decimal)["traceEvents"]
        self.ops, self.calls, self.ranges, overheads = [], [], [], []
        for event in events:
            if event.get("ph") != "X":
                continue
            args = event.get("args", {})
            start = ns(event["ts"])
            row = Event(start, start + ns(event["dur"]), event["name"], (event["pid"], event["tid"]),
                        args.get("correlation", 0), args.get("device"))
            kind = event["cat"]
            if kind in ("kernel", "gpu_memcpy", "gpu_memset"):
                self.ops.append(row)
            elif kind in ("cuda_runtime", "cuda_driver"):
                self.calls.append(row)
            elif kind in ("cpu_op", "user_annotation", "python_function"):
                self.ranges.append(row)
            elif kind == "overhead":
                overheads.append((row.start, row.end))
        self.find_outermost()
        by_thread = collections.defaultdict(list)
        for call in self.calls:
            by_thread[call.thread].append(call)
        self.waiting = {thread: Union((c.start, c.end) for c in calls if waits(c.name)) for thread, calls in by_thread.items()}
        self.api = {thread: Union((c.start, c.end) for c in calls) for thread, calls in by_thread.items()}
        self.known = {thread: Union([(c.start, c.end) for c in calls] + overheads) for thread, calls in by_thread.items()}

    def find_outermost(self):
        self.launch = {}  # correlation id -> its earliest call
        for call in self.calls:
            if call.correlation and (call.correlation not in self.launch or call.start < self.launch[call.correlation].start):
                self.launch[call.correlation] = call
        self.outer, inside = {}, {}
        for call in sorted(self.calls, key=lambda c: (c.thread, c.start, -c.end)):
            out = inside.get(call.thread)
            if out is None or not (call.start < out.end and call.end <= out.end):
                out = inside[call.thread] = call
            self.outer[call] = out

    def gaps(self):
        begin, end = min(op.start for op in self.ops), max(op.end for op in self.ops)
        owned = collections.defaultdict(list)
        for op in self.ops:
            owned[op.correlation].append(op)
        gaps = []
        for device in {op.device for op in self.ops}:
            ops = sorted((op for op in self.ops if op.device == device), key=lambda op: op.start)
            first = {key: min(op.start for op in group if op.device == device)
                     for key, group in owned.items() if any(op.device == device for op in group)}
            at = begin
            for i, op in enumerate(ops):
                if op.start > at:
                    same = [other for other in ops[i:i + 50] if other.start == op.start and other.end > other.start]
                    call = min((self.launch[o.correlation] for o in same if o.correlation in self.launch),
                               key=lambda c: self.outer[c].start, default=None)
                    between = call is not None and first[call.correlation] < at
                    gaps.append(self.cut(device, at, op.start, call, between))
                at = max(at, op.end)
            assert at == end, "one device"
        self.name(gaps)
        return gaps

    def cut(self, device, start, end, call, between):
        cause = dict.fromkeys(CAUSES, 0)
        gap = {"device": device, "startNs": start, "durationNs": end - start, "causeNs": cause, "host": None}
        if call is None:
            cause["unknown"] = end - start
        elif between:
            cause["deviceLatency"] = end - start
        else:
            out = self.outer[call]
            host_end = min(max(out.start, start), end)
            launch_end = min(max(out.end, host_end), end)
            waiting = self.waiting[out.thread].covered(start, host_end)
            api = self.api[out.thread].covered(start, host_end)
            known = self.known[out.thread].covered(start, host_end)
            cause |= {"hostWaiting": waiting, "hostApi": api - waiting, "profiler": known - api,
                      "hostOutside": host_end - start - known, "launchCall": launch_end - host_end,
                      "deviceLatency": end - launch_end}
            gap["host"] = (out.thread, start, host_end)
        return gap

    def name(self, gaps):
        """The shortest range, and the longest-lasting call, that covers more than half of the host's part."""
        asked = sorted((gap for gap in gaps if gap["host"] and gap["host"][2] > gap["host"][1]),
                       key=lambda gap: gap["host"][1] + gap["host"][2])
        outermost = set(self.outer.values())
        for key, rows in (("hostRange", self.ranges), ("hostCall", [c for c in self.calls if c in outermost])):
            rows = sorted(rows, key=lambda row: row.start)
            active, following = [], 0
            for gap in asked:
                thread, start, end = gap["host"]
                while following < len(rows) and rows[following].start * 2 <= start + end:
                    active.append(rows[following])
                    following += 1
                active = [row for row in active if row.end * 2 > start + end - 1]
                most = [row for row in active if row.thread == thread
                        and (min(row.end, end) - max(row.start, start)) * 2 > end - start]
                gap[key] = min(most, key=lambda row: row.end - row.start).name if most else ""


def waits(name):
    return "Synchronize" in name or ("Memcpy" in name and "Async" not in name)


def main():
    cli, source = Cli(sys.argv[1]), Path(sys.argv[2]).resolve()
    traces = [path for name in TRACES if (path := source.parent / "shared" / "traces" / f"{name}.json.gz").exists()]
    if not traces:
        skip("the shared traces are not there")
    for path in traces:
        trace = Trace(path)
        theirs = trace.gaps()
        ours = cli.json("gaps", path, "--window", "all")["gaps"]
        check(f"{path.name}: gaps", len(theirs), len(ours))
        begin = min(gap["startNs"] for gap in theirs) - min(gap["startNs"] for gap in ours)
        expected = {(gap["device"], gap["startNs"] - begin): gap for gap in theirs}
        sums = {cause: sum(gap["causeNs"][cause] for gap in theirs) for cause in CAUSES}
        check(f"{path.name}: causes", sums, {cause: sum(gap["causeNs"][cause] for gap in ours) for cause in CAUSES})
        wrong = collections.Counter()
        for gap in ours:
            other = expected.get((gap["device"], gap["startNs"]))
            if other is None:
                wrong["place"] += 1
                continue
            wrong["length"] += gap["durationNs"] != other["durationNs"]
            wrong["causes"] += gap["causeNs"] != other["causeNs"]
            wrong["call"] += gap["hostCall"] != other.get("hostCall", "")
            wrong["name"] += gap["hostName"] != (other.get("hostRange") or other.get("hostCall", ""))
        check(f"{path.name}: place, length, causes, host's call and name of each", {}, dict(+wrong))
        named = sum(1 for gap in theirs if gap.get("hostRange"))
        check(f"{path.name}: many have a name", True, named > len(theirs) // 10)
    finish()


main()
