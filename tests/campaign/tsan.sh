#!/bin/bash
# tsan.sh - the runner under ThreadSanitizer with 64 simulated ports: boards that pass, boards with
# faults, Ctrl-C in the middle, --loop. Any report of a data race is a failure.
. "$(dirname "$0")/prepare.sh"
. "$(dirname "$0")/../e2e/runner-lib.sh"
prepare_campaign
export TSAN_OPTIONS="halt_on_error=0 exitcode=66 log_path=$T/tsan"
S=$T/station

races() {
	local found
	found=$(find "$T" -name 'tsan.*' -size +0 | head -n 1)
	[ -z "$found" ] || { cat "$found" >&2; fail "ThreadSanitizer: $1"; }
}

step "64 boards"
make_order "$S" o-1 blinky.mfgpkg 200
runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1" -q
sim_start good --count 64 --seed 1
expect 0 '"passed":64' runner start --state "$S" --order o-1 --ports "$T/good/ttyMCX*" --ui json
races "64 boards"

step "64 boards, a third with faults, table on the screen"
sim_start bad --count 64 --seed 2 --fault '0-5:silence@sb=2/2' --fault '6-9:nak=9@receive-sb-file' \
	--fault '10-15:power-loss@sb=3/1' --fault '16-18:wrong-family=mcxn946' --fault '19-21:stuck'
expect 1 '' runner start --state "$S" --order o-1 --ports "$T/bad/ttyMCX*" --ui plain
races "faults"

step "Ctrl-C twice"
sim_start slow --count 64 --seed 3 --baud-pacing
runner start --state "$S" --order o-1 --ports "$T/slow/ttyMCX*" --ui json --baud 115200 >"$T/run" 2>&1 &
RUN=$!
wait_for 30 "$T/run" '"event":"intent"'
kill -INT $RUN
wait_for 30 "$T/run" 'finishing the running devices'
kill -INT $RUN
rc=0; wait $RUN || rc=$?
races "Ctrl-C"
[ $rc = 130 ] || { tail -n 3 "$T/run" >&2; fail "exit $rc, 130 wanted"; }

step "--loop, with boards swapped"
sim_start loop --count 64 --seed 4 --control "$T/loop.ctl"
runner start --state "$S" --order o-1 --ports "$T/loop/ttyMCX*" --ui json --loop --count 40 >"$T/run" 2>&1 &
RUN=$!
wait_for 30 "$T/run" '"event":"device-end"'
for i in 0 9 33; do control loop "swap $i"; done
rc=0; wait $RUN || rc=$?
races "--loop"
# A board that was swapped while it ran has failed.
[ $rc -le 1 ] && [ "$(summary "$T/run" passed)" = 40 ] || { tail -n 3 "$T/run" >&2; fail "exit $rc"; }
step "no data race"
