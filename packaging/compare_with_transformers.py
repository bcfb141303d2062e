#!/usr/bin/env python3
"""Compares runs of gapscope-cli on the GPU with transformers, on a Hugging Face folder of a Gemma 3.

compare_with_transformers.py GAPSCOPE_CLI MODEL_FOLDER [NEW_TOKENS [PRECISION,...]]
The reference is transformers in fp32. Every run is forced along its greedy tokens. Wherever the reference's margin between
its two largest logits is more than twice the largest error seen, the choices must be equal; and the error itself has a limit,
or nothing would be above it. Prints one JSON object a mode
and precision, and one for transformers in bf16, whose error says what that precision costs. Needs torch, transformers and a GPU.
"""
import json
import subprocess
import sys

import torch
from transformers import Gemma3ForCausalLM

cli, folder = sys.argv[1], sys.argv[2]
new_tokens = int(sys.argv[3]) if len(sys.argv) > 3 else 32
precisions = sys.argv[4].split(",") if len(sys.argv) > 4 else ["bf16", "int8"]
prompt = [2] + [(i * 7919 + 11) % 262144 for i in range(19)]
top = 20
limits = {"bf16": 0.03, "int8": 0.15}  # of the relative error; others count as bf16


def logits_along(dtype, tokens):
    model = Gemma3ForCausalLM.from_pretrained(folder, dtype=dtype).cuda().eval()
    with torch.no_grad():
        if tokens is None:
            ids = torch.tensor([prompt]).cuda()
            tokens = []
            for _ in range(new_tokens):
                choice = int(model(ids).logits[0, -1].argmax())
                tokens.append(choice)
                ids = torch.cat([ids, torch.tensor([[choice]]).cuda()], dim=1)
        ids = torch.tensor([prompt + tokens[:-1]]).cuda()
        logits = model(ids).logits[0, len(prompt) - 1 :].float().cpu()
    del model
    torch.cuda.empty_cache()
    return tokens, logits


def report(name, precision, pairs_by_step, reference):
    """pairs_by_step: for each step a list of (id, logit), largest first. How much of it is wrong."""
    largest, squares, total = 0.0, 0.0, 0.0
    for step, pairs in enumerate(pairs_by_step):
        for token, logit in pairs:
            expected = float(reference[step][token])
            largest = max(largest, abs(logit - expected))
            squares += (logit - expected) ** 2
            total += expected**2
    compared = wrong = same = 0
    for step, pairs in enumerate(pairs_by_step):
        first, second = reference[step].topk(2).values.tolist()
        best = int(reference[step].argmax())
        same += pairs[0][0] == best
        if first - second > 2 * largest:
            compared += 1
            wrong += pairs[0][0] != best
    relative = (squares / total) ** 0.5
    wrong += not relative < limits.get(precision, limits["bf16"])  # not a number is wrong too
    print(json.dumps({"run": name, "steps": len(pairs_by_step), "relativeError": round(relative, 5),
                      "largestError": round(largest, 4), "sameChoice": same, "aboveMargin": compared, "wrong": wrong}),
          flush=True)
    return wrong


torch.backends.cuda.matmul.allow_tf32 = False
tokens, reference = logits_along(torch.float32, None)
_, half = logits_along(torch.bfloat16, tokens)
values, ids = half.topk(top)
wrong = report("transformers bf16", "bf16", [list(zip(i, v)) for i, v in zip(ids.tolist(), values.tolist())], reference)
for precision, mode in [(precision, mode) for precision in precisions for mode in ["eager", "fused", "graph"]]:
    command = [cli, "run", "--model", folder, "--device", "cuda", "--mode", mode, "--precision", precision,
               "--trace", "off", "--json", "--prompt-ids", ",".join(map(str, prompt)), "--force-ids", ",".join(map(str, tokens)),
               "--max-new-tokens", str(new_tokens), "--ignore-eos", "--top-logits", str(top), "--warmup", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"gapscope-cli failed: {done.stderr.strip()}")
    steps = json.loads(done.stdout)["steps"]
    wrong += report(f"{mode} {precision}", precision, [[(e["id"], e["logit"]) for e in s["topLogits"]] for s in steps], reference)
sys.exit(1 if wrong else 0)
