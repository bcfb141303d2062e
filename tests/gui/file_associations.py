"""Installs the program into a folder of its own and asks the desktop's tools what they make of its files: types by name
and by content, the program that opens them. Skips (77) what this machine has no tool for.
  file_associations.py CMAKE BUILD_FOLDER GAPSCOPE_CLI"""
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ID = "io.github.gapscope.Gapscope"


def run(command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


def main():
    cmake, build, cli = sys.argv[1:]
    if not shutil.which("update-mime-database"):
        print("SKIPPED: update-mime-database is not installed (Debian: shared-mime-info)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run([cmake, "--install", build, "--prefix", folder / "prefix"])
        data = folder / "prefix" / "share"
        for part in (f"applications/{ID}.desktop", f"metainfo/{ID}.metainfo.xml", f"mime/packages/{ID}.xml",
                     f"icons/hicolor/scalable/apps/{ID}.svg"):
            assert (data / part).is_file(), f"{part} was not installed"
        problems = subprocess.run(["update-mime-database", data / "mime"], text=True, capture_output=True)
        assert problems.returncode == 0 and "error" not in problems.stderr.lower(), problems.stderr
        types = (data / "mime" / "types").read_text().split()
        entry = (data / "applications" / f"{ID}.desktop").read_text()
        opened = [line for line in entry.splitlines() if line.startswith("MimeType=")][0][9:].strip(";").split(";")
        assert sorted(opened) == sorted(types), f"the menu entry opens {opened}, the type file knows {types}"
        program = [line for line in entry.splitlines() if line.startswith("Exec=")][0]
        assert program == "Exec=gapscope %F" and (folder / "prefix" / "bin" / "gapscope").is_file(), program

        if shutil.which("desktop-file-validate"):
            run(["desktop-file-validate", data / "applications" / f"{ID}.desktop"])
        files = make_files(folder, cli)
        tool = type_tool(data, folder)
        if not tool:
            print("SKIPPED the questions about files: neither gio nor xdg-mime is installed")
            return 0
        for path, expected in files.items():
            found = tool(path)
            assert found == expected, f"{path.name}: {found}, expected {expected}"
        print(f"{len(types)} types, {len(files)} files known by the desktop")
        if shutil.which("gio") and shutil.which("update-desktop-database"):
            run(["update-desktop-database", data / "applications"])
            for each in types:
                opener = run(["gio", "mime", each], env=environment(data, folder))
                assert f"{ID}.desktop" in opener, f"{each} is opened by: {opener}"
            print("the program is offered for each type")
    return 0


def make_files(folder, cli):
    """Files of each kind, also under names that tell nothing or the wrong thing."""
    json = folder / "worker.pt.trace.json"
    json.write_text('{"traceEvents":[{"ph":"X","name":"a","ts":1,"dur":2,"pid":1,"tid":1}]}')
    packed = folder / "worker.pt.trace.json.gz"
    packed.write_bytes(gzip.compress(json.read_bytes()))
    session, perfetto = folder / "run.gapscope", folder / "run.pftrace"
    run([cli, "convert", json, session])
    run([cli, "convert", json, perfetto])
    unnamed = folder / "unnamed"
    shutil.copy(session, unnamed)
    packed_session = folder / "run.gapscope.gz"
    packed_session.write_bytes(gzip.compress(session.read_bytes()))
    other = folder / "other"
    other.write_bytes(session.read_bytes()[:68] + b"\0\0\0\0" + session.read_bytes()[72:])
    plain = folder / "plain.json"
    shutil.copy(json, plain)
    return {json: "application/x-pytorch-trace", packed: "application/x-pytorch-trace-gzip",
            session: "application/x-gapscope-session", perfetto: "application/x-perfetto-trace",
            packed_session: "application/x-gapscope-session-gzip",
            unnamed: "application/x-gapscope-session",  # by its content
            other: "application/vnd.sqlite3",           # a database of somebody else
            plain: "application/json"}                  # what is called so may be anything: not ours to claim


def environment(data, folder):
    # The desktop offers only programs that it can start.
    return {**os.environ, "PATH": f"{folder / 'prefix' / 'bin'}:{os.environ['PATH']}", "XDG_DATA_HOME": str(folder / "home"),
            "XDG_DATA_DIRS": f"{data}:/usr/local/share:/usr/share", "XDG_CONFIG_HOME": str(folder / "config"),
            "LC_ALL": "C.UTF-8"}


def type_tool(data, folder):
    told = environment(data, folder)
    if shutil.which("gio"):
        def by_gio(path):
            lines = run(["gio", "info", "-a", "standard::content-type", path], env=told).splitlines()
            return [line.split(": ", 1)[1] for line in lines if "standard::content-type" in line][0].strip()
        return by_gio
    if shutil.which("xdg-mime"):
        return lambda path: run(["xdg-mime", "query", "filetype", path], env=told).strip()
    return None


if __name__ == "__main__":
    sys.exit(main())
