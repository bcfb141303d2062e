#!/usr/bin/env bash
# Searches for inputs that break a reader, with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#   run.sh TARGET [-runs=N] [-max_total_time=SECONDS] [other libFuzzer options]      default: ten minutes
# TARGET is a file of this folder without its "_fuzz.cpp": chrome_trace, session, gguf ... Needs clang. What was learned
# stays in build-fuzz/corpus/TARGET and is where the next search begins; findings are build-fuzz/TARGET-*, and
# `build/bin/TARGET_fuzz FILE` looks at one.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -eq 0 ] || [ ! -f "tests/fuzz/$1_fuzz.cpp" ]; then
    echo "Say which: run.sh $(ls tests/fuzz/*_fuzz.cpp | sed 's|.*/||; s|_fuzz.cpp||' | paste -sd'|') [libFuzzer options]" >&2
    exit 2
fi
command -v clang++ >/dev/null || { echo "This needs clang: apt-get install clang" >&2; exit 1; }
target=$1
shift
[ $# -gt 0 ] || set -- -max_total_time=600

# No warnings as errors: they are GCC's affair, which every other build uses.
cmake -S . -B build-fuzz -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1 -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION" -DWITH_GUI=OFF -DWITH_CUDA=OFF -DWITH_TESTS=ON \
    -DSANITIZE=fuzzer-no-link,address,undefined >/dev/null
cmake --build build-fuzz --target "${target}_fuzz" >/dev/null
corpus=build-fuzz/corpus/$target
mkdir -p "$corpus"
"build-fuzz/bin/${target}_fuzz" --write-seeds="$corpus"
# Inputs beyond -max_len are cut, seeds too, and a cut database is none: the session's seeds have 28 KB.
case $target in
    session) max_len=40960 ;;
    *) max_len=16384 ;;
esac
# Short stacks of allocations: SQLite makes so many that unwinding them would be half of the work.
export ASAN_OPTIONS=detect_stack_use_after_return=1:max_allocation_size_mb=512:quarantine_size_mb=16:malloc_context_size=6
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
exec "build-fuzz/bin/${target}_fuzz" -artifact_prefix="build-fuzz/$target-" -max_len=$max_len -entropic=0 -print_final_stats=1 "$@" "$corpus"
