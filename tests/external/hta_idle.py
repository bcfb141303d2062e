#!/usr/bin/env python3
"""HTA 0.5.0's idle time, idle classes, launch statistics and queue lengths are ours: on traces that PyTorch wrote, as they
come and as we export them again, and on our own sessions.

  hta_idle.py GAPSCOPE_CLI SOURCE_FOLDER
"""
import gzip
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

from readers import Cli, check, finish, use_readers

os.environ["HTA_DISABLE_NS_ROUNDING"] = "1"  # else HTA moves every time to a whole microsecond
use_readers("hta")
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import numpy  # noqa: E402
import pandas  # noqa: E402
from hta.trace_analysis import TraceAnalysis  # noqa: E402

pandas.DataFrame.round = lambda self, *_, **__: self  # HTA rounds its result to 10 ns

NS_OF_US = 1000
RUNTIME_NS, DELAY_NS = 50_000, 100_000
# Who in HTA's queue is a launch (get_runtime_launch_events_query).
QUEUE_CALLS = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel", "cudaMemcpyAsync", "cudaMemsetAsync")


def ns(us):
    """Sums of doubles in microseconds, which are whole nanoseconds but for the last digits."""
    return round(us * NS_OF_US)


class Trace:
    def __init__(self, cli, name, file, ours=None):
        """HTA reads `file`; we read `ours`, the same trace, or `file`."""
        self.name = name
        self.cli = cli
        self.ours = ours or file
        self.analysis = TraceAnalysis(trace_files={0: str(file)}, trace_dir="", include_last_profiler_step=True)
        self.frame = self.analysis.t.get_trace(0)
        self.summary = cli.json("summary", self.ours, "--window", "all")

    def check_idle(self, tolerance=0):
        times = self.analysis.get_temporal_breakdown(visualize=False).to_dict("records")[0]
        check(f"{self.name}: kernel time", self.summary["windowNs"], ns(times["kernel_time(us)"]), tolerance)
        check(f"{self.name}: idle time", self.summary["gpuIdleNs"], ns(times["idle_time(us)"]), tolerance)
        busy = times["compute_time(us)"] + times["non_compute_time(us)"]
        check(f"{self.name}: busy time", self.summary["gpuBusyNs"], ns(busy), tolerance)

    def check_classes(self, threshold_us=None):
        options = {} if threshold_us is None else {"consecutive_kernel_delay": threshold_us}
        frame, _ = self.analysis.get_idle_time_breakdown(ranks=[0], visualize=False, **options)
        theirs = {}
        for row in frame.to_dict("records"):
            theirs[int(row["stream"]), row["idle_category"]] = ns(row["idle_time"])
        ours = {}
        arguments = [] if threshold_us is None else ["--threshold", threshold_us * NS_OF_US]
        for stream in self.cli.json("gaps", self.ours, "--window", "all", "--hta", *arguments)["hta"]["streams"]:
            for hta_name, our_name in (("host_wait", "hostWait"), ("kernel_wait", "kernelWait"), ("other", "other")):
                ours[stream["stream"], hta_name] = stream[our_name]["totalNs"]
        # HTA leaves out classes without an interval.
        check(f"{self.name}: idle classes below {threshold_us or 30} us", {key: ours.get(key) for key in theirs}, theirs)
        check(f"{self.name}: no idle time beside them", 0, sum(abs(one) for key, one in ours.items() if key not in theirs))

    def check_launches(self):
        everything = f"0:{self.summary['windowStartNs'] + self.summary['windowNs']}"  # calls before the first operation too
        launches = self.cli.json("launches", self.ours, "--window", everything)
        frame = self.analysis.get_cuda_kernel_launch_stats(visualize=False)[0]
        call, device, delay = ((frame[column] * NS_OF_US).round() for column in ("cpu_duration", "gpu_duration", "launch_delay"))
        theirs = {"operationCount": len(frame), "shortCount": int(((call <= RUNTIME_NS) & (device < call)).sum()),
                  "runtimeOutlierCount": int((call > RUNTIME_NS).sum()), "delayOutlierCount": int((delay > DELAY_NS).sum())}
        check(f"{self.name}: short kernels and outliers", theirs, launches["statistics"]["hta"])
        self.check_queues(launches, everything)

    def check_queues(self, launches, everything):
        """HTA's queue has only the launches of single kernels and asynchronous copies: compared where those are all."""
        if any(one["name"] not in QUEUE_CALLS and one["operationCount"] for one in launches["launches"]):
            print("     ", self.name, "has launches that HTA's queue leaves out")
            return
        queues = {queue["stream"]: queue for queue in launches["queueDepth"]}
        series = self.analysis.get_queue_length_time_series(ranks=[0])[0]
        window_ns = int(everything.split(":")[1])
        for stream, points in series.groupby("stream"):
            held = points.ts.shift(-1) - points.ts
            check(f"{self.name}: most waiting on stream {stream}", int(points.queue_length.max()), queues[stream]["maxDepth"])
            check(f"{self.name}: time waited on stream {stream}", ns((points.queue_length * held).sum()),
                  round(queues[stream]["meanDepth"] * window_ns))


def check_as_it_comes(cli, name, file):
    trace = Trace(cli, name, file)
    if trace.frame.ts.dtype.kind == "i":
        trace.check_idle()
        trace.check_classes()
        return
    # Doubles far from zero: each start and end may be off by half of what lies between two neighbours.
    begin = float(trace.analysis.t.min_ts)
    spacing_ns = numpy.spacing(begin) * NS_OF_US
    trace.check_idle(1 + len(trace.frame[trace.frame.stream.ne(-1)]) * 2 * spacing_ns)


def main():
    cli, source = Cli(sys.argv[1]), Path(sys.argv[2]).resolve()
    shared = source.parent / "shared" / "traces"
    foreign = sorted(shared.glob("own/*.json.gz")) + sorted(shared.glob("public/*.json.gz"))
    if not foreign:
        print("     no traces in", shared, "- only our own sessions are compared")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file in foreign:
            check_as_it_comes(cli, file.name, file)
            exported = folder / file.name.replace(".gz", "")
            cli.run("convert", file, exported)
            trace = Trace(cli, f"{file.name}, exported", exported, file)
            trace.check_idle()
            trace.check_classes()
            trace.check_classes(threshold_us=2)
            trace.check_launches()
        for mode in ("eager", "graph"):
            session, exported = folder / f"{mode}.gapscope", folder / f"{mode}.json"
            session.write_bytes(gzip.decompress((source / "resources" / f"example-{mode}.gapscope.gz").read_bytes()))
            cli.run("convert", session, exported)
            trace = Trace(cli, f"example {mode}", exported, session)
            trace.check_idle()
            trace.check_classes()
            trace.check_launches()
    finish()


main()
