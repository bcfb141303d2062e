#!/usr/bin/env bash
# From a fresh Debian 12 to a running Gapscope: installs what is missing, fetches the default model, builds, starts.
# Without a display the same job runs through the command line. Arguments go to the program.
set -euo pipefail
cd "$(dirname "$0")/.."

packaging/install_dependencies.sh build
packaging/fetch_model.sh >/dev/null || true  # it said why; the built-in model stands in

configure=(cmake --preset release)
if command -v nvcc >/dev/null; then configure+=(-DWITH_CUDA=ON); fi
if [ ! -f build/build.ninja ]; then "${configure[@]}" -DWITH_TESTS=OFF; fi
cmake --build build --target gapscope gapscope-cli

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec build/bin/gapscope "$@"
fi
echo "No display found, so the same run goes through the command line (the window: build/bin/gapscope)."
if [ $# -gt 0 ]; then exec build/bin/gapscope-cli "$@"; fi
session="${XDG_STATE_HOME:-$HOME/.local/state}/gapscope/first-run.gapscope"
mkdir -p "$(dirname "$session")"
exec build/bin/gapscope-cli run --prompt "The three laws of robotics are" --out "$session" --force
