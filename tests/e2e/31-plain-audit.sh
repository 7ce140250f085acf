#!/bin/bash
# 31-plain-audit.sh - an audit with nothing but sqlite3, sha256sum, minisign and a shell.
#
# For an auditor who wants to trust no program of ours. Needs: LOG.db as the factory sent it, and the
# OEM's public key oem.pub, got from the OEM directly. Work on a copy. Three questions:
#
# 1. Did the OEM order this log? The order's exact text is in leaf 0, its signature beside it:
#      sqlite3 LOG.db "select data->>'$.order' from leaf where seq=0" | head -c -1 > order.json
#      sqlite3 LOG.db "select data->>'$.order_sigs[0]' from leaf where seq=0" | head -c -1 > order.json.minisig
#      minisign -Vm order.json -p oem.pub
#    (sqlite3 ends its output with a line feed of its own; head -c -1 takes it off again.)
#
# 2. Is any leaf changed, missing or moved? Leaf N+1 names the hash of leaf N in "prev":
#      { printf '\0'; sqlite3 LOG.db "select data from leaf where seq=N" | head -c -1; } | sha256sum
#      sqlite3 LOG.db "select data->>'$.prev' from leaf where seq=N+1"
#    must be the same for every N; "prev" of leaf 0 is 64 zeros; seq counts 0, 1, 2 ... without gap.
#
# 3. Are these all leaves that were signed? The newest checkpoint holds the root of a tree over the
#    same hashes: a node is sha256(01 || left || right), and a tree of n leaves splits at the largest
#    power of two below n. Its third line is that root in base64. The checkpoint's own signatures are
#    Ed25519 in a C2SP signed note, which needs one more tool (Go: x/mod/sumdb/note); the station key
#    to open it with stands in the order of question 1.
#
# The functions below are those commands, for all leaves; the test runs them on a fresh log of a
# simulated run, and on a copy in which somebody changed one digit.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

# plain_order LOG PUB: question 1.
plain_order() {
	sqlite3 "$1" "select data->>'\$.order' from leaf where seq=0" | head -c -1 >"$T/order.json"
	sqlite3 "$1" "select data->>'\$.order_sigs[0]' from leaf where seq=0" | head -c -1 >"$T/order.json.minisig"
	minisign -Vm "$T/order.json" -p "$2"
}

# plain_chain LOG: question 2; the hashes of all leaves, one a line, stay in $T/hashes.
plain_chain() {
	local n count hash prev=0000000000000000000000000000000000000000000000000000000000000000
	count=$(sqlite3 "$1" 'select count(*) from leaf')
	: >"$T/hashes"
	for ((n = 0; n < count; n++)); do
		[ "$(sqlite3 "$1" "select data->>'\$.prev' from leaf where seq=$n")" = "$prev" ] ||
			{ echo "leaf $n does not name the hash of leaf $((n - 1))"; return 1; }
		hash=$({ printf '\0'; sqlite3 "$1" "select data from leaf where seq=$n" | head -c -1; } | sha256sum)
		prev=${hash%% *}
		echo "$prev" >>"$T/hashes"
	done
	echo "$count leaves, each named by the next one"
}

unhex() { printf '%b' "$(sed 's/../\\x&/g')"; }

# tree FROM TO: root over those lines of $T/hashes, FROM counted from 0, TO not included.
tree() {
	local n=$(($2 - $1)) k=1 left right node
	if [ $n = 1 ]; then
		sed -n "$(($1 + 1))p" "$T/hashes"
		return
	fi
	while [ $((k * 2)) -lt $n ]; do k=$((k * 2)); done
	left=$(tree "$1" $(($1 + k)))
	right=$(tree $(($1 + k)) "$2")
	node=$(echo "01$left$right" | unhex | sha256sum)
	echo "${node%% *}"
}

# plain_root LOG: question 3.
plain_root() {
	local size root
	size=$(sqlite3 "$1" 'select max(size) from checkpoint')
	[ "$size" = "$(wc -l <"$T/hashes")" ] || { echo "the newest checkpoint is of size $size"; return 1; }
	root=$(tree 0 "$size" | unhex | base64)
	[ "$(sqlite3 "$1" "select note from checkpoint where size=$size" | sed -n 3p)" = "$root" ] ||
		{ echo "root $root is not the one that was signed"; return 1; }
	echo "root $root of size $size is the one in the checkpoint"
}

step "a log of a simulated run"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
station "$T/state" line3.plant4.example "$T/oem" >/dev/null
make_order "$T/state" 2026-0042 "$T/blinky.mfgpkg" 2
sim_start line --count 2 --seed 7
runner start "$T/blinky.mfgpkg" --state "$T/state" --order "$T/2026-0042" --ports "$T/line/ttyMCX*" --count 2 -q >"$T/run.out" 2>&1 ||
	{ cat "$T/run.out" >&2; fail "runner start"; }
sim_stop line
runner log export 2026-0042 --state "$T/state" -o "$T/LOG.db" -q

step "1. the order"
plain_order "$T/LOG.db" "$T/oem/keys/package.pub" || fail "the order's signature"
cmp "$T/order.json" "$T/2026-0042" || fail "the order in the log is not the one the OEM wrote"
step "2. the chain"
plain_chain "$T/LOG.db" || fail "the chain"
step "3. the tree"
plain_root "$T/LOG.db" || fail "the root"

step "the same questions about a forged copy"
cp "$T/LOG.db" "$T/forged.db"
sqlite3 "$T/forged.db" "drop trigger leaf_keep_u; update leaf set data=replace(data,'\"tries\":1','\"tries\":2')
	where seq=(select min(seq) from leaf where data like '%\"tries\":1%')"
expect 1 'does not name the hash' plain_chain "$T/forged.db"
cp "$T/LOG.db" "$T/cut.db"
sqlite3 "$T/cut.db" "drop trigger leaf_keep_d; delete from leaf where seq=(select max(seq) from leaf)"
expect 0 'each named by the next one' plain_chain "$T/cut.db"
expect 1 'newest checkpoint is of size' plain_root "$T/cut.db"
minisign -Vm "$T/order.json" -p tests/vectors/evidence/minisign/keys/alice.pub 2>/dev/null &&
	fail "the order is not by another key"
step "mfgpkg says the same"
expect 0 '^PASS' mfgpkg audit verify "$T/LOG.db" -P "$T/oem/keys/package.pub"
expect 6 '^FAIL' mfgpkg audit verify "$T/forged.db" -P "$T/oem/keys/package.pub"
expect 6 '^FAIL' mfgpkg audit verify "$T/cut.db" -P "$T/oem/keys/package.pub"
