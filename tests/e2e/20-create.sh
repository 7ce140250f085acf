#!/bin/bash
# 20-create - mfgpkg create: from the sample workspace to a package, incrementally and reproducibly;
# what it refuses, and that nothing is left half-written.
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1795000000

oem_workspace "$T/oem"
cd "$T"
sim_start desk --count 1 --seed 1
PORT=$T/desk/ttyMCX0

step "everything is built, checked, signed and recorded"
expect 0 '^\[6/6\] package ' mfgpkg create -c oem/release.yaml -p "$PORT" -o oem/blinky.mfgpkg
cp out first.out
for s in mbi cmpa cfpa sb31 devhsm package; do
	grep -qE "^\[[1-6]/6\] $s +[0-9]+ bytes +[0-9]+ ms  " first.out || fail "no line for $s"
done
RKTH=$(mfgpkg rkth -c oem/cert_block.yaml --json | jq -r .rkth)
grep -qE "^RKTH +$RKTH$" first.out || fail "the summary names another RKTH"
grep -qE "^devices +mcxn947, revisions a1, blank, develop -> in-field$" first.out || fail "life cycle in the summary"
expect 0 '' mfgpkg verify oem/blinky.mfgpkg -P oem/keys/package.pub

step "the package carries the proof of its own log entry"
unzip -p oem/blinky.mfgpkg manifest.json >manifest.json
DIGEST=$(sha256sum <manifest.json | cut -d' ' -f1)
grep -q "^digest  *$DIGEST$" first.out || fail "the summary names another digest"
unzip -p oem/blinky.mfgpkg provenance/workspace.tlog-proof >proof
sed -n 's/^extra //p' proof | base64 -d >leaf
jq -e --arg d "$DIGEST" '.kind == "package" and .result == "built" and .package == $d' leaf >/dev/null ||
	fail "the proof is for another leaf: $(cat leaf)"
INDEX=$(sed -n 's/^index //p' proof)
[ "$(sqlite3 oem/workspace/log.db "select data from leaf where seq=$INDEX")" = "$(cat leaf)" ] ||
	fail "the log has another leaf $INDEX"

VKEY=$(sed -n 's/^log //p' oem/workspace/log.policy)
expect 0 '' mfgpkg verify oem/blinky.mfgpkg -P oem/keys/package.pub --log-key "$VKEY"
mkdir -p foreign && cp oem/workspace.yaml foreign && mfgpkg keys generate --type package -o foreign/k.key --no-passphrase
expect 3 'provenance' mfgpkg verify oem/blinky.mfgpkg -P oem/keys/package.pub --log-key "$(sed -n 's/^log //p' foreign/workspace/log.policy)"

step "the log names keys, artifacts and the package, and no secret"
sqlite3 oem/workspace/log.db 'select data from leaf' >leaves
for k in rot cust-mk-sk oem-seed package; do
	jq -es --arg k "$k" 'any(.[]; .kind == "key" and .type == $k and .action == "made")' leaves >/dev/null || fail "no leaf of key $k"
done
for a in mbi cmpa cfpa sb31 provisioning-sb; do
	jq -es --arg a "$a" 'any(.[]; .kind == "artifact" and .type == $a)' leaves >/dev/null || fail "no leaf of artifact $a"
done
jq -es 'any(.[]; .type == "mbi" and .sha256 == $d and (.inputs | map(.file) | index("frdm_mcxn947_led_blinky.bin")))' \
	--arg d "$(sha256sum <oem/build/mbi.bin | cut -d' ' -f1)" leaves >/dev/null || fail "leaf of the MBI"
! grep -qE 'rot_p256_0.pem.{0,10}sha256|cust_mk_sk.key.{0,10}sha256' leaves || fail "digest of a secret file in the log"
expect 0 "^  proven: +it is the log of the workspace " mfgpkg audit verify oem/workspace/log.db --log-key oem/workspace/log.vkey
! grep -q "whose workspace" out || fail "the key was given, and the workspace is called unknown"
expect 0 "^  not proven: whose workspace this is" mfgpkg audit verify oem/workspace/log.db

step "five programs that write the same log at once take turns"
cp -r oem busy
for i in 1 2 3 4 5; do mfgpkg keys generate --type isk --curve p256 -o "busy/keys/$i" --no-passphrase & done
wait $(jobs -p | grep -vx "$SIM_desk")
[ "$(sqlite3 busy/workspace/log.db "select count(*) from leaf where data->>'$.kind' = 'key' and data->>'$.type' = 'isk'")" = 5 ] ||
	fail "not all five are recorded"

step "nothing changed: nothing is built, no device is needed, the same manifest"
sim_stop desk
expect 0 '' mfgpkg create -c oem/release.yaml -o oem/again.mfgpkg
[ "$(grep -c ' unchanged ' out)" = 5 ] || { cat out; fail "steps were run again"; }
unzip -p oem/again.mfgpkg manifest.json | cmp - manifest.json || fail "another manifest"
(cd oem && expect 0 '' mfgpkg create -c release.yaml -o again.mfgpkg)
[ "$(grep -c ' unchanged ' out)" = 5 ] || { cat out; fail "steps were run again from another folder"; }

step "new firmware: image and SB3.1 are built, pages and provisioning are not"
printf 'NEWER' | dd of=oem/firmware/frdm_mcxn947_led_blinky.bin bs=1 seek=3000 conv=notrunc status=none
expect 0 '' mfgpkg create -c oem/release.yaml -o oem/newer.mfgpkg
for s in mbi sb31; do grep -qE "\] $s .* ms  " out || fail "$s was not built again"; done
for s in cmpa cfpa devhsm; do grep -qE "\] $s .* unchanged " out || fail "$s was built again"; done

step "the same inputs elsewhere give the same package but for signatures"
cp oem/build/provisioning.sb3 kept.sb3
for d in a b; do
	cp -r oem "$d"
	rm -rf "$d/build" "$d/workspace"
	cp kept.sb3 "$d/kept.sb3"
	sed -i 's/^devhsm:.*/provisioning_sb: kept.sb3/; /^cmpa:/d; /^cfpa:/d' "$d/release.yaml"
	expect 0 '' mfgpkg create -c "$d/release.yaml" -o "$d/blinky.mfgpkg"
	unzip -p "$d/blinky.mfgpkg" manifest.json |
		jq -c '(.files[] | select(.role == "image-sb" or .role == "checksums")) |= del(.sha256)' >"$d.json"
	head -c -64 "$d/build/mbi.bin" >"$d.mbi"
	head -c 60 "$d/build/image.sb3" >"$d.header"
done
cmp a.json b.json || fail "manifests differ in more than the digest of what is signed"
cmp a.mbi b.mbi || fail "images differ outside their signature"
cmp a.header b.header || fail "SB3.1 headers differ"
[ "$(stat -c %s a/build/image.sb3)" = "$(stat -c %s b/build/image.sb3)" ] || fail "SB3.1 sizes differ"

head -c 32 /dev/urandom >oem/keys/other.bin
{ echo "station notes"; cat oem/keys/cust_mk_sk.key; } >leak.txt
chmod 600 oem/keys/other.bin

step "refusals, each with its reason; no package appears"
try() { # try RC MESSAGE SED-EXPRESSION FILE [ARGUMENTS...]: a copy of the workspace with one edit
	local rc=$1 message=$2 edit=$3 file=$4
	shift 4
	rm -rf bad
	cp -r oem bad
	sed -i "$edit" "bad/$file"
	! cmp -s "oem/$file" "bad/$file" || fail "the edit '$edit' changes nothing in $file"
	expect "$rc" "$message" mfgpkg create -c bad/release.yaml -o bad/refused.mfgpkg "$@"
	[ ! -e bad/refused.mfgpkg ] || fail "a package was written all the same"
}
try 3 'cmpa.bin has RKTH (11){32}, but the certificate block of the SB3.1 has' \
	"s/^settings:/settings:\n  ROTKH: '$(printf '11%.0s' $(seq 32))'/" cmpa.yaml
try 3 'image.sb3: is not encrypted' 's/^isEncrypted: true/isEncrypted: false/' sb31.yaml
try 3 'leaves devices in-field .*but lifecycle.after is develop$' 's/after: in-field.*/after: develop/' release.yaml
try 3 'leaves devices blank .*but lifecycle.after is in-field$' 's/0x03000003/0x00000000/' devhsm.yaml
try 3 'programs 0x03000007 into the life cycle fuse' 's/0x03000003/0x03000007/' devhsm.yaml
try 3 'leaves devices in-field-locked' 's/TO_OEM_CLOSED/TO_OEM_LOCKED/' cfpa.yaml
try 3 'loads nothing that is bad/build/mbi.bin' 's,file: build/mbi.bin,file: firmware/frdm_mcxn947_led_blinky.bin,' sb31.yaml
try 3 'leaves devices develop .*CMPA_UPD 0 of no CFPA' 's/0x01000000/0x0100A000/' devhsm.yaml
try 3 'loads no CMPA .0x01004000.: `commands` must load bad/build/cmpa.bin' 's/0x01004000/0x0100A000/' devhsm.yaml
try 3 'loads other bytes at 0x01004000 than bad/build/cmpa.bin holds' 's,file: build/cmpa.bin,file: build/cfpa.bin,' devhsm.yaml
try 3 'gives devices no CUST_MK_SK' '/^containerKeyBlobEncryptionKey/d' devhsm.yaml
try 3 'wraps another CUST_MK_SK than' 's,keys/cust_mk_sk.key,keys/other.bin,' devhsm.yaml
try 3 'demands 7: devices would not boot it' 's/^settings:/settings:\n  Secure_FW_Version: 7/' cfpa.yaml
try 3 'revokes root key 0, which signs the firmware' 's/^settings:/settings:\n  SECBOOT_FLAGS: 2/' cfpa.yaml
try 2 'give its port with -p' 's/address: 1 /address: 0x1 /' devhsm.yaml
try 3 'docs/leak.txt.*cust_mk_sk' 's,^docs: \[\],docs: [../leak.txt],' release.yaml

step "key files that others can read"
cp -r oem open
chmod 644 open/keys/rot_p256_0.pem
expect 2 'open/keys/rot_p256_0.pem: a secret that others can read: chmod 600 open/keys/rot_p256_0.pem' \
	mfgpkg create -c open/release.yaml -o open/blinky2.mfgpkg
[ ! -e open/blinky2.mfgpkg ] || fail "a package was written all the same"
expect 0 '' mfgpkg create -c open/release.yaml -o open/blinky2.mfgpkg --allow-readable-keys

step "without a workspace nothing could be recorded, so nothing is built"
cp -r oem lost
rm lost/workspace.yaml
expect 2 'lost/release.yaml: no workspace.yaml at or above it' mfgpkg create -c lost/release.yaml -o lost/p.mfgpkg
[ ! -e lost/p.mfgpkg ] || fail "a package was written all the same"

echo "create: all scenarios passed"
