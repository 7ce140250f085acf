#!/bin/bash
# 33-auditor - the auditor's chapter of README.md, as a new user would follow it: its commands, word
# by word and in their order, on the logs of two simulated stations.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"
README=$PWD/README.md
V=$PWD/tests/vectors/evidence

step "what the auditor gets: two logs, a checkpoint mailed before, two public keys"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
mkdir "$T/audit"
for n in 1 2; do
	station "$T/state$n" line$n.plant4.example "$T/oem" >/dev/null
	make_order "$T/state$n" 2026-000$n "$T/blinky.mfgpkg" 2
	sim_start line$n --count 2 --seed 7$n
	runner start "$T/blinky.mfgpkg" --state "$T/state$n" --order "$T/2026-000$n" --ports "$T/line$n/ttyMCX*" --count 2 -q >"$T/run.out" 2>&1 ||
		{ cat "$T/run.out" >&2; fail "runner start"; }
	sim_stop line$n
	runner log export 2026-000$n --state "$T/state$n" -o "$T/audit/order-2026-000$n.db" -q
done
sim_start ca --count 1 --seed 1
mfgpkg dice ca -p "$T/ca/ttyMCX0" --cmpa "$T/oem/build/cmpa.bin" -o "$T/audit/dice-ca.pem" >/dev/null
sim_stop ca
cp "$T/oem/keys/package.pub" "$T/audit"
cd "$T/audit"
sqlite3 order-2026-0001.db 'select note from checkpoint order by size limit 1 offset 2' | head -c -1 >shift.note
LEAVES=$(sqlite3 order-2026-0001.db 'select count(*) from leaf')
UUID=$(sqlite3 order-2026-0001.db "select data->>'$.uuid' from leaf where data->>'$.kind'='device-end' limit 1")

step "the chapter's commands"
sed -n '/^## Auditor/,/^## \|^With nothing but/p' "$README" | sed -n '/^```$/,/^```$/p' | grep -v '^```' | sed "s/UUID/$UUID/; s/  # .*//" >commands
[ "$(wc -l <commands)" -ge 14 ] || fail "only $(wc -l <commands) lines of commands in the chapter"
# A command that ends with anything but 0 ends the scenario; what it printed is shown with it.
bash -xeo pipefail commands </dev/null >out 2>&1 || { cat out >&2; fail "a command of README.md"; }
[ "$(grep -c '^PASS  order-2026-000' out)" = 4 ] || { cat out >&2; fail "4 good logs wanted"; }
grep -q "^PASS  device.proof.zip" out || fail "the proof of the device"
grep -q "device $UUID: pass" out || fail "the device is not proven"
grep -q '1 witness' out || { cat out >&2; fail "the proof of the device carries no cosignature"; }
grep -q "size $LEAVES extends size" out || fail "no difference shown"
[ "$(wc -l <devices.csv)" = 5 ] || fail "devices.csv"
[ "$(wc -l <leaves.csv)" = $((LEAVES + 1)) ] || fail "leaves.csv"
grep -q 'acme.example/witness/qa' report.html || fail "the report does not name the witness"
step "standard tools"
sed -n '/^With nothing but/,/^and for a package/p' "$README" | sed -n '/^```$/,/^```$/p' | grep -v '^```' | sed "s/log\.db/order-2026-0001.db/; s/  *# .*//" >plain
bash -xeo pipefail plain >out 2>&1 || { cat out >&2; fail "a plain command of README.md"; }
grep -q 'Signature and comment signature verified' out || fail "minisign"
grep -q "^$(sqlite3 order-2026-0001.db "select data->>'$.prev' from leaf where seq=8") " out || { cat out >&2; fail "the hash of leaf 7"; }

step "the views say what mfgpkg recomputes"
for log in order-2026-0001.db "$V/example-log/log.db"; do
	mfgpkg audit verify "$log" --json >verified || true # its OEM key does not matter here
	[ "$(jq -r '.totals | "\(.begun)|\(.passed)|\(.failed)|\(.irreversible)|\(.attested)"' verified)" = "$(sqlite3 "$log" "select count(*),
		sum(result='pass'), sum(result='fail'), count(distinct iif(irreversible, uuid, null)), count(attestation_seq) from device")" ] ||
		{ jq .totals verified >&2; sqlite3 "$log" 'select * from device' >&2; fail "view device of $log"; }
	mfgpkg audit export "$log" | jq -r '[.seq, .kind, .time, .uuid, .stage, .command, .result, .reason] | map(. // "") | join("|")' |
		cmp - <(sqlite3 "$log" 'select * from event order by seq') || fail "view event of $log"
done

step "an order that wants this witness behind all leaves"
make_order "$T/state1" 2026-0003 "$T/blinky.mfgpkg" 1
printf 'witnesses: ["%s"]\nquorum: all\n' "$(cat qa.vkey)" >>"$T/2026-0003.yaml"
rm "$T/2026-0003" "$T/2026-0003.minisig"
mfgpkg order create -c "$T/2026-0003.yaml" -s "$T/oem/keys/package.key" -o "$T/2026-0003" -q
expect 0 'quorum    all' mfgpkg order inspect "$T/2026-0003"
sim_start line3 --count 1 --seed 73
runner start "$T/blinky.mfgpkg" --state "$T/state1" --order "$T/2026-0003" --ports "$T/line3/ttyMCX*" --count 1 -q >"$T/run.out" 2>&1 ||
	{ cat "$T/run.out" >&2; fail "runner start"; }
sim_stop line3
runner log export 2026-0003 --state "$T/state1" -o order-2026-0003.db -q
verify() { mfgpkg audit verify order-2026-0003.db -P package.pub "$@"; }
expect 6 'quorum missing: the order wants 1 of 1 witnesses behind all leaves, 0 signed; missing: acme.example/witness/qa' verify
expect 6 '^INCOMPLETE' verify --allow-open
mfgpkg audit cosign order-2026-0003.db -P package.pub -k witness.key -n acme.example/witness/qa --state witness --store -o order-2026-0003.note -q
expect 0 'proven:     1 of the witnesses the order names saw all leaves; it wants 1' verify
# A checkpoint is compared with the log it is of.
expect 0 '^PASS  order-2026-0003.db' mfgpkg audit verify order-2026-0001.db order-2026-0003.db -P package.pub --checkpoint order-2026-0003.note
expect 0 '^PASS  order-2026-0001.db' mfgpkg audit verify order-2026-0001.db order-2026-0003.db -P package.pub --checkpoint order-2026-0003.note
expect 6 'checkpoint of another log' mfgpkg audit verify order-2026-0001.db order-2026-0002.db -P package.pub --checkpoint order-2026-0003.note
expect 0 "^together +3 +3" mfgpkg audit merge order-2026-0001.db order-2026-0003.db -P package.pub --checkpoint order-2026-0003.note
echo "the auditor's chapter: $(wc -l <commands) lines run"
