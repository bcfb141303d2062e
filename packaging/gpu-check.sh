#!/usr/bin/env bash
# Checks Gapscope on this machine's NVIDIA GPU: builds without Qt with CUDA, runs the GPU tests, and measures decode speed
# of each mode for Gemma 3 in the 270M and 1B shapes with random weights made on the spot (2.6 GB in a temporary folder).
# Ends with a JSON array: tokens/s, ms a token, and the share of what reading the weights at the measured memory rate
# would allow.
#
#   packaging/gpu-check.sh                  build in build-gpu-check, then check
#   packaging/gpu-check.sh --programs DIR   use the programs in DIR instead of building (libraries beside them in DIR/lib)
#   ... --quick                             tests only
#
# Needs an NVIDIA driver, Python with PyTorch or numpy, and to build: nvcc, CMake and what
# packaging/install_dependencies.sh installs. Changes nothing on the card.
set -euo pipefail
cd "$(dirname "$0")/.."

programs=""
quick=no
while [ $# -gt 0 ]; do
    case $1 in
        --programs) programs=$(realpath "$2"); shift 2 ;;
        --quick) quick=yes; shift ;;
        *) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done

command -v nvidia-smi >/dev/null || { echo "gpu-check: no NVIDIA driver here (nvidia-smi is not found)." >&2; exit 1; }
nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader

if [ -z "$programs" ]; then
    capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
    toolkit=$(packaging/cuda_toolkit.sh)
    cmake -S . -B build-gpu-check -G Ninja -DCMAKE_BUILD_TYPE=Release -DWITH_GUI=OFF -DWITH_CUDA=ON \
        -DCMAKE_CUDA_COMPILER="$toolkit/bin/nvcc" -DGAPSCOPE_CUDA_ARCHITECTURES="$capability" >/dev/null
    cmake --build build-gpu-check --target kernels_cuda_test cuda_backend_test gpu_decode_bench
    programs=$PWD/build-gpu-check/bin
fi
[ ! -d "$programs/lib" ] || export LD_LIBRARY_PATH="$programs/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
logs=${OUT:-$(mktemp -d)}
failed=0

# NAME SECONDS COMMAND...: its output goes to a file; failures and a last line are shown.
check() {
    local name=$1 limit=$2 status=0
    shift 2
    timeout "$limit" "$@" >"$logs/$name.log" 2>&1 || status=$?
    grep -E "Failure|FAILED|========= (Error|Race|Invalid)" -A 6 "$logs/$name.log" | head -60 || true
    if [ "$status" = 0 ]; then echo "$name: ok, $(grep -cE '^\[       OK' "$logs/$name.log" || true) tests"; else
        echo "$name: FAILED (status $status; log: $logs/$name.log)"
        failed=1
    fi
    if grep -q "SKIPPED" "$logs/$name.log"; then grep -E "SKIPPED|no GPU|is not here" "$logs/$name.log" | sort -u | head -5; fi
}

check ops 180 "$programs/kernels_cuda_test"
check runs 180 "$programs/cuda_backend_test"
if command -v compute-sanitizer >/dev/null; then
    check memcheck 240 compute-sanitizer --error-exitcode 1 "$programs/cuda_backend_test" --gtest_filter='*_23'
    check racecheck 240 compute-sanitizer --tool racecheck --error-exitcode 1 "$programs/kernels_cuda_test" \
        --gtest_filter='*Attention*:*Norm*:*Argmax*'
else
    echo "compute-sanitizer is not here: memory accesses were not checked"
fi
[ "$quick" = no ] || exit "$failed"

models=$(mktemp -d)
trap 'rm -rf "$models"' EXIT
results=()
for shape in 270m 1b; do
    timeout 600 python3 packaging/random_gemma3.py "$shape" "$models/$shape"
    while IFS= read -r line; do
        if [[ $line == "{"* ]]; then results+=("$line"); else echo "$line" >&2; fi
    done < <(timeout 240 "$programs/gpu_decode_bench" "$models/$shape" 128 7 graph fused eager 2>&1 || echo "$shape: the benchmark failed")
done
[ "${#results[@]}" = 6 ] || failed=1
printf '[\n'
for i in "${!results[@]}"; do
    printf '%s%s\n' "${results[$i]}" "$([ "$i" = $((${#results[@]} - 1)) ] || echo ,)"
done
printf ']\n'
exit "$failed"
