#!/bin/bash
# The templates as they stand, written into one empty folder, make a package and an order.
. "$(dirname "$0")/lib.sh"

step "all templates, keys, firmware, a script"
mkdir -p "$T/ws/firmware"
for name in $(mfgpkg template --json | jq -r '.[].name'); do
	file=$(mfgpkg template --json | jq -r ".[] | select(.name == \"$name\") | .file")
	mfgpkg template "$name" -o "$T/ws/$file"
done
[ "$(find "$T/ws" -name '*.yaml' | wc -l)" = 10 ] || fail "10 templates wanted"
expect 4 "exists" mfgpkg template mbi -o "$T/ws/mbi.yaml"
expect 2 'did you mean "sb31"' mfgpkg template sb3
cp samples/mcxn947-blinky/firmware/frdm_mcxn947_led_blinky.bin "$T/ws/firmware/app.bin"
cp samples/mcxn947-blinky/program.blhost "$T/ws/program.blhost"
cd "$T/ws"
mfgpkg keys generate --type rot -o keys --no-passphrase -q
mfgpkg keys generate --type cust-mk-sk -o keys/cust_mk_sk.key --no-passphrase -q
mfgpkg keys generate --type oem-seed -o keys/oem_seed.key --no-passphrase -q
mfgpkg keys generate --type package -o keys/package.key --no-passphrase -q

# quiet COMMAND...: must succeed, and without a warning (but for keys without a passphrase).
quiet() {
	expect 0 '' "$@"
	! grep warning "$T/out" | grep -v 'not sealed' || { cat "$T/out" >&2; fail "a warning: $*"; }
}

step "each of them alone"
mkdir -p build
rkth=$(mfgpkg rkth -c cert_block.yaml | head -n 1)
quiet mfgpkg cert-block export -c cert_block.yaml
quiet mfgpkg mbi export -c mbi.yaml
quiet mfgpkg mbi verify build/mbi.bin --rkth "$rkth"
quiet mfgpkg pfr export -c cmpa.yaml --rot-config cert_block.yaml -o build/cmpa.bin
quiet mfgpkg pfr export -c cfpa.yaml -o build/cfpa.bin
quiet mfgpkg pfr verify build/cmpa.bin build/cfpa.bin --rkth "$rkth"
quiet mfgpkg fuses export -c fuses.yaml -o build/fuses.blhost
quiet mfgpkg sb31 export -c sb31.yaml
quiet mfgpkg sb31 verify build/image.sb3 --rkth "$rkth"
sed -i 's/^# trustZonePresetFile/trustZonePresetFile/' mbi.yaml
quiet mfgpkg mbi export -c mbi.yaml -o build/mbi_tz.bin
expect 0 'preset block, 980 bytes .revision a1., 1 words changed' mfgpkg mbi parse build/mbi_tz.bin
sim_start desk --count 1 --seed 7
quiet mfgpkg devhsm generate -c devhsm.yaml -p "$T/desk/ttyMCX0"
sim_stop desk

step "all of them together"
# The templates leave a development board in DEVELOP; a product is closed.
sed -i 's/CMPA_UPD: UPDATE_IN_CMPA/CMPA_UPD: TO_OEM_CLOSED/' cfpa.yaml
sim_start desk2 --count 1 --seed 8
expect 0 '' mfgpkg create -c release.yaml -p "$T/desk2/ttyMCX0" -o product.mfgpkg
sim_stop desk2
expect 0 '' mfgpkg verify product.mfgpkg -P keys/package.pub
runner station init --state "$T/state" --name LINE-1
runner station show --state "$T/state" --json >station.json
expect 0 '' mfgpkg order create -c order.yaml -s keys/package.key -o order.json
expect 0 '' mfgpkg order verify order.json -P keys/package.pub
