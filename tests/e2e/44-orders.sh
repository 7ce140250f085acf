#!/bin/bash
# 44-orders - every order that must not start a device, on the real runner with a board waiting: the
# exact reason, exit 3, and not one byte to the board. The sequence floor, in the state and in orders.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
OUR=$(jq -r .key "$T/station.json")
KEY=$T/oem/keys/package.key
sim_start idle --count 1 --seed 9
# refused MESSAGE ORDER [PKG]: one line, this message (a regular expression), from start and from verify.
refused() {
	expect 3 "^runner: .*$1" runner start --state "$S" ${3:+"$3"} --order "$2" --ports "$T/idle/ttyMCX*" --ui plain
	[ "$(wc -l <"$T/out")" = 1 ] || { cat "$T/out" >&2; fail "$1: more than one line"; }
}
# edited FROM TO JQ: a changed order with right signatures, as the OEM could have made it.
edited() {
	jq -c "$3" "$T/$1" >"$T/$2"
	minisign -S -s "$KEY" -m "$T/$2" </dev/null >/dev/null
}
make_order "$S" o-1 blinky.mfgpkg 1
P=$T/blinky.mfgpkg

step "unsigned, edited, signed by somebody else"
cp "$T/o-1" "$T/unsigned"
refused 'unsigned: not signed$' "$T/unsigned" "$P"
sed 's/"quantity":1/"quantity":9/' "$T/o-1" >"$T/more"; cp "$T/o-1.minisig" "$T/more.minisig"
refused 'more.minisig: signature by key [0-9a-f]{16} does not verify$' "$T/more" "$P"
mfgpkg keys generate --type package -o "$T/stranger.key" --no-passphrase -q
cp "$T/o-1" "$T/foreign"; minisign -S -s "$T/stranger.key" -m "$T/foreign" </dev/null >/dev/null
refused 'foreign: signed by the unknown key [0-9a-f]{16} only$' "$T/foreign" "$P"
expect 3 'foreign: signed by the unknown key' runner import --state "$S" "$T/foreign"

step "for another package, another product's sequence, another station"
python3 tests/e2e/repack.py "$P" "$T/other.mfgpkg" "$KEY" --manifest 'release="9.9.9"'
refused 'order o-1 is for package [0-9a-f]{64} \(mcxn947-blinky\), this one is [0-9a-f]{64} \(mcxn947-blinky\)$' "$T/o-1" "$T/other.mfgpkg"
SEQ=$(unzip -p "$P" manifest.json | jq .sequence)
edited o-1 floor ".sequence=$((SEQ + 1))"
refused "order o-1 wants sequence $((SEQ + 1)) or higher, the package has $SEQ\$" "$T/floor" "$P"
runner station init --state "$T/away" --name line9 -q
runner trust add --state "$T/away" "$T/oem/keys/package.pub" -q
make_order "$T/away" o-9 blinky.mfgpkg 1
refused 'order o-9 is for station line9 \(line9\+[^)]*\), this station.s key is line3\+' "$T/o-9" "$P"

step "not begun yet, expired"
edited o-1 early '.not_before="2039-01-01T00:00:00Z" | .not_after="2039-02-01T00:00:00Z"'
refused 'order o-1 begins at 2039-01-01T00:00:00Z, now is 20' "$T/early" "$P"
edited o-1 late '.not_before="2020-01-01T00:00:00Z" | .not_after="2020-02-01T00:00:00Z"'
refused 'order o-1 ended at 2020-02-01T00:00:00Z, now is 20' "$T/late" "$P"
expect 3 'order o-1 ended at' runner verify --state "$S" "$P" --order "$T/late"

step "a package that wants an order, without one"
expect 3 '^runner: mcxn947-blinky [0-9.]* may be run under a production order only \(policy requires_order\)$' \
	runner start --state "$S" "$P" --ports "$T/idle/ttyMCX*"

step "the floor of a product, kept in the state: older packages are refused by every command"
python3 tests/e2e/repack.py "$P" "$T/newer.mfgpkg" "$KEY" --manifest "sequence=$((SEQ + 5))"
python3 tests/e2e/repack.py "$P" "$T/between.mfgpkg" "$KEY" --manifest "sequence=$((SEQ + 4))"
S2=$T/second
station "$S2" line4 "$T/oem" >/dev/null
runner import --state "$S2" "$T/newer.mfgpkg" -q
for older in blinky between; do
	for command in verify import start; do
		expect 3 "sequence [0-9]+ of product \"mcxn947-blinky\": $((SEQ + 5)) or higher wanted \(rolled back\)$" \
			runner $command --state "$S2" "$T/$older.mfgpkg"
	done
done
expect 0 '' runner verify --state "$S2" "$T/newer.mfgpkg"
# also when the order itself asks for the older one
make_order "$S2" o-8 blinky.mfgpkg 1
expect 3 'rolled back' runner start --state "$S2" "$P" --order "$T/o-8" --ports "$T/idle/ttyMCX*"

step "sequence at the edges of 64 bits: 2^53-1 is a number, 2^53 is not"
python3 tests/e2e/repack.py "$P" "$T/last.mfgpkg" "$KEY" --manifest sequence=9007199254740991
python3 tests/e2e/repack.py "$P" "$T/beyond.mfgpkg" "$KEY" --manifest sequence=9007199254740992
python3 tests/e2e/repack.py "$P" "$T/wraps.mfgpkg" "$KEY" --manifest sequence=18446744073709551617
expect 3 'number 9007199254740992 is beyond 2\^53-1' runner import --state "$S2" "$T/beyond.mfgpkg"
expect 3 'too big integer' runner import --state "$S2" "$T/wraps.mfgpkg"
expect 0 '' runner import --state "$S2" "$T/last.mfgpkg"
expect 3 'rolled back' runner verify --state "$S2" "$T/newer.mfgpkg"

sim_stop idle
jq -e '.[0] | .resets == 0 and .sb_accepted == [] and .sb_refused == [] and .lifecycle == "blank"' "$T/idle.json" >/dev/null ||
	fail "a refused order reached the board: $(cat "$T/idle.json")"

step "exhausted: quantity counts begun irreversible stages, not passed boards"
sim_start fab --count 2 --seed 10 --fault '0:silence@receive-sb-file/2+2048'
expect 1 'S02' runner start --state "$S" "$P" --order "$T/o-1" --ports "$T/fab/ttyMCX0" --ui plain
expect 3 'the quantity of the order is used up' runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX1" --ui json
expect 3 '^runner: order o-1 is exhausted: its quantity of 1 is used up, and no board here can be finished under it$' \
	runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX1" --ui plain
sim_stop fab
jq -e '.[1] | .resets == 0 and .sb_accepted == [] and .lifecycle == "blank"' "$T/fab.json" >/dev/null ||
	fail "a board beyond the quantity was written: $(cat "$T/fab.json")"

step "closed: nothing more"
runner log close --state "$S" o-1 -q
sim_start last --count 1 --seed 11
expect 3 '^runner: order o-1 is closed: its log takes no more devices$' runner start --state "$S" --order o-1 --ports "$T/last/ttyMCX*"

step "the log exists under another name in the state"
mv "$S/orders/o-1" "$S/orders/moved"
expect 3 'is not an unused order key of this station' runner start --state "$S" "$P" --order "$T/o-1" --ports "$T/last/ttyMCX*"
edited o-1 keyless 'del(.epoch0)'
expect 3 '^runner: the log of order o-1 \(acme.example/mfgpkg/order/o-1\) is at orders/moved/log.db already; an order has one log$' \
	runner start --state "$S" "$P" --order "$T/keyless" --ports "$T/last/ttyMCX*"
rm -rf "$S/orders/o-1"; mv "$S/orders/moved" "$S/unordered/moved"
expect 3 'is at unordered/moved/log.db already' runner start --state "$S" "$P" --order "$T/keyless" --ports "$T/last/ttyMCX*"
rm -rf "$S/orders/o-1" "$S/unordered/moved"
expect 3 'the log of order o-1 was begun and is not here any more \(this station signed: [0-9]+ leaves\)' \
	runner start --state "$S" "$P" --order "$T/keyless" --ports "$T/last/ttyMCX*"
sim_stop last
jq -e '.[0] | .resets == 0 and .sb_accepted == []' "$T/last.json" >/dev/null || fail "$(cat "$T/last.json")"
echo "orders: ok"
