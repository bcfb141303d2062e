#!/usr/bin/env bash
# Records the examples that come with the program, on this machine's GPU: Gemma 3 in the 1B shape with random weights in
# bf16, a few tokens eager and as a CUDA graph, compressed into resources/. Under 5 MB together.
#   make_example.sh GAPSCOPE_CLI [OUT_FOLDER]       MODEL=FILE.gguf takes one of packaging/random_gemma3.py that is there
#                                                   DEVICE=cpu tries the script without a GPU
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
packaging=$(realpath "$(dirname "$0")")
cli=$(realpath "$1")
out=$(realpath -m "${2:-$packaging/../resources}")
readonly most_bytes=5000000

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "${MODEL:-}" ]; then ln -s "$(realpath "$MODEL")" "$work/1b.gguf"; else
    timeout 300 python3 "$packaging/random_gemma3.py" 1b "$work/1b.gguf"
fi
device=${DEVICE:-cuda}
precision=bf16
[ "$device" != cpu ] || precision="file"
mkdir -p "$out"
cd "$work"  # the session names the model as it was named: no one's folders
total=0
for mode in eager graph; do
    if ! timeout 300 "$cli" run --model 1b.gguf --device "$device" --precision "$precision" --mode "$mode" --warmup 1 \
        --max-new-tokens 8 --ignore-eos --prompt "the gpu waits while the cpu prepares the next launch" \
        --out "example-$mode.gapscope" >log 2>&1; then
        cat log >&2
        exit 1
    fi
    lost=$("$cli" summary "example-$mode.gapscope" --json |
        python3 -c 'import json, sys; print([d for d in json.load(sys.stdin)["diagnostics"] if d["severity"] != "info"])')
    [ "$lost" = "[]" ] || { echo "make_example: the $mode run lost records: $lost" >&2; exit 1; }
    "$cli" summary "example-$mode.gapscope" | head -3
    gzip -9n <"example-$mode.gapscope" >"$out/example-$mode.gapscope.gz"
    bytes=$(stat -c %s "$out/example-$mode.gapscope.gz")
    echo "example-$mode.gapscope.gz: $bytes bytes"
    total=$((total + bytes))
done
[ "$total" -le "$most_bytes" ] || { echo "make_example: $total bytes are more than $most_bytes" >&2; exit 1; }
