#!/usr/bin/env python3
"""Runs gpu_window_run and holds the numbers of its window against gapscope-cli's of the session that it saved.

  gpu_window_run.py run GPU_WINDOW_RUN GAPSCOPE_CLI FOLDER [ARGUMENTS OF GPU_WINDOW_RUN...]
  gpu_window_run.py compare GAPSCOPE_CLI FOLDER      on another machine, with the folder that `run` filled on the first
"""
import json
import os
import subprocess
import sys

from e2e_run import compare_numbers

PATIENCE_S = 540


def run(program, cli, folder, arguments):
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run([program, "--out", folder, *arguments], stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S)
    with open(os.path.join(folder, "window.json"), "w", encoding="utf-8") as file:
        file.write(done.stdout)
    assert done.returncode == 0, f"{program} ended with {done.returncode}"
    told = json.loads(done.stdout)
    assert told["checks"] and all(each["ok"] for each in told["checks"])
    moments = told["moments"]
    print(f"ok: {len(told['checks'])} checks in the window on {told['device']}: text grew in "
          f"{len({m['text'] for m in moments if m['text']})} steps and device operations in "
          f"{len({m['deviceOps'] for m in moments if m['deviceOps']})} before the end")
    summary = subprocess.run([cli, "summary", os.path.join(folder, told["session"]), "--json"], check=True,
                             capture_output=True, text=True).stdout
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as file:
        file.write(summary)
    compare(cli, folder)


def compare(cli, folder):
    """What the window showed, what the CLI said there, and what the CLI says here."""
    with open(os.path.join(folder, "window.json"), encoding="utf-8") as file:
        told = json.load(file)
    session = os.path.join(folder, told["session"])
    compare_numbers(cli, session, told["summary"])
    with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
        there = json.load(file)
    here = json.loads(subprocess.run([cli, "summary", session, "--json"], check=True, capture_output=True, text=True).stdout)
    assert here == there, f"the CLI's summary differs: {here} and {there}"
    print("ok: the summary is the one of the machine that recorded it")


def main():
    if len(sys.argv) >= 5 and sys.argv[1] == "run":
        run(*sys.argv[2:5], sys.argv[5:])
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        compare(*sys.argv[2:4])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
