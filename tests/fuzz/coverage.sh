#!/bin/sh
# coverage.sh BUILD_DIR NAME...: run the corpora of these fuzz targets in a --coverage build and print,
# per source file of the parsers they are for, how many lines were reached.
set -eu
cd "$(dirname "$0")/../.."
B=$1; shift
find "$B" -name '*.gcda' -delete
for n in "$@"; do
	"$B/unit/test_corpus_$n" >"$B/corpus-$n.log" 2>&1 || { cat "$B/corpus-$n.log" >&2; exit 1; }
done
echo "lines reached by the corpora of: $*"
for f in ${FILES:-common/pkg/*.c}; do
	# A file none of the targets links or calls has no counts.
	[ -e "$B/obj/$f.gcda" ] || { printf '%-32s not run\n' "$f"; continue; }
	gcov -n -o "$B/obj/$f.o" "$f" 2>/dev/null | awk -v f="$f" '
		/^File / { mine = index($0, "\x27" f "\x27") }
		/^Lines executed:/ && mine {
			split($0, a, /[:% ]+/); printf "%-32s %6.1f %% of %d lines\n", f, a[3], a[5]; mine = 0 }'
done
