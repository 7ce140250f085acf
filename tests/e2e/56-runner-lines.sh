#!/bin/bash
# 56-runner-lines - line rates that a port refuses are passed over with a note; control lines of a
# fixture: what the options take, and that a pseudo-terminal, which has none, is refused in words.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
sed -i 's/requires_order: true/requires_order: false/; s/^  baud: .*/  baud: [250000, 3000000, 115200]/' "$T/oem/release.yaml"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
sim_start fab --count 2 --seed 5

step "the first rate that works: 250000 baud is none that a pseudo-terminal can carry"
runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX0" --ui json >"$T/run"
jq -se 'any(.event == "note" and (.text | test("^3000000 baud instead: 250000 baud did not work: .*ttyMCX0: 250000 baud is not a rate")))' "$T/run" >/dev/null ||
	{ cat "$T/run" >&2; fail "no note of the refused rate"; }
[ "$(summary "$T/run" passed)" = 1 ] || fail "$(tail -n 1 "$T/run")"

step "one rate that is refused and no other: the port cannot be used"
expect 4 '250000 baud is not a rate' runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX1" --baud 250000 --ui plain

step "control lines: options"
start() { runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX1" --ui plain "$@"; }
for command in start "runner ports --ports $T/fab/ttyMCX1"; do
	expect 2 '[-]-reset-line cts: dtr or rts' $command --reset-line cts
	expect 2 '[-]-isp-line needs --reset-line' $command --isp-line dtr
	expect 2 '[-]-invert needs --reset-line' $command --invert
	expect 2 '[-]-reset-line and --isp-line need a line each' $command --reset-line rts --isp-line rts
done
expect 2 'needs --ports: which boards shall be reset' runner ports --reset-line rts
expect 2 'and --no-probe exclude each other' runner ports --ports "$T/fab/*" --no-probe --reset-line rts

step "control lines: a pseudo-terminal has none, and its board is not touched"
none='ttyMCX1: a pseudo-terminal has no control lines: RESET and ISP cannot be driven'
expect 4 "$none" start --reset-line rts --isp-line dtr --invert
expect 0 "failed: .*$none" runner ports --ports "$T/fab/ttyMCX1" --reset-line dtr --isp-line rts
sim_stop fab
jq -e '.[0].lifecycle == "in-field" and .[1].lifecycle == "blank" and .[1].sb_accepted == []' "$T/fab.json" >/dev/null || fail "$(cat "$T/fab.json")"
