#!/usr/bin/env python3
"""HTA and TensorBoard's PyTorch plugin read our Chrome-trace JSON, and their numbers are ours.

  chrome_readers.py GAPSCOPE_CLI SOURCE_FOLDER
"""
import json
import logging
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

from readers import Cli, check, example, finish, use_readers

os.environ["HTA_DISABLE_NS_ROUNDING"] = "1"
use_readers("hta", "torch_tb_profiler")
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

from hta.trace_analysis import TraceAnalysis  # noqa: E402
from torch_tb_profiler.profiler.data import RunProfileData  # noqa: E402

NS_OF_US = 1000
FLOAT_NS = 2  # both tools count in double microseconds


def pytorch_trace(path):
    """Three steps of a made-up model on two streams, with kernels that overlap; copies before the first step."""
    rng = random.Random(7)
    events, correlation, ns = [], 0, 1_000_000

    def us(time):
        return f"{time // 1000}.{time % 1000:03d}"

    def add(category, name, pid, tid, start, duration, args):
        events.append(f'{{"ph":"X","cat":"{category}","name":"{name}","pid":{pid},"tid":{tid},"ts":{us(start)},'
                      f'"dur":{us(duration)},"args":{json.dumps(args)}}}')

    def launch(name, stream, start, duration, category="kernel"):
        nonlocal correlation, ns
        correlation += 1
        call = "cudaLaunchKernel" if category == "kernel" else "cudaMemcpyAsync"
        add("cuda_runtime", call, 500, 501, ns, 3_001, {"correlation": correlation})
        args = {"device": 0, "context": 1, "stream": stream, "correlation": correlation}
        if category == "kernel":
            args |= {"grid": [8, 1, 1], "block": [128, 1, 1], "registers per thread": 32, "shared memory": 0}
        else:
            args["bytes"] = 4096
        add(category, name, 0, stream, start, duration, args)
        ns += 5_003

    for _ in range(5):
        launch("Memcpy HtoD (Pageable -> Device)", 7, ns + 4_000, 1_501, "gpu_memcpy")
    ns += 20_000  # the plugin takes work before a step for the end of one before it
    for step in range(3):
        begin = ns - 2_000
        for op in range(40):
            add("cpu_op", "aten::mm" if op % 2 else "aten::add", 500, 501, ns - 1_000, 7_000, {"External id": op})
            for stream in (7, 20):
                name = rng.choice(["sgemm_128x64_nn", "vectorized_elementwise_kernel", "softmax_warp_forward"])
                launch(name, stream, ns + rng.randrange(3_500, 6_000), rng.randrange(800, 9_000))
            ns += rng.randrange(0, 20_000)
        add("user_annotation", f"ProfilerStep#{step}", 500, 501, begin, ns + 20_000 - begin, {})
        ns += 30_000
    path.write_text('{"schemaVersion":1,"baseTimeNanoseconds":1700000000000000000,"traceEvents":[' + ",".join(events) + "]}")


def check_hta(cli, name, session, exported):
    summary = cli.json("summary", session, "--window", "all")
    analysis = TraceAnalysis(trace_files={0: str(exported)}, trace_dir="", include_last_profiler_step=True)
    times = analysis.get_temporal_breakdown(visualize=False).to_dict("records")[0]
    busy = times["compute_time(us)"] + times["non_compute_time(us)"]
    check(f"{name}: HTA's kernel time", summary["windowNs"], times["kernel_time(us)"] * NS_OF_US, FLOAT_NS)
    check(f"{name}: HTA's idle time", summary["gpuIdleNs"], times["idle_time(us)"] * NS_OF_US, FLOAT_NS)
    check(f"{name}: HTA's busy time", summary["gpuBusyNs"], busy * NS_OF_US, FLOAT_NS)
    # HTA counts each operation of a call, and only calls that it knows by name.
    launches = analysis.get_cuda_kernel_launch_stats(visualize=False)[0]
    # From time 0 on: the first call begins before the first operation, where the window of all operations does.
    everything = f"0:{summary['windowStartNs'] + summary['windowNs']}"
    ours = [one for one in cli.json("launches", session, "--window", everything)["launches"]
            if one["name"] in ("cudaLaunchKernel", "cuLaunchKernel", "cudaLaunchKernelExC", "cudaMemcpyAsync", "cudaMemsetAsync")]
    check(f"{name}: HTA's launches", sum(one["operationCount"] for one in ours), len(launches))
    check(f"{name}: HTA's time in launch calls", sum(one["durationNs"] for one in ours),
          launches["cpu_duration"].sum() * NS_OF_US, FLOAT_NS)


def check_plugin(cli, name, session, exported):
    profile = RunProfileData.from_json("worker", "span", json.loads(exported.read_text()))
    profile.process()
    profile.analyze()
    theirs = profile.kernel_stat
    ours = cli.json("kernels", session, "--window", "all")["kernels"]
    check(f"{name}: the plugin's kernels", sorted(one["name"] for one in ours), sorted(theirs.index))
    for one in ours:
        row = theirs.loc[one["name"]]
        check(f"{name}: {one['name']}, count", one["count"], int(row["count"]))
        check(f"{name}: {one['name']}, time", one["totalNs"], row["sum"] * NS_OF_US, FLOAT_NS)
    return profile


def main():
    cli, source = Cli(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = folder / "made.json"
        pytorch_trace(made)
        for name, trace in (("made", made), ("example", example(source, folder))):
            session, exported = folder / f"{name}-session.gapscope", folder / f"{name}.pt.trace.json"
            cli.run("convert", trace, session)
            cli.run("convert", session, exported)
            check_hta(cli, name, session, exported)
            profile = check_plugin(cli, name, session, exported)
            if name == "example":
                continue  # without steps the plugin has no utilization
            steps = [cli.json("summary", session, "--window", f"ProfilerStep#{step}") for step in range(3)]
            begin = steps[0]["windowStartNs"]
            end = steps[2]["windowStartNs"] + steps[2]["windowNs"]
            whole = cli.json("summary", session, "--window", f"{begin}:{end}")
            check("made: the plugin's utilization", whole["gpuBusyNs"] / whole["windowNs"],
                  profile.gpu_metrics_parser.gpu_utilization[0], 1e-6)
    finish()


main()
