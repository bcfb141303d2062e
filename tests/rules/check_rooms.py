#!/usr/bin/env python3
"""Holds the rules of the house that a compiler does not see: which room may include which, where Qt may be,
how long a file may be, what stands at the top level. Prints each breach; exit 1 if there is one.

  check_rooms.py [ROOT]
"""
import re
import subprocess
import sys
from pathlib import Path

MAY_INCLUDE = {  # room -> rooms of ours whose headers it may include, beside its own
    "kernels": set(),
    "core/base": set(),
    "core/trace": {"core/base"},
    "core/runner": {"core/base", "kernels"},
    "core/capture": {"core/base", "core/trace"},
    "core/import": {"core/base", "core/trace"},
    "core/export": {"core/base", "core/trace"},
    "core/analysis": {"core/base", "core/trace"},
    "core/layout": {"core/base", "core/trace", "core/analysis"},
    "core/report": {"core/base", "core/trace", "core/analysis", "core/layout", "core/export"},
    "core/recording": {"core/base", "core/trace", "core/runner", "core/capture", "core/export"},
    "core/ladder": {"core/base", "core/trace", "core/runner", "core/analysis", "core/recording"},
    "app/cli": {"core/*", "kernels", "app/cli"},
    "app/gui": {"core/*", "app/gui"},
}
TOP_LEVEL = {"CMakeLists.txt", "app", "core", "kernels", "resources", "tests", "packaging", "README.md", "LICENSE",
             "CHANGELOG.md", "CMakePresets.json"}
LONGEST_FILE = 600
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
OURS = ("kernels/", "core/", "app/", "tests/", "resources/")


def room_of(path):
    parts = path.split("/")
    return parts[0] if parts[0] == "kernels" else "/".join(parts[:2])


def breaches(files, read):
    for path in files:
        top = path.split("/")[0]
        if not top.startswith(".") and top not in TOP_LEVEL:
            yield f"{path}: outside the top level agreed"
        if not path.endswith((".h", ".cpp", ".cu", ".cuh")):
            continue
        text = read(path)
        if text.count("\n") > LONGEST_FILE:
            yield f"{path}: {text.count(chr(10))} lines; what second thing does it do?"
        if path.startswith("tests/"):
            continue
        room = room_of(path)
        allowed = MAY_INCLUDE.get(room)
        if allowed is None:
            yield f"{path}: no rule says what {room} is for"
            continue
        for included in INCLUDE.findall(text):
            if re.match(r"(Q[A-Z]|Qt|qcustomplot)", included) and room != "app/gui":
                yield f"{path}: includes {included}, and Qt lives in app/gui alone"
            if included.startswith(OURS):
                target = room_of(included)
                star = target.split("/")[0] + "/*"
                if target != room and target not in allowed and star not in allowed:
                    yield f"{path}: {room} must not include {included}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2])
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0:
        files = [f for f in listed.stdout.split("\n") if f and (root / f).is_file()]
    else:  # an unpacked source package
        files = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    found = list(breaches(files, lambda p: (root / p).read_text(encoding="utf-8")))
    for breach in found:
        print(breach)
    print(f"{len(files)} files, {len(found)} breaches")
    sys.exit(1 if found else 0)


def self_test():
    """The checker itself must be able to fail."""
    fake = {"core/trace/a.h": '#include "core/analysis/gaps.h"\n', "core/base/b.cpp": "#include <QString>\n",
            "kernels/cpu/c.cpp": '#include "core/base/result.h"\n', "vendor/x.cpp": "", "core/base/d.h": "\n" * 601,
            "app/gui/e.cpp": '#include <QWidget>\n#include "core/trace/trace.h"\n', "core/new/f.h": ""}
    found = list(breaches(fake, fake.get))
    assert len(found) == 7, found


if __name__ == "__main__":
    self_test()
    main()
