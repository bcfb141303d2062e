#!/usr/bin/env python3
"""The main job, end to end, on the real window: starts it under a virtual display, clicks Run with a pointer, waits for
tokens, zooms, saves, reloads, and checks numbers (against gapscope-cli) and pixels (rows, gaps and pie are drawn).

Usage: e2e_run.py GAPSCOPE GAPSCOPE_CLI [FOLDER_FOR_PICTURES]
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

WIDTH, HEIGHT = 1366, 768
PATIENCE_S = 240  # a slow machine loads and runs the model in this
SKIP = 77


def need(program):
    if shutil.which(program) is None:
        print(f"skipped: {program} is not installed")
        sys.exit(SKIP)


class Display:
    """An X server of our own; the number is its choice, so that tests can run side by side."""

    def __init__(self):
        read, write = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.name = ":" + pipe.readline().strip()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Window:
    """The program, and what it tells about itself in its test report."""

    def __init__(self, program, display, home, arguments=()):
        self.report_path = os.path.join(home, "report.json")
        if os.path.exists(self.report_path):
            os.remove(self.report_path)
        self.environment = dict(
            os.environ, DISPLAY=display.name, QT_QPA_PLATFORM="xcb", GAPSCOPE_TEST_REPORT=self.report_path,
            GAPSCOPE_NO_ANIMATION="1", XDG_CONFIG_HOME=os.path.join(home, "config"),
            XDG_STATE_HOME=os.path.join(home, "state"), LC_ALL="C.UTF-8")
        self.process = subprocess.Popen([program, *arguments], env=self.environment)

    def report(self):
        try:
            with open(self.report_path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def wait(self, what, condition, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, f"the program ended with {self.process.returncode} before: {what}"
            report = self.report()
            if report and condition(report):
                print("ok:", what)
                return report
            time.sleep(0.1)
        raise AssertionError(f"did not happen in {seconds} s: {what}; report: {json.dumps(self.report())[:2000]}")

    def xdotool(self, *arguments):
        subprocess.run(["xdotool", *map(str, arguments)], env=self.environment, check=True)

    def middle(self, widget, across=0.5, down=0.5):
        x, y, width, height = self.report()["widgets"][widget]
        return int(x + width * across), int(y + height * down)

    def move(self, widget, across=0.5, down=0.5):
        self.xdotool("mousemove", *self.middle(widget, across, down))

    def click(self, widget, across=0.5, down=0.5):
        self.move(widget, across, down)
        self.xdotool("click", 1)

    def picture(self, path):
        subprocess.run(["import", "-window", "root", path], env=self.environment, check=True)

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def choose(home, tokens):
    """The run bar's choices, as the program itself remembers them: fewer tokens keep the test short."""
    folder = os.path.join(home, "config", "gapscope")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "gapscope.conf"), "w", encoding="utf-8") as file:
        file.write(f"[run]\ntokens={tokens}\nwarmup=0\n")


def colors_in(picture, rectangle):
    """How many pixels of each colour a rectangle of the picture has."""
    x, y, width, height = rectangle
    text = subprocess.run(["convert", picture, "-crop", f"{width}x{height}+{x}+{y}", "+repage", "-alpha", "off",
                           "-depth", "8", "-format", "%c", "histogram:info:"],
                          check=True, capture_output=True, text=True).stdout
    counts = {}
    for line in text.splitlines():
        found = re.match(r"\s*(\d+):.*#([0-9A-F]{6})", line)
        if found:
            counts[found.group(2)] = counts.get(found.group(2), 0) + int(found.group(1))
    return counts


CATEGORY_COLORS = {"gemm": "0072B2", "attention": "CC79A7", "elementwise": "E69F00", "norm": "009E73",
                   "rope": "56B4E9", "quantize": "F0E442"}
GAP_COLORS = {"hostOutside": "D55E00", "launchCall": "E9A37A", "deviceLatency": "C8C8C8"}


def duration(span):
    return span[1] - span[0]


def check_pixels(window, picture):
    # Numbers are there before the layout that shows them has come to rest.
    place = None
    while place != (place := window.report()["widgets"].get("categoryPie")) or place is None:
        time.sleep(1)
    report = window.report()
    window.picture(picture)
    pie = colors_in(picture, report["widgets"]["categoryPie"])
    spent = report["summary"]["categoryNs"]
    total = sum(spent.values())
    assert total > 0, "the summary has device time"
    shown = [name for name in CATEGORY_COLORS if spent[name] > total * 0.02]
    ring = sum(pie.get(CATEGORY_COLORS[name], 0) for name in shown)
    assert ring > 2000, f"the pie is drawn: {ring} pixels of categories"
    of_shown = sum(spent[name] for name in shown)  # slices of other colours are in neither sum
    for name in shown:
        share = spent[name] / of_shown
        drawn = pie.get(CATEGORY_COLORS[name], 0) / ring
        assert abs(drawn - share) < 0.1, f"the slice of {name} covers {drawn:.2f}, its share is {share:.2f}"
    print("ok: the pie shows", ", ".join(shown))
    timeline = colors_in(picture, report["widgets"]["timeline"])
    assert timeline.get(CATEGORY_COLORS["gemm"], 0) > 100, "kernels are drawn on the timeline"
    causes = {name for name, color in GAP_COLORS.items() if timeline.get(color, 0) > 0}
    assert causes, "gaps are shaded by cause on the timeline"
    assert len(timeline) > 12, "the timeline has rows, names and a ruler"
    print("ok: the timeline shows kernels and gaps by", ", ".join(sorted(causes)))


def compare_numbers(cli, path, shown):
    said = subprocess.run([cli, "summary", path, "--json"], check=True, capture_output=True, text=True).stdout
    told = json.loads(said)
    names = ["windowNs", "selfGpuNs", "selfCpuNs", "gpuBusyNs", "gpuIdleNs", "cpuLaunchingNs", "kernelCount",
             "launchCount", "gapCount", "gapCauseNs", "categoryNs"]
    for name in names:
        assert told[name] == shown[name], f"{name}: the CLI says {told[name]}, the window {shown[name]}"
    print("ok: the CLI and the window agree on", ", ".join(names))


def save_as(window, path):
    window.xdotool("key", "ctrl+s")
    time.sleep(1.5)  # the dialog belongs to Qt and tells nothing about itself
    window.xdotool("key", "ctrl+a")
    window.xdotool("type", "--delay", 20, path)
    window.xdotool("key", "Return")
    return window.wait("saved", lambda r: not r["modified"] and r["path"] == path, 60)


def run_once(gapscope, cli, display, home, pictures):
    session = os.path.join(home, "session.gapscope")
    choose(home, 12)
    window = Window(gapscope, display, home, ["--size", f"{WIDTH}x{HEIGHT}"])
    try:
        window.wait("the first screen offers Run", lambda r: r["settled"] and "welcomeRun" in r["widgets"])
        window.picture(os.path.join(pictures, "first_start.png"))
        window.click("welcomeRun")
        window.wait("the run began", lambda r: r["running"])
        window.wait("tokens stream", lambda r: r["tokens"] > 3 and r["output"])
        window.picture(os.path.join(pictures, "running.png"))
        report = window.wait("the run ended", lambda r: r["settled"] and not r["running"])
        assert not [s for s in report["banners"] if "Terms" not in s], report["banners"]
        assert report["modified"], "an unsaved run has a mark"
        assert report["output"].strip(), "there is text"
        check_pixels(window, os.path.join(pictures, "after_run.png"))
        whole = report["summary"]["windowNs"]
        report = window.wait("the view eases to the decode phase",
                             lambda r: whole * 0.35 < duration(r["visible"]) <= whole, 20)

        before = duration(report["visible"])
        window.move("timeline", 0.6, 0.5)
        for _ in range(4):
            window.xdotool("keydown", "ctrl", "click", 4, "keyup", "ctrl")
        report = window.wait("Ctrl + wheel zooms in", lambda r: duration(r["visible"]) < before * 0.8, 20)
        before = duration(report["visible"])
        window.click("timeline", 0.6, 0.97)  # the keys go where the pointer last clicked
        window.xdotool("key", "w")
        window.xdotool("key", "w")
        report = window.wait("W zooms in", lambda r: duration(r["visible"]) < before * 0.95, 20)
        window.picture(os.path.join(pictures, "zoomed.png"))
        window.xdotool("key", "Escape")
        report = window.wait("Esc answers for the whole run", lambda r: r["selectionKind"] == 0 and r["settled"], 20)

        saved = save_as(window, session)
        compare_numbers(cli, session, saved["summary"])
        first = saved
    finally:
        window.close()

    window = Window(gapscope, display, home, ["--size", f"{WIDTH}x{HEIGHT}", session])
    try:
        again = window.wait("the session is open again", lambda r: r["settled"] and r["tokens"] > 0)
        for name in ("summary", "events", "deviceOps", "tokens", "output"):
            assert again[name] == first[name], f"{name} changed by saving and opening"
        assert not again["modified"]
        check_pixels(window, os.path.join(pictures, "reloaded.png"))
        print("ok: the reloaded session has the same numbers and text")
    finally:
        window.close()


def recover_once(gapscope, display, home):
    """A run that is killed in the middle is offered at the next start."""
    choose(home, 2000)  # so many that the run is still going on when it is killed
    window = Window(gapscope, display, home, ["--size", f"{WIDTH}x{HEIGHT}", "--run"])
    try:
        window.wait("a second run streams tokens", lambda r: r["running"] and r["tokens"] > 3)
        time.sleep(1.5)  # what is older than a second must not be lost
        seen = window.report()["tokens"]
    finally:
        window.close()  # SIGKILL
    window = Window(gapscope, display, home, ["--size", f"{WIDTH}x{HEIGHT}"])
    try:
        report = window.wait("the killed run is offered", lambda r: any("had back" in s for s in r["banners"]), 60)
        sentence = next(s for s in report["banners"] if "had back" in s)
        tokens = int(re.search(r"(\d+) tokens", sentence.replace(",", "")).group(1))
        assert tokens > 0, sentence
        window.click("bannerButton")
        window.wait("it is recovered as an unsaved session",
                    lambda r: r["settled"] and r["modified"] and r["tokens"] == tokens, 60)
        print(f"ok: {tokens} tokens recovered, {seen} had been seen")
    finally:
        window.close()


def main():
    gapscope, cli = sys.argv[1:3]
    for program in ("Xvfb", "xdotool", "import", "convert"):
        need(program)
    display = Display()
    try:
        with tempfile.TemporaryDirectory(prefix="gapscope-e2e-") as home:
            pictures = sys.argv[3] if len(sys.argv) > 3 else home
            os.makedirs(pictures, exist_ok=True)
            run_once(gapscope, cli, display, home, pictures)
            recover_once(gapscope, display, home)
    finally:
        display.close()
    print("all well")


if __name__ == "__main__":
    main()
