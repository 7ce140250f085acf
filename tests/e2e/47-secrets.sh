#!/bin/bash
# 47-secrets - each way in which a secret can get into a package, rightly signed and well-formed in all
# else: `mfgpkg verify --secrets` and, for what needs no secret to know it, plain `mfgpkg verify`
# refuse it with exit 3 and say what is where.
. "$(dirname "$0")/lib.sh"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/good.mfgpkg"
PUB=$T/oem/keys/package.pub KEY=$T/oem/keys/package.key
FILES=$(unzip -p "$T/good.mfgpkg" manifest.json |
	jq -c '.files | [{path: "docs/x.txt", role: "document", size: 0, sha256: ""}] + .')
# package_with FILE: $T/bad.mfgpkg, which is good.mfgpkg with FILE as one more document.
package_with() {
	python3 tests/e2e/repack.py "$T/good.mfgpkg" "$T/bad.mfgpkg" "$KEY" --manifest "files=$FILES" --set "docs/x.txt=$1"
}
# found NAME MESSAGE [plain]: $T/x as a document is refused; `plain`: also without --secrets.
n=0
found() {
	package_with "$T/x"
	expect 3 "^mfgpkg: .*bad.mfgpkg: docs/x.txt: $2" mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --secrets "$T/oem"
	[ "$(wc -l <"$T/out")" = 1 ] || fail "$1: more than one line"
	if [ "${3:-}" = plain ]; then
		expect 3 "^mfgpkg: .*bad.mfgpkg: docs/x.txt: " mfgpkg verify "$T/bad.mfgpkg" -P "$PUB"
	fi
	n=$((n + 1))
}
hex() { od -An -v -tx1 "$1" | tr -d " \n"; }
# The secrets of the workspace as bytes: mk, seed, rot.d (private number), mini.seed.
python3 - "$T" <<'PY'
import base64, re, subprocess, sys
t = sys.argv[1]
hexes = lambda f: bytes.fromhex(re.search(r"\b([0-9a-f]{32,64})\b", open(f"{t}/oem/keys/{f}").read()).group(1))
open(f"{t}/mk", "wb").write(hexes("cust_mk_sk.key"))
open(f"{t}/seed", "wb").write(hexes("oem_seed.key"))
der = subprocess.run(["openssl", "pkey", "-in", f"{t}/oem/keys/rot_p256_0.pem", "-outform", "DER"],
                     check=True, stdout=subprocess.PIPE).stdout
open(f"{t}/rot.der", "wb").write(der)
at = der.index(b"\x30\x77\x02\x01\x01\x04\x20") if b"\x30\x77\x02\x01\x01\x04\x20" in der else der.index(b"\x02\x01\x01\x04\x20") - 2
open(f"{t}/rot.d", "wb").write(der[at + 7:at + 39])
mini = base64.b64decode(open(f"{t}/oem/keys/package.key").read().split("\n")[1])
open(f"{t}/mini.seed", "wb").write(mini[62:94])
PY

step "nothing is found where nothing is"
echo "Put the board into the slot and press start." >"$T/x"
package_with "$T/x"
expect 0 accepted mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --secrets "$T/oem"

step "a secret of the workspace: raw, hex, base64, and each reversed"
for secret in mk seed rot.d mini.seed; do
	{ printf 'some text '; cat "$T/$secret"; } >"$T/x"
	found "$secret raw" 'holds the (secret|private)'
	python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read()[::-1])' "$T/$secret" >"$T/x"
	found "$secret reversed" 'holds the (secret .*, reversed|private)'
	hex "$T/$secret" >"$T/x"
	found "$secret hex" 'holds the secret .*, in hex'
	hex "$T/$secret" | tr a-f A-F >"$T/x"
	found "$secret HEX" 'holds the secret .*, in hex'
	base64 -w 0 "$T/$secret" >"$T/x"
	found "$secret base64" 'holds the secret .*, in base64'
	{ printf ab; cat "$T/$secret"; } | base64 -w 20 >"$T/x"
	found "$secret base64, shifted and in lines" 'holds the secret .*, in base64'
	python3 -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], "rb").read()[::-1])' "$T/$secret" | base64 -w 0 >"$T/x"
	found "$secret reversed base64" 'holds the secret .*, reversed, in base64'
done

step "private-key structures, of whoever: no secret is needed to know them"
cp "$T/oem/keys/rot_p256_0.pem" "$T/x"; found PEM 'holds a private key \(PEM\)|holds the secret' plain
openssl ecparam -name secp384r1 -genkey -noout -out "$T/x" 2>/dev/null; found 'PEM, SEC1' 'holds a private key \(PEM\)' plain
openssl genrsa -out "$T/x" 2048 2>/dev/null; found 'PEM, RSA' 'holds a private key \(PEM\)' plain
openssl ecparam -name prime256v1 -genkey -noout -outform DER -out "$T/x" 2>/dev/null; found 'DER, SEC1' 'holds an? (EC )?private key \(DER\)' plain
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -outform DER -out "$T/x" 2>/dev/null; found 'DER, PKCS#8' 'holds an? (EC )?private key \(DER\)' plain
minisign -G -f -W -s "$T/x" -p "$T/x.pub" >/dev/null </dev/null; found minisign 'holds a minisign secret key' plain

step "the raw private number of a public key inside the package"
{ printf 'some text '; cat "$T/rot.d"; } >"$T/x"
package_with "$T/x"
expect 3 'docs/x.txt: holds the private number of a public key in the package, at offset 10' mfgpkg verify "$T/bad.mfgpkg" -P "$PUB"
n=$((n + 1))

step "plaintext of the firmware: all of it, 64 bytes from the middle"
cp "$T/oem/firmware/frdm_mcxn947_led_blinky.bin" "$T/x"; found 'firmware' 'holds plain text of '
tail -c +3001 "$T/oem/firmware/frdm_mcxn947_led_blinky.bin" | head -c 64 >"$T/x"; found '64 bytes of it' 'holds plain text of '
cp "$T/oem/build/mbi.bin" "$T/x"; found 'the image' 'holds plain text of '

step "an SB3.1 that is not encrypted"
cp tests/vectors/sb31/p256-unencrypted-all/expected.sb3 "$T/x"
found 'unencrypted SB3.1' 'not encrypted: block 1 is a plain section header' plain

step "in the script and in the manifest"
HEX=$(hex "$T/mk")
unzip -p "$T/good.mfgpkg" scripts/program.blhost | sed "\$a# $HEX" >"$T/script"
python3 tests/e2e/repack.py "$T/good.mfgpkg" "$T/bad.mfgpkg" "$KEY" --set "scripts/program.blhost=$T/script"
expect 3 'scripts/program.blhost: holds the secret .*cust_mk_sk.key, in hex' mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --secrets "$T/oem/keys"
python3 tests/e2e/repack.py "$T/good.mfgpkg" "$T/bad.mfgpkg" "$KEY" --manifest "release=\"$HEX\""
expect 3 'manifest.json: holds the secret .*cust_mk_sk.key, in hex' mfgpkg verify "$T/bad.mfgpkg" -P "$PUB" --secrets "$T/oem/keys"
echo "$((n + 2)) finds"
