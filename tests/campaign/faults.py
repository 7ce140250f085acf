"""faults - what goes wrong with which simulated device: a grid of every kind at every step of the
sample's script, and random ones. A fault is the text behind `DEVICE:` of mcxsim's --fault."""

import os
import select
import threading
import tty

# The commands of one device that goes through the sample's script, by name and count. get-property
# is asked for many things; /1 is the very first question, /last the check of the life cycle.
STEPS = {
    "identify": "get-property/1",
    "erase": "flash-erase-all",
    "provision": "receive-sb-file/1",
    "provision-reset": "reset/1",
    "program": "receive-sb-file/2",
    "attest": "trust-provisioning",
    "finish": "reset/2",
}
FILES = {"provision": ("receive-sb-file/1", 1, 5, 1744), "program": ("receive-sb-file/2", 2, 18, 5620)}
KINDS = ("lose", "corrupt", "duplicate", "delay", "nak", "refuse", "abort", "final", "bad-crc",
         "no-answer", "ignore", "reset", "power-loss", "silence", "stuck", "wrong-family",
         "wrong-lifecycle", "rename")
AT_COMMAND = ("delay", "nak", "refuse", "final", "bad-crc", "no-answer", "ignore", "reset",
              "power-loss", "silence", "stuck")
AT_DATA = ("delay", "nak", "abort", "bad-crc", "ignore", "reset", "power-loss", "silence", "stuck")
AT_BLOCK = ("abort", "reset", "power-loss", "silence", "stuck")
AT_BYTE = ("lose", "corrupt", "duplicate", "delay", "reset", "power-loss", "silence", "stuck")
# fail, flash error, no response of the flash, security violation, unknown command, signature,
# checksum: with and without a number that tells the runner to give up.
STATUSES = (1, 100, 105, 10001, 10000, 10101, 10102)


def kind_of(fault):
    return fault.split("@")[0].split("=")[0].split("x")[0]


def with_value(kind, status=1):
    return f"{kind}={status}" if kind in ("refuse", "final", "abort") else kind


def grid(offsets):
    """[(fault, step)]: each kind at each step where it can be. offsets: step -> (rx, tx), where in
    the dialogue its command begins, as bytes so far in both directions."""
    out = []
    for step, command in STEPS.items():
        for kind in AT_COMMAND:
            if kind != "final" or step in FILES:  # the others have one response only
                out.append((f"{with_value(kind)}@{command}", step))
        rx, tx = offsets[step]
        for kind in ("lose", "corrupt", "duplicate"):
            out += [(f"{kind}@rx={rx + 3}", step), (f"{kind}@tx={tx + 1}", step),
                    (f"{kind}@tx={tx + 9}", step)]
    for step, (command, number, blocks, size) in FILES.items():
        for kind in AT_DATA:
            out.append((f"{with_value(kind)}@{command}+{size // 2}", step))
        for kind in AT_BLOCK:
            out.append((f"{with_value(kind, 10101)}@sb={blocks // 2}/{number}", step))
    for state in ("develop", "in-field", "field-return-oem", "bricked"):
        out.append((f"wrong-lifecycle={state}", "identify"))
    out += [("wrong-family=mcxn946", "identify"), ("wrong-family=mcxn946@reset=2", "provision-reset"),
            ("wrong-lifecycle=bricked@reset=2", "provision-reset"),
            ("rename@reset=2", "provision-reset"), ("rename@reset=3", "finish"),
            ("silence", "identify"), ("stuck", "identify"),
            ("silence@reset=2", "provision-reset"), ("stuck@reset=2", "provision-reset")]
    return out


def random_fault(rng, fresh):
    """fresh: the boards are new. A life cycle that moves in a finished board would be no fault of
    the run that finished it."""
    kind = rng.choice(KINDS if fresh else [k for k in KINDS if k != "wrong-lifecycle"])
    if kind == "wrong-family":
        return f"{kind}=mcxn946" + rng.choice(("", "@reset=2"))
    if kind == "wrong-lifecycle":
        state = rng.choice(("develop", "develop2", "in-field", "in-field-locked", "bricked"))
        return f"{kind}={state}" + rng.choice(("", "@reset=1", "@reset=2"))
    if kind == "rename":
        return f"{kind}@reset={rng.choice((2, 3))}"
    if kind in ("silence", "stuck") and rng.random() < 0.2:
        return f"{kind}@reset={rng.choice((1, 2, 3))}"
    head = with_value(kind, rng.choice(STATUSES))
    if kind == "silence" and rng.random() < 0.5:
        head = f"silence={rng.randrange(5, 4000)}"
    if kind == "power-loss":
        head = f"power-loss={rng.choice((10, 300, 1500))}"
    if kind == "nak":
        head = f"nak={rng.choice((1, 1, 2, 5, 20))}"
    if kind == "delay":
        head = f"delay={rng.choice((5, 100, 500, 1500, 3500))}"
    places = []
    if kind in AT_COMMAND:
        places.append(lambda: rng.choice(tuple(STEPS.values()) + (f"get-property/{rng.randrange(1, 30)}",)))
    if kind in AT_DATA:
        def data():
            command, _, _, size = rng.choice(tuple(FILES.values()))
            return f"{command}+{rng.randrange(size)}"
        places.append(data)
    if kind in AT_BLOCK:
        def block():
            _, number, blocks, _ = rng.choice(tuple(FILES.values()))
            return f"sb={rng.randrange(blocks)}/{number}"
        places.append(block)
    if kind in AT_BYTE:
        places.append(lambda: rng.choice((f"rx={rng.randrange(8400)}", f"tx={rng.randrange(1000)}")))
    if kind in ("lose", "corrupt", "duplicate"):
        places.append(lambda: rng.choice((f"rx~{10 ** -rng.uniform(2.5, 4):.5f}", f"tx~{10 ** -rng.uniform(1.5, 3):.5f}")))
    place = rng.choice(places)()
    times = rng.choice(("", "", "x2", "x5", "x*"))
    return f"{head}@{place}{times}"


class Tap:
    """A pseudo-terminal between the runner and a simulated port that notes where each command
    begins: how many bytes had gone each way. `folder/ttyMCX0` is the end for the runner."""

    def __init__(self, port, folder):
        self.far = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.far)
        self.near, end = os.openpty()
        tty.setraw(end)
        self.end = end  # kept open: a closed terminal would hang up
        os.makedirs(folder, exist_ok=True)
        os.symlink(os.ttyname(end), folder + "/ttyMCX0")
        self.rx = self.tx = 0
        self.commands = []  # (tag, rx, tx)
        self.stop_pipe = os.pipe()
        self.thread = threading.Thread(target=self.copy)
        self.thread.start()

    def copy(self):
        while True:
            ready, _, _ = select.select([self.far, self.near, self.stop_pipe[0]], [], [])
            if self.stop_pipe[0] in ready:
                return
            if self.near in ready:
                data = os.read(self.near, 4096)
                # The host writes whole frames; an ACK or a ping may lead. A command frame is 5A A4,
                # length, CRC, and then the tag.
                at = 0
                while data[at:at + 2] in (b"\x5a\xa1", b"\x5a\xa6"):
                    at += 2
                if len(data) > at + 6 and data[at:at + 2] == b"\x5a\xa4":
                    self.commands.append((data[at + 6], self.rx + at, self.tx))
                self.rx += len(data)
                os.write(self.far, data)
            if self.far in ready:
                data = os.read(self.far, 4096)
                self.tx += len(data)
                os.write(self.near, data)

    def close(self):
        os.write(self.stop_pipe[1], b"x")
        self.thread.join()
        for fd in (self.far, self.near, self.end, *self.stop_pipe):
            os.close(fd)

    def offsets(self):
        """Of STEPS: step -> (rx, tx)."""
        tags = {"get-property": 7, "flash-erase-all": 1, "receive-sb-file": 8, "reset": 11,
                "trust-provisioning": 0x16}
        out = {}
        for step, command in STEPS.items():
            name, _, k = command.partition("/")
            found = [(rx, tx) for tag, rx, tx in self.commands if tag == tags[name]]
            out[step] = found[int(k or 1) - 1]
        return out
