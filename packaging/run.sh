#!/usr/bin/env bash
# From a fresh Debian 12 to a running Gapscope: installs what is missing, fetches the default model, builds, starts.
# With an NVIDIA driver it builds for the GPU that is there, and fetches CUDA's compiler and libraries if there are none.
# Without a display the same job runs through the command line. Arguments go to the program.
set -euo pipefail
cd "$(dirname "$0")/.."

packaging/install_dependencies.sh build
packaging/fetch_model.sh >/dev/null || true  # it said why; the built-in model stands in

cuda=(-DWITH_CUDA=OFF)
if cards=$(packaging/cuda_card.sh) && toolkit=$(packaging/cuda_toolkit.sh run); then
    cuda=(-DWITH_CUDA=ON "-DGAPSCOPE_CUDA_ARCHITECTURES=$cards" "-DCMAKE_CUDA_COMPILER=$toolkit/bin/nvcc"
        "-DCUDAToolkit_ROOT=$toolkit")
else
    echo "So Gapscope is built without CUDA, and runs use the CPU." >&2
fi
if [ ! -f build/build.ninja ]; then
    cmake --preset release -DWITH_TESTS=OFF "${cuda[@]}"
elif [ "${cuda[0]}" = -DWITH_CUDA=ON ] && ! grep -qx 'WITH_CUDA:BOOL=ON' build/CMakeCache.txt; then
    cmake --preset release "${cuda[@]}"  # the driver came after the first build
fi
cmake --build build --target gapscope gapscope-cli

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec build/bin/gapscope "$@"
fi
echo "No display found, so the same run goes through the command line (the window: build/bin/gapscope)."
if [ $# -gt 0 ]; then exec build/bin/gapscope-cli "$@"; fi
session="${XDG_STATE_HOME:-$HOME/.local/state}/gapscope/first-run.gapscope"
mkdir -p "$(dirname "$session")"
exec build/bin/gapscope-cli run --prompt "The three laws of robotics are" --out "$session" --force
