#!/bin/bash
# 52-runner-recovery - the runner is killed (SIGKILL, as a power cut of the station) at random points
# again and again; every time the next start recognises what was begun, and in the end all boards
# have passed, none was done twice, and the log verifies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
make_order "$S" o-1 blinky.mfgpkg 3
runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1" -q
SEED=${SEED:-$RANDOM}
step "seed $SEED"
RANDOM=$SEED

sim_start fab --count 3 --seed 6 --baud-pacing --flash-timing --control "$T/fab.ctl"
start=(runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*" --baud 115200 --ui json)
kills=0
for _ in 1 2 3 4 5 6 7; do
	"${start[@]}" >"$T/run" 2>&1 &
	RUN=$!; SIM_PIDS+=($RUN)
	sleep "$(printf '0.%03d' $((100 + RANDOM % 899)))"
	kill -9 $RUN 2>/dev/null && kills=$((kills + 1))
	rc=0; wait $RUN 2>/dev/null || rc=$?
	[ $rc = 137 ] || break # complete before it was killed
	# Boards that run their application already come back into ISP mode by the operator's hand.
	for i in 0 1 2; do control fab "isp $i"; done
done
if [ $rc = 137 ]; then
	rc=0; "${start[@]}" >"$T/run" 2>&1 || rc=$?
fi
if [ $rc = 3 ] && grep -q 'order o-1 is closed' "$T/run"; then
	step "the last kill came when all was done"
else
	[ $rc = 0 ] || { cat "$T/run" >&2; fail "exit $rc after $kills kills (seed $SEED)"; }
	[ "$(summary "$T/run" log_closed)" = true ] || fail "the order is not complete: $(tail -n 1 "$T/run")"
fi
sim_stop fab
python3 tests/e2e/invariants.py "$S/orders/o-1/log.db" "$T/fab.json"
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$T/oem/keys/package.pub"
step "$kills kills; $(grep -o 'devices:.*' "$T/out")"

step "Ctrl-C: finish what runs, leave the order open; the next run goes on"
make_order "$S" o-2 blinky.mfgpkg 4
runner import --state "$S" "$T/o-2" -q
sim_start two --count 4 --seed 7 --baud-pacing --control "$T/two.ctl"
runner start --state "$S" --order o-2 --ports "$T/two/ttyMCX*" --jobs 2 --baud 230400 --ui json >"$T/run" &
RUN=$!; SIM_PIDS+=($RUN)
wait_for 10 "$T/run" '"event":"intent".*"why":"irreversible"'
kill -INT $RUN
rc=0; wait $RUN || rc=$?
[ $rc = 130 ] || fail "exit $rc, 130 wanted"
[ "$(summary "$T/run" passed) $(summary "$T/run" log_closed)" = "2 false" ] || fail "$(tail -n 1 "$T/run")"
expect 6 '^INCOMPLETE' mfgpkg audit verify "$S/orders/o-2/log.db" -P "$T/oem/keys/package.pub"

step "Ctrl-C twice: stop at a safe point, never inside an irreversible step"
runner start --state "$S" --order o-2 --ports "$T/two/ttyMCX*" --baud 57600 --ui json >"$T/run" &
RUN=$!; SIM_PIDS+=($RUN)
wait_for 10 "$T/run" '"event":"intent".*"why":"irreversible"'
kill -INT $RUN
wait_for 5 "$T/run" 'finishing the running devices'
kill -INT $RUN
rc=0; wait $RUN || rc=$?
[ $rc = 130 ] || fail "exit $rc, 130 wanted"
[ "$(summary "$T/run" interrupted)" = 2 ] || fail "$(tail -n 1 "$T/run")"
jq -se '[.[] | select(.event == "step" and .intent != null and .result == "ok")] | length == 2' "$T/run" >/dev/null ||
	fail "the irreversible step was cut: $(cat "$T/run")"
rc=0; runner start --state "$S" --order o-2 --ports "$T/two/ttyMCX*" --ui json >"$T/run" || rc=$?
[ $rc = 0 ] && [ "$(summary "$T/run" log_closed)" = true ] || fail "exit $rc: $(tail -n 1 "$T/run")"
sim_stop two
python3 tests/e2e/invariants.py "$S/orders/o-2/log.db" "$T/two.json"
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-2/log.db" -P "$T/oem/keys/package.pub"

step "log close ends an order early"
make_order "$S" o-3 blinky.mfgpkg 9
runner import --state "$S" "$T/o-3" -q
expect 2 'was never started' runner log close --state "$S" o-3
sim_start three --count 1 --seed 8
expect 0 '' runner start --state "$S" --order o-3 --ports "$T/three/ttyMCX*" --ui plain
expect 0 'log closed' runner log close --state "$S" o-3
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-3/log.db" -P "$T/oem/keys/package.pub"
expect 3 'is closed' runner log close --state "$S" o-3
sim_stop three
