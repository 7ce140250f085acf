#!/bin/bash
# 37-audit-commands - what an auditor does with logs besides the report: examine, prove one device or
# one leaf, witness, compare, export; and what each says when the evidence is not good.
. "$(dirname "$0")/lib.sh"
V=$PWD/tests/vectors/evidence
SCHEMAS=$PWD/schemas
LOG=$V/example-log/log.db
OEM=$V/minisign/keys/alice.pub
UUID=00112233445566778899aabbccddeeff
cd "$T"

valid() { # SCHEMA FILE
	python3 -c 'import json,sys,jsonschema
jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))' \
		"$SCHEMAS/$1.schema.json" "$2" || fail "$2 does not follow $1.schema.json"
}

step "verify: words, JSON, exit codes"
expect 0 '^PASS  ' mfgpkg audit verify "$LOG" -P "$OEM"
expect 0 'warning: clock going back 15: ' mfgpkg audit verify -P "$OEM" "$LOG"
expect 6 '^UNOWNED  ' mfgpkg audit verify "$LOG"
expect 6 'fault: order forged 0: the order is signed by 23962033fae784cc' mfgpkg audit verify "$LOG" -P "$V/minisign/keys/bob.pub"
expect 0 'the first 18 leaves' mfgpkg audit verify "$LOG" -P "$OEM" --checkpoint "$V/example-log/final.note" \
	--witness 'acme.example/witness/qa+647934f0+BHp4v0+/kuj0PwsXE07UCiz9EIA3PdwO4BPv5POWbdyE'
expect 4 'cannot open' mfgpkg audit verify missing.db
expect 2 'which log' mfgpkg audit verify
mfgpkg audit verify --json "$LOG" -P "$OEM" >result.json
valid audit-result result.json
[ "$(jq -r '.verdict, .leaves, .totals.passed, .receipts.good' result.json | tr '\n' ' ')" = "PASS 18 1 1 " ] || fail "result.json"

step "every leaf follows its schema"
mfgpkg audit export "$LOG" >leaves.jsonl
cmp leaves.jsonl "$V/example-log/leaves.jsonl" || fail "export is not the exact leaves"
python3 - "$SCHEMAS/leaf.schema.json" leaves.jsonl <<'PY' || fail "leaf schema"
import json, sys, jsonschema
v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
for line in open(sys.argv[2]):
    leaf = json.loads(line)
    v.validate(leaf)
    for name in list(leaf)[6:]:  # a leaf that lacks or adds a member is none
        assert not v.is_valid({k: x for k, x in leaf.items() if k != name}), name
    assert not v.is_valid({**leaf, "x": 1})
PY

step "changes are named, with exit 6"
cp "$LOG" edited.db
sqlite3 edited.db "drop trigger leaf_keep_u; update leaf set data=replace(data,'\"fail\"','\"pass\"') where seq=14"
expect 6 'fault: edited leaf 14: ' mfgpkg audit verify edited.db -P "$OEM"
cp "$LOG" cut.db
sqlite3 cut.db "drop trigger leaf_keep_d; drop trigger checkpoint_keep_d; delete from leaf where seq>=11; delete from checkpoint where size>11; delete from cosignature; delete from node where id>=19"
expect 6 '^INCOMPLETE  ' mfgpkg audit verify cut.db -P "$OEM"
expect 0 '^INCOMPLETE  ' mfgpkg audit verify cut.db -P "$OEM" --allow-open
expect 6 'fault: tail cut 10: ' mfgpkg audit verify cut.db -P "$OEM" --checkpoint "$V/example-log/final.note"
# Two copies of one log given together: the shorter one was cut.
expect 6 'tail cut 10' mfgpkg audit verify "$LOG" cut.db -P "$OEM"

step "one device, proven without its log"
mfgpkg audit prove "$LOG" $UUID -P "$OEM" -o device.proof.zip -q
unzip -tq device.proof.zip >/dev/null || fail "unzip"
unzip -q device.proof.zip -d device
valid device-proof device/manifest.json
minisign -Vm device/order.json -p "$OEM" >/dev/null || fail "minisign refuses the order in the proof"
expect 0 "device $UUID: pass" mfgpkg audit check device.proof.zip -P "$OEM"
expect 0 'proven:     1 witness' mfgpkg audit check device.proof.zip -P "$OEM" \
	--witness 'acme.example/witness/qa+647934f0+BHp4v0+/kuj0PwsXE07UCiz9EIA3PdwO4BPv5POWbdyE'
expect 6 'not by an OEM key that was given' mfgpkg audit check device.proof.zip -P "$V/minisign/keys/bob.pub"
expect 6 'signature of the DICE CA' mfgpkg audit check device.proof.zip -P "$OEM" --dice-ca \
	6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5
for i in 700 2000 5000 9000 13000; do # one byte anywhere
	python3 -c 'import sys; b=bytearray(open("device.proof.zip","rb").read()); b[int(sys.argv[1])]^=1; open("bad.zip","wb").write(b)' $i
	expect 6 '' mfgpkg audit check bad.zip -P "$OEM"
done
expect 6 'does not verify' mfgpkg audit prove edited.db $UUID
expect 2 'holds nothing about device' mfgpkg audit prove "$LOG" ffffffffffffffffffffffffffffffff

step "one leaf"
mfgpkg audit prove "$LOG" 9 >9.tlog-proof
cmp 9.tlog-proof "$V/example-log/proofs/9-attestation.tlog-proof" || fail "proof of leaf 9"
expect 0 'leaf 9 of acme.example' mfgpkg audit check 9.tlog-proof --policy "$V/example-log/log.policy"
sed 's/^index 9$/index 8/' 9.tlog-proof >8.tlog-proof
expect 6 'not in the tree' mfgpkg audit check 8.tlog-proof --policy "$V/example-log/log.policy"
expect 2 'policy' mfgpkg audit check 9.tlog-proof

step "a witness signs what extends what it signed before, and nothing else"
cosign() { mfgpkg audit cosign "$1" -P "$OEM" -k witness.key -n acme.example/witness/me --state state "${@:2}"; }
cosign cut.db -o 11.note
expect 0 '' cosign "$LOG" -o 18.note
grep -q '^— acme.example/witness/me ' 18.note || fail "no line of the witness"
expect 6 'not cosigned: tail cut' cosign cut.db
cp "$LOG" fork.db
sqlite3 fork.db "drop trigger leaf_keep_u; update leaf set data=replace(data,'M. Muster','M. Master') where seq=2"
expect 6 'not cosigned: edited leaf' cosign fork.db
sleep 1.1 # the time in a new line would be another one
cosign "$LOG" -o again.note >vkey.out
ME=$(sed -n 's/.*cosigned by //p' vkey.out)
cmp 18.note again.note || fail "a second signature over the same size differs"
expect 0 'a witness outside the station saw the first 18 leaves' mfgpkg audit verify "$LOG" -P "$OEM" --checkpoint 18.note --witness "$ME"
[ "$(stat -c %a witness.key)" = 600 ] || fail "mode of the witness's key"

step "diff, query, CSV"
expect 0 'size 18 extends size 11: 7 leaves were added' mfgpkg audit diff "$LOG" 11.note 18.note
[ "$(mfgpkg audit query "$LOG" --kind device-end --count)" = 2 ] || fail "query"
[ "$(mfgpkg audit query "$LOG" --uuid $UUID --count)" = 7 ] || fail "query by uuid"
[ "$(mfgpkg audit query "$LOG" --kind device-end --result fail | jq -r .reason)" = "no answer for 15 s during receive-sb-file" ] || fail "query by result"
[ "$(mfgpkg audit query "$LOG" --since 2026-11-21T07:58:08Z --until 2026-11-21T07:58:23Z --count)" = 4 ] || fail "query by time"
mfgpkg audit export "$LOG" --csv -o leaves.csv
python3 -c 'import csv; r=list(csv.DictReader(open("leaves.csv", newline=""))); assert len(r)==18 and r[10]["result"]=="pass" and r[3]["uuid"]=="'$UUID'"' || fail "CSV"
expect 6 'verdict FAIL' mfgpkg audit export edited.db -o edited.jsonl

step "logs of several stations as one view"
expect 2 'are the same log' mfgpkg audit merge "$LOG" cut.db
expect 0 '^PASS +2 +2 +1 +1 +0' mfgpkg audit merge "$LOG" -P "$OEM" --csv devices.csv
[ "$(wc -l <devices.csv)" = 3 ] || fail "devices.csv"
echo "audit commands: verified, proven, witnessed, compared, exported"
