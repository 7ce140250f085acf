#!/bin/bash
# 45-state-put-back - an older copy of the state folder, or of a part of it, is put back. What the
# station notices alone, what it notices against a checkpoint that was kept elsewhere, and what an
# auditor with that checkpoint sees. What nobody at the station can notice alone is shown too.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
PUB=$T/oem/keys/package.pub S=$T/station
station "$S" line3 "$T/oem" >/dev/null
make_order "$S" o-1 blinky.mfgpkg 9
runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1" -q
sim_start fab --count 6 --seed 12 --control "$T/fab.ctl"
one() { runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX$1" --ui plain "${@:2}"; }
put_back() { rm -rf "${S:?}/$1"; cp -a "$T/$2/$1" "$S/$1"; }

cp -a "$S" "$T/before"
expect 0 '' one 0
cp -a "$S" "$T/after1"
runner log checkpoint --state "$S" o-1 -o "$T/one.note"
expect 0 '' one 1
cp -a "$S" "$T/after2"
runner log checkpoint --state "$S" o-1 -o "$T/two.note"
size() { sed -n 2p "$T/$1.note"; }

step "marks.json follows its schema"
python3 - "$S/marks.json" <<'PY' || fail "marks.json"
import json, sys, jsonschema
m = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator(json.load(open("schemas/marks.schema.json"))).validate(m)
assert [l["order"] for l in m["logs"]] == ["o-1"] and m["floors"]
PY

step "an older log alone: the station notices"
put_back orders after1
expect 3 "^runner: the log of order o-1 ends at $(size one) leaves, this station signed: $(size two): an older copy of the state was put back\$" one 2
put_back orders before
expect 3 "^runner: the log of order o-1 was begun and is not here any more \(this station signed: $(size two) leaves\)" one 2
# the used epoch key lies in the pool again as well
put_back orders before; put_back order-key before
expect 3 'was begun and is not here any more' one 2
put_back orders after2; put_back order-key after2

step "an older package index or trust file alone: the station notices"
SEQ=$(unzip -p "$T/blinky.mfgpkg" manifest.json | jq .sequence)
python3 tests/e2e/repack.py "$T/blinky.mfgpkg" "$T/newer.mfgpkg" "$T/oem/keys/package.key" --manifest "sequence=$((SEQ + 1))"
cp -a "$S" "$T/old"
runner import --state "$S" "$T/newer.mfgpkg" -q
put_back packages old
expect 3 "^runner: packages/index.json has sequence $SEQ for product \"mcxn947-blinky\", this station has accepted $((SEQ + 1)): an older copy of the state was put back\$" \
	runner verify --state "$S" "$T/blinky.mfgpkg"
rm -rf "$S"; cp -a "$T/after2" "$S"
mfgpkg keys generate --type package -o "$T/next.key" --no-passphrase -q
mfgpkg trust update -P "$T/next.pub" --threshold 1 --version 1 -s "$T/oem/keys/package.key" "$T/next.key" -o "$T/u1" -q
runner trust import --state "$S" "$T/u1" -q
put_back trust after2
expect 3 '^runner: trust/trust.json is of trust update 0, this station has taken update 1: an older copy of the state was put back$' \
	runner verify --state "$S" "$T/blinky.mfgpkg"
rm -rf "$S"; cp -a "$T/after2" "$S"

step "the clock set back by more than a day: an expired order would start again"
cp "$S/marks.json" "$T/marks"
jq -c '.clock = "2099-01-01T00:00:00Z"' "$T/marks" >"$S/marks.json"
expect 3 '^runner: the clock says 20[0-9T:-]*Z, but this station was at work at 2099-01-01T00:00:00Z: the clock was set back$' one 2
jq -c --arg t "$(date -u -d '+23 hours' +%Y-%m-%dT%H:%M:%SZ)" '.clock = $t' "$T/marks" >"$S/marks.json"
expect 5 'no device answers' one 0 # admitted; this board runs its application
cp "$T/marks" "$S/marks.json"; rm -rf "$S"; cp -a "$T/after2" "$S"

step "without its marks the state is not used"
mv "$S/marks.json" "$T/marks"
expect 4 'marks.json: cannot open' one 2
echo '{' >"$S/marks.json"
expect 4 'marks.json' one 2
mv "$T/marks" "$S/marks.json"

step "the whole folder: only a checkpoint kept elsewhere shows it"
rm -rf "$S"; cp -a "$T/after1" "$S"
expect 0 'INCOMPLETE' runner log verify --state "$S" o-1
expect 3 "^runner: the log of order o-1 ends at $(size one) leaves, the checkpoint given says: $(size two): an older copy of the state was put back\$" one 2 --checkpoint "$T/two.note"
expect 6 'tail cut' runner log verify --state "$S" o-1 --checkpoint "$T/two.note"
expect 6 'tail cut' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$PUB" --checkpoint "$T/two.note"
rm -rf "$S"; cp -a "$T/before" "$S"
expect 3 'was begun and is not here any more \(the checkpoint given says: ' one 2 --checkpoint "$T/two.note"

step "a board that the older log does not know is not done a second time"
rm -rf "$S"; cp -a "$T/after1" "$S"
control fab 'isp 1'
expect 1 'D02' one 1

step "continued: the station alone cannot know, the two heads remain for everybody who has one"
expect 0 '' one 2
expect 0 '' one 3
expect 3 'has other leaves before|and continued' one 4 --checkpoint "$T/two.note"
expect 6 'two heads' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$PUB" --checkpoint "$T/two.note"
expect 0 '' one 4 --checkpoint "$T/one.note"

step "a checkpoint of another station, an edited one, none: refused"
runner station init --state "$T/other" --name line9 -q
sed "2s/.*/$(($(size one) + 1))/" "$T/one.note" >"$T/edited.note"
expect 3 'edited.note' one 5 --checkpoint "$T/edited.note"
echo 'acme.example' >"$T/junk.note"
expect 3 'junk.note' one 5 --checkpoint "$T/junk.note"
expect 3 "final.note" one 5 --checkpoint tests/vectors/evidence/example-log/final.note
expect 4 'cannot open' one 5 --checkpoint "$T/nothing.note"
expect 2 'needs --order' runner start --state "$S" blinky --checkpoint "$T/one.note"
sim_stop fab
jq -e '.[5] | .resets == 0 and .sb_accepted == []' "$T/fab.json" >/dev/null || fail "$(cat "$T/fab.json")"
echo "state put back: ok"
