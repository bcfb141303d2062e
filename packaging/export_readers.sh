#!/usr/bin/env bash
# Programs of others that read what Gapscope exports, for the tests that run them: Perfetto's own protobuf definitions, HTA
# and TensorBoard's PyTorch plugin, from PyPI, in a folder of the cache (700 MB). Says nothing when they are there; without
# a network those tests skip.
set -euo pipefail
readonly venv="${XDG_CACHE_HOME:-$HOME/.cache}/gapscope/export-readers"
[ -e "$venv/complete" ] && exit 0

echo "Installing readers of exports (Perfetto, HTA, torch-tb-profiler) into $venv"
rm -rf "$venv"
python3 -m venv "$venv"
if timeout 1200 "$venv/bin/pip" install -q --disable-pip-version-check \
    'perfetto>=0.59' 'HolisticTraceAnalysis==0.5.0' 'torch-tb-profiler==0.4.3' 'pandas<3' 'setuptools<81'; then
    touch "$venv/complete"
else
    rm -rf "$venv"
    echo "They could not be installed; the tests that need them will skip." >&2
fi
