#!/bin/sh
# Builds one planted bug: copies the core, applies the patch to the copy, links a loadable OMS.
# usage: build.sh PATCH OUT.so COMPILER FLAGS...
set -eu

patch=$1 out=$2
shift 2
src=${out%.so}/src
log=${out%.so}/patch.log

rm -rf "${out%.so}" "$out"
mkdir -p "$src/core/live" "$src/sim/sut" "$src/fuzz/known_bad"
cp core/*.c core/*.h "$src/core/"
cp core/live/*.c core/live/*.h "$src/core/live/"
cp sim/sut/core.c sim/sut/core_*.[ch] sim/sut/sut.h "$src/sim/sut/"
cp sim/hash.h "$src/sim/"
cp fuzz/known_bad/export.h "$src/fuzz/known_bad/"

# Lines may have moved, their surroundings may not have changed.
if ! patch -p1 --fuzz=0 --batch --forward --no-backup-if-mismatch -d "$src" <"$patch" >"$log" 2>&1; then
    sed 's/^/    /' "$log" >&2
    echo "$patch no longer applies to the core: bring the planted bug up to date" >&2
    exit 1
fi

# -Bsymbolic and hidden symbols: the object calls its own patched functions, never those of the
# same name in the program that loads it. -O0: it is built often and runs for a second.
cd "$src"
"$@" -O0 -fPIC -shared -fvisibility=hidden -include fuzz/known_bad/export.h \
    -Wl,-Bsymbolic -Wl,--no-undefined -o "$OLDPWD/$out" \
    core/*.c core/live/alpaca.c core/live/alpaca_json.c core/live/rfc3339.c core/live/transport.c \
    sim/sut/core*.c -lsqlite3 -lcurl -lcjson
