#!/usr/bin/env python3
"""Decode and prefill speed beside llama.cpp's: both run alternately on the same GGUF, threads and prompt; prints JSON.

Needs llama-cpp-python (built natively) and numpy. By hand, on a quiet machine:
    python3 tests/bench/decode_bench.py --cli build/bin/gapscope-cli --model gemma-3-270m-q4_k_m.gguf
`ratio` is our time a token over theirs (below 1: we are faster), `prefill.ratio` that of a prompt of --prompt-tokens;
`memory.ratio` our peak resident size over weights + KV cache.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time

from llama_peer import Peer

PROMPT = [2, 105, 2364, 107, 3689, 563, 506, 5279, 529, 7001, 236881, 106, 107, 105, 4368, 107]  # goldens: short-chat


def watch_peak(pid, peaks):
    """VmHWM while the process lives. (The ru_maxrss of a child starts at its parent's: here, with llama.cpp in it.)"""
    while True:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                lines = [line for line in file if line.startswith("VmHWM:")]
        except OSError:
            return
        if not lines:  # ended, not yet waited for
            return
        peaks[0] = max(peaks[0], int(lines[0].split()[1]) * 1024)
        time.sleep(0.02)


def run_ours(arguments, prompt, tokens, session):
    command = [arguments.cli, "run", "--json", "--trace", arguments.trace, "--model", arguments.model, "--warmup", "1",
               "--prompt-ids", ",".join(map(str, prompt)), "--ignore-eos", "--max-new-tokens", str(tokens),
               "--threads", str(arguments.threads), "--mode", arguments.mode, "--out", session]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peaks = [0]
    watcher = threading.Thread(target=watch_peak, args=(process.pid, peaks))
    watcher.start()
    output = process.stdout.read()
    process.wait()
    watcher.join()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    result = json.loads(output)
    return result["run"], result["tokens"], peaks[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--prompt-tokens", type=int, default=512, help="of the prompt whose prefill is timed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode", default="fused")
    parser.add_argument("--trace", default="off")
    parser.add_argument("--kv-bytes", type=int, default=18 * 2 * 256 * 4, help="a position; default: 270M in fp32")
    arguments = parser.parse_args()

    long_prompt = [2] + [1000 + 37 * i % 50000 for i in range(arguments.prompt_tokens - 1)]
    peer = Peer(arguments.model, arguments.threads, max(len(PROMPT) + arguments.tokens, len(long_prompt) + 1))
    peer.decode_seconds(PROMPT, arguments.tokens)  # warm-up; ours has its own
    ours, theirs, our_prefill, their_prefill, resident = [], [], [], [], 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            seconds, their_tokens = peer.decode_seconds(PROMPT, arguments.tokens)
            theirs.append(seconds / (arguments.tokens - 1))
            session = os.path.join(folder, f"{number}.gapscope")
            run, our_tokens, peak = run_ours(arguments, PROMPT, arguments.tokens, session)
            ours.append(run["decodeNs"] / 1e9 / (arguments.tokens - 1))
            resident = max(resident, peak)
            their_prefill.append(peer.prefill_seconds(long_prompt))
            our_prefill.append(run_ours(arguments, long_prompt, 1, session + ".prefill")[0]["prefillNs"] / 1e9)
    weights = os.path.getsize(arguments.model)
    kv = arguments.kv_bytes * (len(PROMPT) + arguments.tokens)
    our_median, their_median = statistics.median(ours), statistics.median(theirs)
    print(json.dumps({
        "threads": arguments.threads, "mode": arguments.mode, "trace": arguments.trace, "rounds": arguments.rounds,
        "load": os.getloadavg()[0],
        "gapscope": {"msPerToken": our_median * 1e3, "tokensPerSecond": 1 / our_median, "all": [t * 1e3 for t in ours]},
        "llamaCpp": {"msPerToken": their_median * 1e3, "tokensPerSecond": 1 / their_median,
                     "all": [t * 1e3 for t in theirs]},
        "ratio": our_median / their_median, "ratioOfBest": min(ours) / min(theirs),
        "sameTokens": our_tokens == their_tokens,
        "prefill": {"promptTokens": len(long_prompt), "gapscopeMs": statistics.median(our_prefill) * 1e3,
                    "llamaCppMs": statistics.median(their_prefill) * 1e3,
                    "ratio": statistics.median(our_prefill) / statistics.median(their_prefill)},
        "memory": {"peakResidentBytes": resident, "weightBytes": weights, "kvBytes": kv,
                   "ratio": resident / (weights + kv)}}, indent=1))


if __name__ == "__main__":
    main()
