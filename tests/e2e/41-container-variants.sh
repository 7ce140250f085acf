#!/bin/bash
# 41-container-variants - files that unzip, libzip and Python mostly read without complaint, and that are
# not the one encoding of their content: both programs refuse each with exit 3 and one line.
. "$(dirname "$0")/lib.sh"
V=tests/vectors/evidence
PUB=$V/minisign/keys/alice.pub

n=0
for f in "$V"/zip/variants/*.zip; do
	expect 3 "^mfgpkg: .*$(basename "$f"): ." mfgpkg verify "$f" -P "$PUB"
	[ "$(wc -l <"$T/out")" = 1 ] || fail "$f: more than one line"
	n=$((n + 1))
done
[ $n = 39 ] || fail "$n variants, 39 wanted"
step "$n variants refused by mfgpkg verify"

# Canonical ones get past the container: what is missing there is a signature, or its members.
for f in "$V"/zip/canonical/*; do
	expect 3 'manifest.json: |signatures/' mfgpkg verify "$f" -P "$PUB"
done
expect 3 'unknown member "lifecycle_before"|type: missing' mfgpkg verify "$V/zip/canonical/package.mfgpkg" -P "$PUB"

if runner verify --help >/dev/null 2>&1; then
	runner station init --state "$T/state" --name line3.example >/dev/null
	runner trust add --state "$T/state" "$PUB" >/dev/null
	for f in "$V"/zip/variants/*.zip; do
		expect 3 "^runner: ." runner verify --state "$T/state" "$f"
	done
	step "$n variants refused by runner verify"
fi
echo "container variants: ok"
