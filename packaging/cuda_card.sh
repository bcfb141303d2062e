#!/usr/bin/env bash
# Prints the compute capabilities of this machine's NVIDIA GPUs as CMake takes them ("89" or "80;90"). Exit 1, with a
# sentence, if there is no driver or no GPU.
set -euo pipefail

if ! command -v nvidia-smi >/dev/null; then
    echo "There is no NVIDIA driver here (nvidia-smi is not found)." >&2
    exit 1
fi
if ! found=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>&1) || [[ ! $found =~ ^[0-9]+\.[0-9] ]]; then
    echo "The NVIDIA driver finds no GPU: ${found%%$'\n'*}" >&2
    exit 1
fi
tr -d ' .' <<<"$found" | sort -un | paste -sd';'
