# Bad days of a factory: what fails is named and contained, everything else passes.
. "$(dirname "$0")/lib.sh"

W=$T/oem S=$T/factory PKG=$T/good.mfgpkg
oem_workspace "$W"
oem_package "$W" "$PKG"
station "$S" line1.plant.example "$W"

# order N PKG QUANTITY -> $T/order-N
order() {
	cat >"$T/order-$1.yaml" <<-Y
		order: bad-day-$1
		customer: test
		oem: acme.example
		package: $2
		quantity: $3
		valid_days: 30
		station: $T/station.json
	Y
	runner station show --state "$S" --json >"$T/station.json"
	mfgpkg order create -c "$T/order-$1.yaml" -s "$W/keys/package.key" -o "$T/order-$1"
}
start() { # start N PKG SIM EXTRA...
	local n=$1 pkg=$2 sim=$3; shift 3
	runner start "$pkg" --state "$S" --order "$T/order-$n" --ports "$T/$sim/ttyMCX*" --ui plain "$@"
}

step "a byte flipped in the firmware SB3.1 of a correctly signed package: every device refuses it"
tests/e2e/repack.py "$PKG" "$T/flip-image.mfgpkg" "$W/keys/package.key" --flip sb/image.sb3:2000
order 1 "$T/flip-image.mfgpkg" 2
sim_start a --count 2 --seed 11
expect 1 'receive-sb-file sb/image.sb3.*(RomLdrChecksum|RomLdrSignature)' start 1 "$T/flip-image.mfgpkg" a
sim_stop a
[ "$(jq '[.[]|select(.boot=="application")]|length' "$T/a.json")" = 0 ] || fail "a device boots a broken image"

step "a byte flipped in the provisioning SB3.1: refused, and the life cycle did not move"
tests/e2e/repack.py "$PKG" "$T/flip-prov.mfgpkg" "$W/keys/package.key" --flip sb/provisioning.sb3:230
order 2 "$T/flip-prov.mfgpkg" 2
sim_start b --count 2 --seed 12
expect 1 'receive-sb-file sb/provisioning.sb3.*(RomLdrSignature|RomLdrChecksum)' start 2 "$T/flip-prov.mfgpkg" b
sim_stop b
[ "$(jq '[.[]|select(.lifecycle!="blank")]|length' "$T/b.json")" = 0 ] || fail "a refused SB3.1 changed the life cycle"

step "unsigned, and signed by somebody else: exit 3 and not one byte on any port"
order 3 "$PKG" 4
mfgpkg keys generate --type package -o "$T/stranger.key" --no-passphrase -q
tests/e2e/repack.py "$PKG" "$T/unsigned.mfgpkg" "$T/stranger.key" --unsigned
tests/e2e/repack.py "$PKG" "$T/stranger.mfgpkg" "$T/stranger.key"
mkdir -p "$T/tap"
python3 - "$T/tap" <<'P' &
# A port that counts what it gets: nothing may ever arrive.
import os, pty, sys, tty
m, s = pty.openpty()
tty.setraw(s)
os.symlink(os.ttyname(s), sys.argv[1] + "/ttyMCX0")
open(sys.argv[1] + "/ready", "w").close()
while True:
    data = os.read(m, 100)
    open(sys.argv[1] + "/got", "ab").write(data)
P
SIM_PIDS+=($!)
for _ in $(seq 100); do [ -e "$T/tap/ready" ] && break; sleep 0.05; done
expect 3 'not signed' start 3 "$T/unsigned.mfgpkg" tap
expect 3 'signed by the unknown key .* only' start 3 "$T/stranger.mfgpkg" tap
[ ! -e "$T/tap/got" ] || fail "bytes reached a port: $(xxd "$T/tap/got" | head -3)"

step "unplugged in mid-transfer: that device fails, the others pass, the log says so"
sim_start c --count 2 --seed 13
# The third board stops in the middle of its first SB3.1; a second later its port is gone.
sim_start gone --count 1 --seed 23 --fault '0:silence@receive-sb-file+1024'
mkdir "$T/three"
ln -s "$T"/c/ttyMCX0 "$T/three/ttyMCX0"; ln -s "$T"/c/ttyMCX1 "$T/three/ttyMCX1"; ln -s "$T"/gone/ttyMCX0 "$T/three/ttyMCX2"
{ sleep 2; kill -9 "$SIM_gone"; } &
began=$SECONDS
expect 1 '2 passed, 1 failed' start 3 "$PKG" three
[ $((SECONDS - began)) -lt 8 ] || fail "an unplugged port was waited for: $((SECONDS - began)) s"
runner log export --state "$S" bad-day-3 >"$T/leaves.jsonl"
[ "$(jq -r 'select(.kind=="device-end")|.result' "$T/leaves.jsonl" | sort | tr '\n' ' ')" = "fail pass pass " ] ||
	fail "log: $(jq -c 'select(.kind=="device-end")' "$T/leaves.jsonl")"
sim_stop c

step "a port that never answers is reported, not waited for"
order 4 "$PKG" 1
sim_start d --count 1 --seed 14
ln -s "$(readlink "$T/tap/ttyMCX0")" "$T/d/ttyMCX9"
began=$SECONDS
expect 0 'ttyMCX9.*no answer' start 4 "$PKG" d
[ $((SECONDS - began)) -lt 20 ] || fail "took $((SECONDS - began)) s"
sim_stop d

step "state folder that cannot be written, full disk: exit 4, nothing programmed"
sim_start e --count 1 --seed 15
order 5 "$PKG" 1
expect 4 'cannot' runner station init --state /proc/nowhere --name x
mkdir -p "$T/small"
if mount -t tmpfs -o size=256k tmpfs "$T/small" 2>/dev/null; then
	cp -r "$S/station.json" "$S/station.key" "$S/order-key" "$S/trust" "$T/small/"
	dd if=/dev/zero of="$T/small/fill" bs=1k 2>/dev/null || true
	rc=0; runner start "$PKG" --state "$T/small" --order "$T/order-5" --ports "$T/e/ttyMCX*" >"$T/out" 2>&1 || rc=$?
	rm "$T/small/fill"
	mount -o remount,ro "$T/small"
	rc2=0; runner start "$PKG" --state "$T/small" --order "$T/order-5" --ports "$T/e/ttyMCX*" >"$T/out2" 2>&1 || rc2=$?
	umount "$T/small"
	[ "$rc" = 4 ] || { cat "$T/out" >&2; fail "full disk: exit $rc, 4 wanted"; }
	[ "$rc2" = 4 ] || { cat "$T/out2" >&2; fail "read-only state: exit $rc2, 4 wanted"; }
else
	echo "   (no right to mount a small file system here: the limit below stands in for the full disk)"
fi
rc=0; (ulimit -f 8; trap '' XFSZ; runner start "$PKG" --state "$S" --order "$T/order-5" --ports "$T/e/ttyMCX*" >"$T/out" 2>&1) || rc=$?
[ "$rc" = 4 ] || { cat "$T/out" >&2; fail "no room for the log: exit $rc, 4 wanted"; }
sim_stop e
[ "$(jq -r '.[0].lifecycle' "$T/e.json")" = blank ] || fail "a device was programmed without a log"
[ "$(jq -r '.[0]|(.sb_accepted+.sb_refused)|length' "$T/e.json")" = 0 ] || fail "a device took an SB3.1 without a log"
