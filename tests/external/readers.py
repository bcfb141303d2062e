"""What the tests of this folder share: the Python that has the readers, and running gapscope-cli."""
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path


def use_readers(*modules):
    """Goes on in the Python of packaging/export_readers.sh, or ends this test as skipped, saying why."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("GAPSCOPE_EXPORT_READERS") or cache / "gapscope" / "export-readers")
    python = folder / "bin" / "python"
    if Path(sys.prefix) != folder:
        if not python.exists():
            skip(f"{folder} is not there; packaging/export_readers.sh installs it")
        os.execv(python, [str(python), *sys.argv])
    for module in modules:
        try:
            __import__(module)
        except ImportError as error:
            skip(f"{module} cannot be used: {error}")


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def example(source, folder):
    """The session that ships with the program, unpacked into `folder`."""
    session = Path(folder) / "example.gapscope"
    session.write_bytes(gzip.decompress((Path(source) / "resources" / "example-eager.gapscope.gz").read_bytes()))
    return session


class Cli:
    def __init__(self, program):
        self.program = program

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"gapscope-cli {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))


FAILURES = []


def check(what, expected, actual, tolerance=0):
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        good = abs(expected - actual) <= tolerance
    else:
        good = expected == actual
    print("ok  " if good else "FAIL", what, expected if good else f"expected {expected}, got {actual}")
    if not good:
        FAILURES.append(what)


def finish():
    sys.exit(f"{len(FAILURES)} checks failed: {', '.join(FAILURES)}" if FAILURES else 0)
