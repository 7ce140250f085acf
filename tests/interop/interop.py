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
# Defects of the reference that we refuse or do right; the manual names them.
PFR_DIFFERENT = {"cmpa_wrap_exact_2pow", "cmpa_header_changed", "cmpa_uid_no_inverse"}
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
        text = text.replace("../files/", str(VECTORS / "spsdk-golden/files") + "/")
        text = re.sub(r"(?m)^masterBootOutputFile:.*$", f"masterBootOutputFile: {out / 'their.bin'}", text)
        f.write_text(text)
    nxp("nxpimage", "mbi", "export", "-c", out / "case/config.yaml")
    mfgpkg("mbi", "verify", "-q", out / "their.bin")
    ranges = facts.get("variable_ranges", [])
    if facts.get("regenerates_from_config") is False:  # the stored file is of an older generator
        ranges = [((out / "our.bin").stat().st_size - 64, 64)]
    need(blank((out / "our.bin").read_bytes(), ranges) == blank((out / "their.bin").read_bytes(), ranges),
         "images differ outside of what changes from run to run")
    return "bytes equal outside signatures"


def pfr_both(c):
    name, kind = c["name"], c["page"]
    out = fresh("pfr-" + name)
    pages = VECTORS / "pfr"
    ours, theirs = [], []
    for k in c.get("rot_keys", []):
        ours += ["-k", pages / k]
        theirs += ["-sf", pages / k]
    if "rot_config" in c:
        ours += ["--rot-config", pages / c["rot_config"]]
        theirs += ["-e", pages / c["rot_config"]]
    if c.get("seal"):
        ours.append("--seal")
        theirs.append("-a")
    config = pages / c["config"]
    mfgpkg("pfr", "export", "-q", "-c", config, "-o", out / "our.bin", *ours)
    nxp("pfr", "export", "-c", config, "-o", out / "their.bin", *theirs)
    need((out / "our.bin").read_bytes() == (out / "their.bin").read_bytes(), "pages differ")
    nxp("pfr", "parse", "-f", "mcxn947", "-t", kind, "-b", out / "our.bin", "-o", out / "parsed.yaml")
    # A page whose marker the configuration changed word by word is made, but not taken for a page.
    marker = {"cmpa": 0x5963, "cfpa": 0x9635}[kind]
    good = int.from_bytes((out / "their.bin").read_bytes()[2:4], "little") == marker
    mfgpkg("pfr", "parse", out / "their.bin", "--type", kind, rc=0 if good else 3)
    return "bytes equal"


def fuses_both(name):
    out = fresh("fuses-" + name)
    config = VECTORS / "pfr" / f"{name}.yaml"
    mfgpkg("fuses", "export", "-q", "-c", config, "-o", out / "our.bcf")
    nxp("nxpfuses", "fuses-script", "-c", config, "-o", out / "their.bcf")

    def commands(path):
        return [line.split("#")[0].split() for line in path.read_text().splitlines() if line.split("#")[0].strip()]

    need(commands(out / "our.bcf") == commands(out / "their.bcf"), "other commands")
    return f"{len(commands(out / 'our.bcf'))} commands equal"


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


def blhost_fuses():
    """NXP's blhost runs the fuse script that we made."""
    out = fresh("blhost-fuses")
    mfgpkg("fuses", "export", "-q", "-c", VECTORS / "pfr/fuses_lifecycle_develop.yaml", "-o", out / "fuses.bcf")
    sim = Sim(1)
    try:
        port = sim.port(0)
        for line in (out / "fuses.bcf").read_text().splitlines():
            args = line.split("#")[0].split()
            if args:
                blhost(port, *args)
        word = blhost(port, "efuse-read-once", 1)["response"][-1]
    finally:
        report = sim.stop()
    need(word == 0x03000003, f"fuse 1 is {word:#x}")
    need(report[0]["fuses"] == {"1": "0x03000003"}, f"report: {report[0]['fuses']}")
    return "fuse 1 = 0x03000003"


def blhost_session():
    """The steps of a device-HSM session, one blhost call each."""
    out = fresh("blhost-session")
    seed = VECTORS / "sb31/devhsm-mock/oem_seed.bin"
    sim = Sim(1)
    try:
        port = sim.port(0)
        blhost(port, "write-memory", 0x20008000, seed)
        words = blhost(port, "trust-provisioning", "oem_gen_master_share", 0x20008000, 16, 0x20008100, 256,
                       0x20008200, 256, 0x20008300, 256)["response"]
        need(words[:3] == [48, 64, 64], f"sizes {words}")
        blhost(port, "read-memory", 0x20008200, 64, out / "share.bin")
        blhost(port, "trust-provisioning", "hsm_gen_key", "MFWISK", 0, 0x20008000, 256, 0x20008100, 256)
        blhost(port, "reset")
        time.sleep(0.5)
        blhost(port, "write-memory", 0x20008000, seed)
        blhost(port, "write-memory", 0x20008100, out / "share.bin")
        blhost(port, "trust-provisioning", "oem_set_master_share", 0x20008000, 16, 0x20008100, 64)
        blhost(port, "flash-erase-all")
    finally:
        sim.stop()
    return "share made, restored after a reset"


def devhsm_restore():
    """A share that NXP's tool made is restored by ours; both sign with the same key."""
    out = fresh("devhsm-restore")
    src = VECTORS / "sb31/devhsm-mock"
    for f in ("oem_seed.bin", "cust_mk_sk.bin", "cmpa.bin", "cfpa.bin"):
        shutil.copy(src / f, out)
    head = ("family: mcxn947\nrevision: latest\noemRandomShare: oem_seed.bin\n"
            "containerKeyBlobEncryptionKey: cust_mk_sk.bin\ncontainerOutputFile: prov.sb3\n")
    tail = "commands:\n- load:\n    address: '0x20008000'\n    file: cmpa.bin\n"
    (out / "first.yaml").write_text(head + "workspace: ws\n" + tail)
    (out / "second.yaml").write_text(head + "oemEncMasterShare: share.bin\n" + tail)
    sim = Sim(3)
    try:
        nxp("nxpdevhsm", "generate", "-p", sim.port(0), "-c", out / "first.yaml", cwd=out)
        shares = sorted((out / "ws").glob("*MASTER_SHARE*"))
        need(shares, f"no master share in {sorted(p.name for p in (out / 'ws').iterdir())}")
        shutil.copy(shares[0], out / "share.bin")
        mfgpkg("devhsm", "generate", "-q", "-c", out / "second.yaml", "-p", sim.port(1).split(",")[0],
               "-o", out / "second.sb3", "--no-passphrase")
        mfgpkg("sb31", "verify", "-q", out / "second.sb3")
        blhost(sim.port(2), "receive-sb-file", out / "second.sb3")
        first = (out / "prov.sb3").read_bytes()
    finally:
        report = sim.stop()
    need(first[108:172] == (out / "second.sb3").read_bytes()[108:172], "other signing keys")
    need(len(report[2]["sb_accepted"]) == 1, "the third device does not take it")
    return "same signing key, accepted by a third device"


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
    sim = Sim(4)
    try:
        if direction == "theirs":
            nxp("nxpdevhsm", "generate", "-p", sim.port(0), "-c", out / "config.yaml")
        else:
            mfgpkg("devhsm", "generate", "-q", "-c", out / "config.yaml", "-p",
                   sim.port(0).split(",")[0], "-o", out / "prov.sb3", "--no-passphrase")
        text = mfgpkg("sb31", "verify", "-q", out / "prov.sb3")
        need("good" in text, text)
        facts = json.loads(mfgpkg("sb31", "parse", "--json", out / "prov.sb3"))
        need(json.dumps(facts).find("oem_share") >= 0, "parse does not explain it")
        for i in (1, 2, 3):
            blhost(sim.port(i), "receive-sb-file", out / "prov.sb3")
    finally:
        report = sim.stop()
    need(all(len(r["sb_accepted"]) == 1 for r in report[1:]), f"report: {json.dumps(report[1])[:300]}")
    return "parsed; accepted by three other devices"


def workspace():
    """A workspace made of SPSDK's own templates, as the README's OEM chapter leads it to a package."""
    out = fresh("workspace")

    def template(name, *args):
        nxp(*args, "-f", "mcxn947", "-o", out / name)
        return (out / name).read_text()

    def write(name, text, *subs):
        for pattern, value in subs:
            text, n = re.subn("(?m)" + pattern, value, text)
            need(n, f"{name}: the template has no {pattern}")
        (out / name).write_text(text)

    for i in range(4):
        nxp("nxpcrypto", "key", "generate", "-k", "secp256r1", "-o", out / f"rot{i}.pem")
    shutil.copy(TOP / "samples/mcxn947-blinky/firmware/frdm_mcxn947_led_blinky.bin", out / "app.bin")
    shutil.copy(TOP / "samples/mcxn947-blinky/program.blhost", out)
    (out / "cust_mk_sk.txt").write_text(os.urandom(32).hex())
    (out / "seed.bin").write_bytes(os.urandom(16))
    write("cert_block.yaml", template("cert_block.yaml", "nxpimage", "cert-block", "get-template"),
          (r"my_certificate(\d)\.pub", r"rot\1.pub"), (r"^useIsk:.*", "useIsk: false"), (r"root_prv_key\.pem", "rot0.pem"),
          (r"^(iskPublicKey|iskCertData)", r"# \1"))
    nxp("nxpimage", "mbi", "get-templates", "-f", "mcxn947", "-o", out / "mbi")
    write("mbi.yaml", (out / "mbi/mcxn947_xip_signed.yaml").read_text(), (r"^trustZonePresetFile", "# trustZonePresetFile"),
          (r"^inputImageFile:.*", "inputImageFile: app.bin"), (r"^signer:.*", "signer: rot0.pem"),
          (r"^certBlock:.*", "certBlock: cert_block.yaml"), (r"^masterBootOutputFile:.*", "masterBootOutputFile: mbi.bin"))
    sb31 = template("sb31.yaml", "nxpimage", "sb31", "get-template")
    write("sb31.yaml", sb31[:sb31.index("\ncommands:")] + "\ncommands:\n  - erase: {address: 0, size: 0x10000}\n"
          "  - load: {address: 0, file: mbi.bin}\n", (r"root_prv_key\.pem", "rot0.pem"), (r"my_pck\.txt", "cust_mk_sk.txt"))
    nxp("pfr", "get-template", "-f", "mcxn947", "-t", "cmpa", "-o", out / "cmpa.yaml")
    nxp("pfr", "get-template", "-f", "mcxn947", "-t", "cfpa", "-o", out / "cfpa.yaml")
    for page in ("cmpa", "cfpa"):
        nxp("pfr", "export", "-c", out / f"{page}.yaml", "-o", out / "their.bin")
        mfgpkg("pfr", "export", "-q", "-c", out / f"{page}.yaml", "-o", out / "our.bin")
        need((out / "our.bin").read_bytes() == (out / "their.bin").read_bytes(), f"{page}: the template gives other bytes")
    write("cfpa.yaml", (out / "cfpa.yaml").read_text(), (r"CMPA_UPD: .*", "CMPA_UPD: TO_OEM_CLOSED"))
    write("devhsm.yaml", template("devhsm.yaml", "nxpdevhsm", "get-template"), (r"cust_mk_sk\.bin", "cust_mk_sk.txt"),
          (r"oem_seed\.bin", "seed.bin"), (r"^oemEncMasterShare", "# oemEncMasterShare"),
          (r"file: (cmpa|cfpa)\.bin", r"file: build/\1.bin"))
    for f in [*out.glob("*.pem"), out / "cust_mk_sk.txt", out / "seed.bin"]:
        f.chmod(0o600)
    (out / "workspace.yaml").write_text("oem: acme.example\nname: myproduct\n")
    mfgpkg("template", "release", "-o", out / "release.yaml")
    (out / "keys").mkdir()
    mfgpkg("keys", "generate", "--type", "package", "-o", out / "keys/package.key", "--no-passphrase")
    write("release.yaml", (out / "release.yaml").read_text(), (r"^workspace:.*", ""))
    sim = Sim(1)
    try:
        text = mfgpkg("create", "-c", out / "release.yaml", "-p", sim.port(0), "-o", out / "p.mfgpkg", "--no-passphrase")
    finally:
        sim.stop()
    need("unknown key" not in text, f"a key of the templates is unknown: {text[-300:]}")
    mfgpkg("verify", out / "p.mfgpkg", "-P", out / "keys/package.pub")
    return "package accepted"


def main():
    version = run(THEIRS / "python", "-c", "import spsdk; print(spsdk.__version__)").strip()
    print(f"ours: {mfgpkg('--version').strip()}; theirs: SPSDK {version} (Python {sys.version.split()[0]})")
    sb31 = sorted(p.parent for p in VECTORS.glob("sb31/*/cert_block.yaml")) + [VECTORS / "sb31/binary-cert-block"]
    sb31 += sorted(p.parent for p in VECTORS.glob("spsdk-golden/sb3_*/config.yaml"))
    for d in sb31:
        case("ours to theirs", f"sb31 {d.name}", lambda d=d: sb31_ours_to_theirs(d))
        case("theirs to ours", f"sb31 {d.name}", lambda d=d: sb31_theirs_to_ours(d))
    for d in sorted(p.parent for p in VECTORS.glob("sb31/*isk*/cert_block.yaml")):
        case("both ways", f"cert-block {d.name}", lambda d=d: cert_block_both(d))
    for c in json.loads((VECTORS / "rkth/rkth.json").read_text())["cases"]:
        case("both ways", f"rkth {c['case']}", lambda c=c: rkth_both(c))
    for d in sorted([*(p.parent for p in VECTORS.glob("mbi/*/config.yaml")),
                     *(p.parent for p in VECTORS.glob("spsdk-golden/mb_*/config.yaml"))]):
        case("both ways", f"mbi {d.name}", lambda d=d: mbi_both(d))
    for c in json.loads((VECTORS / "pfr/index.json").read_text())["cases"]:
        if c["kind"] == "export" and c["expect"] == "ok" and c["name"] not in PFR_DIFFERENT:
            case("both ways", f"pfr {c['name']}", lambda c=c: pfr_both(c))
    for name in sorted(p.stem for p in VECTORS.glob("pfr/fuses_*.yaml")):
        case("both ways", f"fuses {name}", lambda n=name: fuses_both(n))
    case("theirs on ours", "blhost on mcxsim", blhost_memory)
    case("theirs on ours", "blhost runs our fuse script", blhost_fuses)
    case("theirs on ours", "blhost trust-provisioning", blhost_session)
    case("theirs on ours", "nxpdevhsm generate on mcxsim", lambda: devhsm("theirs"))
    case("ours and theirs", "mfgpkg devhsm, blhost receive-sb-file", lambda: devhsm("ours"))
    case("theirs to ours", "workspace of SPSDK's templates", workspace)
    case("ours and theirs", "share of nxpdevhsm restored by us", devhsm_restore)
    shutil.rmtree(WORK, ignore_errors=True)
    failed = [r for r in ROWS if r[0] != "ok"]
    print(f"interop: {len(ROWS) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not ROWS else 0


if __name__ == "__main__":
    sys.exit(main())
