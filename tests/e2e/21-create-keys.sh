#!/bin/bash
# 21-create-keys - create with keys under a passphrase; what becomes of the secrets it has handled:
# none in its output, its log, its JSON, the build folder or the package. Devices that do not help.
. "$(dirname "$0")/lib.sh"
export TOP=$PWD
. samples/demo-proof.sh # the searches with plain tools

mkdir -p "$T/oem/keys"
cp -r samples/mcxn947-blinky/. "$T/oem"
cd "$T"
printf 'correct horse battery\n' >pass
printf 'wrong horse\n' >wrong
chmod 600 pass wrong
# Plain keys first, so that the test knows the secrets; then the same keys as an OEM keeps them.
mkdir plain
mfgpkg keys generate --type rot --curve p256 --count 4 -o plain --no-passphrase -q
mfgpkg keys generate --type cust-mk-sk -o plain/cust_mk_sk.key --no-passphrase -q
mfgpkg keys generate --type oem-seed -o plain/oem_seed.key --no-passphrase -q
mfgpkg keys generate --type package -o plain/package.key --no-passphrase -q
cp plain/*.pub plain/rot_*.pem plain/package.key oem/keys
openssl pkcs8 -topk8 -v2 aes-256-cbc -passout file:pass -in plain/rot_p256_0.pem -out oem/keys/rot_p256_0.pem
mfgpkg keys seal plain/cust_mk_sk.key --type cust-mk-sk -o oem/keys/cust_mk_sk.key --passphrase-file pass
mfgpkg keys seal plain/oem_seed.key --type oem-seed -o oem/keys/oem_seed.key --passphrase-file pass
chmod 600 oem/keys/*.key oem/keys/*.pem

sim_start desk --count 1 --seed 3
PORT=$T/desk/ttyMCX0

step "no passphrase, a wrong one: no package"
expect 2 'rot_p256_0.pem' mfgpkg create -c oem/release.yaml -p "$PORT" -o oem/p.mfgpkg --no-passphrase
expect 2 'rot_p256_0.pem' mfgpkg create -c oem/release.yaml -p "$PORT" -o oem/p.mfgpkg --passphrase-file wrong
[ ! -e oem/p.mfgpkg ] || fail "a package was written all the same"

step "the right one; the JSON says what went in"
mfgpkg create -c oem/release.yaml -p "$PORT" -o oem/p.mfgpkg --passphrase-file pass --json >created.json 2>created.err ||
	{ cat created.err; fail "create with a passphrase"; }
jq -e '.package == "oem/p.mfgpkg" and (.steps | map(.step)) == ["mbi","cmpa","cfpa","sb31","devhsm"]
	and (.steps | all(.result == "built")) and (.steps[4].device | length) == 32
	and .manifest.lifecycle.after == "in-field"' created.json >/dev/null || { cat created.json; fail "JSON of create"; }
python3 - "$TOP/schemas" <<-'PY'
	import json, sys, jsonschema
	def schema(name):
	    return json.load(open(f"{sys.argv[1]}/{name}.schema.json"))
	created = json.load(open("created.json"))
	jsonschema.validate(created["manifest"], schema("manifest"))
	top = schema("create")
	top["properties"]["manifest"] = {}
	jsonschema.validate(created, top)
	jsonschema.validate(json.load(open("oem/build/create.json")), schema("create-state"))
PY

step "no secret in anything that came out"
view created.json created.err oem/workspace oem/build oem/p.mfgpkg >seen
view plain >there
{
	for i in 0 1 2 3; do echo "$(rot_scalar "plain/rot_p256_$i.pem")"; done
	echo "$(symmetric plain/cust_mk_sk.key)"
	echo "$(symmetric plain/oem_seed.key)"
	echo "$(minisign_seed plain/package.key)"
	echo "$(printf 'correct horse battery' | hex)"
} >secrets
n=0
while read -r secret; do
	patterns_of "$secret" >pattern
	n=$((n + 1))
	[ "$n" = 8 ] || [ "$(count pattern there)" -gt 0 ] || fail "the search does not find secret $n where it is"
	[ "$(count pattern seen)" = 0 ] || fail "secret $n occurs in what create left"
done <secrets
[ "$n" = 8 ] || fail "only $n secrets were looked for"

step "a device that does not answer, and no device"
cp -r oem silent
rm -rf silent/build
python3 -c 'import pty, os, sys, time
m, s = pty.openpty(); os.symlink(os.ttyname(s), sys.argv[1]); time.sleep(60)' "$T/ttySilent" &
SIM_PIDS+=($!)
for _ in $(seq 100); do [ -e ttySilent ] && break; sleep 0.05; done
expect 5 'devhsm: .*ttySilent' mfgpkg create -c silent/release.yaml -p "$T/ttySilent" -o silent/x.mfgpkg --passphrase-file pass
expect 4 'devhsm: .*ttyNone' mfgpkg create -c silent/release.yaml -p "$T/ttyNone" -o silent/x.mfgpkg --passphrase-file pass
[ ! -e silent/x.mfgpkg ] && [ ! -e silent/build/provisioning.sb3 ] || fail "something was written all the same"
[ -e silent/build/image.sb3 ] || fail "the steps before were lost"

step "then the device is there: only what is missing is made"
expect 0 '^\[4/6\] sb31 .* unchanged ' mfgpkg create -c silent/release.yaml -p "$PORT" -o silent/x.mfgpkg --passphrase-file pass
grep -qE '^\[5/6\] devhsm .* ms ' out || fail "the provisioning SB3.1 was not made"

step "a folder that cannot be written"
expect 4 'nowhere/x.mfgpkg' mfgpkg create -c oem/release.yaml -o nowhere/x.mfgpkg --passphrase-file pass

echo "create-keys: all scenarios passed"
