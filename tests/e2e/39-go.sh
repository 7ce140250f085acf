#!/bin/bash
# 39-go - a fresh log, its checkpoints, proofs and cosignatures, judged by Go's golang.org/x/mod/sumdb
# (note, tlog) and by mfgpkg: both must say the same, of good files and of files with one byte changed.
# Wants Debian's golang-go (or another Go) and golang-golang-x-mod-dev; skips itself without them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"
GO_SOURCES=/usr/share/gocode
if ! command -v go >/dev/null; then
	echo "SKIPPED: no Go here (apt-get install golang-go golang-golang-x-mod-dev)"
	exit 0
fi
if [ ! -d $GO_SOURCES/src/golang.org/x/mod/sumdb/tlog ]; then
	echo "SKIPPED: no golang.org/x/mod/sumdb here (apt-get install golang-golang-x-mod-dev)"
	exit 0
fi
GO111MODULE=off GOPATH=$GO_SOURCES GOCACHE=$T/gocache GOFLAGS='' go build -o "$T/judge" tests/interop/go/judge.go ||
	fail "the Go program does not build"
judge() { "$T/judge" "$@"; }

step "a log of a simulated run, seen by a witness"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
station "$T/state" line3.plant4.example "$T/oem" >/dev/null
make_order "$T/state" 2026-0042 "$T/blinky.mfgpkg" 2
sim_start line --count 2 --seed 7
runner start "$T/blinky.mfgpkg" --state "$T/state" --order "$T/2026-0042" --ports "$T/line/ttyMCX*" --count 2 -q >"$T/run.out" 2>&1 ||
	{ cat "$T/run.out" >&2; fail "runner start"; }
sim_stop line
cd "$T"
runner log export 2026-0042 --state state -o log.db -q
audit() { mfgpkg audit "$1" log.db "${@:2}" -P oem/keys/package.pub; }
audit cosign -k witness.key -n acme.example/witness/qa --state witness --store -o final.note >cosign.out 2>&1
WITNESS=$(sed -n 's/.*cosigned by //p' cosign.out)

# All keys, from the leaves alone: the station's (under the origin, so with another id), the epochs'.
python3 - log.db "$WITNESS" >keys <<'END'
import base64, hashlib, json, sqlite3, sys
leaves = [json.loads(d) for d, in sqlite3.connect(sys.argv[1]).execute("select data from leaf order by seq")]
key, origin = leaves[0]["station"]["key"].split("+", 2)[2], leaves[0]["origin"]
print(origin + "+" + hashlib.sha256(origin.encode() + b"\n" + base64.b64decode(key)).hexdigest()[:8] + "+" + key)
print(leaves[0]["epoch0"])
for leaf in leaves:
    if leaf["kind"] == "epoch-seal" and leaf["next"]:
        print(leaf["next"])
print(sys.argv[2])
END
sqlite3 log.db 'select data from leaf order by seq' >leaves
mkdir notes proofs bad
for size in $(sqlite3 log.db 'select size from checkpoint order by size'); do
	sqlite3 log.db "select note from checkpoint where size=$size" | head -c -1 >"notes/$(printf %06d "$size")"
done
sqlite3 log.db 'select note from checkpoint order by size desc limit 1' | head -c -1 | cmp - <(head -c -"$(grep '^— acme.example/witness/qa ' final.note | wc -c)" final.note) ||
	fail "the cosigned checkpoint is not the log's newest one and a line"

step "checkpoints, roots and consistency"
expect 0 '^good: ' judge log leaves keys notes/*
cat out
expect 1 'no verifiable signature' judge log leaves <(tail -n 1 keys) notes/*
sed '5s/"time":"2/"time":"3/' leaves >edited
expect 1 'not the root of its leaves' judge log edited keys notes/*

step "inclusion: the same proofs, the same verdict"
count=$(wc -l <leaves)
for ((n = 0; n < count; n++)); do
	audit prove $n >proofs/$n.tlog-proof
	judge prove leaves "$count" $n >path
	sed '1,3d;/^$/,$d' proofs/$n.tlog-proof | cmp - path || fail "Go makes another proof of leaf $n"
done
judge proof keys proofs/* >verdicts
[ "$(grep -c ": good: leaf [0-9]* of $count, 3 signatures$" verdicts)" = "$count" ] || { cat verdicts >&2; fail "Go refuses a proof"; }
{ echo "log $(head -n 1 keys)"; echo "witness qa $WITNESS"; echo 'quorum qa'; } >log.policy
for ((n = 0; n < count; n++)); do
	expect 0 "leaf $n of " mfgpkg audit check proofs/$n.tlog-proof --policy log.policy
done

step "one byte changed: whatever Go refuses mfgpkg refuses, and the other way round"
# Every 7th byte of one proof, its lowest bit turned. For Go a proof is good when both its signatures
# (log and witness) are. Go does not look at the unused bits at the end of base64; nothing else may be
# judged differently.
python3 - proofs/3.tlog-proof <<'END'
import sys
good = open(sys.argv[1], "rb").read()
for at in range(0, len(good), 7):
    bad = bytearray(good)
    bad[at] ^= 1
    open(f"bad/{at:05}", "wb").write(bad)
END
{ head -n 1 keys; tail -n 1 keys; } >policy.keys
judge proof policy.keys bad/* >verdicts
alike=0 stricter=0
while IFS= read -r line; do
	file=${line%%: *} rc=0
	mfgpkg audit check "$file" --policy log.policy >check.out 2>&1 || rc=$?
	case $line:$rc in
	*", 2 signatures:0" | *", 1 signatures:6" | *": refused: "*:6) alike=$((alike + 1)) ;;
	*", 2 signatures:6")
		grep -q base64 check.out || { cat check.out >&2; fail "mfgpkg alone refuses: $line"; }
		stricter=$((stricter + 1))
		;;
	*) cat check.out >&2; fail "exit $rc; Go says: $line" ;;
	esac
done <verdicts
[ $alike -ge 100 ] && [ $stricter -le 20 ] || fail "$alike alike, $stricter refused by mfgpkg alone"
echo "Go and mfgpkg: $count leaves, $alike changed proofs judged alike, $stricter refused by mfgpkg alone"
