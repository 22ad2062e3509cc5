#!/bin/bash -eu
# Builds every fuzz target as OSS-Fuzz and ClusterFuzzLite want it: from $SRC/crashgate with the
# compilers, flags and engine of the environment, into $OUT with seeds, words and options beside each.
# `make oss-fuzz-check` runs it as they do.
cd "$SRC/crashgate"
readers="answers scenario plan decision signals store"

# What runs the targets has glibc and nothing else: other libraries go along, in $OUT/lib.
build() { # FLAVOR TARGET...
    make -j"$(nproc)" FLAVOR="$1" B="$WORK/$1" CC="$CC" EXTRA_CFLAGS="$CFLAGS" \
        LINKER="$CXX" LINKFLAGS="$CXXFLAGS" ENGINE="$LIB_FUZZING_ENGINE" \
        LDFLAGS="-rdynamic -Wl,--disable-new-dtags,-rpath,'\$\$ORIGIN/lib'" \
        ROOMS="core core/live sim sim/sut faultinject scenarios/lang fuzz fuzz/inputs" "${@:2}"
}
take() { # NAME FOLDER LENGTH: a target with its seeds and the most bytes it takes
    cp "$made/$1" "$OUT/"
    (cd "$2" && zip -q -X "$OUT/$1_seed_corpus.zip" -- *)
    printf '[libfuzzer]\nmax_len = %d\n' "$3" >"$OUT/$1.options"
}
export ASAN_OPTIONS=detect_leaks=0 # of the programs that make seeds

made=$WORK/oss-fuzz seeds=$WORK/seeds
rm -rf "$seeds" "$OUT"/*_seed_corpus.zip
mkdir -p "$seeds" "$OUT/lib"
build oss-fuzz "$made/timeline" "$made/fuzz_timeline"
"$made/fuzz_timeline" seeds "$seeds/timeline" scenarios/*/*.scn
take timeline "$seeds/timeline" 520

# AFL++ leaves out other sources of a reader than of a timeline: two builds.
[ "$FUZZING_ENGINE" != afl ] || made=$WORK/oss-fuzz-inputs
# shellcheck disable=SC2086
build "${made##*/}" $(printf " $made/input_%s" $readers) "$made/fuzz_inputs"
for reader in $readers; do
    files=()
    [ "$reader" != scenario ] || files=(scenarios/*/*.scn)
    "$made/fuzz_inputs" seeds "$reader" "$seeds/$reader" "${files[@]}"
    take "input_$reader" "$seeds/$reader" 4096
    "$made/fuzz_inputs" words "$reader" >"$OUT/input_$reader.dict"
    [ -s "$OUT/input_$reader.dict" ] || rm "$OUT/input_$reader.dict"
done

ldd "$OUT"/timeline "$OUT"/input_* 2>/dev/null | sed -n 's/^.* => \(\/[^ ]*\) (.*/\1/p' | sort -u |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv)\.so\.' | xargs cp -L -t "$OUT/lib"
