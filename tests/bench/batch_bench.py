#!/usr/bin/env python3
"""What a batch brings: eight prompts (on a GPU sixteen) with 1, 2, 4, 8 (and 16) of them at a time; prints a table.

By hand:
    python3 tests/bench/batch_bench.py --cli build/bin/gapscope-cli --model gemma-3-270m-q4_k_m.gguf
    python3 tests/bench/batch_bench.py --cli build-cuda/bin/gapscope-cli --model gemma-3-1b --device cuda --mode graph
"tokens a CPU second" is of the process's own processor time without loading and prompts (a run of one token each is
taken off), the least of all rounds: it holds on a machine that is busy with other things; on a GPU it says nothing and
is left out. "tokens/s" is the best by the clock, of all tokens after the first prompt's, so the others' prompts count.
"""
import argparse
import json
import resource
import subprocess

PROMPTS = ["The history of the harbour begins with", "Once upon a time there was", "Water boils at a temperature of",
           "The best way to learn a language is", "In the middle of the forest stood",
           "A computer reads its program from", "When the train arrived in the city", "The recipe needs two eggs and",
           "Nobody had seen the lighthouse since", "A letter came from the north with", "The price of copper fell when",
           "Under the old bridge there lived", "The first rule of the game is", "Seven ships left the bay before",
           "To mend a broken chair one needs", "The moon was high and the road"]


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(arguments, prompts, batch, tokens):
    command = [arguments.cli, "run", "--json", "--trace", "off", "--device", arguments.device, "--model",
               arguments.model, "--raw", "--ignore-eos", "--threads", str(arguments.threads), "--warmup",
               "0" if arguments.device == "cpu" else "1", "--precision", arguments.precision, "--max-new-tokens", str(tokens),
               "--batch", str(batch)]
    if arguments.mode:
        command += ["--mode", arguments.mode]
    for prompt in prompts:
        command += ["--prompt", prompt]
    before = processor_seconds()
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return processor_seconds() - before, json.loads(output)["run"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--mode")
    parser.add_argument("--precision", default="file")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    on_cpu = arguments.device == "cpu"
    prompts = PROMPTS[:8] if on_cpu else PROMPTS
    prompts_only = 0
    if on_cpu:
        prompts_only = min(run(arguments, prompts, len(prompts), 1)[0] for _ in range(arguments.rounds))
    print("| batch | tokens a step | weights a token |" + (" tokens a CPU second |" if on_cpu else "") +
          " tokens/s | KV pages |")
    print("|---" * (6 if on_cpu else 5) + "|")
    results = {batch: [] for batch in ((1, 2, 4, 8) if on_cpu else (1, 2, 4, 8, 16))}
    for _ in range(arguments.rounds):
        for batch, runs in results.items():
            runs.append(run(arguments, prompts, batch, arguments.tokens))
    decoded = len(prompts) * (arguments.tokens - 1)
    for batch, runs in results.items():
        of = runs[0][1]
        spent = min(seconds for seconds, _ in runs) - prompts_only
        best = max(info["tokensPerSecond"] for _, info in runs)
        print(f"| {batch} | {of['tokensPerStep']:.2f} | {of['weightBytesPerToken'] / 1e6:.1f} MB | " +
              (f"{decoded / spent:.0f} | " if on_cpu else "") + f"{best:.0f} | {of['kvPageCount']} |", flush=True)


if __name__ == "__main__":
    main()
