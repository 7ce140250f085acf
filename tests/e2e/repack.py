#!/usr/bin/env python3
"""repack.py IN.mfgpkg OUT.mfgpkg SECRET_KEY [--flip NAME:OFFSET] [--set NAME=FILE] [--manifest KEY=JSON] [--unsigned]

Takes a package apart, changes it, and puts it together again with right sizes, digests, canonical
container and (unless --unsigned) a right signature by the minisign program: what somebody who holds
a signing key could do. Written from the format description, independent of the C code.
"""
import argparse, hashlib, json, os, struct, subprocess, sys, tempfile, zipfile, zlib


def canonical(entries):
    """The one encoding of a list of (name, data): manifest.json first, the rest by name."""
    order = sorted(entries, key=lambda e: (e[0] != "manifest.json", e[0].encode()))
    body, directory = b"", b""
    for name, data in order:
        n = name.encode()
        common = struct.pack("<HHHHHIIIHH", 10, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(n), 0)
        directory += b"PK\1\2" + struct.pack("<H", 0x033F) + common + struct.pack("<HHHII", 0, 0, 0, 0x81A40000, len(body)) + n
        body += b"PK\3\4" + common + n + data
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, len(order), len(order), len(directory), len(body), 0)
    return body + directory + end


def main():
    p = argparse.ArgumentParser()
    p.add_argument("inp"), p.add_argument("out"), p.add_argument("key")
    p.add_argument("--flip", action="append", default=[])
    p.add_argument("--set", action="append", default=[])
    p.add_argument("--manifest", action="append", default=[])
    p.add_argument("--unsigned", action="store_true")
    a = p.parse_args()

    z = zipfile.ZipFile(a.inp)
    files = {n: z.read(n) for n in z.namelist() if not n.startswith(("signatures/", "provenance/"))}
    manifest = json.loads(files.pop("manifest.json"))
    for f in a.flip:
        name, off = f.rsplit(":", 1)
        data = bytearray(files[name])
        data[int(off, 0) % len(data)] ^= 1
        files[name] = bytes(data)
    for s in a.set:
        name, path = s.split("=", 1)
        files[name] = open(path, "rb").read()
    for m in a.manifest:
        key, value = m.split("=", 1)
        manifest[key] = json.loads(value)

    listed = [f["path"] for f in manifest["files"] if f["path"] != "SHA256SUMS"]
    files["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(listed, key=str.encode)).encode()
    for f in manifest["files"]:
        f["size"] = len(files[f["path"]])
        f["sha256"] = hashlib.sha256(files[f["path"]]).hexdigest()
    entries = [("manifest.json", json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")]
    entries += list(files.items())
    if not a.unsigned:
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "manifest.json")
            open(path, "wb").write(entries[0][1])
            subprocess.run(["minisign", "-S", "-s", a.key, "-m", path, "-t", "repacked"], check=True,
                           stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            sig = open(path + ".minisig", "rb").read()
        import base64
        number = int.from_bytes(base64.b64decode(sig.split(b"\n")[1])[2:10], "little")
        entries.append((f"signatures/{number:016x}.minisig", sig))
    open(a.out, "wb").write(canonical(entries))


if __name__ == "__main__":
    sys.exit(main())
