"""factory.py WORK - what the runner costs and how soon it acts, on simulated ports without pacing.
Each figure with n and, where there is one, its limit."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from world import Sim, Station, output

MIB = 1 << 20


def timed(command, ok=(0,)):
    """(seconds, processor seconds, peak KiB, standard output) of a program."""
    begin = time.monotonic()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = p.stdout.read()
    errors = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in ok:
        sys.exit(f"{command}: exit {p.returncode}: {errors.decode()} {text[-500:].decode()}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, text


def cpu_of(pid):
    """Processor seconds of a running process."""
    with open(f"/proc/{pid}/stat") as f:
        user, kernel = f.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(kernel)) / os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, work):
        self.s, self.orders = Station(work), 0

    def start(self, package, quantity, glob):
        """One run on fresh boards with an order of its own."""
        self.orders += 1
        name = f"bench-{self.orders}"
        self.s.package = f"{self.s.work}/{package}.mfgpkg"
        self.s.order(name, quantity, package)
        return timed(["runner", "start", "--state", self.s.state, "--order", name, "--ports", glob,
                      "--ui", "json"])

    def boards(self, count, seed, **more):
        return Sim(f"{self.s.work}/bench-boards-{seed}", count, seed, **more)

    def file(self, n=5):
        print(f"receive-sb-file of 1 MiB, no pacing, one port, n = {n}, median "
              "(limit: bench_wire's bound on the same machine)")
        rates, cpus, state = [], [], self.s.work + "/bench.state"
        base, far = [], []
        for i in range(n):
            sim = self.boards(1, 100 + i)
            base.append(self.start("blinky", 1, sim.glob())[1])
            sim.stop()
            sim = self.boards(1, 200 + i, state=f"{state}{i}")
            before = cpu_of(sim.process.pid)
            _, cpu, _, text = self.start("big", 1, sim.glob())
            far.append(cpu_of(sim.process.pid) - before)
            sim.stop()
            events = [json.loads(line) for line in text.splitlines()]
            step = next(e for e in events if e["event"] == "step" and e["stage"] == "program")
            size, seconds = step["bytes"] / MIB, step["ms"] / 1000
            rates.append(size / seconds)
            cpus.append(cpu)
        net = statistics.median(cpus) - statistics.median(base)
        print(f"  runner      {statistics.median(rates):7.2f} MiB/s, {net * 1000:8.1f} ms CPU/MiB "
              f"(a run with the small image, {statistics.median(base) * 1000:.0f} ms, taken off)")
        print(f"  simulator   {statistics.median(far) / size * 1000:8.1f} ms CPU/MiB: it checks, decrypts "
              f"and programs, and can do {size / statistics.median(far):.1f} MiB/s at most")
        blhost = shutil.which("blhost")
        if not blhost:
            print("  blhost      not found in PATH or build/venv: not measured")
            return
        sim = self.boards(1, 200, state=state + "0", isp=True)
        port, sb = sim.folder + "/ttyMCX0", self.s.work + "/big/sb/image.sb3"
        size = os.path.getsize(sb) / MIB
        idle = [timed([blhost, "-p", port, "get-property", "1"])[:2] for _ in range(n)]
        work = [timed([blhost, "-p", port, "receive-sb-file", sb])[:2] for _ in range(n)]
        sim.stop()
        wall, cpu = (statistics.median(w[k] for w in work) - statistics.median(i[k] for i in idle)
                     for k in (0, 1))
        print(f"  blhost      {size / wall:7.2f} MiB/s, {cpu * 1000 / size:8.1f} ms CPU/MiB "
              f"({blhost}; its start, {statistics.median(i[0] for i in idle):.1f} s, taken off)")

    def memory(self, n=3):
        print(f"peak memory of the runner, n = {n}, highest (limit: grows by a thread and a port only)")
        peaks = {}
        for ports in (1, 64, 256):
            for i in range(n):
                sim = self.boards(ports, 1000 * (i + 1) + ports)
                peak = self.start("blinky", ports, sim.glob())[2]
                sim.stop()
                peaks[ports] = max(peaks.get(ports, 0), peak)
            print(f"  {ports:3} ports   {peaks[ports] / 1024:7.1f} MiB")
        print(f"  a further port costs {(peaks[256] - peaks[64]) / 192:.0f} KiB")

    def ready(self, n=10):
        """A terminal that only notes when its first byte comes."""
        folder = self.s.work + "/ready"
        os.makedirs(folder)
        self.orders += 1
        name = f"bench-{self.orders}"
        self.s.package = self.s.work + "/blinky.mfgpkg"
        self.s.order(name, 1)
        command = ["runner", "start", "--state", self.s.state, "--order", name,
                   "--ports", folder + "/ttyMCX*", "--ui", "json"]

        def plug(i):
            near, end = os.openpty()
            os.symlink(os.ttyname(end), f"{folder}/ttyMCX{i}")
            return near

        found, started = [], []
        with open(folder + "/errors", "w") as errors:
            os.close(os.open(folder + "/ttyMCXnone", os.O_CREAT))  # one name to start with
            p = subprocess.Popen(command + ["--loop"], stdout=subprocess.PIPE, stderr=errors)
            p.stdout.readline()
            for i in range(n):
                time.sleep(0.137 * i)
                begin = time.monotonic()
                near = plug(i)
                os.read(near, 1)
                found.append(time.monotonic() - begin)
            p.terminate()
            p.communicate()
            for i in range(n):
                near = plug(n + i)
                for old in os.listdir(folder):
                    if old.startswith("tty") and old != f"ttyMCX{n + i}":
                        os.unlink(f"{folder}/{old}")
                begin = time.monotonic()
                p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
                os.read(near, 1)
                started.append(time.monotonic() - begin)
                p.terminate()
                p.wait()
        for what, v in (("--loop: a new port's name to its first byte", found),
                        ("start of the runner to the first byte", started)):
            print(f"  {what:46} {statistics.median(v) * 1000:6.0f} ms median, "
                  f"{max(v) * 1000:6.0f} ms worst, n = {n}")


def main():
    b = Bench(sys.argv[1])
    b.file()
    b.memory()
    print("board ready to first byte (limit: --loop looks for names every second)")
    b.ready()


if __name__ == "__main__":
    main()
