#!/bin/bash
# 24-create-memory - after create has done its work, no secret is left in the memory of the process:
# the process is stopped in its last function, and all its writable memory is searched. Needs root,
# since mfgpkg forbids others of its user to look into it (that is tested for, too).
. "$(dirname "$0")/lib.sh"
if [ "$(id -u)" != 0 ]; then echo "create-memory: skipped, not root"; exit 0; fi
case ${B:-build} in *san*) echo "create-memory: skipped, sanitizers keep freed memory"; exit 0 ;; esac

cat >"$T/stop.c" <<'C'
#include <signal.h>
__attribute__((destructor)) static void stop_here(void)
{
	raise(SIGSTOP);
}
C
gcc -shared -fPIC -o "$T/stop.so" "$T/stop.c"
cat >"$T/search.py" <<'PY'
"""search.py PID SECRET...: count occurrences (raw, hex, base64) in the writable memory of a process."""
import base64, sys
pid, total = sys.argv[1], 0
pages = []
mem = open(f"/proc/{pid}/mem", "rb", 0)
for line in open(f"/proc/{pid}/maps"):
    span, perms = line.split()[:2]
    if not perms.startswith("rw") or "[vvar" in line:
        continue
    lo, hi = (int(x, 16) for x in span.split("-"))
    try:
        mem.seek(lo)
        pages.append((line.split()[-1], mem.read(hi - lo)))
    except OSError:
        pass
print("searched", sum(len(p) for _, p in pages), "bytes in", len(pages), "regions")
for item in sys.argv[2:]:
    name, value = item.split("=", 1)
    raw = bytes.fromhex(value)
    forms = {"raw": raw, "reversed": raw[::-1], "hex": value.encode(), "HEX": value.upper().encode()}
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + raw)
        forms[f"base64+{shift}"] = text[(0, 2, 3)[shift]:len(text) // 4 * 4 - 4]
    found = {f: sum(p.count(b) for _, p in pages) for f, b in forms.items()}
    where = sorted({r for r, p in pages for b in forms.values() if b in p})
    total += sum(found.values())
    print(f"{name:24}", {k: v for k, v in found.items() if v} or "not found", *where)
sys.exit(1 if total else 0)
PY

oem_workspace "$T/oem"
. samples/demo-proof.sh
cd "$T"
sim_start desk --count 1 --seed 1
SECRETS=(rot0="$(rot_scalar oem/keys/rot_p256_0.pem)" cust_mk_sk="$(symmetric oem/keys/cust_mk_sk.key)"
	oem_seed="$(symmetric oem/keys/oem_seed.key)" package="$(minisign_seed oem/keys/package.key)"
	firmware="$(firmware_windows oem/firmware/frdm_mcxn947_led_blinky.bin | sed -n 40p)")

# sb_key N FILE: KDK (N = 0) or the key of block N of the SB3.1 container, signed on P-256, with
# kdkAccessRights 0, under the CUST_MK_SK of the workspace. Derived with OpenSSL's CMAC.
sb_key() {
	python3 - "$1" "$2" "$(symmetric "$T/oem/keys/cust_mk_sk.key")" <<-'PY'
		import struct, subprocess, sys
		n, sb, mk = int(sys.argv[1]), open(sys.argv[2], "rb").read(60), sys.argv[3]
		def derive(key, constant, step):
		    data = struct.pack("<Q", constant) + bytes(13) + bytes([step, 0, 0x20]) + struct.pack(">II", 128, 1)
		    cipher = {32: "AES-128-CBC", 64: "AES-256-CBC"}[len(key)]
		    return subprocess.run(["openssl", "mac", "-cipher", cipher, "-macopt", "hexkey:" + key, "-in", "-", "CMAC"],
		                          input=data, capture_output=True, check=True).stdout.decode().strip().lower()
		kdk = derive(mk, struct.unpack_from("<Q", sb, 20)[0], 0x01)
		print(derive(kdk, n, 0x10) if n else kdk)
	PY
}
kdk() { sb_key 0 "$1"; }
block_1() { sb_key 1 "$1"; }
block_9() { sb_key 9 "$1"; }

stopped() { # wait until the process is stopped
	for _ in $(seq 400); do
		case $(sed 's/.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) in T) return 0 ;; Z | '') return 1 ;; esac
		sleep 0.05
	done
	return 1
}

step "the search can find: a process that holds the secrets"
python3 -c 'import os, signal, sys
keep = [bytes.fromhex(a.split("=")[1]) for a in sys.argv[1:]]
os.kill(os.getpid(), signal.SIGSTOP)' "${SECRETS[@]}" &
pid=$!
stopped $pid || fail "the control process did not stop"
rc=0
python3 search.py $pid "${SECRETS[@]}" || rc=$?
kill -KILL $pid
wait $pid 2>/dev/null || true
[ $rc = 1 ] || fail "the search finds nothing where everything is"

# left NAME=HEX... -- COMMAND: run it up to its end, then search. Secrets named @FUNCTION:FILE are
# read from a file that the command has made.
left() {
	local secrets=() s v rc=0
	while [ "$1" != -- ]; do secrets+=("$1"); shift; done
	shift
	LD_PRELOAD=$T/stop.so "$@" >cmd.out 2>&1 &
	pid=$!
	stopped $pid || { cat cmd.out; fail "'$*' did not stop at its end"; }
	for s in "${!secrets[@]}"; do
		v=${secrets[$s]#*=}
		case $v in @*) v=${v#@}; secrets[s]=${secrets[$s]%%=*}=$("${v%%:*}" "${v#*:}") ;; esac
		[[ ${secrets[$s]} =~ =[0-9a-f]{32,} ]] || fail "no secret to look for: ${secrets[$s]}"
	done
	python3 "$T/search.py" $pid "${secrets[@]}" || rc=1
	setpriv --reuid=65534 --regid=65534 --clear-groups cat "/proc/$pid/environ" >/dev/null 2>&1 &&
		fail "others can look into the process"
	kill -CONT $pid
	wait $pid || { cat cmd.out; fail "'$*': exit $?"; }
	[ $rc = 0 ] || fail "secrets are left in memory after '$*'"
}

step "after keys were made"
left rot=@rot_scalar:new/rot_p256_0.pem -- mfgpkg keys generate --type rot --curve p256 -o new --no-passphrase
left mk=@symmetric:new/mk.key -- mfgpkg keys generate --type cust-mk-sk -o new/mk.key --no-passphrase
left package=@minisign_seed:new/p.key -- mfgpkg keys generate --type package -o new/p.key --no-passphrase

step "after create, approve and order; keys derived on the way included"
SB=oem/build/image.sb3
left "${SECRETS[@]}" kdk=@kdk:$SB block1=@block_1:$SB block9=@block_9:$SB -- mfgpkg create -c oem/release.yaml -p "$T/desk/ttyMCX0" -o oem/p.mfgpkg
mfgpkg keys generate --type package -o oem/keys/second.key --no-passphrase -q
left second=@minisign_seed:oem/keys/second.key -- mfgpkg approve oem/p.mfgpkg -s oem/keys/second.key
station "$T/state" station-1 "$T/oem" >/dev/null
cp station.json oem
sed -i 's/^package:.*/package: p.mfgpkg/' oem/order.yaml
left "${SECRETS[@]}" -- mfgpkg order create -c oem/order.yaml -s oem/keys/package.key -o oem/order.json

step "after each export and after reading a container with its key"
cd oem
left "${SECRETS[@]}" -- mfgpkg mbi export -c mbi.yaml --no-passphrase
left "${SECRETS[@]}" kdk=@kdk:build/image.sb3 block1=@block_1:build/image.sb3 block9=@block_9:build/image.sb3 -- \
	mfgpkg sb31 export -c sb31.yaml --no-passphrase
[ "$(kdk build/image.sb3)" != "$(block_1 build/image.sb3)" ] || fail "derived keys are the same"
for what in verify parse; do
	left "${SECRETS[@]}" kdk=@kdk:build/image.sb3 block1=@block_1:build/image.sb3 block9=@block_9:build/image.sb3 -- \
		mfgpkg sb31 $what build/image.sb3 --key keys/cust_mk_sk.key
done
cd ..

step "the derived keys are the right ones: they decrypt the container; and no core file is written"
python3 - "$(block_1 $SB)" $SB oem/build/mbi.bin <<'PY'
import subprocess, sys
sb = open(sys.argv[2], "rb").read()
off = int.from_bytes(sb[32:36], "little") + 36
plain = subprocess.run(["openssl", "enc", "-d", "-aes-128-cbc", "-nopad", "-K", sys.argv[1], "-iv", "0" * 32],
                       input=sb[off:off + 256], capture_output=True, check=True).stdout
assert plain[:8] == bytes([1, 0, 0, 0, 1, 0, 0, 0]), plain.hex()
assert plain[80:256] == open(sys.argv[3], "rb").read(176), plain.hex()
PY
(
	ulimit -c unlimited 2>/dev/null || true
	LD_PRELOAD=$T/stop.so mfgpkg rkth -c oem/cert_block.yaml >/dev/null 2>&1 &
	pid=$!
	stopped $pid || fail "did not stop"
	grep -qE '^Max core file size +0 ' /proc/$pid/limits || fail "core files are allowed: $(grep core /proc/$pid/limits)"
	kill -CONT $pid
	wait $pid
)
echo "create-memory: passed"
