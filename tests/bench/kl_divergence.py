#!/usr/bin/env python3
"""How far quantised activations take us from the fp32 reference, beside llama.cpp on the same file; prints JSON.

Both are teacher-forced along the golden tokens; the divergence KL(reference || run) is over eleven buckets: the
reference's ten largest logits and all other tokens as one. Needs llama-cpp-python and numpy:
    python3 tests/bench/kl_divergence.py --cli build/bin/gapscope-cli --model gemma-3-270m-q4_k_m.gguf \
        --goldens ../shared/goldens/gemma3-270m
"""
import argparse
import json
import math
import os
import subprocess
import tempfile

import numpy as np

from llama_peer import Peer

PROMPTS = ["short-chat", "long-window", "mixed-unicode"]


def divergence(golden, logit_of, logsumexp):
    total, rest_golden, rest_run = 0.0, 1.0, 1.0
    for token, logit in zip(golden["ids"], golden["logits"]):
        p = math.exp(logit - golden["logsumexp"])
        q = math.exp(logit_of(token) - logsumexp)
        total += p * math.log(p / q)
        rest_golden -= p
        rest_run -= q
    # Six digits are stored, so a tiny rest may come out a little below nothing.
    if rest_golden > 0 and rest_run > 0:
        total += rest_golden * math.log(rest_golden / rest_run)
    return total


def run_ours(arguments, golden, steps, folder):
    join = lambda ids: ",".join(map(str, ids))
    command = [arguments.cli, "run", "--json", "--trace", "off", "--model", arguments.model, "--warmup", "0",
               "--precision", arguments.precision, "--threads", str(arguments.threads), "--ignore-eos",
               "--prompt-ids", join(golden["input_ids"]), "--force-ids", join(golden["greedy_ids"][:steps]),
               "--max-new-tokens", str(steps), "--top-logits", "5000",
               "--out", os.path.join(folder, golden["name"] + ".gapscope")]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--goldens", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="file")
    arguments = parser.parse_args()

    report = {"precision": arguments.precision, "prompts": {}}
    all_ours, all_theirs = [], []
    peer = Peer(arguments.model, arguments.threads, 1024)
    with tempfile.TemporaryDirectory() as folder:
        for name in PROMPTS:
            with open(os.path.join(arguments.goldens, name + ".json"), encoding="utf-8") as file:
                golden = json.load(file)
            steps = len(golden["steps"])
            ours = []
            for reference, step in zip(golden["steps"], run_ours(arguments, golden, steps, folder)["steps"]):
                logits = {entry["id"]: entry["logit"] for entry in step["topLogits"]}
                ours.append(divergence(reference, logits.__getitem__, step["logsumexp"]))
            theirs = []
            for reference, row in zip(golden["steps"], peer.forced(golden["input_ids"], golden["greedy_ids"][:steps - 1])):
                wide = row.astype(np.float64)
                largest = wide.max()
                logsumexp = float(largest + np.log(np.exp(wide - largest).sum()))
                theirs.append(divergence(reference, lambda token: float(wide[token]), logsumexp))
            report["prompts"][name] = {"gapscope": float(np.mean(ours)), "llamaCpp": float(np.mean(theirs))}
            all_ours += ours
            all_theirs += theirs
    report["gapscope"] = float(np.mean(all_ours))
    report["llamaCpp"] = float(np.mean(all_theirs))
    report["ratio"] = report["gapscope"] / report["llamaCpp"]
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
