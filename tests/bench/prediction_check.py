#!/usr/bin/env python3
"""What-if predictions beside runs: records a model in the modes eager, fused and graph in turns, lets `summary` predict each
mode from the one before, and prints the median time of a token as predicted and as recorded. With --batch also batches of
so many prompts, in mode fused, predicted from the run of one prompt.

  prediction_check.py --cli build/bin/gapscope-cli --model M [--device cpu|cuda] [--precision P] [--tokens 64] [--rounds 3]
                      [--threads N] [--batch 2,4,8] [--json]

Both sides are recorded runs: tracing costs are in both. Needs only Python's own library.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from batch_bench import PROMPTS

MODES = ("eager", "fused", "graph")
# From which recording, which prediction, held against which mode.
PAIRS = (("eager", "fused", "fused"), ("eager", "fused+graph", "graph"), ("fused", "graph", "graph"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="file")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--batch", type=lambda text: [int(size) for size in text.split(",")], default=[])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    runs = {mode: ["--mode", mode, "--prompt-ids", "5,6,7,8,9,10"] for mode in MODES}
    for size in options.batch:
        runs[size] = ["--mode", "fused", "--raw", "--batch", str(size)]
        for prompt in PROMPTS[:size]:
            runs[size] += ["--prompt", prompt]
    summaries = {run: [] for run in runs}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for run, arguments in runs.items():
                session = Path(folder) / f"{run}-{number}.gapscope"
                command = [options.cli, "run", "--model", options.model, "--device", options.device, "--precision",
                           options.precision, "--ignore-eos", "--max-new-tokens", str(options.tokens), "--out",
                           str(session)] + arguments
                if options.threads:
                    command += ["--threads", str(options.threads)]
                for each in (command, [options.cli, "summary", "--json", str(session)]):
                    done = subprocess.run(each, capture_output=True, text=True)
                    if done.returncode:
                        sys.exit(f"prediction_check: {' '.join(each)}\n{done.stderr}")
                summaries[run].append(json.loads(done.stdout))
                session.unlink()

    recorded = {run: statistics.median(one["recordedTokens"]["medianNsPerToken"] for one in summaries[run])
                for run in runs}
    rows = []
    for source, name, mode in PAIRS + tuple(("fused", "batch", size) for size in options.batch):
        predicted, why = [], ""
        for one in summaries[source]:
            for prediction in one["whatIf"]:
                if prediction["name"] != name:
                    continue
                if prediction["unavailable"]:
                    why = prediction["unavailable"]
                elif name == "batch":
                    predicted += [batch["medianNsPerStep"] / mode for batch in prediction["batches"]
                                  if batch["sequences"] == mode]
                else:
                    predicted.append(prediction["predictedMedianNsPerToken"])
        row = {"from": source, "prediction": name, "mode": mode, "recordedNs": recorded[mode], "notTold": why}
        if predicted:
            row["predictedNs"] = statistics.median(predicted)
            row["error"] = row["predictedNs"] / recorded[mode] - 1
        rows.append(row)
    if options.json:
        print(json.dumps({"device": summaries["eager"][0]["run"]["device"], "rounds": options.rounds, "rows": rows}))
        return
    for row in rows:
        told = (f"predicted {row['predictedNs'] / 1e6:.3f} ms a token, recorded {row['recordedNs'] / 1e6:.3f} ms, "
                f"error {100 * row['error']:+.1f} %" if "error" in row else "not told: " + row["notTold"])
        print(f"{row['from']} -> {row['mode']} ({row['prediction']}): {told}")


if __name__ == "__main__":
    main()
