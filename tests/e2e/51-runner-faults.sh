#!/bin/bash
# 51-runner-faults - what goes wrong at one slot stays at that slot, is named, and is in the log.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
sed -i 's/requires_order: true/requires_order: false/' "$T/oem/release.yaml"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null

step "a bad slot for each kind of fault; the other boards pass"
sim_start fab --count 10 --seed 4 --control "$T/fab.ctl" --baud-pacing \
	--fault '1:abort=10101@sb=1/1' --fault '2:silence' --fault '3:wrong-family=mcxn946' \
	--fault '4:silence@receive-sb-file/2+2048' --fault '5:wrong-lifecycle=in-field' \
	--fault '6:nak=9@receive-sb-file/1+512' --fault '7:refuse=10001@flash-erase-all'
runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX*" --baud 115200 --ui json >"$T/run.jsonl" &
RUN=$!; SIM_PIDS+=($RUN)
wait_for 10 "$T/run.jsonl" '"event":"stage".*ttyMCX8.*"stage":"program"'
control fab "unplug 8"
rc=0; wait $RUN || rc=$?
[ $rc = 1 ] || fail "exit $rc, 1 wanted"
[ "$(summary "$T/run.jsonl" passed) $(summary "$T/run.jsonl" failed) $(summary "$T/run.jsonl" no_answer)" = "2 7 1" ] ||
	fail "$(tail -n 1 "$T/run.jsonl")"

verdict() { jq -r "select(.event == \"device-end\" and (.port | endswith(\"ttyMCX$1\"))) | \"\(.code) \(.reason) \(.action)\"" "$T/run.jsonl"; }
want() { verdict "$1" | grep -qE -- "$2" || fail "slot $1: '$2' wanted: $(verdict "$1")"; }
want 1 '^S04 S04 stage provision, receive-sb-file sb/provisioning.sb3: .*10101 RomLdrSignature.* scrap$'
want 3 '^D01 D01 1024 KiB flash, 256 KiB RAM; the package is for mcxn947 .* scrap$'
want 4 '^S02 S02 stage program, receive-sb-file sb/image.sb3: .*no .* reseat$'
want 5 '^D02 D02 life cycle is in-field, wanted blank or develop; this log does not know the device .* scrap$'
want 6 '^S03 S03 stage provision, .*NAK.* reseat$'
want 7 '^S06 S06 stage erase, flash-erase-all: .*10001 SecurityViolation.* scrap$'
want 8 '^P02 P02 stage program, .*port closed.* reseat$'
for n in 0 9; do
	jq -se "any(.event == \"device-end\" and .result == \"pass\" and (.port | endswith(\"ttyMCX$n\")))" "$T/run.jsonl" >/dev/null ||
		fail "slot $n should have passed"
done
grep -q '"event":"port".*ttyMCX2.*"state":"no-answer".*"code":"P01"' "$T/run.jsonl" || fail "the silent port is not named"

step "no port waited for another: only the silent ones took their time"
jq -se '[.[] | select(.event == "device-end" and .result == "pass") | .ms] | max < 6000' "$T/run.jsonl" >/dev/null ||
	fail "a good board was slow"
sim_stop fab
L=$(summary "$T/run.jsonl" log)
python3 tests/e2e/invariants.py "$L" "$T/fab.json"
expect 6 '^UNOWNED|no order' mfgpkg audit verify "$L" -P "$T/oem/keys/package.pub"

step "nothing is sent to a device of another family, nothing irreversible to a refused one"
jq -e '.[3] | .sb_accepted == [] and .sb_refused == [] and .lifecycle == "blank"' "$T/fab.json" >/dev/null || fail "slot 3 was written"
jq -e '.[5] | .sb_accepted == [] and .sb_refused == []' "$T/fab.json" >/dev/null || fail "slot 5 was written"

step "without any device: what the exit code says"
expect 4 'no port to use' runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/nothing/*" --ui plain
sim_start mute --count 2 --fault '*:silence'
expect 5 'no device answers on 2 ports' runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/mute/ttyMCX*" --ui plain
sim_stop mute

step "a package that is not right: not one byte on any port"
sim_start idle --count 1
cp "$T/blinky.mfgpkg" "$T/bad.mfgpkg"
printf 'X' | dd of="$T/bad.mfgpkg" bs=1 seek=2000 conv=notrunc status=none
expect 3 '' runner start --state "$S" "$T/bad.mfgpkg" --ports "$T/idle/ttyMCX*"
python3 tests/e2e/repack.py "$T/blinky.mfgpkg" "$T/unsigned.mfgpkg" - --unsigned
expect 3 'not signed' runner start --state "$S" "$T/unsigned.mfgpkg" --ports "$T/idle/ttyMCX*"
sim_stop idle
jq -e '.[0].resets == 0 and .[0].sb_refused == []' "$T/idle.json" >/dev/null || fail "$(cat "$T/idle.json")"

step "the events of a bad day follow their schema too"
python3 - "$T/run.jsonl" "$(dirname "$L")/run.json" <<-'END'
	import json, sys
	from jsonschema import Draft202012Validator as V
	v = V(json.load(open("schemas/runner-event.schema.json")))
	for line in open(sys.argv[1]):
	    errors = list(v.iter_errors(json.loads(line)))
	    assert not errors, f"{errors[0].message}: {line}"
	V(json.load(open("schemas/run.schema.json"))).validate(json.load(open(sys.argv[2])))
END
