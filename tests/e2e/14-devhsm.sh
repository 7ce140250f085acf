#!/bin/bash
# 14-devhsm - devhsm generate with every key of its configuration, both ways to open the session, plain
# and wrapped keys, YAML and JSON; each file is sent to devices that did not make it.
. "$(dirname "$0")/lib.sh"
ISP=$PWD/tests/e2e/isp.py
isp() { python3 "$ISP" "$@"; }
oem_workspace "$T/oem"
cd "$T/oem"
mkdir -p build
expect 0 '' mfgpkg pfr export -c cmpa.yaml --rot-config cert_block.yaml -o build/cmpa.bin
expect 0 '' mfgpkg pfr export -c cfpa.yaml -o build/cfpa.bin
sim_start hsm --count 1 --seed 3
sim_start line --count 8 --seed 4
HSM=$T/hsm/ttyMCX0

next=0
# accepted FILE: a blank device takes it, and is in the field after its next reset.
accepted() {
	[ "$(isp "$T/line/ttyMCX$next" sb "$1")" = 0 ] || fail "device $next does not take $1"
	isp "$T/line/ttyMCX$next" reset | grep -q "^0" || fail "device $next does not reset"
	next=$((next + 1))
}
generate() { # CONFIG OUT ARGS...
	local config=$1 out=$2; shift 2
	expect 0 '' mfgpkg devhsm generate -c "$config" -p "$HSM" -o "$out" --no-passphrase "$@"
	cp "$T/out" "$T/generated"
	! grep -q 'unknown key' "$T/out" || fail "a key of the configuration is called unknown"
	expect 0 'device HSM' mfgpkg sb31 parse "$out"
	expect 0 '' mfgpkg sb31 verify "$out"
}

step "fresh session: a new share from the OEM's seed; every key of the configuration"
cat >all.yaml <<-END
	family: mcxn947
	revision: a1
	containerOutputFile: build/not_here.sb3
	oemRandomShare: keys/oem_seed.key
	containerKeyBlobEncryptionKey: keys/cust_mk_sk.key
	initialReset: true
	finalReset: true
	bufferAddress: 0x20008000
	workspace: kept
	timestamp: 0x2E5A1234
	commands:
	  - programFuses: {address: 1, values: '0x03000003'}
	  - load: {address: 0x01004000, file: build/cmpa.bin}
	  - load: {address: 0x01000000, file: build/cfpa.bin}
END
generate all.yaml build/fresh.sb3
[ ! -e build/not_here.sb3 ] || fail "-o was not taken"
for f in OEM_SEED ENC_OEM_SHARE ENC_OEM_MASTER_SHARE NXP_CUST_CA_PUK CUST_FW_AUTH_PUK CUST_MK_SK_BLOB CUST_FW_ENC_BLOB; do
	[ -s kept/$f.bin ] || fail "the workspace has no $f.bin"
done
! grep -q 'power lost' "$T/generated" || fail "a warning where page and key end in one block"
accepted build/fresh.sb3

step "stored master share: the session is opened again, the signing key is the same"
sed 's/^workspace:.*/oemEncMasterShare: kept\/ENC_OEM_MASTER_SHARE.bin/' all.yaml >restored.yaml
generate restored.yaml build/restored.sb3 --json
jq -e '.restored == true and .key_blob == true' "$T/generated" >/dev/null || fail "JSON: $(cat "$T/generated")"
[ "$(jq -r .cust_fw_auth_puk "$T/generated")" = "$(od -An -v -tx1 kept/CUST_FW_AUTH_PUK.bin | tr -d ' \n')" ] ||
	fail "a restored session signs with another key"
accepted build/restored.sb3
hex=$(od -An -v -tx1 kept/ENC_OEM_MASTER_SHARE.bin | tr -d ' \n')
sed "s/^oemEncMasterShare:.*/oemEncMasterShare: '$hex'/" restored.yaml >restored_hex.yaml
generate restored_hex.yaml build/restored_hex.sb3
printf '%s\n' "${hex:0:100}" >kept/short.txt
sed "s/^oemEncMasterShare:.*/oemEncMasterShare: kept\/short.txt/" restored.yaml >short.yaml
expect 2 'short.yaml:9:20: key `oemEncMasterShare`: .*short.txt has 101 bytes, want 64 bytes or 128 hex digits' \
	mfgpkg devhsm generate -c short.yaml -p "$HSM" -o build/x.sb3 --no-passphrase
sed '/^oemRandomShare/d' restored.yaml >noseed.yaml
expect 2 'restoring a share also needs the seed' mfgpkg devhsm generate -c noseed.yaml -p "$HSM" -o build/x.sb3 --no-passphrase
mfgpkg keys generate --type oem-seed -o keys/other_seed.key --no-passphrase -q
sed 's/oem_seed/other_seed/' restored.yaml >wrongseed.yaml
expect 5 'oem_set_master_share' mfgpkg devhsm generate -c wrongseed.yaml -p "$HSM" -o build/x.sb3 --no-passphrase
[ ! -e build/x.sb3 ] || fail "a file was written after a failure"

step "CUST_MK_SK wrapped before: the blob of an earlier run, without the key"
sed '/^containerKeyBlob/d; s/^workspace:.*/oemEncMasterShare: kept\/ENC_OEM_MASTER_SHARE.bin/' all.yaml >wrapped.yaml
cat >>wrapped.yaml <<-END
	  - loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_EXT_SK, file: kept/CUST_MK_SK_BLOB.bin, plainInput: no}
END
generate wrapped.yaml build/wrapped.sb3 --json
jq -e .key_blob "$T/generated" >/dev/null || fail "no key blob"
accepted build/wrapped.sb3
[ "$(stat -c %s build/wrapped.sb3)" = "$(stat -c %s build/fresh.sb3)" ] || fail "sizes differ"

! grep -q 'earlier session' "$T/generated" || fail "a warning though the share is the blob's"
sed '/^oemEncMasterShare/d' wrapped.yaml >stale.yaml
generate stale.yaml build/stale.sb3
grep -q 'command 4: this key blob was wrapped under the share of an earlier session' "$T/generated" || fail "no warning"
[ "$(isp "$T/line/ttyMCX7" sb build/stale.sb3)" != 0 ] || fail "a device takes a blob of another share"

step "plain keys in the list: hexadecimal and binary files, wrapped by the device; the key before the page"
python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(open("keys/cust_mk_sk.key").read()))' >keys/mk.bin
chmod 600 keys/mk.bin
sed '/^containerKeyBlob/d; /^workspace/d; /01000000/d' all.yaml >first.yaml
for form in "hex keys/cust_mk_sk.key" "bin keys/mk.bin"; do
	{ cat first.yaml
		echo "  - loadKeyBlob: {offset: 0, wrappingKeyId: NXP_CUST_KEK_EXT_SK, file: ${form#* }, plainInput: ${form% *}}"
		echo "  - load: {address: 0x01000000, file: build/cfpa.bin}"; } >"first_${form% *}.yaml"
	generate "first_${form% *}.yaml" "build/first_${form% *}.sb3"
	accepted "build/first_${form% *}.sb3"
done

step "a page and a key with a block between them: power lost there closes a part without its key"
sed 's/^workspace.*//; s/^commands:/commands:\n  - fillMemory: {address: 0x20008000, size: 64, pattern: 0}/' all.yaml >gap.yaml
for i in 1 2 3; do echo "  - load: {address: 0x2000800$i, values: '$(seq -s, 40)'}"; done | sed 's/0x2000800./0x20009000/' >>gap.yaml
generate gap.yaml build/gap.sb3
grep -qE 'the CFPA that closes the part is complete with block 5, its key only with block 8: power lost between' "$T/generated" ||
	{ cat "$T/generated"; fail "no warning"; }
sed '/01000000/d' gap.yaml >open.yaml
generate open.yaml build/open.sb3
! grep -q 'power lost' "$T/generated" || fail "a warning for a file that closes nothing"

step "the same configuration in JSON; the resets; a key that nobody knows"
cat >all.json <<-END
	{"family": "mcxn947", "revision": "a1", "containerOutputFile": "build/x.sb3", "oemRandomShare": "keys/oem_seed.key",
	 "containerKeyBlobEncryptionKey": "keys/cust_mk_sk.key", "initialReset": false, "finalReset": false,
	 "bufferAddress": 536903680, "timestamp": 777654836, "commands": [
	 {"programFuses": {"address": 1, "values": "0x03000003"}},
	 {"load": {"address": 16793600, "file": "build/cmpa.bin"}}, {"load": {"address": 16777216, "file": "build/cfpa.bin"}}]}
END
generate all.json build/json.sb3
accepted build/json.sb3
# finalReset was false: the session is still there, and a second one needs a reset first.
sed 's/^initialReset/initalReset/' all.yaml >typo.yaml
expect 5 'oem_gen_master_share: 1 Fail' mfgpkg devhsm generate -c typo.yaml -p "$HSM" -o build/typo.sb3 --no-passphrase
expect 0 'typo.yaml:6:1: .*initalReset.*initialReset' mfgpkg devhsm generate -c typo.yaml -p "$HSM" -o build/typo.sb3 --no-passphrase

sim_stop line
sim_stop hsm
made=$next
[ "$made" = 6 ] || fail "$made devices"
jq -e --argjson n "$made" '.[:$n] | all(.lifecycle == "in-field" and .key_blob_present and (.sb_accepted | length) == 1)' "$T/line.json" >/dev/null ||
	{ jq -c '.[] | [.lifecycle, .key_blob_present]' "$T/line.json"; fail "a device is not in the field with its key"; }
jq -e '.[0].lifecycle == "blank" and .[0].fuses == {}' "$T/hsm.json" >/dev/null || fail "the device HSM is not blank any more"
echo "devhsm: passed"
