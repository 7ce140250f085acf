#!/usr/bin/env python3
"""scenarios.py FOLDER SCENARIO... - run in the rig's guest: the runner on real USB serial ports.

FOLDER has station/, *.mfgpkg and oem/keys (see rig-test). Prints a line per scenario. Times are the
guest's, whose processor is 12 to 18 times slower than the host's: limits here are wide, except for
what does not need the processor."""
import calendar, fcntl, glob, json, os, re, signal, subprocess, sys, time

FOLDER = sys.argv[1]
STATION = FOLDER + "/station"
FREE = FOLDER + "/free.mfgpkg"
BY_PATH = "/dev/serial/by-path/"
TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


def check(ok, what):
    if not ok:
        raise Failed(what)


def place(i):
    """The name udev gives to port i of the rig (README.md)."""
    return "pci-0000:00:%x.0-usb-0:%d.%d:1.0-port0" % (0x10 + i // 32, i % 32 // 8 + 1, i % 8 + 1)


def rig(*words):
    r = subprocess.run([os.environ["RIG_DIR"] + "/rig-ctl", *map(str, words)], capture_output=True, text=True)
    check(r.returncode == 0, "rig-ctl %s: %s" % (" ".join(map(str, words)), r.stderr.strip()))


def until(what, ok, seconds=30):
    end = time.monotonic() + seconds
    while not ok():
        check(time.monotonic() < end, "%s: not after %d s" % (what, seconds))
        time.sleep(0.02)


def there(i):
    return os.path.exists(BY_PATH + place(i))


def fresh(*ports):
    """New boards in these ports of the eight fast ones, and the ports are back."""
    gone = {i: os.stat(BY_PATH + place(i)).st_ino if there(i) else None for i in ports}
    for i in ports:
        rig("far", "fast", "swap", i)
    for i in ports:
        until("board in port %d" % i, lambda: there(i) and os.stat(BY_PATH + place(i)).st_ino != gone[i])
    subprocess.run(["chroot", "/proc/1/root", "udevadm", "settle"], check=True)


def run(*command, user=None, rc=0):
    command = [str(c) for c in command]
    if user:
        command = ["setpriv", "--reuid", str(user[0]), "--regid", str(user[1]), "--clear-groups"] + command
    r = subprocess.run(command, capture_output=True, text=True)
    check(rc is None or r.returncode == rc,
          "exit %d, %s wanted: %s\n%s%s" % (r.returncode, rc, " ".join(command), r.stdout[-2000:], r.stderr[-2000:]))
    return r


def ports(*options, user=None):
    return {p["by_path"]: p for p in json.loads(run("runner", "ports", "--json", *options, user=user).stdout)["ports"]}


def new_station(name, slots, user=None):
    state = "/tmp/" + name
    run("runner", "station", "init", "--state", state, "--name", name + ".example", "-q", user=user)
    run("runner", "trust", "add", "--state", state, "/tmp/package.pub", "-q", user=user)
    map_slots(state, slots, user)
    return state


def map_slots(state, slots, user=None):
    run("runner", "station", "slots", "--state", state, *["%s=%s" % (n, place(i)) for n, i in slots.items()], user=user)


class Runner:
    """A `runner start` in the background and the events it has printed."""

    def __init__(self, state, *options):
        self.path = "%s/run-%s-%s.jsonl" % (FOLDER, os.path.basename(state), time.monotonic_ns() // 1000000)
        self.out = open(self.path, "w")
        self.events, self.read = [], open(self.path)
        self.rest, self.slots = "", {}
        self.started = time.monotonic()
        self.p = subprocess.Popen(["runner", "start", "--state", state, "--ui", "json", *options],
                                  stdout=self.out, stderr=subprocess.STDOUT)

    def poll(self):
        """Take in what the runner has printed since the last look."""
        *lines, self.rest = (self.rest + self.read.read()).split("\n")
        new = [json.loads(s) if s.startswith("{") else {"event": "text", "text": s} for s in lines if s]
        for e in new:                       # leaves of the log name the port; some name the slot too
            if e.get("slot"):
                self.slots[e["port"]] = e["slot"]
            elif e.get("port") in self.slots:
                e["slot"] = self.slots[e["port"]]
        self.events += new

    def find(self, **want):
        self.poll()
        return [e for e in self.events if all(e.get(k) == v for k, v in want.items())]

    def wait(self, seconds=60, n=1, **want):
        try:
            until("event %s, %d times" % (want, n), lambda: len(self.find(**want)) >= n or self.over(), seconds)
            check(len(self.find(**want)) >= n, "the runner ended without %s" % want)
        except Failed as e:
            raise Failed("%s\n%s" % (e, self.tail()))
        return self.find(**want)[n - 1]

    def over(self):
        return self.p.poll() is not None

    def end(self, rc, seconds=60, stop=False):
        if stop:
            self.p.send_signal(signal.SIGINT)
        try:
            got = self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("the runner does not end within %d s\n%s" % (seconds, self.tail()))
        check(got == rc, "exit %d, %d wanted\n%s" % (got, rc, self.tail()))
        self.poll()
        return next((e for e in reversed(self.events) if e.get("event") == "summary"), None)

    def kill(self):
        if not self.over():
            self.p.kill()
            self.p.wait()

    def tail(self):
        self.poll()
        return "\n".join(json.dumps(e)[:300] for e in self.events[-25:])

    def cpu(self):
        """Seconds of processor time so far."""
        with open("/proc/%d/stat" % self.p.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def load(self, seconds):
        """Share of the processor the runner takes during the next seconds."""
        cpu, t = self.cpu(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu() - cpu) / (time.monotonic() - t)


def wall(event):
    """The time of an event in seconds since 1970."""
    t, ms = re.fullmatch(r"(.*)\.(\d+)Z", event["time"]).groups()
    return calendar.timegm(time.strptime(t, "%Y-%m-%dT%H:%M:%S")) + int(ms) / 1000


running = []


def start(state, *options):
    r = Runner(state, *options)
    running.append(r)
    return r


# --- scenarios ---------------------------------------------------------------------------------------

def enumerate_ports():
    """Names, numbers and serials without opening a port; then who answers; slots, and what they keep out."""
    expected = [place(i) for i in list(range(8)) + [10, 11]]
    seen = ports("--no-probe")
    check(list(seen) == expected, "ports: %s" % list(seen))
    for i, p in zip(list(range(8)) + [10, 11], seen.values()):
        check(p["usb"] == {"vid": "0403", "pid": "6001", "serial": "RIG%04d" % i}, p)
        check(p["driver"] == "ftdi_sio" and p["state"] == "usable" and p["probe"] == "not-probed", p)
        check("QEMU USB SERIAL" in p["description"] and p["device"] == os.path.realpath(BY_PATH + place(i)), p)
    check(not glob.glob("/sys/class/tty/ttyS0") or all(p["device"] != "/dev/ttyS0" for p in seen.values()), "console")
    t = time.monotonic()
    seen = ports()
    t = time.monotonic() - t
    for p in seen.values():
        check(p["probe"] == "answered" and "mcxn947" in p["families"] and p["lifecycle"] == "blank", p)
    check(len({p["uuid"] for p in seen.values()}) == 10, "UUIDs")

    # Another board in a slot is another serial number under the same name.
    rig("unplug", 3)
    until("unplug", lambda: not there(3))
    check(place(3) not in ports("--no-probe"), "port 3 is listed and gone")
    rig("plug", 3, "OTHER7")
    until("plug", lambda: there(3))
    until("serial", lambda: ports("--no-probe")[place(3)]["usb"]["serial"] == "OTHER7")

    # Only the mapped slots are touched, a denied one not even when mapped.
    state = new_station("enumerate", {"A1": 0, "A2": 1, "A3": 2})
    run("runner", "station", "slots", "--state", state, "--deny", place(2))
    shown = json.loads(run("runner", "station", "slots", "--state", state, "--json").stdout)
    check([s["slot"] for s in shown["slots"]] == ["A1", "A2", "A3"], shown)
    r = start(state, FREE)
    s = r.end(0, 90)
    check({(e["slot"], e["port"]) for e in r.find(event="device-begin")} == {("A1", place(0)), ("A2", place(1))},
          r.tail())
    check(s["passed"] == 2 and not r.find(port=place(2)), r.tail())
    check(ports()[place(2)]["lifecycle"] == "blank", "the denied board was touched")
    return "10 ports, all probed in %.1f s" % t


def permission():
    """A user outside group dialout is told what to do; one inside may work."""
    outsider, dialout = (65534, 65534), (65534, 20)
    p = ports(user=outsider)[place(4)]
    check(p["state"] == "no-permission" and "group dialout" in p["reason"] and p["probe"] == "not-probed", p)
    check(ports(user=dialout)[place(4)]["probe"] == "answered", "dialout")
    state = new_station("outsider", {"A5": 4}, user=outsider)
    r = run("runner", "start", "--state", state, "--ui", "json", FREE, user=outsider, rc=4)
    events = [json.loads(s) for s in r.stdout.splitlines()]
    found = [e for e in events if e.get("event") == "port" and e["slot"] == "A5"]
    check(found and found[0]["state"] == "unusable" and "group dialout" in found[0]["text"], r.stdout)
    return "%s %s" % (found[0]["code"], found[0]["text"])


def busy():
    """A port that a runner has is busy for everybody else, and they can see whose it is."""
    slots = {"A5": 4}
    first = start(new_station("busy1", slots), "--loop", FREE)
    first.wait(event="device-end", result="pass")
    p = ports()[place(4)]
    check((p["state"], p["busy_pid"], p["busy_program"]) == ("busy", first.p.pid, "runner"), p)
    check(p["probe"] == "not-probed", p)

    second = start(new_station("busy2", slots), FREE)
    second.end(4)
    e = second.find(event="port", slot="A5")[0]
    check(e["state"] == "unusable" and "runner (process %d)" % first.p.pid in e["text"], e)

    # Both locks, each seen by a program that knows nothing of the other: TIOCEXCL keeps ordinary
    # users out, the flock is there for those whom it does not (root).
    r = run("python3", "-c", "import os; os.open(%r, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)" % (BY_PATH + place(4)),
            user=(65534, 20), rc=1)
    check("Errno 16" in r.stderr, r.stderr)
    fd = os.open(BY_PATH + place(4), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise Failed("no flock on the port")
    except BlockingIOError:
        pass
    os.close(fd)
    first.end(130, stop=True)

    # A terminal program takes no lock; the port is busy all the same.
    fd = os.open(BY_PATH + place(5), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    p = ports()[place(5)]
    check((p["state"], p["busy_pid"]) == ("busy", os.getpid()), p)
    os.close(fd)
    check(ports()[place(5)]["probe"] == "answered", "free again")
    return e["text"]


def race():
    """Two runners started at the same moment on the same four ports: each board is done once."""
    fresh(4, 5, 6, 7)
    slots = {"A5": 4, "A6": 5, "A7": 6, "A8": 7}
    both = [start(s, FREE) for s in [new_station("race1", slots), new_station("race2", slots)]]
    for r in both:
        until("end of a runner", r.over, 90)
        r.poll()
    done = [e["uuid"] for r in both for e in r.find(event="device-end")]
    passed = [e["uuid"] for r in both for e in r.find(event="device-end", result="pass")]
    text = "\n".join(r.tail() for r in both)
    check(len(set(passed)) == 4 and sorted(done) == sorted(passed), text)
    refused = [e for r in both for e in r.find(event="port", state="unusable")]
    check(len(refused) == 4 and all("in use by runner (process " in e["text"] for e in refused), text)
    return "%d and %d boards" % tuple(len(r.find(event="device-end")) for r in both)


def unplug():
    """The plug is pulled in mid-transfer: noticed at once, without spinning; put back, it is finished."""
    r = start(new_station("unplug", {"B1": 10, "B2": 11}), "--loop", FREE)
    r.wait(event="stage", slot="B1", stage="program")
    r.wait(event="stage", slot="B2", stage="program")
    time.sleep(1)
    cpu, t = r.cpu(), time.time()
    rig("far", "slow", "unplug", 0)
    e = r.wait(10, event="device-end", slot="B1")
    late = wall(e) - t
    check(e["result"] == "fail" and e["code"] == "P02" and "port closed" in e["reason"], e)
    check(late < 1.0, "noticed after %.2f s" % late)
    e = r.wait(60, event="device-end", slot="B2")
    check(e["result"] == "pass", "the other slot suffered: %s" % e)

    # The bare port of a board that is away, and one with a finished board: next to no work.
    idle = r.load(4)
    check(idle < 0.25, "%.0f %% of the processor while nothing is to do" % (100 * idle))
    rig("far", "slow", "plug", 0)
    e = r.wait(60, event="device-end", slot="B1", result="pass")
    begun = r.find(event="device-begin", slot="B1")
    check(len(begun) == 2 and begun[0]["uuid"] == begun[1]["uuid"] and begun[1]["attempt"] == 2, r.tail())

    # Away while it waits for the next board: the port goes, the runner does not mind.
    before = r.cpu()
    rig("unplug", 11)
    r.wait(10, event="port", slot="B2", state="gone")
    gone = r.load(3)
    check(gone < 0.25, "%.0f %% of the processor with a port gone" % (100 * gone))
    rig("plug", 11)
    until("plug", lambda: there(11))
    r.end(130, stop=True)
    return "noticed in %.0f ms; processor %.1f %% idle, %.1f %% with a port gone (guest, 15 times slower)" % (
        1e3 * late, 100 * idle, 100 * gone)


def renumber():
    """A board swapped while the port is held open comes back under another number: still its slot."""
    fresh(0)
    r = start(new_station("renumber", {"A1": 0}), "--loop", FREE)
    r.wait(event="device-end", slot="A1", result="pass")
    was = os.path.realpath(BY_PATH + place(0))
    r.p.send_signal(signal.SIGSTOP)         # too busy to let go of the port
    try:
        rig("far", "fast", "swap", 0)
        until("gone", lambda: not there(0))
        until("back", lambda: there(0))
    finally:
        r.p.send_signal(signal.SIGCONT)
    now = os.path.realpath(BY_PATH + place(0))
    check(now != was, "%s again: the port was not held open" % was)
    t = time.monotonic()
    r.wait(30, n=2, event="device-begin", slot="A1", port=place(0))
    t = time.monotonic() - t
    e = r.wait(60, n=2, event="device-end", slot="A1", result="pass")
    s = r.end(130, stop=True)
    check(s["passed"] == 2 and len({e["uuid"] for e in r.find(event="device-begin")}) == 2, r.tail())
    return "%s, then %s; begun %.1f s after" % (os.path.basename(was), os.path.basename(now), t)


def loop():
    """Eight slots; an operator goes round and swaps each board three times, until the order is complete."""
    fresh(*range(8))
    map_slots(STATION, {"A%d" % (i + 1): i for i in range(8)})
    r = start(STATION, "--order", "loop", "--loop")
    done, waits, swapped, ready, seen, hand = {i: 0 for i in range(8)}, [], {}, [], 0, None
    end = time.monotonic() + 150
    while not r.over():
        if time.monotonic() > end:
            raise Failed("not complete: done %s, missing ports %s\n%s" % (
                done, [i for i in range(8) if not there(i)], r.tail()))
        time.sleep(0.05)
        r.poll()
        new, seen = r.events[seen:], len(r.events)
        for e in new:
            i = int(e["slot"][1:]) - 1 if e.get("slot") else None
            if e.get("event") == "device-begin" and i in swapped:
                waits.append(wall(e) - swapped.pop(i))
                hand = None if hand == i else hand
            elif e.get("event") == "device-end":
                check(e["result"] == "pass", e)
                done[i] += 1
                if done[i] < 4:
                    ready.append(i)
        if ready and hand is None:          # one pair of hands
            hand = ready.pop(0)
            if hand < 2 and done[hand] == 2:    # the adapter is another one too
                rig("far", "fast", "unplug", hand)
                rig("unplug", hand)
                rig("plug", hand, "SWAP%d" % hand)
            rig("far", "fast", "swap", hand)
            swapped[hand] = time.time()
    s = r.end(0)
    ends = r.find(event="device-end", result="pass")
    check(len(ends) == 32 and len({e["uuid"] for e in ends}) == 32, r.tail())
    check(all(n == 4 for n in done.values()), done)
    check(s["passed"] == 32 and s["failed"] == 0 and s["log_closed"], s)
    return "32 boards in 8 slots in %.1f s; from the swap to the next begin %.1f s on average, %.1f s at most" % (
        s["ms"] / 1000, sum(waits) / len(waits), max(waits))


def parallel():
    """32 boards at once, an order for 32."""
    until("32 ports", lambda: len(glob.glob(BY_PATH + "*")) == 32)
    map_slots(STATION, {"A%d" % (i + 1): i for i in range(32)})
    r = start(STATION, "--order", "parallel")
    s = r.end(0, 150)
    ends = r.find(event="device-end", result="pass")
    check(len({e["uuid"] for e in ends}) == 32 and len({e["slot"] for e in ends}) == 32, r.tail())
    check(s["passed"] == 32 and s["failed"] == 0 and s["log_closed"] and s["events_lost"] == 0, s)
    return "32 boards in %.1f s" % (s["ms"] / 1000)


SCENARIOS = {"enumerate": enumerate_ports, "permission": permission, "busy": busy, "race": race,
             "unplug": unplug, "renumber": renumber, "loop": loop, "parallel": parallel}


def main():
    with open(FOLDER + "/oem/keys/package.pub") as f, open("/tmp/package.pub", "w") as g:
        g.write(f.read())
    os.chmod("/tmp/package.pub", 0o644)
    bad = 0
    for name in sys.argv[2:]:
        t = time.monotonic()
        try:
            result = "ok      %s (%%.1f s): %s" % (name, SCENARIOS[name]().replace("%", "%%"))
        except Exception as e:
            what = "%s" % e if isinstance(e, Failed) else repr(e)
            result, bad = "not ok  %s (%%.1f s): %s" % (name, what.replace("%", "%%")), 1
        for r in running:
            r.kill()
        running.clear()
        print(result % (time.monotonic() - t), flush=True)
    return bad


sys.exit(main())
