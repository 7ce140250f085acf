#!/usr/bin/python3
"""audit_verify.py LOG [-P OEM.pub]... - a second verifier of audit logs, written from the description of the format; shares
nothing with mfgpkg. Checks leaf grammar, chain, tree, checkpoints with both signatures, epochs, order and its signature,
devices, clocks, totals, and that the file is a log and nothing else. Receipts and witnesses are left to mfgpkg.
Prints the verdict word, then faults. Exit 0 for PASS, 6 for other verdicts, 4 when the file cannot be read."""
import base64, hashlib, json, os, re, sqlite3, struct, sys
from datetime import datetime
from nacl.signing import VerifyKey

H = lambda b: hashlib.sha256(b).digest()
COMMON = "kind seq prev time boot_ms boot_id ".split()
RUN = "begin uuid step stage command "
MEMBERS = {k: COMMON + v.split() for k, v in {
    "genesis": "format role origin order order_sigs station epoch0 runner host",
    "package": "result file container package package_id product release sequence signers reason",
    "device-begin": "device uuid attempt slot port family revision lifecycle resumes",
    "intent": RUN + "why", "step": RUN + "intent result status tries ms bytes",
    "attestation": "begin uuid intent size challenge result status response",
    "device-end": "begin uuid result reason irreversible lifecycle attestation ms",
    "operator": "action operator text", "epoch-seal": "epoch size root next reason", "close": "reason totals",
    "clock": "cause wall_before wall_after boot_ms_before boot_ms_after delta_ms"}.items()}
WORKSPACE = {k: COMMON + v.split() for k, v in {
    "key": "action type file public", "artifact": "type file sha256 size inputs keys", "approval": "package package_id signer",
    "package": "result file package package_id product release sequence signers", "order": "order document package quantity signer"}.items()}
CHANGES = re.compile("receive-sb-file|write-memory|fill-memory|efuse-program-once|flash-program-once|flash-erase-|execute|call|trust-prov|configure-mem")
faults = []
def need(ok, what, leaf=None):
    if not ok: faults.append(what + ("" if leaf is None else " %d" % leaf))
    return ok
def unique(pairs):
    d = dict(pairs)
    if len(d) != len(pairs): raise ValueError("a member twice")
    return d
def parse(data):  # the grammar of a leaf: one canonical form, so writing it again gives the same bytes
    def refuse(text): raise ValueError("a real number")
    j = json.loads(data, object_pairs_hook=unique, parse_float=refuse, parse_constant=refuse)
    if json.dumps(j, ensure_ascii=False, separators=(",", ":")).replace("\\u007f", "\x7f").replace("\\/", "/") != data: raise ValueError("not canonical")
    if "\\u0000" in data or not 2 <= len(data.encode()) <= 65536: raise ValueError("NUL or length")
    return j
def vkey(text):  # NAME+id+base64(type, key): the id must be that of name and key
    name, ident, key = text.split("+", 2)
    raw = base64.b64decode(key, validate=True)
    if len(raw) != 33 or raw[0] not in (1, 4) or H(name.encode() + b"\n" + raw)[:4].hex() != ident: raise ValueError("verifier key")
    return name, raw[1:]
def ed25519(key, message, sig):
    try: return bool(VerifyKey(key).verify(message, sig)) or message == b""
    except Exception: return False
def minisign(pubs, text, sig_text):  # True, False, or None when no key has this id
    lines = sig_text.split("\n")
    sig, trusted = base64.b64decode(lines[1]), lines[2][len("trusted comment: "):].encode()
    known = [p for p in pubs if p[2:10] == sig[2:10]]
    ok = len(lines) == 5 and sig[:2] == b"ED" and any(ed25519(p[10:], hashlib.blake2b(text).digest(), sig[10:]) and
        ed25519(p[10:], sig[10:] + trusted, base64.b64decode(lines[3])) for p in known)
    return ok if known else None
def signed_by(origin, line, key, text):  # one signature line of a checkpoint
    m = re.fullmatch("\u2014 (\\S+) (\\S+)", line)
    raw = base64.b64decode(m[2]) if m and m[1] == origin else b""
    return raw[:4] == H(origin.encode() + b"\n\x01" + key)[:4] and ed25519(key, text.encode(), raw[4:])
class Tree:  # RFC 6962 with the roots of perfect subtrees only
    def __init__(self): self.n, self.stack = 0, []
    def add(self, data):  # the hashes that are stored for this leaf, its own first
        made, m = [H(b"\0" + data)], self.n
        while m & 1: made.append(H(b"\1" + self.stack.pop() + made[-1])); m >>= 1
        self.stack.append(made[-1]); self.n += 1
        return made
    def root(self):
        if not self.stack: return H(b"")
        r = self.stack[-1]
        for h in self.stack[-2::-1]: r = H(b"\1" + h + r)
        return r
def order_of(g, pubs):  # the order inside genesis: (document or None, signed by a trusted key)
    if g["order"] is None: return None, False
    o, said = json.loads(g["order"]), [minisign(pubs, g["order"].encode(), s) for s in g["order_sigs"]]
    need(False not in said and (True in said or not pubs), "order forged", 0)
    need(o["origin"] == g["origin"], "order of another log", 0)
    need(vkey(o["station"]["key"])[1] == vkey(g["station"]["key"])[1], "foreign station key", 0)
    need(o.get("epoch0", g["epoch0"]) == g["epoch0"], "foreign epoch key", 0)
    return o, True in said
def ms(t): return int((datetime.strptime(t, "%Y-%m-%dT%H:%M:%S.%fZ") - datetime(1970, 1, 1)).total_seconds() * 1000 + 0.5)
def verify(path, pubs):
    db = sqlite3.connect("file:%s?mode=ro&immutable=1" % path, uri=True)
    ours = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../schemas/log.sql")).read()
    for name, sql in db.execute("select name, sql from sqlite_schema"): need(sql and sql + ";" in ours, "foreign schema object " + name)
    need(db.execute("pragma application_id").fetchone()[0] == 1296451404 and db.execute("pragma integrity_check").fetchone()[0] == "ok", "not a log, or corrupt")
    tree, last, o, owned, g, epoch, sealed, closed = Tree(), b"\0" * 32, None, False, None, 0, False, None
    notes = dict(db.execute("select size, note from checkpoint"))
    nodes = (r[0] for r in db.execute("select hash from node order by id"))
    wal, boot, boot_id, devices, uuids, stages, accepted, irreversible = None, None, None, {}, {}, set(), False, set()
    total, ended, at, named = dict.fromkeys("begun passed failed interrupted attested".split(), 0), set(), 0, set()
    boots, used = set(), set()
    for row, data in db.execute("select seq, data from leaf order by seq"):
        n = tree.n
        if not need(row == n and isinstance(data, str), "leaf missing, renumbered or of a wrong type", n): return "FAIL"
        try:
            j = parse(data); kind = j["kind"]
            allowed = WORKSPACE.get(kind) if g and g["role"] == "workspace" and kind in WORKSPACE else MEMBERS.get(kind)
            need(list(j) == allowed and j["seq"] == n, "malformed leaf", n)
        except (ValueError, KeyError, TypeError) as e:
            need(False, "malformed leaf (%s)" % e, n); return "FAIL"
        need(j["prev"] == last.hex(), "edited leaf", n - 1)
        need(not sealed and (closed is None or kind == "epoch-seal"), "closed log continued", n)
        need((kind == "genesis") == (n == 0), "genesis", n)
        if wal is not None:
            dw, dbt = ms(j["time"]) - wal, j["boot_ms"] - boot
            same = j["boot_id"] == boot_id
            need(not same or dbt >= 0, "boot clock going back", n)
            if kind == "clock": need(j["delta_ms"] == dw - (dbt if same else 0) and ms(j["wall_before"]) == wal, "false clock leaf", n)
            else: need(same and dw >= 0 and abs(dw - dbt) <= 2000, "clock", n)
            need(same or j["boot_id"] not in boots, "backdated entries", n)
        wal, boot, boot_id = ms(j["time"]), j["boot_ms"], j["boot_id"]; boots.add(boot_id)
        if n == 0:
            g, (name, epoch_key), station = j, vkey(j["epoch0"]), vkey(j["station"]["key"])[1]
            need(name == j["origin"], "foreign epoch key", 0)
            o, owned = order_of(j, pubs)
        if kind == "epoch-seal":
            need(j["epoch"] == epoch and j["size"] == n and base64.b64decode(j["root"]) == tree.root(), "false seal", n)
            need((j["next"] is None) == (closed == n - 1), "false seal", n)
        if kind == "close": closed = n; need(j["totals"] == dict(total, leaves=n, irreversible=len(ended)), "false totals", n)
        made = tree.add(data.encode()); last = made[0]
        for h in made: need(next(nodes, None) == h, "edited tree node", n)
        note = notes.pop(tree.n, None)
        if note is not None:
            text = "%s\n%d\n%s\n" % (g["origin"], tree.n, base64.b64encode(tree.root()).decode())
            lines = note[len(text) + 1:].split("\n")
            need(note.startswith(text + "\n") and len(lines) == 3 and lines[2] == "" and signed_by(g["origin"], lines[0], epoch_key, text)
                 and signed_by(g["origin"], lines[1], station, text), "false checkpoint", n)
            at = tree.n
        if kind == "epoch-seal":
            need(note is not None, "seal without checkpoint", n); epoch += 1; sealed = j["next"] is None
            if not sealed: used.add(epoch_key); name, epoch_key = vkey(j["next"]); need(name == g["origin"] and epoch_key not in used, "false seal", n)
        d = devices.get(j.get("begin")) if "begin" in j else None
        if "begin" in j and not need(d and d["uuid"] == j["uuid"], "leaf without device", n): continue
        if kind == "package": named |= {j["package"], *j["signers"]}
        if kind == "package" and j["result"] == "accepted":
            accepted, package_id = True, bytes.fromhex(j["package_id"].replace("-", "")); need(not o or (j["package"], j["package_id"]) == (o["package"], o["package_id"]), "unordered package", n)
        elif kind == "device-begin":
            u = uuids.setdefault(j["uuid"], {"attempts": 0, "passed": False, "last": None}); u["attempts"] += 1; total["begun"] += 1
            need(accepted and j["device"] == total["begun"] - 1 and j["attempt"] == u["attempts"] and j["resumes"] in (None, u["last"]), "device-begin", n)
            need(all(x["uuid"] != j["uuid"] for x in devices.values()), "UUID twice", n)
            need(not o or o["not_before"] <= j["time"][:19] + "Z" <= o["not_after"], "outside the window", n)
            u["last"] = n; devices[n] = {"uuid": j["uuid"], "intent": None, "irreversible": False, "attested": None}
        elif kind == "intent":
            need(d["intent"] is None, "intent without outcome", n); d["intent"], d["root"] = j, tree.root()
            if j["why"] == "irreversible": d["irreversible"] = True; stages.add(j["stage"]); irreversible.add(j["uuid"])
            need(not o or len(irreversible) <= o["quantity"], "quantity exceeded", n)
        elif kind in ("step", "attestation"):
            i = d["intent"]
            if kind == "step" and j["intent"] is None: need(j["result"] == "skipped" or j["stage"] not in stages or not CHANGES.match(j["command"]), "outcome without intent", n); continue
            if not need(i and i["seq"] == j["intent"] and (i["why"] == "attestation") == (kind == "attestation"), "outcome without intent", n): continue
            need(kind != "step" or all(i[m] == j[m] for m in ("step", "stage", "command")), "outcome of another step", n); d["intent"] = None
            if kind == "attestation":
                asked = b"mfgpkg-dice-v1\0" + g["origin"].encode() + b"\0" + struct.pack(">Q", i["seq"] + 1) + d["root"] + package_id
                need(j["size"] == i["seq"] + 1 and j["challenge"] == H(asked).hex(), "receipt of another position", n)
                if j["result"] == "ok": total["attested"] += 1; d["attested"] = n
        elif kind == "device-end":
            need(d["intent"] is None or j["result"] == "interrupted", "intent without outcome", n)
            need(d["irreversible"] == j["irreversible"] and j["attestation"] in (None, d["attested"]), "irreversible step hidden or foreign receipt", n)
            if j["irreversible"]: ended.add(j["uuid"])
            total[{"pass": "passed", "fail": "failed"}.get(j["result"], j["result"])] += 1
            if j["result"] == "pass": need(not uuids[j["uuid"]]["passed"], "UUID twice", n); uuids[j["uuid"]]["passed"] = True
            del devices[j["begin"]]
    need(g, "head cut"); need(at == tree.n, "unsigned leaves", at); need(not notes, "tail cut", tree.n - 1)
    need(not (sealed and devices), "device without end"); need(next(nodes, None) is None, "edited tree node")
    for h, data in db.execute("select sha256, data from blob"):
        signer = base64.b64decode(data.split(b"\n")[1])[9:1:-1].hex() if data.startswith(b"untrusted") else None
        need(H(data) == h and (h.hex() in named or signer in named), "false or unnamed blob")
    if faults: return "FAIL"
    if g["role"] == "workspace": return "PASS"
    return "UNOWNED" if not owned else "PASS" if sealed else "INCOMPLETE"
def main(args):
    pubs = [base64.b64decode(open(args[i + 1]).read().split("\n")[1]) for i, a in enumerate(args) if a == "-P"]
    try: verdict = verify(args[0], pubs)
    except (sqlite3.Error, ValueError, KeyError, TypeError, IndexError, UnicodeError) as e: verdict = "FAIL"; faults.append("unreadable: %r" % e)
    except OSError as e: print(e, file=sys.stderr); return 4
    print("\n".join([verdict] + faults[:20]))
    return 0 if verdict == "PASS" else 6
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
