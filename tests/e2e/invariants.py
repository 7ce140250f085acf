#!/usr/bin/env python3
"""invariants.py LOG.db REPORT.json - what must be true after any run, whatever happened in it: the
simulator's report (what became of the devices) against the log (what the station says)."""
import json, sqlite3, sys

log, report = sys.argv[1:3]
leaves = [json.loads(d) for (d,) in sqlite3.connect(log).execute("select data from leaf order by seq")]
devices = {d["uuid"]: d for d in json.load(open(report))}
bad = []

begins = {l["seq"]: l for l in leaves if l["kind"] == "device-begin"}
ends = {l["begin"]: l for l in leaves if l["kind"] == "device-end"}
intents = [l for l in leaves if l["kind"] == "intent"]
answered = {l["intent"] for l in leaves if l["kind"] in ("step", "attestation") and l["intent"] is not None}

for seq in begins:
    if seq not in ends:
        bad.append(f"device-begin {seq} has no end")
for i in intents:
    if i["seq"] not in answered and ends.get(i["begin"], {}).get("result") not in ("interrupted", "fail"):
        bad.append(f"intent {i['seq']} has no outcome")
passed = [e["uuid"] for e in ends.values() if e["result"] == "pass"]
for uuid in set(passed):
    if passed.count(uuid) > 1:
        bad.append(f"{uuid} passed twice")

irreversible = {i["uuid"] for i in intents if i["why"] == "irreversible"}
for uuid, d in devices.items():
    touched = d["sb_accepted"] or d["sb_refused"]
    if touched and uuid not in {b["uuid"] for b in begins.values()}:
        bad.append(f"{uuid} got a file, and the log does not know it")
    provisioned = [f for f in d["sb_accepted"] if f["kind"] == "provisioning"]
    # a board that got no file and is not blank came so (fault wrong-lifecycle)
    if (provisioned or (touched and d["lifecycle"] != "blank")) and uuid not in irreversible:
        bad.append(f"{uuid} is {d['lifecycle']} without an intent")
    if len(provisioned) > 1:
        bad.append(f"{uuid} took the provisioning file {len(provisioned)} times")
    if uuid in passed and (d["lifecycle"] != "in-field" or d["boot"] not in ("application", "isp")):
        bad.append(f"{uuid} passed and is {d['lifecycle']}, {d['boot']}")
for uuid in passed:
    if uuid not in devices:
        bad.append(f"{uuid} passed and does not exist")

for b in bad:
    print("invariant:", b)
print(f"invariants: {len(devices)} devices, {len(begins)} begun, {len(set(passed))} passed, {len(bad)} violations")
sys.exit(1 if bad else 0)
