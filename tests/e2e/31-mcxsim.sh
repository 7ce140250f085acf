#!/bin/bash
# 31-mcxsim - the simulator as a program: ports, report, states, control, sockets, faults, pacing.
. "$(dirname "$0")/lib.sh"
ISP="$PWD/tests/e2e/isp.py"
SCHEMA=$PWD/schemas/mcxsim-report.schema.json
VECTORS=$PWD/tests/vectors
isp() { python3 "$ISP" "$@"; }
valid() { python3 -c 'import json,sys,jsonschema; jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' "$1" "$SCHEMA"; }
control() { # SOCKET LINE: the answer
	python3 - "$1" "$2" <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall((sys.argv[2] + "\n").encode())
print(s.recv(1000).decode().strip())
PY
}

step "many devices, each with its own identity; the report fits its schema"
sim_start many --count 128 --seed 7
[ "$(cat "$T/many.ready")" = "ready 128" ] || fail "ready line: $(cat "$T/many.ready")"
[ "$(isp "$T/many/ttyMCX0" ping)" = 5aa7000301500000fb40 ] || fail "ping response"
[ "$(isp "$T/many/ttyMCX127" property 11)" = "0 512" ] || fail "property 11"
[ "$(isp "$T/many/ttyMCX5" property 85)" = "10300 0" ] || fail "unknown property"
[ "$(isp "$T/many/ttyMCX3" sb "$VECTORS/mboot/devhsm_full.sb")" = 0 ] || fail "provisioning file"
[ "$(isp "$T/many/ttyMCX4" sb "$VECTORS/sb31/odd-loads/expected.sb3")" = 10101 ] || fail "a file of nobody"
sim_stop many
valid "$T/many.json"
[ "$(jq -r '[.[].uuid] | unique | length' "$T/many.json")" = 128 ] || fail "UUIDs repeat"
jq -e '.[3].sb_accepted[0].kind == "provisioning" and .[3].fuses["1"] == "0x03000003" and .[3].key_blob_present' "$T/many.json" >/dev/null || fail "device 3"
jq -e '.[4].sb_refused[0] | .status == 10101 and .status_name == "RomLdrSignature"' "$T/many.json" >/dev/null || fail "device 4"
jq -e '.[0] | .lifecycle == "blank" and .boot == "isp" and .resets == 0 and .fuses == {} and .rkth == null' "$T/many.json" >/dev/null || fail "device 0"
[ ! -e "$T/many/ttyMCX0" ] || fail "the link is still there"

step "the same seed makes the same devices"
sim_start again --count 128 --seed 7
sim_stop again
[ "$(jq -c '[.[].uuid]' "$T/many.json")" = "$(jq -c '[.[].uuid]' "$T/again.json")" ] || fail "other UUIDs"

step "states survive the process"
printf '%1000s' x >"$T/data"
sim_start kept --count 2 --seed 7 --state "$T/state" --control "$T/ctl"
[ "$(isp "$T/kept/ttyMCX1" write 0 "$T/data")" = 0 ] || fail "write"
sim_stop kept
cp "$T/kept.json" "$T/first.json"
sim_start kept --count 2 --state "$T/state"
[ "$(isp "$T/kept/ttyMCX1" write 0 "$T/data")" = 10203 ] || fail "flash was not kept"
sim_stop kept
[ "$(jq -c '.[1] | [.uuid, .flash_sha256]' "$T/first.json")" = "$(jq -c '.[1] | [.uuid, .flash_sha256]' "$T/kept.json")" ] || fail "another device"
expect 2 'holds 2 devices, --count says 3' mcxsim --dir "$T/x" --count 3 --state "$T/state"
printf x | dd of="$T/state" bs=1 seek=100 conv=notrunc status=none
expect 2 'damaged \(checksum\)' mcxsim --dir "$T/x" --count 2 --state "$T/state"

step "boards can be unplugged, plugged, swapped, power-cycled"
sim_start bench --count 2 --seed 7 --control "$T/ctl"
before=$(isp "$T/bench/ttyMCX0" property 18)
[ "$(control "$T/ctl" 'unplug 0')" = ok ] || fail "unplug"
[ ! -e "$T/bench/ttyMCX0" ] || fail "still plugged"
[ "$(control "$T/ctl" 'plug 0')" = ok ] || fail "plug"
[ "$(isp "$T/bench/ttyMCX0" property 18)" = "$before" ] || fail "another board came back"
[ "$(control "$T/ctl" 'swap 0')" = ok ] || fail "swap"
for _ in $(seq 100); do [ -e "$T/bench/ttyMCX0" ] && break; sleep 0.05; done
[ "$(isp "$T/bench/ttyMCX0" property 18)" != "$before" ] || fail "the same board after a swap"
[ "$(control "$T/ctl" 'power 1')" = ok ] || fail "power"
[ "$(control "$T/ctl" 'isp 1')" = ok ] || fail "isp"
isp "$T/bench/ttyMCX1" ping >/dev/null
[[ "$(control "$T/ctl" 'swap 9')" == error:* ]] || fail "device 9"
[[ "$(control "$T/ctl" 'burn 0')" == error:* ]] || fail "burn"
sim_stop bench
jq -e '.[1].power_losses == 1 and .[1].resets == 1 and .[0].device == 2' "$T/bench.json" >/dev/null || fail "report of the bench"

step "a port that comes back under another name"
sim_start names --count 1 --fault '0:rename@reset=2'
isp "$T/names/ttyMCX0" reset >/dev/null
for _ in $(seq 100); do [ -e "$T/names/ttyMCX0_1" ] && break; sleep 0.05; done
isp "$T/names/ttyMCX0_1" ping >/dev/null
[ ! -e "$T/names/ttyMCX0" ] || fail "the old name is still there"
sim_stop names
[ "$(jq -r '.[0].port' "$T/names.json")" = "$T/names/ttyMCX0_1" ] || fail "port in the report"

step "unix sockets: joined when they come, joined again when they come back"
cat >"$T/listen.py" <<'PY'
import os, socket, sys, time
path = sys.argv[1]
for round in range(2):
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(1)
    s.settimeout(10)
    c, _ = s.accept()
    c.settimeout(10)
    c.sendall(b"\x5a\xa6")
    got = b""
    while len(got) < 10:
        got += c.recv(10)
    print(got.hex())
    c.close()
    s.close()
PY
mcxsim --connect "$T/port%d" --count 1 >"$T/socket.json" 2>"$T/socket.err" &
SIM_PIDS+=($!)
SOCKET_SIM=$!
expect 0 '^5aa7000301500000fb40$' python3 "$T/listen.py" "$T/port0"
[ "$(grep -c 5aa7000301500000fb40 "$T/out")" = 2 ] || fail "not joined again"
kill "$SOCKET_SIM"
wait "$SOCKET_SIM" || fail "exit after SIGTERM"
tail -n +2 "$T/socket.json" >"$T/socket-report.json"
valid "$T/socket-report.json"

step "the line rate is kept, and used"
sim_start paced --count 1 --baud-pacing
rate=$(isp "$T/paced/ttyMCX0" burst 115200 20480)
sim_stop paced
python3 -c "import sys; r=float(sys.argv[1]); sys.exit(not 90 <= r <= 100.1)" "$rate" || fail "$rate % of the line rate"

step "faults by specification; wrong words are refused before anything starts"
sim_start faulty --count 2 --fault '0:refuse=10001@get-property/2' '1:silence'
[ "$(isp "$T/faulty/ttyMCX0" property 1)" = "0 1258488064" ] || fail "first query"
[ "$(isp "$T/faulty/ttyMCX0" property 1)" = "10001 0" ] || fail "second query"
expect 1 'nothing answers' python3 "$ISP" "$T/faulty/ttyMCX1" ping
sim_stop faulty
expect 2 'unknown kind of fault' mcxsim --dir "$T/x" --fault '0:explode'
expect 2 'give --dir or --connect' mcxsim --count 1
expect 2 '\-\-family: one of mcxn947' mcxsim --dir "$T/x" --family lpc55
expect 2 '\-\-count: 1 to' mcxsim --dir "$T/x" --count 0
expect 2 '\-\-max-packet' mcxsim --dir "$T/x" --max-packet 16
expect 2 'wants one %d' mcxsim --connect "$T/port"
expect 0 'power-loss' mcxsim faults
expect 0 '\-\-baud-pacing' mcxsim --help
echo "mcxsim: all good"
