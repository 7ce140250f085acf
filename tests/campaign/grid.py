#!/usr/bin/env python3
"""grid.py WORK - each kind of fault at each step of the sample's script, one board each, all at
once on one station, with healthy boards among them; then without faults, until all that can be
finished is; then powered up alone. What must hold is in check.py. The table that is printed says
what became of each board."""

import collections
import sys

from check import Facts, check, check_events
from faults import KINDS, STEPS, Tap, grid, kind_of
from world import Sim, Station, Trouble, reference_image

HEALTHY = 16
SEED = 70
# What the first run may say of a board with such a fault. "" is pass (a stage with retry= heals
# much), "none" that nothing answered. One disturbed byte or frame is healed by the dialogue itself.
NOT_HEARD = {"", "none", "S02", "V01"}
CODES = {"delay": {""}, "nak": {""}, "bad-crc": {""}, "lose": {""}, "corrupt": {""},
         "duplicate": {""}, "refuse": {"", "none", "S01", "V04"}, "final": {"", "S01"},
         "abort": {"", "S01", "S04"}, "no-answer": NOT_HEARD, "ignore": NOT_HEARD,
         "reset": NOT_HEARD, "power-loss": NOT_HEARD, "silence": NOT_HEARD, "stuck": NOT_HEARD,
         "wrong-family": {"", "D01"}, "wrong-lifecycle": {"", "none", "D02", "V01"},
         "rename": {"", "V01", "P02"}}


def offsets(station):
    """Where in the dialogue each step is, seen on the wire of a board without faults."""
    station.order("tapped", 1)
    sim = Sim(station.work + "/tapped-board", 1, SEED)
    tap = Tap(sim.folder + "/ttyMCX0", station.work + "/tap")
    run = station.run("tapped", station.work + "/tap/ttyMCX*")
    tap.close()
    sim.stop()
    if run.rc != 0:
        raise Trouble(f"a board behind the tap does not pass: {run.events[-3:]} {run.stderr}")
    return tap.offsets()


def main(work):
    station = Station(work)
    image = reference_image(station, work + "/reference-board")
    faults = grid(offsets(station))
    count = len(faults) + HEALTHY
    missing = set(KINDS) - {kind_of(f) for f, _ in faults}
    bare = set(STEPS) - {step for _, step in faults}
    if missing or bare:
        raise Trouble(f"not in the grid: {missing} {bare}")
    station.order("grid", count)
    violations = []

    def hold(what, leaves, devices, facts, run=None):
        found = check(leaves, devices, facts)
        if run:
            found += check_events(run.events, leaves, True)
            if run.rc not in (0, 1):
                found.append(f"exit {run.rc}: {run.stderr}")
        word, text = station.audit("grid")
        if word not in ("PASS", "INCOMPLETE"):
            found.append(f"audit says {word}: {text}")
        violations.extend(f"{what}: {v}" for v in found)

    # Healthy boards stand between the others.
    gap = count // HEALTHY
    places = [i for i in range(count) if i % gap or i // gap >= HEALTHY]
    specs = [f"{place}:{fault}" for place, (fault, _) in zip(places, faults)]
    state = work + "/grid.state"
    sim = Sim(work + "/grid-faults", count, SEED, specs, state)
    run = station.run("grid", sim.glob())
    devices = sim.stop()
    uuid = {d["device"]: u for u, d in devices.items()}
    must = {uuid[i] for i in range(count) if i not in places}
    leaves = station.leaves("grid")
    hold("with faults", leaves, devices, Facts(image, count, must_pass=must), run)
    # From the log: a screen may lose events when its reader is slow, the log has them all.
    first, seconds = {x["uuid"]: x for x in leaves if x["kind"] == "device-end"}, run.seconds
    # Some faults cost 8 s and more; who waits for a neighbour shows. (A healthy board that is
    # not in the log at all is a violation of its own.)
    slow = max(first[u]["ms"] for u in must if u in first)

    if slow > 5000:
        violations.append(f"with faults: a healthy board took {slow} ms")

    sim = Sim(work + "/grid-again", count, SEED, [], state, isp=True)
    run = station.run("grid", sim.glob())
    hold("without faults", station.leaves("grid"), sim.stop(), Facts(image, count), run)
    sim = Sim(work + "/grid-cold", count, SEED, [], state)
    leaves, devices = station.leaves("grid"), sim.stop()
    hold("powered up", leaves, devices, Facts(image, count, cold=True, recovered=True))

    passed = {x["uuid"] for x in leaves if x["kind"] == "device-end" and x["result"] == "pass"}
    words = collections.Counter()
    for place, (fault, step) in zip(places, faults):
        end = first.get(uuid[place])
        one = "none: nothing answered" if not end else end["reason"] or ""
        two = "pass" if uuid[place] in passed else "set aside"
        code = one.split(" ")[0].rstrip(":")
        if code not in CODES[kind_of(fault)]:
            violations.append(f"with faults: {fault}: {one or 'pass'}")
        words[f"{code or 'pass'}, then {two}"] += 1
        print(f"{fault:34} {step:16} {two:10} first: {(one or 'pass')[:100]}")
    print(f"{count} boards, {len(faults)} with a fault of {len(KINDS)} kinds; the first run took "
          f"{seconds:.1f} s, a healthy board at most {slow} ms")
    print("; ".join(f"{n} {w}" for w, n in words.most_common()))
    for v in violations:
        print("VIOLATION", v)
    print(f"violations: {len(violations)}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
