"""check - what must be true of a log and of the devices it speaks about, whatever happened.

check(leaves, devices, facts) compares the leaves of an order log with what became of the simulated
devices (mcxsim's report) and returns the violations as sentences; none is the good answer. Nothing
here believes the runner's screen: check_events() compares that with the leaves.
"""

from dataclasses import dataclass, field

IN_FIELD = "in-field"
# Where the shop floor tells a device to be set aside; everything else may be tried again.
PERMANENT = ("D01", "D02", "D05", "S04", "S05", "S06", "S08", "S09", "V02", "V03", "V04", "V05")


@dataclass
class Facts:
    image: str  # SHA-256 of the image a finished device holds
    quantity: int
    settled: bool = True  # the runner ended by itself: nothing may be left open
    cold: bool = False  # the report is of devices that were powered up without the ISP pin
    must_pass: set = field(default_factory=set)  # UUIDs that no fault concerns
    recovered: bool = False  # the last run had no faults: who is able to must have passed


def programmed(device, facts):
    return device["lifecycle"] == IN_FIELD and device["image_sha256"] == facts.image


def done(device, facts):
    return programmed(device, facts) and device["boot"] == "application"


def permanent(end):
    return bool(end) and end["result"] == "fail" and end["reason"][:3] in PERMANENT


class Log:
    """The leaves by kind, and the violations that they show by themselves."""

    def __init__(self, leaves, settled):
        self.bad = []
        self.begins, self.ends, self.intents, self.answers = {}, {}, {}, {}
        self.steps, self.receipts = [], {}
        self.by_uuid = {}
        self.closed = False
        for number, leaf in enumerate(leaves):
            if leaf["seq"] != number:
                self.bad.append(f"leaf {number} says it is {leaf['seq']}")
            if self.closed and leaf["kind"] != "epoch-seal":
                self.bad.append(f"leaf {leaf['seq']} comes after the close")
            self.take(leaf)
        for seq, begin in self.begins.items():
            if settled and seq not in self.ends:
                self.bad.append(f"{begin['uuid']}: attempt {seq} has no end")
        for seq, intent in self.intents.items():
            end = self.ends.get(intent["begin"])
            if seq not in self.answers and (end["result"] != "interrupted" if end else settled):
                self.bad.append(f"{intent['uuid']}: intent {seq} has no outcome")

    def take(self, leaf):
        kind, seq = leaf["kind"], leaf["seq"]
        if kind == "close":
            self.closed = True
        if kind not in ("device-begin", "intent", "step", "attestation", "device-end"):
            return
        uuid = leaf["uuid"]
        if kind == "device-begin":
            earlier = self.by_uuid.setdefault(uuid, [])
            if earlier and earlier[-1] not in self.ends:
                self.bad.append(f"{uuid}: begun at {seq} while attempt {earlier[-1]} is open")
            if earlier and self.ends.get(earlier[-1], {}).get("result") == "pass":
                self.bad.append(f"{uuid}: begun at {seq} after it had passed")
            if leaf["attempt"] != len(earlier) + 1:
                self.bad.append(f"{uuid}: attempt {leaf['attempt']} at {seq}, "
                                f"{len(earlier) + 1} wanted")
            earlier.append(seq)
            self.begins[seq] = leaf
            return
        begin = self.begins.get(leaf["begin"])
        if begin is None or begin["uuid"] != uuid or leaf["begin"] in self.ends:
            self.bad.append(f"{uuid}: {kind} {seq} belongs to no open attempt")
        if kind == "device-end":
            self.ends[leaf["begin"]] = leaf
        elif kind == "intent":
            self.intents[seq] = leaf
        else:
            if kind == "step":
                self.steps.append(leaf)
            else:
                self.receipts[seq] = leaf
            if leaf["intent"] is not None:
                if leaf["intent"] in self.answers:
                    self.bad.append(f"{uuid}: intent {leaf['intent']} has two outcomes")
                if leaf["intent"] not in self.intents:
                    self.bad.append(f"{uuid}: {kind} {seq} names intent {leaf['intent']}")
                self.answers[leaf["intent"]] = seq

    def last_end(self, uuid):
        return self.ends.get(self.by_uuid[uuid][-1]) if uuid in self.by_uuid else None

    def passes(self, uuid):
        return [e for e in self.ends.values() if e["uuid"] == uuid and e["result"] == "pass"]

    def irreversible(self, uuid):
        return [i for i in self.intents.values()
                if i["uuid"] == uuid and i["why"] == "irreversible"]

    def image_tries(self, uuid):
        """Image files that the log says were sent, at most: one more in an attempt cut short."""
        told = sum(s["uuid"] == uuid and s["result"] != "skipped" and s["stage"] == "program"
                   for s in self.steps)
        cut = sum(self.ends.get(b, {"result": "interrupted"})["result"] == "interrupted"
                  for b in self.by_uuid.get(uuid, []))
        return told + cut


def check(leaves, devices, facts):
    log = Log(leaves, facts.settled)
    bad = log.bad
    for uuid, d in devices.items():
        bad += check_device(log, uuid, d, facts)
    for uuid in {e["uuid"] for e in log.ends.values() if e["result"] == "pass"} - set(devices):
        bad.append(f"{uuid}: passed, and there is no such device")
    for uuid in facts.must_pass:
        if not log.passes(uuid):
            end = log.last_end(uuid)
            bad.append(f"{uuid}: nothing was wrong with it, and it did not pass"
                       f" ({end['reason'] if end else 'never begun'})")
    for what, n in (
            ("devices were announced as begun for good",
             len({i["uuid"] for i in log.intents.values() if i["why"] == "irreversible"})),
            ("devices hold the OEM's key", sum(d["key_blob_present"] for d in devices.values())),
            ("devices have passed", sum(bool(log.passes(u)) for u in devices))):
        if n > facts.quantity:
            bad.append(f"{n} {what}, the order says {facts.quantity}")
    return bad


def check_device(log, uuid, d, facts):
    bad = []
    files = d["sb_accepted"] + d["sb_refused"]
    # What a file is, is in its first block; one that was cut off before counts in the sum only.
    keys = [f for f in files if f["kind"] == "provisioning" and f["blocks"]]
    accepted = [f for f in d["sb_accepted"] if f["kind"] == "provisioning"]
    passes, announced = log.passes(uuid), log.irreversible(uuid)

    if files and uuid not in log.by_uuid:
        bad.append(f"{uuid}: got a file, and the log does not know it")
    if len(keys) > len(announced):
        bad.append(f"{uuid}: got {len(keys)} provisioning files, {len(announced)} were announced")
    if d["key_blob_present"] and not announced:
        bad.append(f"{uuid}: holds the OEM's key without an intent")
    if len(accepted) > 1:
        bad.append(f"{uuid}: took the provisioning file {len(accepted)} times")
    images, tries = sum(f["kind"] == "oem" and f["blocks"] > 0 for f in files), log.image_tries(uuid)
    if images > tries:
        bad.append(f"{uuid}: got {images} image files, the log tells of {tries}")
    if len(files) > len(announced) + tries:
        bad.append(f"{uuid}: got {len(files)} files, the log tells of {len(announced) + tries}")

    if len(passes) > 1:
        bad.append(f"{uuid}: passed {len(passes)} times")
    good = done(d, facts) if facts.cold else programmed(d, facts)
    if passes and not good:
        bad.append(f"{uuid}: passed, and is {d['lifecycle']}, {d['boot']}, "
                   f"image {d['image_sha256']}")
    for end in passes:
        receipt = log.receipts.get(end["attestation"])
        if end["lifecycle"] != IN_FIELD:
            bad.append(f"{uuid}: passed with life cycle {end['lifecycle']} in its leaf")
        if not receipt or receipt["uuid"] != uuid or receipt["result"] != "ok":
            bad.append(f"{uuid}: passed without a receipt")
    if good and not announced:
        bad.append(f"{uuid}: is done, and no intent tells of it")
    able = d["lifecycle"] in ("blank", "develop") or d["lifecycle"] == IN_FIELD and announced
    if facts.recovered and able and not (
            passes or log.closed or permanent(log.last_end(uuid))):
        used = len({i["uuid"] for i in log.intents.values() if i["why"] == "irreversible"})
        if announced or used < facts.quantity:
            end = log.last_end(uuid)
            bad.append(f"{uuid}: could be finished, and was not"
                       f" ({end['reason'] if end else 'never begun'}); it is {d['lifecycle']}, "
                       f"{d['boot']}, programmed: {programmed(d, facts)}")
    return bad


def check_events(events, leaves, settled):
    """The screen (JSON Lines) against the log: no end that is not in it, and in a run that ended
    by itself all of them, and a summary that counts as the log does."""
    bad, stored = [], {leaf["seq"]: leaf for leaf in leaves}
    ends = [e for e in events if e["event"] == "device-end"]
    for e in ends:
        leaf = stored.get(e["seq"])
        if not leaf or any(leaf.get(k) != e[k] for k in ("uuid", "result", "reason")):
            bad.append(f"{e['uuid']}: the screen says {e['result']}, leaf {e['seq']} does not")
    if not settled:
        return bad
    summary = events[-1] if events and events[-1]["event"] == "summary" else None
    if not summary:
        return bad + ["the run ended without a summary"]
    if not summary["events_lost"]:
        for word, member in (("pass", "passed"), ("interrupted", "interrupted")):
            n = sum(e["result"] == word for e in ends)
            if n != summary[member]:
                bad.append(f"the summary says {summary[member]} {member}, the events {n}")
    return bad
