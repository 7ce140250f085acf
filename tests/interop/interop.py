"""Our programs against NXP's SPSDK, both ways. Prints a table of cases; exit 1 when one fails.

usage: interop.py OUR_BIN SPSDK_BIN [PATTERN]    only the cases whose name has PATTERN in it
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OURS, THEIRS = (Path(p).resolve() for p in sys.argv[1:3])
PATTERN = sys.argv[3] if len(sys.argv) > 3 else ""
TOP = Path(__file__).resolve().parents[2]
VECTORS = TOP / "tests/vectors"
WORK = Path(tempfile.mkdtemp(prefix="interop."))
ROWS = []
HOME = dict(os.environ, HOME=str(WORK), NO_COLOR="1")


class Failed(Exception):
    pass


def run(program, *args, cwd=None, rc=0):
    """Output of a program; Failed when it does not end as wanted."""
    p = subprocess.run([str(program), *map(str, args)], cwd=cwd, env=HOME, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    if p.returncode != rc:
        raise Failed(f"{Path(program).name} {args[0]} {args[1] if len(args) > 1 else ''}: "
                     f"exit {p.returncode}: {p.stdout.strip()[-300:]}")
    return p.stdout


def mfgpkg(*args, **kw):
    return run(OURS / "mfgpkg", *args, **kw)


def nxp(tool, *args, **kw):
    return run(THEIRS / tool, *args, **kw)


def need(condition, text):
    if not condition:
        raise Failed(text)


def case(direction, name, function):
    if PATTERN and PATTERN not in f"{direction} {name}":
        return
    start = time.monotonic()
    try:
        note = function() or ""
        result = "ok"
    except (Failed, OSError, subprocess.TimeoutExpired) as e:
        note, result = str(e), "FAILED"
    ROWS.append((result, direction, name))
    print(f"{result:6}  {direction:15}  {name:38}  {time.monotonic() - start:5.1f} s  {note}", flush=True)


def blank(data, ranges):
    out = bytearray(data)
    for off, n in ranges:
        out[off:off + n] = bytes(n)
    return bytes(out)


def fresh(name):
    d = WORK / re.sub(r"\W", "_", name)
    shutil.rmtree(d, ignore_errors=True)
    d.mkdir()
    return d


# --- SB3.1 ---------------------------------------------------------------------------------------


def sb31_key(facts, out):
    """CUST_MK_SK as a binary file, which both sides read alike."""
    f = out / "key.bin"
    f.write_bytes(bytes.fromhex(facts["cust_mk_sk"]))
    return f


def sb31_ours_to_theirs(d):
    facts = json.loads((d / "case.json").read_text())
    out = fresh("sb31-o2t-" + d.name)
    mfgpkg("sb31", "export", "-q", "-c", d / "config.yaml", "-o", out / "our.sb3")
    args = ["sb31", "parse", "-f", "mcxn947", "-b", out / "our.sb3", "-o", out / "parsed"]
    if facts["encrypted"]:
        args += ["-k", facts["cust_mk_sk"], "-a", facts["kdk_access_rights"]]
    text = nxp("nxpimage", *args)
    need("has been parsed" in text, text[-200:])
    stream = (out / "parsed/commands.bin").read_bytes()
    if "plain_stream" in facts:
        plain = (d / facts["plain_stream"]).read_bytes()
        need(stream.rstrip(b"\0") in plain, "SPSDK's decrypted commands differ from the vector")
    return f"{len(stream)} bytes of commands"


def sb31_theirs_to_ours(d):
    facts = json.loads((d / "case.json").read_text())
    out = fresh("sb31-t2o-" + d.name)
    shutil.copytree(d, out / "case")
    # Paths in the configuration are relative to the vector's place.
    text = (d / "config.yaml").read_text().replace("../../", str(VECTORS) + "/")
    text = text.replace("../files/", str(VECTORS / "spsdk-golden/files") + "/")
    text = re.sub(r"(?m)^containerOutputFile:.*$", f"containerOutputFile: {out / 'their.sb3'}", text)
    (out / "case/config.yaml").write_text(text)
    block = out / "case/cert_block.yaml"
    if block.exists():
        block.write_text(block.read_text().replace("../../", str(VECTORS) + "/")
                         .replace("../files/", str(VECTORS / "spsdk-golden/files") + "/"))
    nxp("nxpimage", "sb31", "export", "-c", out / "case/config.yaml")
    args = ["sb31", "verify", out / "their.sb3", "--rkth", facts["rkth"], "--no-passphrase"]
    if facts["encrypted"]:
        args += ["--key", sb31_key(facts, out), "--kdk-access-rights", facts["kdk_access_rights"]]
    text = mfgpkg(*args)
    need("RKTH as wanted" in text and "commands" in text, text[-200:])
    mfgpkg("sb31", "export", "-q", "-c", d / "config.yaml", "-o", out / "our.sb3")
    ranges = [(s["offset"], s["length"]) for s in facts["ecdsa_signatures"]]
    need(blank((out / "our.sb3").read_bytes(), ranges) == blank((out / "their.sb3").read_bytes(), ranges),
         "files differ outside the signatures")
    return "bytes equal outside signatures"


def cert_block_both(d):
    out = fresh("cert-" + d.name)
    mfgpkg("cert-block", "export", "-q", "-c", d / "cert_block.yaml", "-o", out / "our.bin")
    nxp("nxpimage", "cert-block", "parse", "-f", "mcxn947", "-b", out / "our.bin", "-o", out / "parsed")
    text = (d / "cert_block.yaml").read_text().replace("../../", str(VECTORS) + "/")
    text = re.sub(r"(?m)^containerOutputFile:.*$", f"containerOutputFile: {out / 'their.bin'}", text)
    for f in d.glob("*.bin"):
        shutil.copy(f, out)
    (out / "cert_block.yaml").write_text(text)
    nxp("nxpimage", "cert-block", "export", "-c", out / "cert_block.yaml")
    rkth = json.loads((d / "case.json").read_text())["rkth"]
    mfgpkg("cert-block", "verify", out / "their.bin", "--rkth", rkth)


def rkth_both(c):
    keys = [str((VECTORS / "rkth" / k).resolve()) for k in c["keys"]]
    args = []
    for k in keys:
        args += ["-k", k]
    theirs = nxp("nxpcrypto", "rot", "calculate-hash", "-f", "mcxn947", *args)
    ours = mfgpkg("rkth", "-k", *keys).strip()
    need(ours == c["rkth"], f"ours is {ours}")
    need(c["rkth"] in theirs.lower().replace(" ", ""), f"theirs: {theirs.strip()[-120:]}")


# --- MBI and PFR -----------------------------------------------------------------------------------


def mbi_both(d):
    facts = json.loads((d / "case.json").read_text())
    out = fresh("mbi-" + d.name)
    shutil.copytree(d, out / "case")
    mfgpkg("mbi", "export", "-q", "-c", d / "config.yaml", "-o", out / "our.bin")
    if "signed" in d.name:
        # Not `mbi verify`: SPSDK 3.10 refuses with it every signed MCX N image, its own too.
        text = nxp("nxpimage", "mbi", "parse", "-f", "mcxn947", "-b", out / "our.bin", "-o", out / "parsed")
        need("has been parsed" in text, text[-300:])
    for f in (out / "case").glob("*.yaml"):
        text = f.read_text().replace("../../", str(VECTORS) + "/")
        text = re.sub(r"(?m)^masterBootOutputFile:.*$", f"masterBootOutputFile: {out / 'their.bin'}", text)
        f.write_text(text)
    nxp("nxpimage", "mbi", "export", "-c", out / "case/config.yaml")
    mfgpkg("mbi", "verify", "-q", out / "their.bin")
    ranges = facts.get("variable_ranges", [])
    need(blank((out / "our.bin").read_bytes(), ranges) == blank((out / "their.bin").read_bytes(), ranges),
         "images differ outside of what changes from run to run")
    return "bytes equal outside signatures"


def pfr_both(name, kind):
    out = fresh("pfr-" + name)
    config = VECTORS / "pfr" / f"{name}.yaml"
    mfgpkg("pfr", "export", "-q", "-c", config, "-o", out / "our.bin")
    nxp("pfr", "export", "-c", config, "-o", out / "their.bin")
    need((out / "our.bin").read_bytes() == (out / "their.bin").read_bytes(), "pages differ")
    nxp("pfr", "parse", "-f", "mcxn947", "-t", kind, "-b", out / "our.bin", "-o", out / "parsed.yaml")
    mfgpkg("pfr", "parse", out / "their.bin", "--type", kind)
    return "bytes equal"


# --- NXP's host tools against the simulator -----------------------------------------------------------


class Sim:
    def __init__(self, count):
        self.dir = fresh("sim")
        self.report = self.dir / "report.json"
        self.p = subprocess.Popen([str(OURS / "mcxsim"), "--family", "mcxn947", "--dir", str(self.dir),
                                   "--count", str(count), "--seed", "1", "--report", str(self.report)],
                                  stdout=subprocess.PIPE, text=True)
        line = self.p.stdout.readline()
        if not line.startswith("ready"):
            raise Failed(f"mcxsim: {line}")

    def port(self, i):
        return f"{self.dir}/ttyMCX{i},115200"

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        self.p.wait(timeout=20)
        return json.loads(self.report.read_text())


def blhost(port, *args, **kw):
    text = nxp("blhost", "-j", "-p", port, "--", *args, **kw)
    reply = json.loads(text[text.index("{"):])
    need(reply["status"]["value"] == 0, f"blhost {args[0]}: {reply['status']['description']}")
    return reply


def blhost_memory():
    sim = Sim(1)
    try:
        port = sim.port(0)
        words = blhost(port, "get-property", 1)["response"]
        need(words[0] >> 24 == 0x4B, f"version {words[0]:#x}")
        blhost(port, "get-property", 18)
        data = WORK / "data.bin"
        data.write_bytes(bytes((i * 7 + 3) & 0xFF for i in range(3000)))
        blhost(port, "flash-erase-region", 0x10000, 0x2000)
        blhost(port, "write-memory", 0x10000, data)
        back = WORK / "back.bin"
        blhost(port, "read-memory", 0x10000, 3000, back)
        need(back.read_bytes() == data.read_bytes(), "memory read back differs")
        blhost(port, "fill-memory", 0x20008000, 64, "0x12345678", "word")
        blhost(port, "reset")
    finally:
        sim.stop()
    return "3000 bytes written and read back"


def devhsm(direction):
    """A provisioning SB made by one side's host tool, accepted by another device through blhost."""
    out = fresh("devhsm-" + direction)
    src = VECTORS / "sb31/devhsm-mock"
    for f in ("oem_seed.bin", "cust_mk_sk.bin", "cmpa.bin", "cfpa.bin"):
        shutil.copy(src / f, out)
    (out / "config.yaml").write_text(
        "family: mcxn947\nrevision: latest\noemRandomShare: oem_seed.bin\n"
        "containerKeyBlobEncryptionKey: cust_mk_sk.bin\ncontainerOutputFile: prov.sb3\n"
        "commands:\n- load:\n    address: '0x20008000'\n    file: cmpa.bin\n"
        "- fillMemory:\n    address: '0x20009000'\n    size: 64\n    pattern: '0x55'\n")
    sim = Sim(2)
    try:
        if direction == "theirs":
            nxp("nxpdevhsm", "generate", "-p", sim.port(0), "-c", out / "config.yaml")
        else:
            mfgpkg("devhsm", "generate", "-q", "-c", out / "config.yaml", "-p",
                   sim.port(0).split(",")[0], "-o", out / "prov.sb3", "--no-passphrase")
        text = mfgpkg("sb31", "verify", "-q", out / "prov.sb3")
        need("good" in text, text)
        blhost(sim.port(1), "receive-sb-file", out / "prov.sb3")
    finally:
        report = sim.stop()
    need(len(report[1]["sb_accepted"]) == 1, f"report: {json.dumps(report[1])[:300]}")
    return "accepted by a second device"


def main():
    print(f"ours: {mfgpkg('--version').strip()}; theirs: {nxp('nxpimage', '--version').strip()}")
    sb31 = sorted(p.parent for p in VECTORS.glob("sb31/*/cert_block.yaml")) + [VECTORS / "sb31/binary-cert-block"]
    sb31 += sorted(p.parent for p in VECTORS.glob("spsdk-golden/sb3_*/config.yaml"))
    for d in sb31:
        case("ours to theirs", f"sb31 {d.name}", lambda d=d: sb31_ours_to_theirs(d))
        case("theirs to ours", f"sb31 {d.name}", lambda d=d: sb31_theirs_to_ours(d))
    for d in sorted(p.parent for p in VECTORS.glob("sb31/*isk*/cert_block.yaml")):
        case("both ways", f"cert-block {d.name}", lambda d=d: cert_block_both(d))
    for c in json.loads((VECTORS / "rkth/rkth.json").read_text())["cases"]:
        case("both ways", f"rkth {c['case']}", lambda c=c: rkth_both(c))
    for d in sorted(p.parent for p in VECTORS.glob("mbi/*/config.yaml")):
        case("both ways", f"mbi {d.name}", lambda d=d: mbi_both(d))
    for name in ("cmpa_defaults", "cmpa_boot_fields", "cmpa_socu_closed", "cmpa_all_registers",
                 "cfpa_defaults", "cfpa_lc_in_field", "cfpa_counters", "cfpa_all_registers"):
        case("both ways", f"pfr {name}", lambda n=name: pfr_both(n, n[:4]))
    case("theirs on ours", "blhost on mcxsim", blhost_memory)
    case("theirs on ours", "nxpdevhsm generate on mcxsim", lambda: devhsm("theirs"))
    case("ours and theirs", "mfgpkg devhsm, blhost receive-sb-file", lambda: devhsm("ours"))
    shutil.rmtree(WORK, ignore_errors=True)
    failed = [r for r in ROWS if r[0] != "ok"]
    print(f"interop: {len(ROWS) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not ROWS else 0


if __name__ == "__main__":
    sys.exit(main())
