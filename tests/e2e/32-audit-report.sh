#!/bin/bash
# 32-audit-report.sh - mfgpkg audit report as an auditor uses it: one page, several logs, JSON that
# follows its schema, exit codes as audit verify, and the same bytes for the same log.
. "$(dirname "$0")/lib.sh"
EXAMPLE=tests/vectors/evidence/example-log/log.db
ALICE=tests/vectors/evidence/minisign/keys/alice.pub

cat >"$T/schema.py" <<'PY'
import glob, json, sys, warnings
warnings.simplefilter("ignore")
import jsonschema
store = {}
for f in glob.glob("schemas/*.json"):
    d = json.load(open(f))
    store[d.get("$id", f)] = d
s = store["audit-report.schema.json"]
jsonschema.Draft202012Validator(s, resolver=jsonschema.RefResolver("", s, store)).validate(json.load(open(sys.argv[1])))
PY
PY=/usr/bin/python3
"$PY" -c 'import jsonschema' 2>/dev/null || PY=python3
follows() { "$PY" "$T/schema.py" "$1" >"$T/schema.out" 2>&1 || { tail -5 "$T/schema.out" >&2; fail "$1 does not follow its schema"; }; }

step "a page and JSON at once"
expect 0 '' mfgpkg audit report "$EXAMPLE" -P "$ALICE" -o "$T/r.html" --json
cp "$T/out" "$T/r.json"
follows "$T/r.json"
grep -q 'What is not proven' "$T/r.html" || fail "the page does not say what is not proven"
grep -q 'Order 2026-0042: acme-thermostat' "$T/r.html" || fail "the page has no title"
[ "$(jq -r '.logs[0] | "\(.verdict) \(.quantity.planned) \(.quantity.passed) \(.quantity.attempts_failed)"' "$T/r.json")" = \
	"$(mfgpkg audit verify "$EXAMPLE" -P "$ALICE" --json | jq -r '"\(.verdict) \(.quantity) \(.totals.passed) \(.totals.failed)"')" ] ||
	fail "report and verify count differently"

step "the same log, the same bytes"
for i in 1 2; do SOURCE_DATE_EPOCH=1795191783 mfgpkg audit report "$EXAMPLE" -P "$ALICE" -o "$T/same$i.html" || fail "report $i"; done
cmp "$T/same1.html" "$T/same2.html" || fail "two reports of one log differ"
grep -q 'Written 2026-11-20T16:23:03Z' "$T/same1.html" || fail "not the time that was asked for"

step "exit codes, and several logs"
expect 6 '' mfgpkg audit report "$EXAMPLE" -o "$T/unowned.html"
grep -q 'no order signed by a known OEM key' "$T/unowned.html" || fail "UNOWNED is not said in words"
cp "$EXAMPLE" "$T/forged.db"
sqlite3 "$T/forged.db" "drop trigger leaf_keep_u; update leaf set data=replace(data,'M. Muster','X. Muster') where seq=2"
expect 6 '' mfgpkg audit report "$EXAMPLE" "$T/forged.db" -P "$ALICE" -o "$T/two.html" --json
cp "$T/out" "$T/two.json"
follows "$T/two.json"
[ "$(jq -r '[.logs[].verdict] | join(" ")' "$T/two.json")" = "PASS FAIL" ] || fail "verdicts of two logs"
grep -q 'must not be relied on' "$T/two.html" || fail "FAIL is not said in words"
grep -q 'edited leaf' "$T/two.html" || fail "the finding is not on the page"
printf 'not a database, but long enough to be read as one' >"$T/not.db"
expect 6 '' mfgpkg audit report "$T/not.db" -o "$T/not.html" --json
cp "$T/out" "$T/not.json"
follows "$T/not.json"
expect 2 'where to' mfgpkg audit report "$EXAMPLE" -P "$ALICE"
expect 4 '' mfgpkg audit report "$T/nothing.db" -P "$ALICE" -o "$T/x.html"
[ ! -e "$T/x.html" ] || fail "a page without a log"

step "a workspace"
mfgpkg keys generate --type package -o "$T/package.key" --no-passphrase -q
cp -r samples/mcxn947-blinky "$T/oem"
mkdir -p "$T/oem/keys"
mfgpkg keys generate --type rot --curve p256 --count 4 -o "$T/oem/keys" --no-passphrase -q
expect 0 '' mfgpkg audit report "$T/oem/workspace/log.db" -o "$T/ws.html" --json
cp "$T/out" "$T/ws.json"
follows "$T/ws.json"
[ "$(jq '[.logs[0].entries[] | select(.kind == "key")] | length' "$T/ws.json")" -ge 4 ] || fail "the keys are not listed"
