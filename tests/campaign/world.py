"""world - the programs of a campaign: simulators, runs of the runner, orders, and what they left."""

import atexit
import json
import os
import random
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field

READY_S = 20
REPORT_S = 20


running = set()  # processes that must not outlive this one


@atexit.register
def end_all():
    for p in running:
        if p.poll() is None:
            p.kill()


class Trouble(Exception):
    """Something that is not the campaign's subject does not work: no verdict is possible."""


def wait_until(what, seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"{what}: not after {seconds} s")
        time.sleep(0.01)


def output(*command):
    p = subprocess.run(command, capture_output=True, text=True)
    if p.returncode:
        raise Trouble(f"{' '.join(command)}: exit {p.returncode}: {p.stderr}")
    return p.stdout


class Sim:
    """One mcxsim process. Ports in folder/ttyMCX*; the devices outlive it in `state`."""

    def __init__(self, folder, count, seed, faults=(), state=None, isp=False, extra=()):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.count = folder, count
        self.report_file = folder + "/report.json"
        command = ["mcxsim", "--family", "mcxn947", "--dir", folder, "--count", str(count),
                   "--seed", str(seed), "--report", self.report_file, *extra]
        for f in faults:
            command += ["--fault", f]
        if state:
            command += ["--state", state]
        if isp:
            command += ["--isp-pin"]
        with open(folder + "/stderr", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        running.add(self.process)
        if not self.process.stdout.readline().startswith(b"ready"):
            raise Trouble(f"mcxsim did not start: {open(folder + '/stderr').read()}")

    def glob(self):
        return self.folder + "/ttyMCX*"

    def _load(self):
        with open(self.report_file) as f:
            return {d["uuid"]: d for d in json.load(f)}

    def report(self):
        """What the devices are now, while they go on."""
        if os.path.exists(self.report_file):
            os.unlink(self.report_file)
        self.process.send_signal(signal.SIGUSR1)
        wait_until("report of mcxsim", REPORT_S, lambda: os.path.exists(self.report_file))
        return self._load()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        if self.process.wait(timeout=REPORT_S):
            raise Trouble(f"mcxsim: exit {self.process.returncode}: "
                          f"{open(self.folder + '/stderr').read()}")
        running.discard(self.process)
        return self._load()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@dataclass
class Run:
    """One run of the runner and what it said."""
    rc: int
    events: list = field(default_factory=list)
    stderr: str = ""
    seconds: float = 0.0
    killed: bool = False  # by SIGKILL, before it had ended
    stopped: bool = False  # by SIGINT


@dataclass
class Blow:
    """A signal for the runner: after `lines` events, or after `seconds`."""
    signal: int
    lines: int = -1
    seconds: float = -1.0


class Station:
    """The factory that a shell script has prepared in `work`: oem/, station/, PKG."""

    def __init__(self, work):
        self.work, self.state = work, work + "/station"
        self.package, self.key = work + "/blinky.mfgpkg", work + "/oem/keys/package.key"

    def order(self, name, quantity, package="blinky"):
        station = output("runner", "station", "show", "--state", self.state, "--json")
        base = f"{self.work}/{name}"
        with open(base + "-station.json", "w") as f:
            f.write(station)
        with open(base + ".yaml", "w") as f:
            f.write(f"order: {name}\ncustomer: campaign\noem: acme.example\n"
                    f"package: {package}.mfgpkg\nquantity: {quantity}\nvalid_days: 30\n"
                    f"station: {name}-station.json\n")
        output("mfgpkg", "order", "create", "-c", base + ".yaml", "-s", self.key, "-o", base, "-q")
        output("runner", "import", "--state", self.state, self.package, base, "-q")

    def run(self, order, glob, blows=(), options=(), limit_s=120):
        """Start the runner, strike it as told, wait for its end."""
        command = ["runner", "start", "--state", self.state, "--order", order, "--ports", glob,
                   "--ui", "json", *options]
        begin = time.monotonic()
        errors = open(f"{self.work}/stderr", "w+")
        p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        running.add(p)
        run, blows, text, lines = Run(0), list(blows), b"", 0
        fd = p.stdout.fileno()
        os.set_blocking(fd, False)
        while p.poll() is None:
            time.sleep(0.002)
            try:
                chunk = os.read(fd, 1 << 20)
            except BlockingIOError:
                chunk = b""
            text += chunk
            lines += chunk.count(b"\n")
            now = time.monotonic() - begin
            if blows and (0 <= blows[0].lines <= lines or 0 <= blows[0].seconds <= now):
                p.send_signal(blows[0].signal)
                run.stopped |= blows[0].signal == signal.SIGINT
                blows.pop(0)
            if now > limit_s:
                p.kill()
                raise Trouble(f"the runner has not ended after {limit_s} s; last events:\n"
                              + text[-2000:].decode())
        os.set_blocking(fd, True)
        text += p.stdout.buffer.read()
        running.discard(p)
        run.rc, run.seconds = p.wait(), time.monotonic() - begin
        run.killed = run.rc == -signal.SIGKILL
        whole = text[:text.rfind(b"\n") + 1] if run.killed else text
        run.events = [json.loads(line) for line in whole.decode().splitlines()]
        errors.seek(0)
        run.stderr = errors.read()
        errors.close()
        return run

    def log(self, order):
        return f"{self.state}/orders/{order}/log.db"

    def leaves(self, order):
        if not os.path.exists(self.log(order)):
            return []
        return [json.loads(line) for line in
                output("runner", "log", "export", "--state", self.state, order).splitlines()]

    def audit(self, order):
        """The verdict of the auditor's program, and all it says."""
        p = subprocess.run(["mfgpkg", "audit", "verify", self.log(order),
                            "-P", self.work + "/oem/keys/package.pub"],
                           capture_output=True, text=True)
        word = re.match(r"\w*", p.stdout).group()
        return word or f"exit {p.returncode}", p.stdout + p.stderr


def reference_image(station, folder):
    """The SHA-256 of the image on a device that all went well with, and its name."""
    station.order("reference", 1)
    sim = Sim(folder, 1, random.randrange(1 << 30))
    run = station.run("reference", sim.glob())
    device = next(iter(sim.stop().values()))
    if run.rc != 0 or device["boot"] != "application" or not device["image_sha256"]:
        raise Trouble(f"a device without faults does not pass: {run.events[-3:]} {run.stderr}")
    return device["image_sha256"]
