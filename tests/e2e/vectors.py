#!/usr/bin/env python3
"""vectors.py MFGPKG SCRATCH: runs mfgpkg over tests/vectors/{sb31,mbi,spsdk-golden,rkth,pfr} and
mboot/devhsm_*; prints how many of each, exit 1 when one fails or is not known."""
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

MFGPKG, SCRATCH = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
V = Path("tests/vectors")
FAILURES = []
COUNT = {}

# Defects of the reference that are refused (or done right) here; README and manual name them.
REFUSED = {
    "cmpa_wrap_exact_2pow": "32 is too large for 5 bits",
    "cmpa_header_changed": "the marker HEADER must stay 0x5963",
}
DIFFERENT = {"cmpa_uid_no_inverse"}  # the inverse half is computed here, with a warning
# Stored files that an older generator made: they verify, and the configuration makes others.
NOT_REBUILT = {"mb_xip_256_none_2_keys"}
SUPPORT = {"README.md", "LICENSE.BSD-3-Clause", "files", "keys", "rot", "index.json"}


def mfgpkg(*args):
    p = subprocess.run([str(MFGPKG), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def need(ok, what):
    if not ok:
        FAILURES.append(what)
        print("not ok", what)
    return ok


def done(kind):
    COUNT[kind] = COUNT.get(kind, 0) + 1


def zeroed(data, ranges):
    out = bytearray(data)
    for off, n in ranges:
        out[off:off + n] = bytes(n)
    return bytes(out)


def good(name, *args):
    rc, out, err = mfgpkg(*args)
    return need(rc == 0, f"{name}: {' '.join(map(str, args[:2]))}: exit {rc}: {err.strip()}") and out


def sb31(d, facts):
    expected = d / facts["expected"]
    key = []
    if facts.get("encrypted"):
        mk = SCRATCH / "mk.bin"
        mk.write_bytes(bytes.fromhex(facts["cust_mk_sk"]))
        mk.chmod(0o600)
        key = ["--key", mk, "--kdk-access-rights", facts["kdk_access_rights"]]
    ours = SCRATCH / "out.sb3"
    ours.unlink(missing_ok=True)
    if good(d, "sb31", "export", "-c", d / facts["config"], "-o", ours, "--no-passphrase") is False:
        return
    ranges = [(s["offset"], s["length"]) for s in facts["ecdsa_signatures"]]
    for f in (expected, ours):
        good(f"{d} {f.name}", "sb31", "verify", "-q", f, "--rkth", facts["rkth"], *key)
    need(zeroed(ours.read_bytes(), ranges) == zeroed(expected.read_bytes(), ranges), f"{d}: other bytes")
    need(hashlib.sha256(zeroed(ours.read_bytes(), ranges)).hexdigest() == facts["sha256_signatures_zeroed"], f"{d}: digest")
    done("sb31")


def sb31_devhsm(d, facts):
    out = good(d, "sb31", "parse", "--json", d / facts["expected"])
    need(out and facts["oem_enc_share"] in out.lower(), f"{d}: parse does not show the OEM share")
    good(d, "sb31", "verify", "-q", d / facts["expected"])
    need('"tests/vectors/sb31/devhsm-mock' in Path("tests/unit/test_devhsm.c").read_text(),
         f"{d}: no unit test makes it again from the device's answers")
    done("sb31-devhsm")


def mbi(d, facts):
    ours, expected = SCRATCH / "out.bin", d / facts["expected"]
    rkth = ["--rkth", facts["rkth"]] if "rkth" in facts else []
    good(d, "mbi", "verify", "-q", expected, *rkth)
    if good(d, "mbi", "export", "-c", d / facts["config"], "-o", ours, "--no-passphrase") is False:
        return
    good(d, "mbi", "verify", "-q", ours)
    if facts.get("regenerates_from_config") is False:
        need(d.name in NOT_REBUILT, f"{d}: says that it cannot be made again, and is not in the table")
    else:
        r = facts["variable_ranges"]
        need(zeroed(ours.read_bytes(), r) == zeroed(expected.read_bytes(), r), f"{d}: other bytes")
        need(hashlib.sha256(zeroed(ours.read_bytes(), r)).hexdigest() == facts["sha256_variable_ranges_zeroed"], f"{d}: digest")
    done("mbi")


FORMATS = {"sb31": sb31, "sb31-devhsm": sb31_devhsm, "mbi": mbi}


def folders(name):
    for d in sorted((V / name).iterdir()):
        if d.name in SUPPORT:
            continue
        case = d / "case.json"
        if not need(case.is_file(), f"{d}: not a case: no case.json"):
            continue
        facts = json.loads(case.read_text())
        if not need(facts.get("format") in FORMATS, f"{d}: format {facts.get('format')} is in no table"):
            continue
        # What is in the folder belongs to the case.
        text = case.read_text() + "".join(f.read_text() for f in d.glob("*.yaml"))
        for f in sorted(d.iterdir()):
            need(f.name in ("case.json", "README.md") or f.name in text, f"{f}: no case names it")
        FORMATS[facts["format"]](d, facts)


def rkth():
    doc = json.loads((V / "rkth/rkth.json").read_text())
    need({f.name for f in (V / "rkth").iterdir()} == {"README.md", "rkth.json"}, "rkth: a file that no row knows")
    need(len({c["case"] for c in doc["cases"]}) == len(doc["cases"]), "rkth: a case twice")
    for c in doc["cases"]:
        out = good(c["case"], "rkth", "-k", *[V / "rkth" / k for k in c["keys"]])
        need(out and out.strip() == c["rkth"], f"rkth {c['case']}: {out}")
        done("rkth")


def pfr_export(c, d, known):
    args = ["pfr", "export", "-c", d / c["config"], "-o", SCRATCH / "page.bin"]
    known.add(c["config"])
    for k in c.get("rot_keys", []):
        args += ["-k", d / k]
    if "rot_config" in c:
        args += ["--rot-config", d / c["rot_config"]]
    args += ["--seal"] if c.get("seal") else []
    (SCRATCH / "page.bin").unlink(missing_ok=True)
    rc, _, err = mfgpkg(*args)
    if c["expect"] == "error" or c["name"] in REFUSED:
        need(rc == 2 and not (SCRATCH / "page.bin").exists(), f"{c['name']}: exit {rc}, 2 wanted: {err}")
        need(c["name"] not in REFUSED or REFUSED[c["name"]] in err, f"{c['name']}: {err}")
        need(re.search(r"\.yaml:\d+:\d+: |root key|keys", err), f"{c['name']}: no place in the message: {err}")
        known.add(c.get("binary"))
        return done("pfr refused")
    known.add(c["binary"])
    if not need(rc == 0, f"{c['name']}: exit {rc}: {err}"):
        return None
    want, ours = (d / c["binary"]).read_bytes(), (SCRATCH / "page.bin").read_bytes()
    need(hashlib.sha256(want).hexdigest() == c["sha256"], f"{c['name']}: the vector is damaged")
    if c["name"] in DIFFERENT:
        need(ours != want and "inverse" in err, f"{c['name']}: no warning, or the reference's bytes: {err}")
    else:
        need(ours == want, f"{c['name']}: other bytes")
    return done("pfr export")


def pfr():
    d, known = V / "pfr", set()
    cases = json.loads((d / "index.json").read_text())["cases"]
    for c in cases:
        if c["kind"] == "export":
            pfr_export(c, d, known)
        elif c["kind"] == "parse":
            known |= {c["binary"], c["full"], c["diff"]}
            for diff in (False, True):
                args = ["pfr", "parse", d / c["binary"], "--type", c["page"], "-o", SCRATCH / "again.yaml"]
                (SCRATCH / "again.yaml").unlink(missing_ok=True)
                if good(c["name"], *args, *(["--diff"] if diff else [])) is not False:
                    good(c["name"], "pfr", "export", "-c", SCRATCH / "again.yaml", "-o", SCRATCH / "again.bin")
                    need((SCRATCH / "again.bin").read_bytes() == (d / c["binary"]).read_bytes(), f"{c['name']}: export(parse) differs")
            done("pfr parse")
        elif c["kind"] == "fuses":
            known |= {c["config"], c["commands"]}
            out = good(c["name"], "fuses", "export", "-c", d / c["config"]) or ""
            lines = [line for line in out.splitlines() if not line.startswith("#")]
            need(lines == (d / c["commands"]).read_text().splitlines(), f"{c['name']}: other commands")
            done("fuses")
        else:
            need(False, f"pfr {c['name']}: kind {c['kind']} is in no table")
    for f in sorted(d.iterdir()):
        need(f.name in known | SUPPORT, f"{f}: no case names it")


def devhsm():
    """Sessions of a real host: replayed frame by frame by the unit test; the files through mfgpkg here."""
    d, test = V / "mboot", Path("tests/unit/test_devhsm.c").read_text()
    index = {c["file"]: c for c in json.loads((d / "index.json").read_text())}
    for f in sorted(d.glob("devhsm_*.jsonl")):
        stem = f.stem
        need(f.name in index, f"{f}: not in the index")
        need(f'check_session("{stem}"' in test, f"{f}: tests/unit/test_devhsm.c does not replay it")
        good(stem, "sb31", "verify", "-q", d / f"{stem}.sb")
        out = good(stem, "sb31", "parse", "--json", d / f"{stem}.sb")
        need(out and json.loads(out), f"{stem}: no JSON")
        need((d / f"{stem}.plain_commands.bin").stat().st_size % 256 == 0, f"{stem}: plain commands")
        done("devhsm")
    stems = {f.stem for f in d.glob("devhsm_*.jsonl")}
    for f in d.glob("devhsm_*"):
        need(f.name.split(".")[0] in stems, f"{f}: belongs to no session")


TABLE = {"sb31": lambda: folders("sb31"), "mbi": lambda: folders("mbi"), "spsdk-golden": lambda: folders("spsdk-golden"),
         "rkth": rkth, "pfr": pfr, "mboot": devhsm}
# Inputs of the others, and formats that other tests own.
OTHERS = {"keys", "firmware", "evidence"}
for entry in sorted(V.iterdir()):
    need(entry.name in TABLE or entry.name in OTHERS, f"{entry}: a folder of vectors that no test knows")
for run in TABLE.values():
    run()
print(", ".join(f"{n} {kind}" for kind, n in sorted(COUNT.items())))
# A check that lost its cases must not pass.
for kind, n in {"sb31": 20, "sb31-devhsm": 1, "mbi": 28, "rkth": 8, "pfr export": 58, "pfr refused": 17, "pfr parse": 11,
                "fuses": 5, "devhsm": 3}.items():
    need(COUNT.get(kind, 0) >= n, f"only {COUNT.get(kind, 0)} cases of {kind}, {n} wanted")
sys.exit(1 if FAILURES else 0)
