#!/usr/bin/env python3
"""Nsight Systems' kernel execution tables, asked of the database itself in SQL as NVIDIA documents cuda_kern_exec_sum and
cuda_kern_exec_trace, against `launches --by name --trace`: on our sessions and on an export of nsys with two processes.

  nsys_statistics.py GAPSCOPE_CLI SOURCE_FOLDER
"""
import gzip
import re
import sqlite3
import statistics
import sys
import tempfile
from pathlib import Path

from readers import Cli, check, finish

# API, queue and total time of each kernel with a call of its process. The queue is the time from the call's end to the
# kernel's begin where there is any; the total goes from the call's begin to the later of both ends.
EXECUTIONS = """
SELECT (r.globalTid >> 24) & 0xFFFFFF AS processId, r.globalTid & 0xFFFFFF AS threadId, k.deviceId AS device,
       call.value AS apiName, kernel.value AS kernelName, r.start AS apiStart, r.end - r.start AS api,
       CASE WHEN k.start > r.end THEN k.start - r.end END AS queue, k.start AS kernelStart, k.end - k.start AS kernel,
       MAX(r.end, k.end) - r.start AS total
FROM CUPTI_ACTIVITY_KIND_KERNEL AS k
JOIN CUPTI_ACTIVITY_KIND_RUNTIME AS r ON r.correlationId = k.correlationId AND (r.globalTid >> 24) = (k.globalPid >> 24)
JOIN StringIds AS call ON call.id = r.nameId
JOIN StringIds AS kernel ON kernel.id = k.{name}
"""
TIMES = ("total", "api", "queue", "kernel")


def executions(path, name):
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute(EXECUTIONS.format(name=name))]
    for row in rows:
        row["apiName"] = re.sub(r"(_v\d+)?(_ptsz|_ptds)?$", "", row["apiName"]) if row["apiName"].startswith("cuda") \
            else re.sub(r"_v\d+$", "", row["apiName"])
    return rows


def grouped(rows):
    groups = {}
    for row in rows:
        key = tuple(row[part] for part in ("processId", "threadId", "device", "apiName", "kernelName"))
        groups.setdefault(key, []).append(row)
    return groups


def check_file(cli, what, path, name):
    rows = executions(path, name)
    answer = cli.json("launches", path, "--window", f"0:{1 << 50}", "--by", "name", "--trace")
    check(f"{what}: kernels with a call", len(rows), len(answer["trace"]))
    begin = min(row["apiStart"] for row in rows) - min(row["apiStartNs"] for row in answer["trace"])
    theirs = sorted((row["apiStart"] - begin, row["api"], -1 if row["queue"] is None else row["queue"],
                     row["kernelStart"] - begin, row["kernel"], row["total"], row["processId"], row["threadId"],
                     row["device"], row["apiName"], row["kernelName"]) for row in rows)
    ours = sorted((row["apiStartNs"], row["apiNs"], -1 if row["queueNs"] is None else row["queueNs"], row["kernelStartNs"],
                   row["kernelNs"], row["totalNs"], row["processId"], row["threadId"], row["device"], row["apiName"],
                   row["kernelName"]) for row in answer["trace"])
    check(f"{what}: each of them the same", 0, sum(one != other for one, other in zip(theirs, ours)))

    groups = grouped(rows)
    check(f"{what}: rows of the sum", len(groups), len(answer["byName"]))
    wrong = 0
    for row in answer["byName"]:
        group = groups[row["processId"], row["threadId"], row["device"], row["apiName"], row["kernelName"]]
        for part in TIMES:
            values = [one[part] for one in group if one[part] is not None]
            times = row[part]
            expected = [len(values), sum(values)]
            if values:
                expected += [statistics.mean(values), statistics.median(values), min(values), max(values),
                             statistics.stdev(values) if len(values) > 1 else 0]
            got = [times["count"], times["totalNs"]]
            if values:
                got += [times["avgNs"], times["medNs"], times["minNs"], times["maxNs"], times["stdNs"]]
            wrong += any(abs(one - other) > 1e-6 * max(1, abs(one)) for one, other in zip(expected, got))
    check(f"{what}: Count, QCount and the times of each row", 0, wrong)


def main():
    cli, source = Cli(sys.argv[1]), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        for mode in ("eager", "graph"):
            session = Path(temporary) / f"{mode}.gapscope"
            session.write_bytes(gzip.decompress((source / "resources" / f"example-{mode}.gapscope.gz").read_bytes()))
            check_file(cli, f"example {mode}", session, "shortName")
    export = source.parent / "shared" / "traces" / "public" / "mfu_2gpu_before.sqlite"
    if export.exists():
        check_file(cli, export.name, export, "demangledName")
    else:
        print("     no", export)
    finish()


main()
