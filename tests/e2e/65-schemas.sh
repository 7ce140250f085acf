# Every JSON document of the programs against its schema (those of runs, packages, orders and audits
# are checked by the scenarios that make them).
. "$(dirname "$0")/lib.sh"
V=tests/vectors
mkdir "$T/docs"
n=0
valid() { # valid SCHEMA COMMAND...: its output must be one document of this schema (checked below, all at once)
	local schema=$1 rc=0; shift
	n=$((n + 1))
	"$@" >"$T/docs/$schema.$n" 2>"$T/err" || rc=$?
	[ $rc = 0 ] || { cat "$T/err" >&2; fail "exit $rc: $*"; }
	echo "$*" >"$T/docs/$schema.$n.command"
}
for d in "$V"/sb31/*/; do
	[ -e "$d/expected.sb3" ] || continue
	valid sb31 mfgpkg sb31 parse "$d/expected.sb3" --json
	valid sb31 mfgpkg sb31 verify "$d/expected.sb3" --json
	[ ! -e "$d/cert_block.bin" ] || valid cert-block mfgpkg cert-block parse "$d/cert_block.bin" --json
	[ ! -e "$d/cert_block.bin" ] || valid cert-block mfgpkg cert-block verify "$d/cert_block.bin" --json
done
valid sb31 mfgpkg sb31 parse "$V/sb31/p256-4roots-isk-p256/expected.sb3" --key "$V/sb31/p256-4roots-isk-p256/cust_mk_sk.txt" --json
for d in "$V"/mbi/*/; do
	valid mbi mfgpkg mbi parse "$d/expected.bin" --json
	valid mbi mfgpkg mbi verify "$d/expected.bin" --json
done
for f in cmpa_socu_closed cmpa_random_1 cfpa_lc_in_field cfpa_counters; do
	valid pfr-page mfgpkg pfr parse "$V/pfr/$f.bin" --json
	valid pfr-page mfgpkg pfr parse "$V/pfr/$f.bin" --diff --json
done
valid pfr-findings mfgpkg pfr verify "$V/pfr/cmpa_socu_closed.bin" --json
valid rkth mfgpkg rkth -k "$V"/keys/rot_p384_{0,1}.pub.pem --json
valid templates mfgpkg template --json
mfgpkg keys generate --type package -o "$T/p.key" --no-passphrase -q
runner station init --state "$T/s" --name line1.plant.example
runner trust add --state "$T/s" "$T/p.pub"
valid station-show runner station show --state "$T/s" --json
valid slots-list runner station slots --state "$T/s" A1='pci-0000:00:14.0-usb-0:2*' --deny 'ttyS*' --json
valid trust runner trust list --state "$T/s" --json
valid station cat "$T/s/station.json"
valid kept runner list --state "$T/s" --json
python3 - "$T/docs" <<'P' || fail "see above"
import glob, json, os, sys, jsonschema
V = jsonschema.Draft202012Validator
schemas = {os.path.basename(p)[:-12]: json.load(open(p)) for p in glob.glob("schemas/*.schema.json")}
for name, schema in schemas.items():
    V.check_schema(schema)
wrong = 0
for path in sorted(glob.glob(sys.argv[1] + "/*[0-9]")):
    for error in V(schemas[os.path.basename(path).split(".")[0]]).iter_errors(json.load(open(path))):
        print(f"{open(path + '.command').read().strip()}: {error.json_path}: {error.message}")
        wrong += 1
assert not V(schemas["rkth"]).is_valid({"rkth": "00", "hash": "SHA-256", "length": 32}), "a schema that refuses nothing"
sys.exit(wrong != 0)
P
echo "$n documents"
