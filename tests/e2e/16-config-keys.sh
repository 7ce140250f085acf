#!/bin/bash
# 16-config-keys - a misspelt key in a configuration of every kind is named with its line and with the
# key that was meant; the same sb31 configuration in JSON gives the same file.
. "$(dirname "$0")/lib.sh"
oem_workspace "$T/oem"
cd "$T/oem"
mkdir -p build
oem_package "$T/oem" "$T/oem/blinky.mfgpkg"
station "$T/station" line-1 "$T/oem" >/dev/null
cp "$T/station.json" .
expect 0 '' mfgpkg mbi export -c mbi.yaml
# misspelt FILE KEY RIGHT COMMAND...: with the line "KEY: 1" in front.
misspelt() {
	local file=$1 key=$2 right=$3; shift 3
	{ echo "$key: 1"; cat "$file"; } >typo.yaml
	"$@" -c typo.yaml >"$T/out" 2>&1 || true
	grep -qE "typo.yaml:1:1: unknown key \`$key\`, did you mean \`$right\`\?" "$T/out" || { cat "$T/out"; fail "$file: $key"; }
}
misspelt sb31.yaml containerOutptFile containerOutputFile mfgpkg sb31 export -o build/x
misspelt mbi.yaml imageVerson imageVersion mfgpkg mbi export -o build/x
misspelt cert_block.yaml rootCertficate0File rootCertificate0File mfgpkg cert-block export -o build/x
misspelt cmpa.yaml settngs settings mfgpkg pfr export -o build/x
misspelt cfpa.yaml revison revision mfgpkg pfr export -o build/x
mfgpkg template fuses -o fuses.yaml
misspelt fuses.yaml registrs registers mfgpkg fuses export -o build/x
misspelt release.yaml lifecycl lifecycle mfgpkg create -o x.mfgpkg
misspelt order.yaml quantty quantity mfgpkg order create -s keys/package.key -o build/order.json

step "JSON"
cat >sb31.json <<-END
	{"family": "mcxn947", "containerOutputFile": "build/json.sb3", "certBlock": "cert_block.yaml", "signer": "keys/rot_p256_0.pem",
	 "containerKeyBlobEncryptionKey": "keys/cust_mk_sk.key", "kdkAccessRights": 0, "firmwareVersion": 1,
	 "description": "mcxn947 blinky", "isEncrypted": true,
	 "commands": [{"erase": {"address": 0, "size": "0x10000"}}, {"load": {"address": 0, "file": "build/mbi.bin"}}]}
END
export SOURCE_DATE_EPOCH=1795000000
expect 0 '' mfgpkg sb31 export -c sb31.yaml -o build/yaml.sb3
expect 0 '' mfgpkg sb31 export -c sb31.json
cmp build/yaml.sb3 build/json.sb3 || fail "JSON gives another file"
echo "config-keys: passed"
