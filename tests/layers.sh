#!/bin/sh
# layers.sh - dependencies point one way, and runner cannot even link code that handles OEM secrets.
set -eu
cd "$(dirname "$0")/.."
B=${B:-build}
fail=0
bad() { echo "layers: $*" >&2; fail=1; }

grep -rnE '#include "(mfgpkg|runner|tests)/' common/ && bad "common/ includes upward"
grep -rnE '#include "(mfgpkg|tests|keyed)/' runner/ && bad "runner/ includes OEM or test code"
grep -rnE '#include "(runner|tests)/' mfgpkg/ && bad "mfgpkg/ includes runner or test code"
grep -rnE '#include "keyed/' common/ | grep -v '^common/keyed/' && bad "common/ outside keyed/ includes keyed/"
grep -rnE '#include "(mfgpkg|runner)/' tests/sim/ && bad "the simulator includes program code"
# A verified package has no other maker than pkg_open(): nobody else sees what is inside the type.
grep -rn 'pkg/pkg_internal.h' common mfgpkg runner tests --include='*.[ch]' | grep -v '^common/pkg/' && bad "struct pkg is opened outside of common/pkg"

symbols=$(nm --defined-only "$B/bin/runner" | awk '{print $NF}')
# Nothing that holds, derives or uses an OEM secret, and nothing that builds an SB3.1 or an image.
echo "$symbols" | grep -E '^(secret_|keyed_|ecc_key_|aes_|cmac_|sb31_kdf|sb31_build|sb31_decrypt|mbi_build|cert_block_build|pfr_build|keystore_|oem_|devhsm_|minisign_sign|minisign_key_)' &&
	bad "runner defines symbols of the OEM side"
undefined=$(nm -D --undefined-only "$B/bin/runner" | awk '{print $NF}')
echo "$undefined" | grep -E '^(EVP_DigestSign|EVP_PKEY_sign|EVP_PKEY_derive|PEM_read|d2i_PrivateKey|EVP_EncryptInit|EVP_DecryptInit|EVP_CIPHER|CMAC_|EVP_MAC_|crypto_secretstream|crypto_pwhash|yaml_)' &&
	bad "runner imports private-key or cipher functions"
[ $fail = 0 ] && echo "layers: common <- mfgpkg, common <- runner, common <- simulator; runner links no OEM secret code"
exit $fail
