#!/bin/bash
# demo.sh - the whole job on simulated devices: an OEM makes a package with one device on its desk,
# a factory programs four devices in parallel, an auditor checks the log, and the devices
# themselves and a search for keys prove the result. Every command is shown before it runs.
#
#   samples/demo.sh          KEEP=1 leaves the throw-away folder behind; B=build/san uses other programs
set -euo pipefail
cd "$(dirname "$0")/.."
B=${B:-build}
[ -x "$B/bin/mfgpkg" ] && [ -x "$B/bin/runner" ] && [ -x "$B/bin/mcxsim" ] ||
	{ echo "demo: FAILED: no programs in $B/bin: build them with make" >&2; exit 4; }
PATH=$(cd "$B/bin" && pwd):$PATH
export PATH
SAMPLE=$PWD/samples/mcxn947-blinky
T=$(mktemp -d "${TMPDIR:-/tmp}/mfgpkg-demo.XXXXXX")
export XDG_STATE_HOME=$T/state # nothing of the demo touches the user's own station
START=$(date +%s.%N)
PIDS=()
TIMES=

# --- what all steps use ---------------------------------------------------------------------------
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
	bold= dim= red= green= plain=
fi

stop_simulators() {
	local p
	for p in ${PIDS[@]+"${PIDS[@]}"}; do kill "$p" 2>/dev/null || true; done
	for p in ${PIDS[@]+"${PIDS[@]}"}; do wait "$p" 2>/dev/null || true; done
	PIDS=()
}
finish() {
	local rc=$?
	trap - EXIT
	stop_simulators
	if [ -n "${KEEP:-}" ]; then echo "${dim}kept: $T${plain}"; else rm -rf "$T"; fi
	exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
	echo "${red}demo: FAILED: $*${plain}" >&2
	exit 1
}
now() { date +%s.%N; }
step() { # step NUMBER TITLE: end the step before, begin this one
	step_end
	echo
	echo "${bold}== $1. $2${plain}"
	STEP=$1 STEP_TITLE=$2 STEP_START=$(now)
}
step_end() {
	[ -n "${STEP:-}" ] || return 0
	TIMES+=$(printf '  %s  %-74s %6.2f s' "$STEP" "$STEP_TITLE" "$(calc "$(now) - $STEP_START")")$'\n'
	STEP=
}
calc() { awk "BEGIN { print $1 }"; }
note() { echo "${dim}# $*${plain}"; }
show() { echo "${bold}\$${plain} $*"; }
run() { # show a command, then run it; the demo ends when it fails
	show "$*"
	"$@" || fail "'$*' ended with exit code $?"
}
refused() { # run a command that must end with this exit code
	local want=$1 rc=0
	shift
	show "$*"
	"$@" || rc=$?
	[ "$rc" = "$want" ] || fail "'$*' ended with exit code $rc, not $want"
}
simulator() { # simulator NAME ARGUMENTS...: start one and wait until its ports can be opened
	local name=$1 line
	shift
	mkdir -p "$T/$name"
	mkfifo "$T/$name.ready"
	show "mcxsim $* &"
	mcxsim "$@" >"$T/$name.ready" 2>"$T/$name.err" &
	PIDS+=($!)
	exec {fd}<"$T/$name.ready"
	read -r -t 20 line <&"$fd" || { cat "$T/$name.err" >&2; fail "mcxsim did not start"; }
	echo "$line"
}

. "$SAMPLE/../demo-proof.sh"

# --- 1. keys --------------------------------------------------------------------------------------
cd "$T"
note "folders: oem/ (trusted, holds keys), state/ (the factory's disk), audit/ (anyone's laptop)"
step 1 "OEM: a workspace with fresh keys"
note "keys without passphrase, because this is a demo; without --no-passphrase you are asked for one"
run cp -r "$SAMPLE" oem
run mfgpkg keys generate --type rot --curve p256 --count 4 -o oem/keys --no-passphrase
run mfgpkg keys generate --type cust-mk-sk -o oem/keys/cust_mk_sk.key --no-passphrase
run mfgpkg keys generate --type oem-seed -o oem/keys/oem_seed.key --no-passphrase
run mfgpkg keys generate --type package -o oem/keys/package.key --no-passphrase

# On a terminal the line runs at the speed of a real one, so that there is something to see.
PACE= RATE=
if [ -t 1 ]; then PACE="--baud-pacing --flash-timing" RATE="--baud 115200"; fi

# --- 2. devices -----------------------------------------------------------------------------------
step 2 "Devices: one on the OEM's desk, four blank ones in the factory"
simulator desk --family mcxn947 --count 1 --dir desk --seed 1 --report desk.json
simulator line --family mcxn947 --count 4 --dir line --seed 2 $PACE --report line.json

# --- 3. package and order -------------------------------------------------------------------------
step 3 "OEM: one command from firmware to signed package, then a production order"
note "the device at desk/ttyMCX0 only serves as device HSM for the provisioning SB3.1; it stays blank"
run mfgpkg create -c oem/release.yaml -p desk/ttyMCX0 -o oem/blinky.mfgpkg
note "its DICE CA key, for the auditor: receipts of devices can then be checked"
run mfgpkg dice ca -p desk/ttyMCX0 --cmpa oem/build/cmpa.bin -o oem/dice-ca.pem
note "the factory makes its station key; the OEM needs its public half for the order"
run runner station init --name line3.plant4.example
show "runner station show --json > oem/station.json"
runner station show --json >oem/station.json || fail "runner station show"
run mfgpkg order create -c oem/order.yaml -s oem/keys/package.key -o oem/order-2026-0001.json

# --- 4. production --------------------------------------------------------------------------------
step 4 "Factory: check the package, find the devices, program all four at once"
mkdir factory
run cp oem/blinky.mfgpkg oem/order-2026-0001.json oem/order-2026-0001.json.minisig oem/keys/package.pub factory
run runner trust add factory/package.pub
run runner verify factory/blinky.mfgpkg --order factory/order-2026-0001.json
run runner ports --ports 'line/ttyMCX*'
PROGRAM_START=$(now)
run runner start factory/blinky.mfgpkg --order factory/order-2026-0001.json --ports 'line/ttyMCX*' --count 4 $RATE
PROGRAM_TIME=$(calc "$(now) - $PROGRAM_START")
note "all four are done, so the order is complete and its log closed; the factory sends a copy"
run runner log export 2026-0001 -o factory/order-2026-0001.db

# --- 5. audit -------------------------------------------------------------------------------------
step 5 "Auditor: verify both logs with the OEM's public key, then try to cheat"
mkdir audit
run cp factory/order-2026-0001.db audit/order.db
run cp oem/keys/package.pub oem/dice-ca.pem audit
run mfgpkg audit verify audit/order.db -P audit/package.pub --dice-ca audit/dice-ca.pem
note "and the OEM's own log: keys made, images built, package, order"
run cp oem/workspace/log.db audit/workspace.db
run cp oem/workspace/log.vkey audit/workspace.vkey
run mfgpkg audit verify audit/workspace.db --log-key audit/workspace.vkey
note "the package itself carries the proof of its entry there"
run mfgpkg verify factory/blinky.mfgpkg -P audit/package.pub --log-key "$(cat audit/workspace.vkey)"
note "somebody changes one byte in a copy of the order's log"
cp audit/order.db audit/forged.db
forge audit/forged.db
refused 6 mfgpkg audit verify audit/forged.db -P audit/package.pub

# --- 6. proof -------------------------------------------------------------------------------------
step 6 "Proof from the devices, and a search for keys"
stop_simulators
prove_devices
prove_no_keys

# --- end ------------------------------------------------------------------------------------------
step_end
echo
echo "wall time by step:"
printf '%s' "$TIMES"
printf '     %-74s %6.2f s\n' "of step 4: runner start, 4 devices in parallel${PACE:+, $PACE}" "$PROGRAM_TIME"
printf '     %-74s %6.2f s\n' "all" "$(calc "$(now) - $START")"
echo
echo "demo: 4 passed, 0 failed; log verified; no OEM key outside the OEM workspace"
