#!/bin/sh
# Builds one planted bug: copies the core, applies the patch to the copy, compiles what the patch
# changes, and links it with the objects of all that it leaves alone into a loadable OMS.
# usage: build.sh PATCH OUT.so BASE COMPILER FLAGS...
# BASE holds object and dependencies (.o, .d) of every source, from the same compiler and flags.
set -eu

patch=$1 out=$2 base=$3
shift 3
dir=${out%.so}
src=$dir/src
log=$dir/patch.log

rm -rf "$dir" "$out"
mkdir -p "$src"
# --parents keeps the folders, so that the patch finds its files
cp --parents core/*.[ch] core/live/*.[ch] sim/sut/core*.[ch] sim/sut/sut.h sim/hash.h fuzz/known_bad/export.h "$src"

# Lines may have moved, their surroundings may not have changed.
if ! patch -p1 --fuzz=0 --batch --forward --no-backup-if-mismatch -d "$src" <"$patch" >"$log" 2>&1; then
    sed 's/^/    /' "$log" >&2
    echo "$patch no longer applies to the core: bring the planted bug up to date" >&2
    exit 1
fi

# Everything that is made of a file which it changes is compiled again.
sed -n "s/^patching file '\{0,1\}\([^' ]*\).*/\1/p" "$log" >"$dir/changed"
again=$(cd "$base" && grep -rlwFf "$OLDPWD/$dir/changed" --include='*.d' core sim | sort | sed 's/\.d$//')
objects=
for name in $again; do
    mkdir -p "$dir/$(dirname "$name")"
    (cd "$src" && "$@" -c -o "$OLDPWD/$dir/$name.o" "$name.c")
    objects="$objects $dir/$name.o"
done
for object in $(cd "$base" && find core sim -name '*.o' | sort); do
    # what is there from a source that was removed since is left out
    if [ -e "$src/${object%.o}.c" ] && [ ! -e "$dir/$object" ]; then objects="$objects $base/$object"; fi
done

# -Bsymbolic and hidden symbols: the object calls its own patched functions, never those of the
# same name in the program that loads it.
# shellcheck disable=SC2086
"$@" -shared -Wl,-Bsymbolic -Wl,--no-undefined -o "$out" $objects -lsqlite3 -lcurl -lcjson
