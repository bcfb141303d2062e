"""Reads report files with Python's parser: every element that opens closes, in order; nothing runs, nothing is fetched.

  check_html.py FILE...
  check_html.py --cli GAPSCOPE_CLI TRACE AFTER     makes both reports first
"""
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "br", "img", "link", "input", "hr"}
FORBIDDEN = {"script", "img", "link", "iframe", "object", "embed", "form", "base"}


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.problems, self.counts, self.cells = [], [], {}, []

    def handle_starttag(self, tag, attributes):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag in FORBIDDEN:
            self.problems.append(f"<{tag}> at {self.getpos()}")
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "xlink:href"):
                self.problems.append(f"{name}={value!r} at {self.getpos()}")
        if tag == "tr":
            self.cells.append(0)
        if tag in ("td", "th") and self.cells:
            self.cells[-1] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes {self.open[-1:]}")
        if self.open:
            self.open.pop()
        if tag == "table":
            if len(set(self.cells)) > 1:
                self.problems.append(f"a table's rows have {sorted(set(self.cells))} cells at {self.getpos()}")
            self.cells = []


def check(path):
    checker = Checker()
    text = path.read_text(encoding="utf-8")
    checker.feed(text)
    checker.close()
    problems = checker.problems + [f"<{tag}> is never closed" for tag in checker.open]
    for needed in ("svg", "table", "h1", "title", "style"):
        if not checker.counts.get(needed):
            problems.append(f"no <{needed}>")
    if "prefers-color-scheme:dark" not in text or "@media print" not in text:
        problems.append("no style for dark ground or for paper")
    for problem in problems:
        print(f"{path.name}: {problem}")
    print(f"{path.name}: {len(text):,} characters, {sum(checker.counts.values()):,} elements, {len(problems)} problems")
    return not problems


def main():
    if sys.argv[1] != "--cli":
        sys.exit(0 if all([check(Path(name)) for name in sys.argv[1:]]) else 1)
    cli, trace, after = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "one.html", Path(folder) / "two.html"
        subprocess.run([cli, "report", trace, "-o", one], check=True)
        subprocess.run([cli, "report", trace, after, "-o", two], check=True)
        again = subprocess.run([cli, "report", trace, "-o", one], capture_output=True, text=True)
        if again.returncode != 1 or "--force" not in again.stderr:
            sys.exit("a report that is there was replaced unasked")
        sys.exit(0 if check(one) & check(two) else 1)


if __name__ == "__main__":
    main()
