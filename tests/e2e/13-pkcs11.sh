#!/bin/bash
# 13-pkcs11 - root and image signing keys that stay in a PKCS#11 token (SoftHSM2): every command that
# signs, the one-step create, and what is said when PIN, key or token are not right.
. "$(dirname "$0")/lib.sh"
# The PKCS#11 engine of OpenSSL leaks when a login fails; nothing of ours is on those stacks.
[ "${V:-rel}" != san ] || export ASAN_OPTIONS=detect_leaks=0
MODULE=/usr/lib/softhsm/libsofthsm2.so
if [ ! -r $MODULE ] || ! command -v softhsm2-util >/dev/null; then echo "pkcs11: skipped, no SoftHSM2"; exit 0; fi

export SOFTHSM2_CONF=$T/softhsm.conf
mkdir "$T/tokens"
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$T/tokens" >"$SOFTHSM2_CONF"
PIN=481516
printf '%s\n' $PIN >"$T/pin"
printf '999999\n' >"$T/wrong"
chmod 600 "$T/pin" "$T/wrong"
softhsm2-util --init-token --free --label oem --pin $PIN --so-pin 234200 >/dev/null
oem_workspace "$T/oem"
mfgpkg keys generate --type isk --curve p256 -o "$T/oem/keys" --no-passphrase -q
import() { softhsm2-util --import "$1" --token oem --label "$2" --id "$3" --pin $PIN >/dev/null; }
import "$T/oem/keys/rot_p256_0.pem" rot 01
import "$T/oem/keys/isk_p256_0.pem" isk 02
rm "$T"/oem/keys/rot_p256_?.pem "$T/oem/keys/isk_p256_0.pem" # from here on only in the token
uri() { echo "pkcs11:token=$1;object=$2;type=private?module-path=$MODULE"; }
cd "$T/oem"
sed -i "s|^signer:.*|signer: $(uri oem rot)|" mbi.yaml sb31.yaml

step "a public key out of the token, a certificate block, an image and a container signed in it"
[ "$(mfgpkg rkth -k "$(uri oem rot)" keys/rot_p256_[123].pub --passphrase-file "$T/pin")" = "$(mfgpkg rkth -c cert_block.yaml)" ] ||
	fail "RKTH with the token's key"
expect 0 '' mfgpkg mbi export -c mbi.yaml --passphrase-file "$T/pin"
expect 0 '' mfgpkg mbi verify build/mbi.bin --rkth "$(mfgpkg rkth -c cert_block.yaml)"
expect 0 '' mfgpkg sb31 export -c sb31.yaml --passphrase-fd 5 5<"$T/pin"
expect 0 '2 commands' mfgpkg sb31 verify build/image.sb3 --key keys/cust_mk_sk.key
sed "s/^useIsk:.*/useIsk: true\niskPublicKey: keys\/isk_p256_0.pub/" cert_block.yaml >isk_block.yaml
echo "signer: $(uri oem rot)" >>isk_block.yaml
expect 0 '' mfgpkg cert-block export -c isk_block.yaml --passphrase-file "$T/pin"
expect 0 '' mfgpkg cert-block verify build/cert_block.bin --rkth "$(mfgpkg rkth -c cert_block.yaml)"
sed "s|^certBlock:.*|certBlock: build/cert_block.bin|; s|object=rot|object=isk|" sb31.yaml >sb31_isk.yaml
expect 0 '' mfgpkg sb31 export -c sb31_isk.yaml -o build/isk.sb3 --passphrase-file "$T/pin"
expect 0 'ISK' mfgpkg sb31 parse build/isk.sb3
sed 's|object=isk|object=rot|' sb31_isk.yaml >other.yaml
expect 2 'is not the ISK of the certificate block' mfgpkg sb31 export -c other.yaml -o build/x.sb3 --passphrase-file "$T/pin"

step "create, with the PIN as a passphrase and from the URI's pin-source"
sim_start desk --count 1 --seed 5
expect 0 '^\[6/6\] package ' mfgpkg create -c release.yaml -p "$T/desk/ttyMCX0" -o one.mfgpkg --passphrase-file "$T/pin"
expect 0 '' mfgpkg verify one.mfgpkg -P keys/package.pub
sed -i "s|^\(signer:.*\)|\1\&pin-source=file:$T/pin|" mbi.yaml sb31.yaml
rm -rf build
expect 0 '^\[6/6\] package ' mfgpkg create -c release.yaml -p "$T/desk/ttyMCX0" -o two.mfgpkg --no-passphrase
sim_stop desk
! grep -rqaF $PIN one.mfgpkg two.mfgpkg build workspace "$T/out" || fail "the PIN stands in something create made"

# refused RC TEXT OBJECT-URI [PIN-FILE]: by each of the three exports, in the same words.
sed -i 's/&pin-source=.*//' mbi.yaml sb31.yaml
refused() {
	local rc=$1 text=$2 u=$3; shift 3
	for kind in mbi sb31 isk_block; do
		sed "s|^signer:.*|signer: $u|" $kind.yaml >bad.yaml
		case $kind in isk_block) what=cert-block ;; *) what=$kind ;; esac
		expect "$rc" "$text" mfgpkg $what export -c bad.yaml -o build/bad "$@"
		[ ! -e build/bad ] || fail "$what wrote a file"
	done
}
step "wrong PIN, no PIN, no such key, no such token, a token taken away: each says so"
refused 2 'token=oem;object=rot;type=private: wrong PIN$' "$(uri oem rot)" --passphrase-file "$T/wrong"
refused 2 'the token wants a PIN; give --passphrase-file' "$(uri oem rot)" --no-passphrase
refused 2 'object=none;type=private: the token has no such private key' "$(uri oem none)" --passphrase-file "$T/pin"
refused 4 'this token is not there \(removed\?\); there is "oem"$' "$(uri spare rot)" --passphrase-file "$T/pin"
refused 2 'pin-value is refused' "$(uri oem rot)\\&pin-value=$PIN" --passphrase-file "$T/pin"
refused 4 'cannot open the token library /none.so' "pkcs11:object=rot?module-path=/none.so" --passphrase-file "$T/pin"
mv "$T/tokens" "$T/removed"; mkdir "$T/tokens"
refused 4 'no token is there \(removed\?\)$' "$(uri oem rot)" --passphrase-file "$T/pin"
rm -rf build/mbi.bin
expect 4 'mbi: .*no token is there' mfgpkg create -c release.yaml -o three.mfgpkg --passphrase-file "$T/pin"
[ ! -e three.mfgpkg ] || fail "a package without its token"
rmdir "$T/tokens"; mv "$T/removed" "$T/tokens"
expect 0 '' mfgpkg mbi export -c mbi.yaml --passphrase-file "$T/pin"
echo "pkcs11: passed"
