#!/usr/bin/env python3
"""The sections of packaging/gpu-check.sh, which builds the programs and calls this.

  gpu_check.py --programs DIR --out DIR [--only NAME,...] [--model FILE] [--models DIR] [--device cuda]
  gpu_check.py reopen CLI DIR            on any machine: the sessions that `session` wrote have the numbers they had there
  gpu_check.py table DIR...              one table of the results of several calls, on stdout

Each section has its own limit of time; a failed one does not keep the others from running.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODES = ("graph", "fused", "eager")
PROMPT = ",".join(str((i * 7919 + 11) % 262144) for i in range(20))  # that of gpu_decode_bench
BLOG = {"gemm": 18, "elementwise": 82, "selfCpuSeconds": 2.502, "selfGpuSeconds": 1.196}


class Failed(Exception):
    """What went wrong, and the rows that went right."""

    def __init__(self, why, rows=()):
        super().__init__(why)
        self.rows = list(rows)


class Skipped(Exception):
    """What this machine lacks."""


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Check:
    def __init__(self, arguments):
        self.device = arguments.device
        self.programs = Path(arguments.programs).resolve()
        self.out = Path(arguments.out).resolve()
        self.model = arguments.model and str(Path(arguments.model).resolve())
        self.temporary = None if arguments.models else tempfile.TemporaryDirectory(prefix="gapscope-models-")
        self.models = Path(arguments.models or self.temporary.name).resolve()
        self.results = {"sections": {}}
        self.environment = dict(os.environ, GAPSCOPE_REPOSITORY=str(ROOT))
        for shared in (ROOT / "shared", ROOT.parent / "shared"):
            if "GAPSCOPE_SHARED" not in os.environ and shared.is_dir():
                self.environment["GAPSCOPE_SHARED"] = str(shared)
                break
        self.out.mkdir(parents=True, exist_ok=True)

    # -- what sections are made of

    def program(self, name):
        path = self.programs / name
        if not path.exists():
            raise Skipped(f"{name} is not among the programs")
        return str(path)

    def run(self, log, limit_s, command, **environment):
        """The output of a command; all of it is kept in a log."""
        path = self.out / f"{log}.log"
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=limit_s,
                                  cwd=ROOT, env={**self.environment, **environment}, errors="replace")
        except subprocess.TimeoutExpired as slow:
            path.write_bytes(b"".join(part.encode() if isinstance(part, str) else part or b"" for part in (slow.stdout, slow.stderr)))
            raise Failed(f"not done after {limit_s} s (log: {path})") from slow
        path.write_text(done.stdout + done.stderr)
        if done.returncode:
            lines = (done.stdout + done.stderr).splitlines()
            telling = [line for line in lines if re.search(r"Failure|FAILED|========= [EIR]|rror:", line)] or lines
            raise Failed(f"exit status {done.returncode} (log: {path})\n    " + "\n    ".join(telling[-12:]),
                         json_lines(done.stdout))
        return done.stdout

    def test(self, log, limit_s, command, **environment):
        """A GoogleTest program: how many passed. What was skipped for want of a GPU has not been checked."""
        text = self.run(log, limit_s, command, **environment)
        passed = len(re.findall(r"^\[ +OK \]", text, re.M))
        skipped = len(re.findall(r"^\[ +SKIPPED \].* ms\)$", text, re.M))
        reasons = sorted({line.strip() for line in text.splitlines() if re.search(r"no GPU|is missing|is not here", line)})
        if not passed or any("no GPU" in reason for reason in reasons):
            raise Failed(f"{passed} tests passed, {skipped} were skipped: " + "; ".join(reasons[:3]))
        return {"passed": passed, "skipped": skipped, "why": reasons[:3]}

    def random_model(self, shape, name="", deviation=0.02):
        path = self.models / (shape + name)
        if not path.exists():
            unfinished = self.models / f"unfinished-{path.name}"
            self.run(f"random-{path.name}", 300, [sys.executable, ROOT / "packaging/random_gemma3.py", shape, unfinished, deviation])
            unfinished.rename(path)
        return path

    def variants(self):
        """(shape, precision as the table names it, model, value of --precision); made when needed."""
        for shape in ("270m", "1b"):
            yield shape, "bf16", lambda shape=shape: self.random_model(shape), "file"
            yield shape, "int8", lambda shape=shape: self.random_model(shape), "int8"
            yield shape, "packed GGUF", lambda shape=shape: self.random_model(shape, ".gguf"), "file"
        if self.model:
            yield "270m, real", "packed GGUF", lambda: self.model, "file"

    def each_variant(self, rows_of):
        """The rows of all variants; one that fails does not keep the others from being measured."""
        rows, problems = [], []
        for variant in self.variants():
            try:
                rows += rows_of(*variant)
            except (Failed, ValueError, KeyError) as why:
                problems.append(f"{variant[0]} {variant[1]}: {why}")
        if problems:
            raise Failed("\n  ".join(problems), rows)
        return {"rows": rows}

    def cli_run(self, log, model, limit_s=120, **options):
        command = [self.program("gapscope-cli"), "run", "--json", "--model", model, "--device", self.device, "--ignore-eos",
                   "--prompt-ids", PROMPT]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), value]
        return json.loads(self.run(log, limit_s, command))

    def cli_json(self, command, session):
        return json.loads(self.run(f"{command}-{Path(session).stem}", 60, [self.program("gapscope-cli"), command, session, "--json"]))

    # -- sections, in the order in which they run

    def ops(self):
        """Every CUDA op against the plain C++ one."""
        return self.test("ops", 180, [self.program("kernels_cuda_test")])

    def runs(self):
        """Whole runs of the tiny models against the CPU, forced, with the margin rule."""
        return self.test("runs", 180, [self.program("cuda_backend_test")])

    def goldens(self):
        """transformers' logits and tokens of the tiny Hugging Face model; with --model of the real one."""
        result = self.test("golden-tiny", 240, [self.program("golden_tiny_model_test"), "--gtest_filter=*AGpu*"])
        if self.model:
            real = self.test("golden-real", 300, [self.program("golden_real_model_test"), "--gtest_filter=*AGpu*"],
                             GAPSCOPE_TEST_MODEL=self.model)
            result = {"tiny": result, "real": real, "passed": result["passed"] + real["passed"]}
        return result

    def transformers(self):
        """Random weights in the real shapes against transformers on this machine, forced, with the margin rule."""
        rows, problems = [], []
        for shape in ("270m", "1b"):
            model = self.random_model(shape, "-peaked", 0.04)
            try:
                found = json_lines(self.run(f"transformers-{shape}", 280, [
                    sys.executable, ROOT / "packaging/compare_with_transformers.py", self.program("gapscope-cli"), model, 32]))
            except Failed as failed:
                if "No module named" in str(failed):
                    raise Skipped("Python has no torch or transformers") from failed
                problems.append(f"{shape}: {failed}")
                found = failed.rows
            rows += [dict(row, shape=shape) for row in found]
        if problems:
            raise Failed("\n  ".join(problems), rows)
        return {"rows": rows}

    def cupti(self):
        """Known work under the real CUPTI: every record is there, and the times are those of CUDA's events."""
        return self.test("cupti", 180, [self.program("cupti_gpu_test")])

    def sanitizer(self):
        """compute-sanitizer on whole runs of the tiny models and on the kernels that share memory between threads."""
        sanitizer = shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")
        if not sanitizer:
            raise Skipped("compute-sanitizer is not here; it comes with CUDA's toolkit")
        memcheck = self.test("memcheck", 280, [sanitizer, "--error-exitcode", 1, self.program("cuda_backend_test"),
                                               "--gtest_filter=*_23"])
        racecheck = self.test("racecheck", 280, [sanitizer, "--tool", "racecheck", "--error-exitcode", 1,
                                                 self.program("kernels_cuda_test"), "--gtest_filter=*Attention*:*Norm*:*Argmax*"])
        return {"memcheck": memcheck, "racecheck": racecheck, "passed": memcheck["passed"] + racecheck["passed"]}

    def session(self):
        """Short runs of the 1B shape, saved: the file opens and has the numbers of the run. Goes to the out folder."""
        sizes = {}
        for mode in MODES:
            file = self.out / f"session-{mode}.gapscope"
            file.unlink(missing_ok=True)
            ran = self.cli_run(f"session-{mode}", self.random_model("1b"), mode=mode, max_new_tokens=6, out=file)
            again = self.cli_json("summary", file)
            differing = [name for name in again if name in ran and again[name] != ran[name]]
            if differing:
                raise Failed(f"{file.name} differs from its run in {', '.join(differing)}")
            lost = [each for each in again["diagnostics"] if each["severity"] != "info"]
            if lost:
                raise Failed(f"{file.name} lost data: {lost}")
            if not again["kernelCount"]:
                raise Failed(f"{file.name} has no kernels")
            (self.out / f"session-{mode}.json").write_text(json.dumps(again))
            sizes[mode] = file.stat().st_size
        return {"bytes": sizes}

    def speed(self):
        """Decode speed of each shape, precision and mode, untraced; the floor is the time to read the weights once."""
        def measure(shape, name, model, precision):
            text = self.run(f"speed-{shape}-{name}".replace(" ", "-"), 240,
                            [self.program("gpu_decode_bench"), "--precision", precision, model(), 128, 7, *MODES])
            rows = [dict(row, shape=shape, weights=name) for row in json_lines(text)]
            if len(rows) != len(MODES):
                raise Failed(f"{len(rows)} modes of {len(MODES)}")
            return rows

        return self.each_variant(measure)

    def traced(self):
        """The same with every kernel recorded, and how many launches and kernels a token takes."""
        def measure(shape, name, model, precision):
            rows = []
            for mode in MODES:
                session = Path(folder) / f"{shape}-{name}-{mode}.gapscope".replace(" ", "-").replace(",", "")
                ran = self.cli_run(f"traced-{session.stem}", model(), mode=mode, precision=precision, max_new_tokens=64,
                                   repeat=3, out=session)
                rates = [repeat["tokensPerSecond"] for repeat in ran["repeats"]]
                tokens = [token for token in self.cli_json("tokens", session)["tokens"] if token["index"] > 0]
                session.unlink()
                rows.append({
                    "shape": shape, "weights": name, "mode": mode, "tokensPerSecond": statistics.median(rates),
                    "tokensPerSecondMin": min(rates), "tokensPerSecondMax": max(rates),
                    "launchesPerToken": statistics.median(token["launchCount"] for token in tokens),
                    "kernelsPerToken": statistics.median(token["kernelCount"] for token in tokens)})
            return rows

        with tempfile.TemporaryDirectory() as folder:
            return self.each_variant(measure)

    def overhead(self):
        """What tracing costs in each mode: the 1B shape untraced, with CUPTI alone, and recorded by Gapscope."""
        text = self.run("overhead", 480, [self.program("trace_cost_bench"), self.random_model("1b"), "--rounds", 3,
                                          "--modes", "eager,fused,graph", "--device", self.device])
        return {"rows": json_lines(text)}

    def blog(self):
        """The experiment that Gapscope reproduces: 1B, int8, eager, 64 new tokens."""
        ran = self.cli_run("blog", self.random_model("1b"), precision="int8", mode="eager", max_new_tokens=64)
        total = sum(ran["twoWayNs"].values())
        result = {"gemm": 100 * ran["twoWayNs"]["gemm"] / total, "elementwise": 100 * ran["twoWayNs"]["elementwise"] / total,
                  "other": 100 * ran["twoWayNs"]["other"] / total, "selfCpuSeconds": ran["selfCpuNs"] * 1e-9,
                  "selfGpuSeconds": ran["selfGpuNs"] * 1e-9, "windowSeconds": ran["windowNs"] * 1e-9,
                  "idleShare": ran["gpuIdleNs"] / ran["windowNs"], "kernelCount": ran["kernelCount"]}
        print(f"  gemm {result['gemm']:.1f} % / elementwise {result['elementwise']:.1f} % / other {result['other']:.1f} % "
              f"(the blog: {BLOG['gemm']} / {BLOG['elementwise']}); self CPU {result['selfCpuSeconds']:.3f} s, "
              f"self GPU {result['selfGpuSeconds']:.3f} s (the blog: {BLOG['selfCpuSeconds']} and {BLOG['selfGpuSeconds']})")
        return result

    def window(self):
        """The real window without a display, where its programs are there (packaging/bundle.sh): Run, zoom, save, reopen."""
        program = self.program("gpu_window_run")
        jobs = [("tiny", ROOT / "resources/tiny-random-gemma3.gguf", "eager", 400),
                ("1b-eager", self.random_model("1b"), "eager", 400),
                ("1b-graph", self.random_model("1b", ".gguf"), "graph", 4000)]
        if self.model:
            jobs.append(("270m-real", self.model, "eager", 400))
        checked = {}
        for name, model, mode, tokens in jobs:
            self.run(f"window-{name}", 280, [sys.executable, ROOT / "tests/gui/gpu_window_run.py", "run", program,
                     self.program("gapscope-cli"), self.out / f"window-{name}", "--model", model, "--device",
                     {"cuda": "cuda:0"}.get(self.device, self.device), "--mode", mode, "--tokens", tokens], QT_QPA_PLATFORM="offscreen")
            told = json.loads((self.out / f"window-{name}/window.json").read_text())
            checked[name] = {"checks": len(told["checks"]), "moments": len(told["moments"]), "summary": told["summary"]}
        return {"windows": checked}

    SECTIONS = ("ops", "runs", "goldens", "cupti", "session", "sanitizer", "speed", "traced", "blog", "transformers",
                "overhead", "window")

    def all(self, names):
        fields = ("name", "driver_version", "compute_cap")
        card = self.run("card", 30, ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]).splitlines()[0]
        self.results["card"] = dict(zip(fields, map(str.strip, card.split(","))))
        failed = False
        for name in names:
            began = time.monotonic()
            entry = {"ok": True}
            try:
                entry.update(getattr(self, name)() or {})
                count = f" ({entry['passed']} tests)" if "passed" in entry else ""
                print(f"{name}: ok{count}", flush=True)
                for reason in entry.get("why", []):
                    print(f"  {entry['skipped']} skipped: {reason}")
            except Skipped as why:
                entry = {"ok": None, "why": str(why)}
                print(f"{name}: skipped, {why}", flush=True)
            except (Failed, OSError, ValueError, KeyError) as why:
                entry, failed = {"ok": False, "why": str(why), "rows": getattr(why, "rows", [])}, True
                print(f"{name}: FAILED {why}", flush=True)
            entry["seconds"] = round(time.monotonic() - began, 1)
            self.results["sections"][name] = entry
            # After each: a limit of time from outside leaves what was done.
            (self.out / "results.json").write_text(json.dumps(self.results, indent=1))
            (self.out / "table.md").write_text(table(self.results))
        return failed


def table(results):
    """Markdown for kernels/cuda/README.md."""
    sections, lines = results["sections"], []
    rows = lambda name: sections.get(name, {}).get("rows", [])
    card = results.get("card", {})
    lines.append(f"{card.get('name')}, driver {card.get('driver_version')}, compute capability {card.get('compute_cap')}.")
    traced = {(row["shape"], row["weights"], row["mode"]): row for row in rows("traced")}
    if rows("speed") or traced:
        lines += ["", "| shape | weights | mode | launches a token (kernels) | tokens/s (min .. max) | ms/token | share of the "
                  "floor's speed | first token, ms | traced, tokens/s |", "|" + " --- |" * 9]
        untraced = {(row["shape"], row["weights"], row["mode"]): row for row in rows("speed")}
        for key in untraced | traced:
            row, other = untraced.get(key), traced.get(key)
            cells = [*key, f"{other['launchesPerToken']:,.0f} ({other['kernelsPerToken']:,.0f})" if other else ""]
            cells += [f"**{row['tokensPerSecond']:,.1f}** ({row['tokensPerSecondMin']:,.1f} .. {row['tokensPerSecondMax']:,.1f})",
                      f"{row['msPerToken']:.3f}", f"{100 * row['shareOfFloor']:.1f} %", f"{row['timeToFirstTokenMs']:.1f}"] if row else [""] * 4
            cells.append(f"{other['tokensPerSecond']:,.1f}" if other else "")
            lines.append("| " + " | ".join(cells) + " |")
    if rows("overhead"):
        levels = [name for name in rows("overhead")[0]["ratio"]]
        lines += ["", "Time per token against untraced, and Gapscope's against bare CUPTI's, 1B, bf16 (medians of "
                  f"{rows('overhead')[0]['msPerToken']['off']['rounds']} processes each):", "",
                  "| mode | off, ms | " + " | ".join(levels) + " |", "|" + " --- |" * (2 + len(levels))]
        for row in rows("overhead"):
            cells = [row["mode"], f"{row['msPerToken']['off']['median']:.3f}"]
            cells += [f"{row['ratio'][level]:.3f}" if level in row["ratio"] else "" for level in levels]
            lines.append("| " + " | ".join(cells) + " |")
    blog = sections.get("blog", {})
    if blog.get("ok"):
        lines += ["", "1B, int8, eager, 64 new tokens, beside the blog's run on an RTX 4090:", "",
                  "| | here | the blog |", "| --- | --- | --- |",
                  f"| gemm / elementwise | {blog['gemm']:.1f} % / {blog['elementwise']:.1f} % | {BLOG['gemm']} % / {BLOG['elementwise']} % |",
                  f"| self CPU | {blog['selfCpuSeconds']:.3f} s | {BLOG['selfCpuSeconds']} s |",
                  f"| self GPU | {blog['selfGpuSeconds']:.3f} s | {BLOG['selfGpuSeconds']} s |",
                  f"| GPU idle | {100 * blog['idleShare']:.1f} % | |"]
    if rows("transformers"):
        lines += ["", "Against transformers in fp32, forced along its greedy tokens:", "",
                  "| shape | run | relative error | largest error | same choice | above the margin | wrong |", "|" + " --- |" * 7]
        for row in rows("transformers"):
            lines.append(f"| {row['shape']} | {row['run']} | {row['relativeError']} | {row['largestError']} | {row['sameChoice']} of "
                         f"{row['steps']} | {row['aboveMargin']} | {row['wrong']} |")
    lines += ["", "Checks: " + ", ".join(f"{name} {'ok' if each['ok'] else 'skipped' if each['ok'] is None else 'FAILED'}"
                                         for name, each in sections.items()) + "."]
    return "\n".join(lines) + "\n"


def reopen(cli, folder):
    sessions = sorted(Path(folder).glob("session-*.gapscope"))
    if not sessions:
        sys.exit(f"There are no sessions in {folder}.")
    for session in sessions:
        here = json.loads(subprocess.run([cli, "summary", session, "--json"], check=True, capture_output=True, text=True).stdout)
        if here != json.loads(session.with_suffix(".json").read_text()):
            sys.exit(f"{session} has other numbers here than where it was recorded.")
        print(f"{session.name}: ok, {here['kernelCount']} kernels on {here['run']['device']}")


def main():
    if sys.argv[1:2] == ["reopen"] and len(sys.argv) == 4:
        return reopen(*sys.argv[2:])
    if sys.argv[1:2] == ["table"] and len(sys.argv) > 2:
        merged = {"sections": {}}
        for folder in sys.argv[2:]:
            found = json.loads((Path(folder) / "results.json").read_text())
            merged = {**found, "sections": {**merged["sections"], **found["sections"]}}
        return print(table(merged), end="")
    parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__, epilog="Sections:\n" +
                                     "\n".join(f"  {name:13}{getattr(Check, name).__doc__}" for name in Check.SECTIONS))
    parser.add_argument("--programs", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default=",".join(Check.SECTIONS))
    parser.add_argument("--model")
    parser.add_argument("--models")
    parser.add_argument("--device", default="cuda", help="cpu tries what of this script needs no GPU")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := [name for name in names if name not in Check.SECTIONS]:
        parser.error(f"there is no section {unknown[0]}; there are {', '.join(Check.SECTIONS)}")
    sys.exit(1 if Check(arguments).all(names) else 0)


if __name__ == "__main__":
    main()
