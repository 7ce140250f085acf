#!/bin/bash
# 55-runner-prompts - questions to the operator: answered from a scanner (standard input), stored in
# the log; nobody there to answer; on-fail stages and checks.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
sed -i 's/requires_order: true/requires_order: false/' "$T/oem/release.yaml"
cat >"$T/oem/program.blhost" <<'END'
@title "with questions"
@stage ask
@prompt "scan the serial number" timeout=20s
@stage erase skip-if=lifecycle>=in-field
flash-erase-all
@stage provision irreversible skip-if=lifecycle>=in-field
receive-sb-file sb/provisioning.sb3
reset
@stage program retry=1
receive-sb-file sb/image.sb3
@check property 17 == 0xC33CC33C
@stage attest
dice-attest
@stage finish
reset
@stage look on-fail
get-property unique-device-id
END
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
expect 0 'the script runs through' runner simulate --state "$S" "$T/blinky.mfgpkg"

step "two boards, two questions, two lines from the scanner"
sim_start fab --count 2 --seed 15
printf 'SN-0001\nSN-0002\n' | runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX*" --ui json --operator "M. Muster" >"$T/run"
sim_stop fab
[ "$(summary "$T/run" passed)" = 2 ] || fail "$(cat "$T/run")"
L=$(summary "$T/run" log)
sqlite3 "$L" "select data->>'\$.operator', data->>'\$.text' from leaf where data->>'\$.action'='confirm'" >"$T/answers"
[ "$(grep -cE '^M\. Muster\|[0-9a-f]{32}: scan the serial number: SN-000[12]$' "$T/answers")" = 2 ] || fail "$(cat "$T/answers")"

step "nobody answers: the boards fail, untouched"
sim_start mute --count 1 --seed 16
rc=0; runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/mute/ttyMCX*" --ui json >"$T/run" </dev/null || rc=$?
sim_stop mute
[ $rc = 1 ] || fail "exit $rc, 1 wanted"
jq -se 'any(.event == "device-end" and .code == "U01" and .irreversible == false)' "$T/run" >/dev/null || fail "$(cat "$T/run")"
jq -se 'any(.event == "step" and .stage == "look" and .result == "ok")' "$T/run" >/dev/null || fail "the on-fail stage did not run"
jq -e '.[0].sb_accepted == []' "$T/mute.json" >/dev/null || fail "$(cat "$T/mute.json")"
