# Keys, RKTH, certificate block and SB3.1 from the command line, as an OEM works: exit codes, what is
# said, and no secret in any output.
. "$(dirname "$0")/lib.sh"
V=tests/vectors
W=$T/oem; mkdir -p "$W"
printf 'correct horse battery\n' >"$T/pass"

step "keys of all kinds, under a passphrase and plain"
expect 0 '' mfgpkg keys generate --type rot --curve p384 --count 4 -o "$W/keys" --passphrase-file "$T/pass"
expect 0 '' mfgpkg keys generate --type isk --curve p256 -o "$W/keys" --no-passphrase
expect 0 'plain.key: not encrypted: no terminal to ask for a passphrase' \
	mfgpkg keys generate --type cust-mk-sk -o "$W/plain.key" </dev/null
[ "$(stat -c %a "$W/plain.key")" = 600 ] || fail "a plain key of mode $(stat -c %a "$W/plain.key")"
expect 0 '' mfgpkg keys generate --type cust-mk-sk -o "$W/keys/mk.key" --no-passphrase
expect 0 '' mfgpkg keys generate --type oem-seed -o "$W/keys/seed.key" --passphrase-fd 3 3<"$T/pass"
expect 4 'exists already; keys are never replaced' \
	mfgpkg keys generate --type oem-seed -o "$W/keys/seed.key" --no-passphrase
expect 2 'wanted rot, isk, cust-mk-sk, oem-seed or package' mfgpkg keys generate --type rsa -o "$W/x"
expect 2 'wanted 1 to 4' mfgpkg keys generate --type rot --count 5 -o "$W/x"
expect 0 '' mfgpkg keys seal --type cust-mk-sk "$W/keys/mk.key" -o "$W/keys/mk.sealed" --passphrase-file "$T/pass"
expect 2 'sealed already' mfgpkg keys seal --type cust-mk-sk "$W/keys/mk.sealed" -o "$W/x" --passphrase-file "$T/pass"
expect 0 '' mfgpkg keys generate --type package -o "$W/keys/package.key" --passphrase-file "$T/pass"
[ "$(cat "$T/out")" = "$W/keys/package.key"$'\n'"$W/keys/package.pub" ] || fail "it does not name what it made: $(cat "$T/out")"
minisign -S -m "$T/pass" -s "$W/keys/package.key" -x "$T/pass.minisig" <"$T/pass" >/dev/null 2>&1 || fail "minisign cannot sign with it"
minisign -Vqm "$T/pass" -x "$T/pass.minisig" -p "$W/keys/package.pub" || fail "minisign does not verify it"
expect 0 '' mfgpkg keys generate --type isk --count 2 -o "$W/named" --no-passphrase
[ "$(sort "$T/out")" = "$(find "$W/named" -type f | sort)" ] || fail "it does not name what it made: $(cat "$T/out")"
expect 0 '' mfgpkg keys generate --type isk -o "$W/quiet" --no-passphrase -q
[ ! -s "$T/out" ] || fail "-q speaks"
[ "$(find "$W/keys" -name '*.pem' -o -name '*.key' -o -name '*.sealed' | xargs stat -c %a | sort -u)" = 600 ] ||
	fail "a secret key file is not mode 600"
openssl pkey -in "$W/keys/rot_p384_0.pem" -passin "file:$T/pass" -pubout | cmp - "$W/keys/rot_p384_0.pub" ||
	fail "OpenSSL reads another public key out of our encrypted PEM"

step "passphrases that are none"
printf '\nsecond line\n' >"$T/empty"
expect 2 'first line is empty, wanted a passphrase' \
	mfgpkg keys generate --type oem-seed -o "$W/x" --passphrase-file "$T/empty"
head -c 2000 /dev/zero | tr '\0' x >"$T/long"
expect 2 'first line is no passphrase' mfgpkg keys generate --type oem-seed -o "$W/x" --passphrase-file "$T/long"
expect 2 'at most one of' mfgpkg keys generate --type oem-seed -o "$W/x" --passphrase-file "$T/pass" --no-passphrase
expect 4 'passphrase-fd 9' mfgpkg keys generate --type oem-seed -o "$W/x" --passphrase-fd 9
[ ! -e "$W/x" ] || fail "a key was written"

step "passphrase asked for on a terminal: twice for new keys, not echoed"
cat >"$T/ask.py" <<-'END'
	import os, pty, sys
	# ask.py ANSWER... -- COMMAND...: each answer when the program asks; prints what the terminal showed.
	cut = sys.argv.index("--")
	answers, command = sys.argv[1:cut], sys.argv[cut + 1:]
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp(command[0], command)
	shown = b""
	while True:
	    try:
	        data = os.read(fd, 1000)
	    except OSError:
	        break
	    if not data:
	        break
	    shown += data
	    if data.rstrip(b" ").endswith(b":") and answers:
	        os.write(fd, answers.pop(0).encode() + b"\n")
	print(shown.decode())
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
expect 0 'The two differ' python3 "$T/ask.py" hunter2 hunter3 hunter2 hunter2 -- \
	mfgpkg keys generate --type oem-seed -o "$W/keys/asked.key"
grep -q 'hunter' "$T/out" && fail "the passphrase was echoed"
grep -q '^untrusted comment: mfgpkg sealed secret: oem-seed$' "$W/keys/asked.key" || fail "not sealed"
expect 130 'no passphrase given' python3 "$T/ask.py" $'\003' -- mfgpkg keys generate --type oem-seed -o "$W/x"

step "certificate block and RKTH"
cat >"$W/cert_block.yaml" <<-END
	family: mcxn947
	useIsk: true
	signer: keys/rot_p384_2.pem
	iskPublicKey: keys/isk_p256_0.pub
	rootCertificate0File: keys/rot_p384_0.pub
	rootCertificate1File: keys/rot_p384_1.pub
	rootCertificate2File: keys/rot_p384_2.pub
	rootCertificate3File: keys/rot_p384_3.pub
	containerOutputFile: build/cert_block.bin
END
rkth=$(mfgpkg rkth -k "$W"/keys/rot_p384_?.pub)
[ ${#rkth} = 96 ] || fail "RKTH is $rkth"
[ "$(mfgpkg rkth -c "$W/cert_block.yaml")" = "$rkth" ] || fail "two RKTHs"
[ "$(mfgpkg rkth --json -c "$W/cert_block.yaml" | jq -r .rkth)" = "$rkth" ] || fail "RKTH in JSON"
expect 2 'encrypted private key; give --passphrase-file' \
	mfgpkg cert-block export -c "$W/cert_block.yaml" </dev/null
printf 'wrong\n' >"$T/wrong"
expect 2 'wrong passphrase' mfgpkg cert-block export -c "$W/cert_block.yaml" --passphrase-file "$T/wrong"
[ ! -e "$W/build/cert_block.bin" ] || fail "a file was left after a failure"
expect 0 '' mfgpkg cert-block export -c "$W/cert_block.yaml" --passphrase-file "$T/pass"
expect 0 'RKTH as wanted' mfgpkg cert-block verify "$W/build/cert_block.bin" --rkth "$rkth"
expect 3 'RKTH is .* wanted 00' mfgpkg cert-block verify "$W/build/cert_block.bin" --rkth "$(printf '0%.0s' $(seq 96))"
expect 0 'ISK +P-256' mfgpkg cert-block parse "$W/build/cert_block.bin"
[ "$(mfgpkg rkth -c "$W/build/cert_block.bin")" = "$rkth" ] || fail "RKTH of the binary"
expect 2 'wanted either -k or -c' mfgpkg rkth

step "SB3.1: build, look into, verify"
head -c 5000 /dev/urandom >"$W/image.bin"
cat >"$W/sb31.yaml" <<-END
	family: mcxn947
	containerOutputFile: build/image.sb3
	certBlock: cert_block.yaml
	signer: keys/isk_p256_0.pem
	containerKeyBlobEncryptionKey: keys/mk.sealed
	kdkAccessRights: 3
	commands:
	  - erase: {address: 0, size: 0x2000}
	  - load: {address: 0, file: image.bin}
END
SOURCE_DATE_EPOCH=1700000000 expect 0 '' mfgpkg sb31 export -c "$W/sb31.yaml" --passphrase-file "$T/pass"
SB=$W/build/image.sb3
expect 0 'signatures and 20 blocks, RKTH as wanted; commands not checked \(--key\)$' mfgpkg sb31 verify "$SB" --rkth "$rkth"
expect 0 '2 commands' mfgpkg sb31 verify "$SB" --key "$W/keys/mk.key" -q
expect 0 'load 0x00000000, 5000 bytes' mfgpkg sb31 parse "$SB" --key "$W/keys/mk.sealed" --passphrase-file "$T/pass"
expect 0 'encrypted; --key' mfgpkg sb31 parse "$SB"
mfgpkg sb31 verify --json -q "$SB" --key "$W/keys/mk.key" >"$T/json"
[ "$(jq -r '.verified, .kdk_access_rights, .commands[1].data_length' "$T/json" | xargs)" = 'true 3 5000' ] ||
	fail "JSON: $(cat "$T/json")"
[ "$(jq -r '.commands[1].data_sha256' "$T/json")" = "$(sha256sum <"$W/image.bin" | cut -d' ' -f1)" ] ||
	fail "the load is not the image"
SOURCE_DATE_EPOCH=1700000000 expect 0 '' mfgpkg sb31 export -c "$W/sb31.yaml" -o "$T/again.sb3" --passphrase-file "$T/pass"
cmp -s <(tail -c +$((5 * 292)) "$SB") <(tail -c +$((5 * 292)) "$T/again.sb3") ||
	fail "the same input gives other blocks"
expect 3 'does not decrypt it' mfgpkg sb31 verify "$SB" --key $V/sb31/no-commands/cust_mk_sk.txt -q
expect 3 'with these kdkAccessRights' mfgpkg sb31 verify "$SB" --key "$W/keys/mk.key" --kdk-access-rights 0 -q
cp "$SB" "$T/bad.sb3"; printf x | dd of="$T/bad.sb3" bs=1 seek=4000 conv=notrunc status=none
expect 3 'bad.sb3: SB3.1: block [0-9]+ of 20: SHA-256 differs' mfgpkg sb31 verify "$T/bad.sb3"
head -c 40 "$SB" >"$T/short.sb3"
expect 3 'truncated in the header: 40 of 60 bytes' mfgpkg sb31 parse "$T/short.sb3"
expect 4 'cannot open' mfgpkg sb31 parse "$T/nothing"
expect 0 'made by a device HSM' mfgpkg sb31 parse $V/sb31/devhsm-mock/expected.sb3

step "no secret in any output"
mk=$(tr -d '\n' <"$W/keys/mk.key")
{ echo "$mk"; echo "${mk^^}"; echo 'correct horse battery'
	sed -n 2p "$W/keys/isk_p256_0.pem"; sed -n 3p "$W/keys/isk_p256_0.pem"
	python3 -c "import base64;print(base64.b64encode(bytes.fromhex('$mk')).decode()[:40])"; } >"$T/patterns"
for key in "--key $W/keys/mk.key" "--key $W/keys/mk.sealed --passphrase-file $T/pass"; do
	for cmd in parse verify 'parse --json' 'parse -vv'; do
		mfgpkg sb31 $cmd "$SB" $key >>"$T/all" 2>&1
	done
done
mfgpkg keys generate --type cust-mk-sk -o "$W/keys/mk.key" --no-passphrase >>"$T/all" 2>&1 || true
mfgpkg sb31 export -vv -c "$W/sb31.yaml" -o "$T/again.sb3" --passphrase-file "$T/pass" >>"$T/all" 2>&1
if grep -aqF -f "$T/patterns" "$T/all" "$SB" "$W/build/cert_block.bin" "$T/again.sb3" "$W/keys/mk.sealed"; then
	fail "a secret stands in: $(grep -alF -f "$T/patterns" "$T/all" "$SB" "$W/build/cert_block.bin" "$T/again.sb3" "$W/keys/mk.sealed")"
fi
python3 - "$W/image.bin" "$SB" <<-'END' || fail "plaintext in the container"
	import sys
	image, sb = (open(f, "rb").read() for f in sys.argv[1:])
	sys.exit(any(image[i:i + 12] in sb for i in range(0, len(image) - 12, 4)))
END
