#!/usr/bin/env bash
# Checks Gapscope on this machine's NVIDIA GPU, without Qt, and measures it. A person with a GPU runs it as it is:
#
#   packaging/gpu-check.sh                    build in build-gpu-check, then everything (about 20 minutes)
#   ... --programs DIR                        the programs in DIR instead of building (packaging/bundle.sh packs them)
#   ... --only ops,goldens                    some sections; packaging/gpu_check.py lists and explains them
#   ... --model FILE                          the real Gemma 3 270M too: goldens, speed, window
#   ... --models DIR                          where the random models are kept for the next time (6 GB)
#
# Prints "name: ok", "name: FAILED ..." or "name: skipped, why" for each check and exits with 1 if one failed. Into $OUT,
# else build-gpu-check/results, go results.json, table.md (for kernels/cuda/README.md), sessions and the logs.
#
# Needs an NVIDIA driver and Python with numpy; for `transformers` PyTorch and transformers; to build: what
# packaging/install_dependencies.sh installs. Changes nothing on the card.
set -euo pipefail

programs=""
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --programs) programs=$(realpath "$2"); shift 2 ;;
        --model | --models) arguments+=("$1" "$(realpath -m "$2")"); shift 2 ;;
        --only) arguments+=("$1" "$2"); shift 2 ;;
        *) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done
out=${OUT:+$(realpath -m "$OUT")}
cd "$(dirname "$0")/.."

card=$(packaging/cuda_card.sh)
nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv,noheader
if [ -z "$programs" ]; then
    toolkit=$(packaging/cuda_toolkit.sh run)
    cmake -S . -B build-gpu-check -G Ninja -DCMAKE_BUILD_TYPE=Release -DWITH_GUI=OFF -DWITH_CUDA=ON -DWITH_TESTS=ON \
        "-DGAPSCOPE_CUDA_ARCHITECTURES=$card" "-DCMAKE_CUDA_COMPILER=$toolkit/bin/nvcc" "-DCUDAToolkit_ROOT=$toolkit" >/dev/null
    cmake --build build-gpu-check --target gapscope-cli kernels_cuda_test cuda_backend_test golden_tiny_model_test \
        golden_real_model_test cupti_gpu_test gpu_decode_bench trace_cost_bench
    programs=$PWD/build-gpu-check/bin
fi
exec python3 packaging/gpu_check.py --programs "$programs" --out "${out:-$PWD/build-gpu-check/results}" "${arguments[@]}"
