#!/bin/bash
# 40-plain-tools - a package and an order checked with unzip, minisign, sha256sum and jq alone, as the
# documentation describes; then our own programs say the same, and what they show is all there is.
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1795186800
ROOT=$PWD

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/oem/blinky.mfgpkg"
cd "$T"
cp oem/keys/package.pub oem.pub
mfgpkg keys generate --type package -o second.key --no-passphrase -q
mfgpkg keys generate --type package -o station.key --no-passphrase -q

step "the recipe: nothing but standard tools"
mkdir plain && cd plain
unzip -q ../oem/blinky.mfgpkg
for s in signatures/*.minisig; do
	minisign -Vm manifest.json -x "$s" -p ../oem.pub >/dev/null || fail "minisign refuses $s"
done
sha256sum --quiet -c SHA256SUMS || fail "sha256sum -c"
# Every listed file is there with this size and digest, and nothing is there that is not listed.
jq -r '.files[] | "\(.sha256)  \(.path)"' manifest.json | sha256sum --quiet -c || fail "digests of the manifest"
jq -r '.files[] | "\(.size) \(.path)"' manifest.json | while read -r size path; do
	[ "$(stat -c %s "$path")" = "$size" ] || fail "size of $path"
done
{ jq -r '.files[].path' manifest.json; echo manifest.json; } | sort >../listed
find . -type f -printf '%P\n' | grep -vE '^(signatures/[0-9a-f]{16}\.minisig|provenance/workspace\.tlog-proof)$' | sort >../present
diff ../listed ../present || fail "files and manifest differ"
cd ..
DIGEST=$(sha256sum <plain/manifest.json | cut -d' ' -f1)

step "the same bytes from plain zip readers"
python3 - <<'PY' || fail "Python's zipfile"
import zipfile
z = zipfile.ZipFile("oem/blinky.mfgpkg")
assert z.testzip() is None
assert all(i.compress_type == 0 and i.date_time == (1980, 1, 1, 0, 0, 0) for i in z.infolist())
PY

step "verify, inspect: what they print is what is there"
expect 0 "package +$DIGEST" mfgpkg verify oem/blinky.mfgpkg -P oem.pub
mfgpkg inspect oem/blinky.mfgpkg -P oem.pub --json >inspect.json || fail "inspect"
[ "$(jq -r .package inspect.json)" = "$DIGEST" ] || fail "digest in inspect"
[ "$(jq -r '.words | split(" ") | length' inspect.json)" = 6 ] || fail "six words"
jq -r '.entries[].path' inspect.json | sort >shown
{ cat present; (cd plain && ls signatures/* provenance/*); } | sort | diff - shown || fail "inspect leaves files out"
[ "$(jq -r '.sb31 | length' inspect.json)" = 2 ] || fail "two SB3.1 files in inspect"
expect 0 '! +2  receive-sb-file sb/provisioning.sb3' mfgpkg inspect oem/blinky.mfgpkg
expect 3 'signed by the unknown key' mfgpkg inspect oem/blinky.mfgpkg -P second.pub
script -qec "env -u NO_COLOR mfgpkg inspect oem/blinky.mfgpkg" /dev/null >tty.out </dev/null || fail "inspect on a terminal"
grep -qF $'\033[1;31m!   2  receive-sb-file sb/provisioning.sb3' tty.out || fail "irreversible step not red on a terminal"

step "documents follow their schemas"
cat >schema.py <<'PY'
import glob, json, sys, warnings
warnings.simplefilter("ignore")
import jsonschema
root, schema, document = sys.argv[1:]
store = {}
for f in glob.glob(root + "/schemas/*.json"):
    d = json.load(open(f))
    store[d.get("$id", f)] = d
s = store[schema]
jsonschema.Draft202012Validator(s, resolver=jsonschema.RefResolver("", s, store)).validate(json.load(open(document)))
PY
follows() { python3 schema.py "$ROOT" "$1" "$2" >schema.out 2>&1 || { tail -5 schema.out >&2; fail "$2 does not follow $1"; }; }
follows inspect.schema.json inspect.json
follows manifest.schema.json plain/manifest.json
mfgpkg verify oem/blinky.mfgpkg -P oem.pub --json >verify.json || fail "verify --json"
follows inspect.schema.json verify.json
mfgpkg verify oem/blinky.mfgpkg -P second.pub --json >refused.json 2>/dev/null && fail "verify by another key"
follows inspect.schema.json refused.json
[ "$(jq -r '.verdict + " " + .problems[0].check' refused.json)" = "refused trust" ] || fail "verdict in JSON"
mfgpkg verify "$ROOT/Makefile" -P oem.pub --json >notzip.json 2>/dev/null && fail "verify of no package"
follows inspect.schema.json notzip.json

step "approvals: k of n, the manifest stays as it is"
cp oem/blinky.mfgpkg two.mfgpkg
expect 3 '1 of 2 approvals' mfgpkg verify two.mfgpkg -P oem.pub second.pub --threshold 2
expect 0 'approved by' mfgpkg approve two.mfgpkg -s second.key
expect 0 "package +$DIGEST" mfgpkg verify two.mfgpkg -P oem.pub second.pub --threshold 2
unzip -p two.mfgpkg manifest.json | cmp - plain/manifest.json || fail "approve changed the manifest"
rm -rf two && mkdir two && unzip -q two.mfgpkg -d two
for k in oem second; do
	id=$(grep -o '[0-9A-F]*$' <<<"$(head -1 $k.pub)" | tr A-F a-f)
	minisign -Vm two/manifest.json -x "two/signatures/$(printf %16s "$id" | tr ' ' 0).minisig" -p $k.pub >/dev/null || fail "minisign: $k"
done

step "refused: one line, exit 3, the reason first"
expect 3 'mfgpkg: .*signed by the unknown key' mfgpkg verify oem/blinky.mfgpkg -P second.pub
expect 3 'expired at' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --at 2040-01-01T00:00:00Z
expect 3 'not valid before' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --at 2020-01-01T00:00:00Z
expect 3 'rolled back' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --sequence 99
expect 3 'made for family mcxn947, not for mcxn236' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --family mcxn236
expect 2 '-P PUB' mfgpkg verify oem/blinky.mfgpkg
expect 4 'cannot open' mfgpkg verify nothing.mfgpkg -P oem.pub
head -c 1000 oem/blinky.mfgpkg >cut.mfgpkg
expect 3 'no end record' mfgpkg verify cut.mfgpkg -P oem.pub

step "the OEM's log entry inside the package, checked with the log's key"
LOGKEY=$(sqlite3 oem/workspace/log.db "select data->>'$.station.key' from leaf where seq=0")
expect 0 accepted mfgpkg verify oem/blinky.mfgpkg -P oem.pub --log-key "$LOGKEY"
OTHER=$(jq -r .station.key "$ROOT/tests/vectors/evidence/example-log/order.json")
expect 3 'provenance/workspace.tlog-proof: ' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --log-key "$OTHER"
expect 2 'log key' mfgpkg verify oem/blinky.mfgpkg -P oem.pub --log-key nonsense

step "secrets: none of the workspace is in the package; one that is, is found"
expect 0 accepted mfgpkg verify oem/blinky.mfgpkg -P oem.pub --secrets oem/keys

step "an order, checked with minisign and jq"
VKEY=$(jq -r .station.key "$ROOT/tests/vectors/evidence/example-log/order.json")
cat >order.yaml <<Y
order: "2026-0099"
customer: PO 4711 / Beispiel
oem: acme.example
package: oem/blinky.mfgpkg
quantity: 4
valid_days: 30
station: {name: "${VKEY%%+*}", key: "$VKEY"}
epoch0: "$VKEY"
Y
expect 0 'order 2026-0099: 4 devices' mfgpkg order create -c order.yaml -s oem/keys/package.key -o order.json
minisign -Vm order.json -p oem.pub >/dev/null || fail "minisign refuses the order"
[ "$(jq -r .package order.json)" = "$DIGEST" ] || fail "digest in the order"
[ "$(wc -l <order.json)" = 1 ] || fail "the order is not one line"
[ "$(jq -r .epoch0 order.json | cut -d+ -f1)" = "$(jq -r .origin order.json)" ] || fail "epoch0 is not under the origin"
follows order.schema.json order.json
expect 0 'accepted' mfgpkg order verify order.json -P oem.pub --package oem/blinky.mfgpkg --at 2026-11-21T00:00:00Z
expect 0 'not verified' mfgpkg order inspect order.json
expect 3 'signed by the unknown key' mfgpkg order verify order.json -P second.pub
expect 3 'ended at' mfgpkg order verify order.json -P oem.pub --at 2040-01-01T00:00:00Z
sed 's/"quantity":4/"quantity":9/' order.json >more.json; cp order.json.minisig more.json.minisig
expect 3 'does not verify' mfgpkg order verify more.json -P oem.pub
cp order.json alone.json
expect 3 'not signed' mfgpkg order verify alone.json -P oem.pub
expect 0 '' mfgpkg order approve order.json -s second.key
expect 0 'accepted' mfgpkg order verify order.json -P oem.pub second.pub --threshold 2 --at 2026-11-21T00:00:00Z

step "a trust update: signed by what was trusted and by what will be"
expect 0 'version 1, 2 keys, threshold 2, 2 signature' \
	mfgpkg trust update -P oem.pub second.pub --threshold 2 --version 1 -s oem/keys/package.key second.key -o trust.json
minisign -Vm trust.json -p oem.pub >/dev/null || fail "minisign refuses the trust update"
follows trust-update.schema.json trust.json
expect 0 'threshold 2' mfgpkg trust inspect trust.json
echo "plain tools: ok"
