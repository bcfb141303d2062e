#!/usr/bin/env bash
# Makes the README's picture from the app itself: the window after a run of the default model, under a virtual display.
#   screenshot.sh [OUT.png] [THEME] [SIZE]
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath "${1:-resources/screenshot.png}")
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
# Settings and sessions of its own, so that the picture shows no one's files.
XDG_CONFIG_HOME="$settings/config" XDG_STATE_HOME="$settings/state" XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" \
    xvfb-run -a -s "-screen 0 2560x1600x24" build/bin/gapscope --run --theme "${2:-light}" --size "${3:-1600x900}" \
    --screenshot "$out"
