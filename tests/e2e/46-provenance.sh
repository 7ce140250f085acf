#!/bin/bash
# 46-provenance - the proof in a package that its OEM logged it: checked by `mfgpkg verify`, with the
# workspace's log key and without; and a proof that is foreign, edited, about another package, missing.
. "$(dirname "$0")/lib.sh"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/good.mfgpkg"
PUB=$T/oem/keys/package.pub
VKEY=$(cat "$T/oem/workspace/log.vkey")
NAME=provenance/workspace.tlog-proof

# bad.mfgpkg is good.mfgpkg with another proof: `edit CODE` runs Python with the proof's text in `proof`,
# its leaf as text in `leaf`, and `forge(leaf)`, which makes a log of one leaf under a key of its own.
edit() {
	/usr/bin/python3 - "$T" "$1" <<'PY' # Debian's: it has python3-nacl
import base64, hashlib, struct, sys, zipfile
sys.path.insert(0, "tests/e2e")
from repack import canonical
from nacl.signing import SigningKey
t, code = sys.argv[1:]
z = zipfile.ZipFile(t + "/good.mfgpkg")
entries = [(n, z.read(n)) for n in z.namelist()]
name = "provenance/workspace.tlog-proof"
proof = dict(entries)[name].decode()
b64 = lambda b: base64.b64encode(b).decode()
leaf = base64.b64decode(proof.split("\n")[1].split()[1]).decode()
origin = proof.split("\n\n")[1].split("\n")[0]


def with_leaf(text, new):
    lines = text.split("\n")
    lines[1] = "extra " + b64(new.encode())
    return "\n".join(lines)


def forge(new):
    key = SigningKey(b"\x42" * 32)
    pub = b"\x01" + bytes(key.verify_key)
    root = hashlib.sha256(b"\0" + new.encode()).digest()
    text = f"{origin}\n1\n{b64(root)}\n"
    number = hashlib.sha256(origin.encode() + b"\n" + pub).digest()[:4]
    sig = key.sign(text.encode()).signature
    return f"c2sp.org/tlog-proof@v1\nextra {b64(new.encode())}\nindex 0\n\n{text}\n\u2014 {origin} {b64(number + sig)}\n"


scope = dict(globals())
exec(code, scope)
proof = scope["proof"]
entries = [(n, d) for n, d in entries if n != name]
if proof is not None:
    entries.append((name, proof.encode()))
open(t + "/bad.mfgpkg", "wb").write(canonical(entries))
PY
}
# refused MESSAGE...: by the log key; with `always` first also without one.
refused() {
	local always=; [ "$1" != always ] || { always=1; shift; }
	expect 3 "^mfgpkg: .*bad.mfgpkg: $NAME: $1" mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --log-key "$VKEY"
	if [ $always ]; then
		expect 3 "^mfgpkg: .*bad.mfgpkg: $NAME: $1" mfgpkg verify "$T/bad.mfgpkg" -P "$PUB"
		expect 3 "bad.mfgpkg: $NAME: $1" runner verify --state "$T/station" "$T/bad.mfgpkg"
	else
		expect 0 accepted mfgpkg verify "$T/bad.mfgpkg" -P "$PUB"
	fi
}
runner station init --state "$T/station" --name line3 -q
runner trust add --state "$T/station" "$PUB" -q

step "right: with the log key and without, and unchanged it is the same file"
expect 0 accepted mfgpkg verify "$T/good.mfgpkg" -P "$PUB" --log-key "$VKEY"
expect 0 accepted mfgpkg verify "$T/good.mfgpkg" -P "$PUB"
edit ''
cmp "$T/good.mfgpkg" "$T/bad.mfgpkg" || fail "the editor changes what it should not"
[ "$(sqlite3 "$T/oem/workspace/log.db" "select data from leaf where data->>'\$.kind'='package'")" = \
	"$(unzip -p "$T/good.mfgpkg" $NAME | sed -n 's/^extra //p' | base64 -d)" ] || fail "the leaf is not the one of the OEM's log"

step "foreign: another log says the same about the package; without the key nobody can tell"
edit 'proof = forge(leaf)'
refused 'no signature by a known key$'
OTHER=$(jq -r .station.key tests/vectors/evidence/example-log/order.json)
expect 3 "$NAME: no signature by a known key\$" mfgpkg verify "$T/good.mfgpkg" -P "$PUB" --log-key "$OTHER"

step "edited: a hash of the path, the place, the leaf, the checkpoint, its signature"
edit 'l = proof.split("\n"); l[3] = b64(hashlib.sha256(b"x").digest()); proof = "\n".join(l)'
refused always 'leaf [0-9]+ is not in the tree of [0-9]+ leaves with this root$'
edit 'l = proof.split("\n"); l[2] = "index 3"; proof = "\n".join(l)'
refused always 'path of [0-9]+ hashes is too short for leaf 3 of [0-9]+$'
edit 'l = proof.split("\n"); del l[3]; proof = "\n".join(l)'
refused always 'path of [0-9]+ hashes is too short for leaf [0-9]+ of [0-9]+$'
edit 'proof = with_leaf(proof, leaf.replace("\"result\":\"built\"", "\"result\":\"BUILT\""))'
refused always 'leaf [0-9]+ is not in the tree of [0-9]+ leaves with this root$'
edit 'h, n = proof.split("\n\n", 1); o, s, r, rest = n.split("\n", 3); proof = h + "\n\n" + "\n".join([o, str(int(s) + 1), r, rest])'
refused always 'path of [0-9]+ hashes is too short for leaf [0-9]+ of [0-9]+$'
edit 'i = proof.rindex(" ") + 20; proof = proof[:i] + ("A" if proof[i] != "A" else "B") + proof[i + 1:]
i = proof.index("\u2014") ; j = proof.index(" ", proof.index(" ", i) + 1) + 20; proof = proof[:j] + ("A" if proof[j] != "A" else "B") + proof[j + 1:]'
refused 'signature of .* \(key [0-9a-f]{8}\) does not verify$'

step "about another package, or no package at all"
edit 'd = leaf.split("\"package\":\"")[1][:64]; proof = forge(leaf.replace(d, "ab" * 32))'
refused always "about another package \((ab){32}\)\$"
edit 'proof = forge(leaf.replace("\"kind\":\"package\"", "\"kind\":\"artifact\""))'
refused always 'a leaf of kind "artifact", "package" wanted$'
edit 'proof = "\n".join(l for l in proof.split("\n") if not l.startswith("extra"))'
refused always 'no leaf in it \(extra\)$'
edit 'proof = ""'
refused always 'ends before the checkpoint$'

step "missing: no proof is no fault, unless the log key asks for one"
edit 'proof = None'
expect 0 accepted mfgpkg verify "$T/bad.mfgpkg" -P "$PUB"
expect 3 'bad.mfgpkg: .*provenance' mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --log-key "$VKEY"
echo "provenance: ok"
