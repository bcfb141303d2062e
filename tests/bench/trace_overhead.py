#!/usr/bin/env python3
"""What tracing costs: decode time with --trace full (and graph) against --trace off, alternating in one run.

  trace_overhead.py CLI [--model M] [--mode fused] [--threads 2] [--tokens 64] [--rounds 5]

Prints one JSON object: median decode ns a token of each level and its ratio to `off`, with the spread of the rounds.
"""
import argparse
import json
import statistics
import subprocess


def decode_ns(arguments, level):
    command = [arguments.cli, "run", "--json", "--prompt", "The history of the harbour begins with", "--ignore-eos",
               "--max-new-tokens", str(arguments.tokens), "--threads", str(arguments.threads), "--mode", arguments.mode,
               "--trace", level]
    if arguments.model:
        command += ["--model", arguments.model]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return json.loads(done.stdout)["repeats"][0]["decodeNs"] / (arguments.tokens - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cli")
    parser.add_argument("--model")
    parser.add_argument("--mode", default="fused")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    levels = ("off", "graph", "full")
    rounds = {level: [] for level in levels}
    for _ in range(arguments.rounds):
        for level in levels:  # alternating: the machine's mood falls on all alike
            rounds[level].append(decode_ns(arguments, level))
    off = statistics.median(rounds["off"])
    print(json.dumps({
        "mode": arguments.mode, "threads": arguments.threads, "tokens": arguments.tokens,
        "nsPerToken": {level: {"min": min(v), "median": statistics.median(v), "max": max(v)} for level, v in rounds.items()},
        "ratioToOff": {level: round(statistics.median(v) / off, 4) for level, v in rounds.items()},
    }, indent=1))


if __name__ == "__main__":
    main()
