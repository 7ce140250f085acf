#!/bin/bash
# 54-runner-state - a state folder that cannot be written: exit 4, and nothing is programmed; a disk
# that fills up in the middle of a run: no irreversible step without its entry, and the log verifies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
make_order "$S" o-1 blinky.mfgpkg 200
runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1" -q

step "no folder can be made, or it is no folder"
expect 4 'not a folder|Not a directory' runner station init --state "$T/blinky.mfgpkg/x" --name a
expect 4 'not a folder|Not a directory|cannot' runner start --state "$T/o-1/x" --order o-1

step "a full disk before the run: nothing is sent"
sim_start fab --count 120 --seed 14
if ( ulimit -f 64; runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*" --ui json ) >"$T/run" 2>&1; then
	fail "a full disk went unnoticed"
else
	[ $? = 4 ] || fail "exit $?, 4 wanted: $(cat "$T/run")"
fi
grep -q 'the state folder cannot be written' "$T/run" || fail "$(cat "$T/run")"
! grep -q device-begin "$T/run" || fail "a device was begun"

step "a disk that fills up while 120 boards run"
rc=0; ( ulimit -f 1056; runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*" --ui json ) >"$T/run" 2>"$T/err" || rc=$?
if [ $rc = 0 ]; then fail "the limit was never reached: $(du -k "$S/orders/o-1/"*)"; fi
[ $rc = 4 ] || fail "exit $rc, 4 wanted: $(tail -n 3 "$T/run"; cat "$T/err")"
grep -q '"event":"log-failed"' "$T/run" || fail "the screen was not told"
[ "$(summary "$T/run" exit)" = 4 ] || fail "$(tail -n 1 "$T/run")"

step "what was acknowledged is there and verifies; recovery ends what was open"
sim_stop fab
rc=0; runner log verify --state "$S" o-1 >"$T/out" || rc=$?
[ $rc = 0 ] || { cat "$T/out" >&2; fail "what was acknowledged does not verify"; }
accepted=$(jq '[.[].sb_accepted[] | select(.kind == "provisioning")] | length' "$T/fab.json")
intents=$(sqlite3 "$S/orders/o-1/log.db" "select count(*) from leaf where data->>'\$.why'='irreversible'")
[ "$intents" -ge "$accepted" ] || fail "$accepted boards were provisioned with $intents intents"
step "$accepted boards provisioned, $intents intents"
expect 0 'log closed' runner log close --state "$S" o-1
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$T/oem/keys/package.pub"
python3 tests/e2e/invariants.py "$S/orders/o-1/log.db" "$T/fab.json"
