#!/usr/bin/env bash
# Runs build.sh as OSS-Fuzz calls it, without its container, and checks what it made as they do: every
# target is there, starts, is instrumented for its engine and its sanitizer and no other, finds its
# libraries wherever it is moved, and passes its seeds. Run by `make oss-fuzz-check`.
# usage: fuzz/oss-fuzz/check.sh ENGINE-SANITIZER...
set -uo pipefail
tree=$PWD
work=$tree/build/oss-fuzz-check
targets=(timeline input_{answers,scenario,plan,decision,signals,store})
fail() { echo "oss-fuzz: FAIL: $engine, $sanitizer: $*" >&2; exit 1; }
# What their base image sets. Theirs link another C++ library, which is not everywhere.
common='-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION'
checks=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound,vptr
declare -A flags=([address]='-fsanitize=address -fsanitize-address-use-after-scope'
    [undefined]="-fsanitize=$checks,unsigned-integer-overflow -fno-sanitize-recover=$checks")
declare -A compilers=([libfuzzer]=clang [afl]=afl-clang-fast)
declare -A engines=([libfuzzer]=-fsanitize=fuzzer [afl]=/usr/lib/afl/libAFLDriver.a)
declare -A coverage=([libfuzzer]=-fsanitize=fuzzer-no-link [afl]="")

# The tree as a Dockerfile copies it; files that did not change keep their time, for the next build.
copy_tree() {
    mkdir -p "$work/src/crashgate"
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp -u --parents -p -t "$work/src/crashgate"
    cp -p fuzz/oss-fuzz/build.sh "$work/src/"
}
build() {
    local all="$common ${flags[$sanitizer]} ${coverage[$engine]}"
    mkdir -p "$work/$engine-$sanitizer"
    rm -rf "$work/out"
    mkdir "$work/out"
    (cd "$work/src/crashgate" && env -u MAKEFLAGS -u MAKELEVEL SRC="$work/src" OUT="$work/out" WORK="$work/$engine-$sanitizer" \
        CC="${compilers[$engine]}" CXX="${compilers[$engine]}++" CFLAGS="$all" CXXFLAGS="$all" \
        LIB_FUZZING_ENGINE="${engines[$engine]}" FUZZING_ENGINE=$engine SANITIZER=$sanitizer ARCHITECTURE=x86_64 \
        FUZZING_LANGUAGE=c UBSAN_OPTIONS=silence_unsigned_overflow=1 AFL_QUIET=1 \
        bash -eux "$work/src/build.sh" >"$work/build.log" 2>&1) || fail "build.sh: $(tail -3 "$work/build.log")"
}
calls() { grep -cE "call +[0-9a-f]+ <__$1" "$work/code"; }
check_sanitizer() { # TARGET
    objdump -d --no-show-raw-insn "$1" >"$work/code"
    local asan ubsan
    asan=$(calls asan) ubsan=$(calls ubsan)
    case $sanitizer in
    address) [ "$asan" -ge 1000 ] && [ "$ubsan" -le 200 ] ;;
    undefined) [ "$asan" = 0 ] && [ "$ubsan" -ge 168 ] ;;
    esac || fail "$1 calls address $asan times, undefined $ubsan times"
}
# Libraries come from beside it, or are of glibc.
check_libraries() { # TARGET
    local strange
    strange=$(ldd "$PWD/$1" | grep -vE " => $PWD/lib/|/(libc|libm|libdl|libpthread|librt|libresolv)\.so\.|ld-linux|linux-vdso")
    [ -z "$strange" ] || fail "$1 needs from the machine: $strange"
}
check_libfuzzer() { # TARGET
    local edges
    "./$1" -seed=1337 -runs=4 </dev/null >"$work/said" 2>&1
    grep -q 'Done 4 runs' "$work/said" || fail "$1 does not start: $(tail -3 "$work/said")"
    edges=$(sed -nE 's/^INFO: Loaded .*counters\): *([0-9]+).*/\1/p; s/^INFO: Loaded .*\(([0-9]+) inline.*/\1/p' "$work/said" | head -1)
    [ "${edges:-0}" -ge 100 ] || fail "$1 has ${edges:-no} edges"
    "./$1" -runs=0 "$work/corpus" </dev/null >"$work/said" 2>&1 || fail "$1 breaks on a seed: $(tail -5 "$work/said")"
    "./$1" -seed=1 -runs=500 "$work/corpus" </dev/null >"$work/said" 2>&1 || fail "$1 breaks: $(tail -5 "$work/said")"
}
check_afl() { # TARGET
    local words=() limit
    limit=$(sed -n 's/^max_len = //p' "$1.options")
    [ ! -e "$1.dict" ] || words=(-x "$1.dict")
    rm -rf "$work/afl"
    AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_INPUT_LEN_MAX=$limit \
        ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_odr_violation=0 \
        afl-fuzz -i "$work/corpus" -o "$work/afl" -s 1 -E 500 -t 5000+ -m none "${words[@]}" -- "./$1" >"$work/said" 2>&1 ||
        fail "$1: afl-fuzz: $(tail -5 "$work/said")"
    grep -q 'stability *: 100.00%' "$work/afl/default/fuzzer_stats" || fail "$1: $(grep stability "$work/afl/default/fuzzer_stats")"
    grep -q 'saved_crashes *: 0' "$work/afl/default/fuzzer_stats" || fail "$1 breaks: $work/afl/default/crashes"
}
check() { # TARGET, which stands in this folder
    file -b "$1" | grep -q 'ELF.*x86-64' || fail "$1 is no program"
    grep -q LLVMFuzzerTestOneInput "$1" || fail "$1 has no target in it"
    check_sanitizer "$1"
    check_libraries "$1"
    rm -rf "$work/corpus"
    unzip -q "$1_seed_corpus.zip" -d "$work/corpus" || fail "$1 has no seeds"
    # A few are enough for what a seed can show here; `make fuzz` runs them all.
    find "$work/corpus" -type f | sort | awk 'NR % 40 != 1' | xargs -r rm
    "check_$engine" "$1"
}

# It can fail: an OMS with a known mistake breaks on the seeds that the core passes.
check_known_mistake() {
    unzip -q timeline_seed_corpus.zip -d "$work/corpus-of-all"
    ! FUZZ_OMS=seed-protocol ./timeline -runs=0 "$work/corpus-of-all" </dev/null >"$work/said" 2>&1 || fail "a known mistake passes"
    grep -q '^I[0-9]* broke' "$work/said" || fail "a known mistake ends otherwise: $(tail -3 "$work/said")"
    rm -rf "$work/corpus-of-all"
}

command -v zip unzip objdump file >/dev/null || { echo "oss-fuzz: zip, unzip, objdump and file are needed" >&2; exit 5; }
copy_tree
for configuration in "$@"; do
    engine=${configuration%-*} sanitizer=${configuration#*-}
    build
    rm -rf "$work/moved"
    mv "$work/out" "$work/moved" # as they do: nothing may know where it was made
    cd "$work/moved" || exit 5
    for target in "${targets[@]}"; do check "$target"; done
    [ "$engine" != libfuzzer ] || check_known_mistake
    cd "$tree" || exit 5
    echo "oss-fuzz: $engine, $sanitizer: ${#targets[@]} targets start, are instrumented, have their libraries and pass their seeds"
done
