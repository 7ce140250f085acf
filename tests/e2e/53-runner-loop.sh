#!/bin/bash
# 53-runner-loop - --loop: boards are swapped and start by themselves, none is done twice, a board
# that was pulled in the middle is recognised when it comes back; --count and the order's quantity end
# the run; slots are named and only mapped ones are touched.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
make_order "$S" o-1 blinky.mfgpkg 7
runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1" -q

sim_start fab --count 4 --seed 11 --control "$T/fab.ctl" --baud-pacing
step "two slots are mapped, two ports stay untouched"
expect 0 '^A2 ' runner station slots --state "$S" "A1=$T/fab/ttyMCX0" "A2=$T/fab/ttyMCX1" --deny "$T/fab/ttyMCX3"
runner start --state "$S" --order o-1 --loop --baud 230400 --ui json >"$T/run" 2>"$T/err" &
RUN=$!; SIM_PIDS+=($RUN)
passes() { grep -c '"event":"device-end".*"result":"pass"' "$T/run" || true; }
wait_passes() {
	for _ in $(seq 200); do
		[ "$(passes)" -ge "$1" ] && return 0
		kill -0 $RUN 2>/dev/null || return 0
		sleep 0.05
	done
	cat "$T/run" "$T/err" >&2
	fail "$(passes) of $1 boards passed"
}
wait_passes 2

step "a finished board that comes back in ISP mode is not done again"
sleep 1.5 # its slot was seen empty meanwhile
control fab "isp 0"
wait_for 5 "$T/run" '"event":"skipped".*ttyMCX0.*done before'

step "swap: the slots start by themselves"
control fab "swap 0"; control fab "swap 1"
wait_passes 4

step "pulled in the middle, plugged in again: recognised and finished"
control fab "swap 0"
wait_for 5 "$T/run" '"attempt":1,"slot":"A1".*"resumes":null'
N=$(grep -c '"event":"stage".*"stage":"program"' "$T/run" || true)
for _ in $(seq 100); do [ "$(grep -c '"event":"stage".*"stage":"program"' "$T/run")" -gt "$N" ] && break; sleep 0.02; done
control fab "unplug 0"
wait_for 5 "$T/run" '"result":"fail","reason":"P02'
control fab "plug 0"; sleep 0.3; control fab "isp 0"
wait_passes 5
grep -q '"event":"device-begin".*"attempt":2' "$T/run" || fail "no second attempt: $(grep device-begin "$T/run")"

step "the quantity ends the run"
control fab "swap 0"; control fab "swap 1"
wait_passes 7
rc=0; wait $RUN || rc=$?
[ $rc = 1 ] || fail "exit $rc, 1 wanted (one attempt failed): $(tail -n 1 "$T/run")"
[ "$(summary "$T/run" passed) $(summary "$T/run" log_closed)" = "7 true" ] || fail "$(tail -n 1 "$T/run")"
! grep -q 'ttyMCX[23]' "$T/run" || fail "a port that is not mapped was touched"
sim_stop fab
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$T/oem/keys/package.pub"
jq -e '.[2].resets <= 1 and .[3].resets <= 1' "$T/fab.json" >/dev/null || fail "$(jq '.[2,3]' "$T/fab.json")"

step "--count ends a run; --again without an order does a board once more, with one it is refused"
make_order "$S" o-2 blinky.mfgpkg 9
runner import --state "$S" "$T/o-2" -q
sim_start more --count 3 --seed 12
expect 0 '"passed":2,' runner start --state "$S" --order o-2 --ports "$T/more/ttyMCX*" --count 2 --jobs 1 --ui json
expect 2 'only without an order' runner start --state "$S" --order o-2 --again --ports "$T/more/ttyMCX*"
sim_stop more
