#!/usr/bin/env bash
# Prints the folder of a CUDA toolkit to build with: the installed one, else one from PyPI in our cache folder, which is
# where core/base/cuda_library.cpp looks for libraries at run time. Exit 1, with a sentence, if neither can be had.
#   cuda_toolkit.sh          compiler, runtime and headers (0.2 GB)
#   cuda_toolkit.sh run      and, where they come from PyPI, CUPTI and cuBLAS, which runs use (0.7 GB more)
set -euo pipefail

# Older ones do not know C++20.
readonly oldest_nvcc=12
nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
if [ -n "$nvcc" ]; then
    major=$("$nvcc" --version 2>/dev/null | sed -n 's/.*release \([0-9]*\)\..*/\1/p') || true
    if [ "${major:-0}" -ge "$oldest_nvcc" ]; then
        dirname "$(dirname "$(readlink -f "$nvcc")")"
        exit 0
    fi
    echo "$nvcc does not run or is older than CUDA $oldest_nvcc: it is not used." >&2
fi

# 13.0 throughout: its parts only work with each other, and later ones ask for newer drivers.
readonly oldest_driver=580
if command -v nvidia-smi >/dev/null; then
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -1)
    if [ "${driver%%.*}" -lt "$oldest_driver" ] 2>/dev/null; then
        echo "The NVIDIA driver $driver is older than $oldest_driver, which CUDA 13 needs." >&2
        exit 1
    fi
fi
packages=(nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt nvidia-cuda-runtime nvidia-cuda-cccl)
if [ "${1:-}" = run ]; then packages+=(nvidia-cuda-cupti nvidia-cublas); fi
readonly venv="${XDG_CACHE_HOME:-$HOME/.cache}/gapscope/cuda"
readonly stamp="$venv/13.0-${1:-build}"  # all of it is there
toolkit() { ls -d "$venv"/lib/python3*/site-packages/nvidia/cu13 2>/dev/null; }
if [ ! -e "$stamp" ] && [ ! -e "$venv/13.0-run" ]; then
    echo "Fetching NVIDIA's ${packages[*]} from PyPI into $venv. They come under NVIDIA's CUDA Toolkit EULA." >&2
    if ! python3 -m venv "$venv" >&2 ||
        ! "$venv/bin/pip" install -q --disable-pip-version-check "${packages[@]/%/==13.0.*}" >&2; then
        echo "The CUDA toolkit could not be fetched." >&2
        exit 1
    fi
    # The wheels lack what only compiling needs; CMake looks for these two.
    ln -sfn lib "$(toolkit)/lib64"
    ln -sfn libcudart.so.13 "$(toolkit)/lib/libcudart.so"
    touch "$stamp"
fi
toolkit
