#!/bin/bash
# 50-runner-order - the main path of a factory: station, trust, import, an order for four devices run
# in parallel, the log closed by itself; what is refused before and after.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"

oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station

step "before there is a station, or a trusted key"
expect 2 "no station here yet" runner station show --state "$S"
runner station init --state "$S" --name line3.plant4.example >"$T/init"
[ "$(stat -c %a "$S" "$S/station.key" | tr '\n' ' ')" = "700 600 " ] || fail "modes of the state folder"
expect 2 "holds a station already" runner station init --state "$S" --name other
expect 3 "trusts no OEM key yet" runner verify --state "$S" "$T/blinky.mfgpkg"
runner trust add --state "$S" "$T/oem/keys/package.pub" >/dev/null

step "verify prints the plan, and nobody needs a device"
expect 0 '! +2 +receive-sb-file sb/provisioning.sb3' runner verify --state "$S" "$T/blinky.mfgpkg"
expect 0 'the script runs through' runner simulate --state "$S" "$T/blinky.mfgpkg"
expect 3 'production order' runner start --state "$S" "$T/blinky.mfgpkg" --ports "$T/fab/ttyMCX*"

step "import, list, and start by name"
make_order "$S" o-1 blinky.mfgpkg 4
expect 0 'order o-1, 4 devices' runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-1"
expect 0 'order +o-1 +mcxn947-blinky +quantity 4 +new' runner list --state "$S"
sim_start fab --count 5 --seed 3
expect 0 '' runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*" --ui json --operator "M. Muster"
cp "$T/out" "$T/run.jsonl"
jq -e . "$T/run.jsonl" >/dev/null || fail "not JSON Lines"
[ "$(summary "$T/run.jsonl" passed) $(summary "$T/run.jsonl" failed)" = "4 0" ] || fail "$(tail -n 1 "$T/run.jsonl")"
[ "$(summary "$T/run.jsonl" log_closed)" = true ] || fail "the order is complete and its log open"
grep -q '"event":"skipped".*the quantity of the order' "$T/run.jsonl" || fail "the fifth board was not refused"
[ "$(grep -c '"event":"device-end".*"result":"pass"' "$T/run.jsonl")" = 4 ] || fail "four verdicts"
[ "$(grep -c '"event":"attestation".*"result":"ok"' "$T/run.jsonl")" = 4 ] || fail "four receipts"

step "an intent is durable before each irreversible step"
jq -rs 'map(select(.kind == "step" and .command == "receive-sb-file sb/provisioning.sb3")) | .[] | "\(.seq) \(.intent)"' \
	<(runner log export --state "$S" o-1) >"$T/steps"
[ "$(awk '$1 > $2 && $2 != "null"' "$T/steps" | wc -l)" = 4 ] || fail "$(cat "$T/steps")"

step "the auditor is content, and so are the devices"
expect 0 '^PASS' mfgpkg audit verify "$S/orders/o-1/log.db" -P "$T/oem/keys/package.pub"
expect 0 '^PASS' runner log verify --state "$S" o-1
expect 0 "acme.example/mfgpkg/order/o-1" runner log checkpoint --state "$S" o-1
expect 0 '' runner log export --state "$S" o-1 -o "$T/copy.db"
expect 0 '^PASS' mfgpkg audit verify "$T/copy.db" -P "$T/oem/keys/package.pub"
sim_stop fab
python3 tests/e2e/invariants.py "$S/orders/o-1/log.db" "$T/fab.json"
[ "$(jq '[.[] | select(.boot == "application")] | length' "$T/fab.json")" = 4 ] || fail "four boot their application"

step "a closed order takes nothing any more, and its keys are gone"
expect 3 'order o-1 is closed' runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*"
[ -z "$(ls "$S/orders/o-1/keys")" ] || fail "epoch keys are left: $(ls "$S/orders/o-1/keys")"
[ -z "$(find "$S" -type f -perm /077)" ] || fail "files of the station are readable by others"

step "orders of another station, and an order that changed"
runner station init --state "$T/other" --name line9 -q
runner trust add --state "$T/other" "$T/oem/keys/package.pub" -q
expect 3 'is for station line3' runner import --state "$T/other" "$T/o-1"
make_order "$S" o-2 blinky.mfgpkg 4
runner import --state "$S" "$T/o-2" -q
cp "$T/o-2" "$T/first"; make_order "$S" o-2 blinky.mfgpkg 5
expect 3 'here already with another content' runner import --state "$S" "$T/o-2"
rm -rf "$S/orders/o-1/log.db"
expect 3 'was begun and is not here any more' runner start --state "$S" --order o-1 --ports "$T/fab/ttyMCX*"

step "a package refused while its order is open is recorded in the order's log"
sim_start half --count 1 --seed 5
expect 0 '' runner start --state "$S" --order o-2 --ports "$T/half/ttyMCX*" --ui plain
printf X | dd of="$T/blinky.mfgpkg" bs=1 seek=3000 conv=notrunc status=none
expect 3 '' runner start --state "$S" "$T/blinky.mfgpkg" --order o-2 --ports "$T/half/ttyMCX*"
sim_stop half
runner log export --state "$S" o-2 | grep '"kind":"package"' | tail -n 1 >"$T/refused"
grep -q '"result":"refused".*"file":"blinky.mfgpkg".*"product":null.*"reason":"' "$T/refused" || fail "$(cat "$T/refused")"
expect 6 '^INCOMPLETE' mfgpkg audit verify "$S/orders/o-2/log.db" -P "$T/oem/keys/package.pub"

step "one process at a time"
exec 8>>"$S/lock"; flock 8
expect 4 'in use by process' runner import --state "$S" "$T/blinky.mfgpkg"
exec 8>&-

step "every document follows its schema"
runner station show --state "$S" --json >"$T/show.json"
runner station slots --state "$S" A1=/dev/ttyUSB0 --deny '/dev/ttyS*' -q
python3 - "$S" "$T" <<-'END'
	import json, sys, glob
	from jsonschema import Draft202012Validator as V
	S, T = sys.argv[1:]
	def check(name, doc, what):
	    errors = list(V(json.load(open(f"schemas/{name}.schema.json"))).iter_errors(doc))
	    assert not errors, f"{what}: {errors[0].message}: {doc}"
	for line in open(f"{T}/run.jsonl"):
	    check("runner-event", json.loads(line), "run.jsonl")
	check("station", json.load(open(f"{S}/station.json")), "station.json")
	check("station-show", json.load(open(f"{T}/show.json")), "station show")
	check("packages", json.load(open(f"{S}/packages/index.json")), "index.json")
	check("slots", json.load(open(f"{S}/slots.json")), "slots.json")
	check("trust", json.load(open(f"{S}/trust/trust.json")), "trust.json")
	bad = json.loads(open(f"{T}/run.jsonl").readline()) | {"surprise": 1}
	assert list(V(json.load(open("schemas/runner-event.schema.json"))).iter_errors(bad)), "the schema refuses nothing"
END
