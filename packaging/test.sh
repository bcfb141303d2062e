#!/usr/bin/env bash
# Installs, builds and runs every test, in the three forms that must stay green:
#   1. with the window, without a CUDA toolkit: all tests, goldens on the real model, the window under Xvfb
#   2. without Qt, under AddressSanitizer and UndefinedBehaviorSanitizer: the tests of core and kernels
#   3. with the window and CUDA: compiles and links for every supported card, runs the quick tests
# GAPSCOPE_TEST_FORMS="1 2" runs some of them. In CI (CI=true) a golden that is skipped is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly forms=${GAPSCOPE_TEST_FORMS:-1 2 3}

step() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }

# Builds and tests one preset: check PRESET CTEST_ARGUMENTS -- CMAKE_ARGUMENTS
check() {
    local preset=$1
    shift
    local -a ctest_arguments=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        ctest_arguments+=("$1")
        shift
    done
    [ $# -gt 0 ] && shift
    local folder=build
    [ "$preset" = release ] || folder="build-$preset"
    cmake --preset "$preset" -DWITH_TESTS=ON "$@" >"$folder.configure.log" 2>&1 ||
        { cat "$folder.configure.log"; exit 1; }
    rm -f "$folder.configure.log"
    cmake --build "$folder"
    step "$preset: built, its tests begin"
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "${ctest_arguments[@]}"
}

step "installing"
packaging/install_dependencies.sh test
export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
# What form 1 compiled serves form 3, and one clone's objects serve the next.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=20G
if packaging/fetch_model.sh >/dev/null; then :; elif [ "${CI:-}" = true ]; then exit 1; fi
if [ "${CI:-}" = true ]; then export GAPSCOPE_REQUIRE_GOLDENS=1; fi

for form in $forms; do
    case $form in
        1) step "form 1: window, no CUDA toolkit"
           check release -- -DWERROR=ON -DWITH_GUI=ON -DWITH_CUDA=OFF ;;
        2) step "form 2: no Qt, sanitizers"
           export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
           # Warnings stay warnings: GCC 12 sees uninitialized values in code that its own checks were added to.
           check sanitize --parallel 2 -LE 'gui|golden|slow' -- -DWERROR=OFF -DCMAKE_DISABLE_FIND_PACKAGE_Qt6=ON
           unset ASAN_OPTIONS UBSAN_OPTIONS ;;
        3) step "form 3: window and CUDA"
           toolkit=$(packaging/cuda_toolkit.sh)
           check cuda -LE 'golden|slow' -- -DWERROR=ON -DWITH_GUI=ON "-DCMAKE_CUDA_COMPILER=$toolkit/bin/nvcc" "-DCUDAToolkit_ROOT=$toolkit" ;;
        *) echo "Unknown form '$form': 1, 2 or 3." >&2; exit 2 ;;
    esac
done
step "all forms passed"
