#!/usr/bin/env python3
"""soak.py WORK --seed S --devices N - random faults in devices and killed runners, round by round.

A round is one order and one set of simulated boards. Each board may have faults; the runner is
started on all of them, and often killed with SIGKILL or stopped with SIGINT at a random point; the
boards may lose their power in between and come back with other faults. After each run the log is
held against the boards. Then the faults are gone, and one more run must finish all that can be
finished. Last the boards are powered up alone: what boots then is the truth."""

import argparse
import collections
import random
import shutil
import signal
import sys
import time

from check import Facts, check, check_events
from faults import kind_of, random_fault
from world import Blow, Sim, Station, Trouble, reference_image

LINES = 18  # of the runner's output for a device that passes
GOOD_EXITS = {0, 1, 5, 130, -signal.SIGKILL}


class Round:
    def __init__(self, campaign, number, count):
        self.c, self.rng, self.count = campaign, random.Random(f"{campaign.seed}/{number}"), count
        self.name = f"soak-{number}"
        self.folder = f"{campaign.station.work}/{self.name}-boards"
        self.seed = self.rng.randrange(1 << 30)
        self.quantity = count if self.rng.random() < 0.75 else max(1, int(count * 0.8))
        self.sim, self.sims = None, 0
        self.run_no, self.left = 0, count

    def boards(self, share, isp):
        """(Re)start the simulator: power for all boards, and a new draw of faults."""
        if self.sim:
            self.sim.stop()
        faults, self.faulty = [], {}
        for i in range(self.count):
            if self.rng.random() < share and len(faults) < 250:
                for _ in range(self.rng.choice((1, 1, 2))):
                    f = random_fault(self.rng, fresh=not self.sims)
                    faults.append(f"{i}:{f}")
                    self.faulty.setdefault(i, []).append(f)
                    self.c.count[kind_of(f)] += 1
        self.sims += 1
        extra = ["--flash-timing"] if self.rng.random() < 0.2 else []
        self.sim = Sim(f"{self.folder}/{self.sims}", self.count, self.seed, faults[:256],
                       self.folder + ".state", isp, extra)

    def violation(self, text):
        self.c.violations.append(f"{self.name}, run {self.run_no}: {text}")
        print(f"VIOLATION {self.name}, run {self.run_no}: {text}", flush=True)

    def blows(self):
        """How the runner is struck: mostly by progress, so that all parts are hit alike."""
        r = self.rng.random()
        if r < 0.15:
            return []
        kind = signal.SIGKILL if r < 0.75 else signal.SIGINT
        if self.rng.random() < 0.8:
            blows = [Blow(kind, lines=int(LINES * self.left * self.rng.random()) + 1)]
        else:
            blows = [Blow(kind, seconds=self.rng.random() * 2)]
        if kind == signal.SIGINT and self.rng.random() < 0.6:
            blows.append(Blow(self.rng.choice((signal.SIGINT, signal.SIGINT, signal.SIGKILL)),
                              seconds=blows[0].seconds + self.rng.random() if blows[0].seconds >= 0
                              else self.rng.random() * 3))
        return blows

    def program(self, blows, options=()):
        """One run, and all that must hold after it. False when the order is complete."""
        s, c = self.c.station, self.c
        self.run_no += 1
        run = s.run(self.name, self.sim.glob(), blows, options)
        c.runs += 1
        c.kills += run.killed
        c.stops += run.stopped
        settled = not run.killed
        leaves = s.leaves(self.name)
        self.left = self.count - sum(x["kind"] == "device-end" and x["result"] == "pass"
                                     for x in leaves)
        log_closed = any(x["kind"] == "close" for x in leaves)
        if run.rc == 3 and log_closed and not run.events:
            return False
        if run.rc not in GOOD_EXITS or (run.rc == 130 and not run.stopped):
            self.violation(f"exit {run.rc}: {run.stderr.strip()[-300:]}")
        word, text = s.audit(self.name) if leaves else ("PASS", "")
        if word not in ("PASS", "INCOMPLETE"):
            self.violation(f"audit says {word}: {text[:1500]}")
        devices = self.sim.report()
        by_index = {d["device"]: u for u, d in devices.items()}
        must = set()
        # Of the later runs some boards have a history; of an order for fewer, some are left out.
        if settled and not run.stopped and self.run_no == 1 and self.quantity == self.count:
            must = {u for i, u in by_index.items() if i not in self.faulty}
        facts = Facts(c.image, self.quantity, settled=settled, must_pass=must)
        for text in check(leaves, devices, facts) + check_events(run.events, leaves, settled):
            self.violation(text)
        return not log_closed

    def play(self):
        s, c = self.c.station, self.c
        s.order(self.name, self.quantity)
        self.boards(self.rng.choice((0.3, 0.6, 0.9)), False)
        more = True
        for i in range(self.rng.choice((2, 3, 4, 6))):
            if i and self.rng.random() < 0.4:
                self.boards(self.rng.choice((0.0, 0.2, 0.5)), True)
            if self.rng.random() < 0.15:  # boards come back under other names, and are found
                blows = [Blow(signal.SIGINT, seconds=self.rng.uniform(2, 15))]
                more = more and self.program(blows, ["--loop"])
            else:
                more = more and self.program(self.blows())
        self.boards(0, True)
        for _ in range(2):
            more = more and self.program([])
        self.boards(0, False)
        devices = self.sim.stop()
        leaves = s.leaves(self.name)
        facts = Facts(c.image, self.quantity, cold=True, recovered=True)
        for text in check(leaves, devices, facts):
            self.violation(text)
        c.devices += self.count
        passed = len({x["uuid"] for x in leaves
                      if x["kind"] == "device-end" and x["result"] == "pass"})
        c.passed += passed
        c.attempts += sum(x["kind"] == "device-begin" for x in leaves)
        for x in leaves:
            if x["kind"] == "device-end" and x["result"] != "pass":
                c.reasons[x["reason"][:3] if x["result"] == "fail" else "interrupted"] += 1
        return passed


class Campaign:
    def __init__(self, station, seed):
        self.station, self.seed = station, seed
        self.image = reference_image(station, station.work + "/reference-sim")
        self.devices = self.runs = self.kills = self.stops = self.passed = self.attempts = 0
        self.count, self.reasons = collections.Counter(), collections.Counter()
        self.violations = []

    def summary(self):
        print(f"devices: {self.devices}, of which {self.passed} passed in the end; attempts: "
              f"{self.attempts}; runs: {self.runs}, killed: {self.kills}, interrupted: {self.stops}")
        print("faults: " + ", ".join(f"{k} {n}" for k, n in sorted(self.count.items())),
              f"(together {sum(self.count.values())})")
        print("failed attempts: " + ", ".join(f"{k} {n}" for k, n in sorted(self.reasons.items())))
        print(f"violations: {len(self.violations)}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("work")
    p.add_argument("--seed", required=True)
    p.add_argument("--devices", type=int, default=1000)
    p.add_argument("--ports", type=int, default=200)
    p.add_argument("--first", type=int, default=1, help="round to begin with, to repeat one")
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with all that it has started
    c = Campaign(Station(a.work), a.seed)
    number, begin = a.first, time.monotonic()
    while c.devices < a.devices:
        r = Round(c, number, min(a.ports, a.devices - c.devices))
        before = len(c.violations)
        try:
            passed = r.play()
        except Trouble as e:
            r.violation(str(e))
            r.sim.kill()
            c.devices += r.count
            passed = 0
        print(f"round {number}: {r.count} devices, order of {r.quantity}, {r.run_no} runs, "
              f"{passed} passed, {len(c.violations) - before} violations "
              f"({time.monotonic() - begin:.0f} s)", flush=True)
        if len(c.violations) == before:  # what is not needed to understand a violation
            shutil.rmtree(r.folder, ignore_errors=True)
        number += 1
    c.summary()
    return 1 if c.violations else 0


if __name__ == "__main__":
    sys.exit(main())
