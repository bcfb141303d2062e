#!/usr/bin/env bash
# Prints the folder of a CUDA toolkit: the installed one, else nvcc from PyPI in the cache folder. Exit 1 if neither.
set -euo pipefail

nvcc_path=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
if [ -n "$nvcc_path" ]; then
    dirname "$(dirname "$(readlink -f "$nvcc_path")")"
    exit 0
fi
readonly venv="${XDG_CACHE_HOME:-$HOME/.cache}/gapscope/cuda-toolkit"
toolkit() { ls -d "$venv"/lib/python3*/site-packages/nvidia/cu13 2>/dev/null; }
if [ ! -x "$(toolkit)/bin/nvcc" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check 'nvidia-cuda-nvcc==13.*' 'nvidia-cuda-runtime==13.*' \
        'nvidia-cuda-cccl==13.*' >&2
    ln -sfn lib "$(toolkit)/lib64"  # where CMake looks
fi
toolkit
