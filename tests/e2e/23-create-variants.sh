#!/bin/bash
# 23-create-variants - other workspaces than the sample's: P-384 roots with an ISK key, two approvals,
# a provisioning SB3.1 made earlier, documents that go along; each package programs a device.
. "$(dirname "$0")/lib.sh"
oem_workspace "$T/oem"
cd "$T"
sim_start desk --count 1 --seed 5

# produce NAME PKG ORDER-ID: one device with this package, and it must boot the signed image.
produce() {
	station "$T/state-$1" "station-$1" "$T/$1" >/dev/null
	cp station.json "$1/station.json"
	sed "s/^quantity:.*/quantity: 1/; s/^order: .*/order: $3/" oem/order.yaml >"$1/order.yaml"
	mfgpkg order create -c "$1/order.yaml" -s "$1/keys/package.key" -o "$1/order.json" >/dev/null
	sim_start "line$1" --count 1 --seed 6
	expect 0 '1 passed, 0 failed' runner start --state "$T/state-$1" "$2" --order "$1/order.json" \
		--ports "$T/line$1/ttyMCX*" --count 1 --ui plain
	sim_stop "line$1"
	jq -e --arg mbi "$(sha256sum <"$1/build/mbi.bin" | cut -d' ' -f1)" --arg rkth "$(mfgpkg rkth -c "$1/cert_block.yaml" --json | jq -r .rkth)" \
		'.[0] | .lifecycle == "in-field" and .boot == "application" and .image_sha256 == $mbi and .rkth == $rkth' \
		"line$1.json" >/dev/null || { cat "line$1.json"; fail "the device is not as the package asks for"; }
}
# logged NAME JQ-CONDITION: some leaf of the workspace log is like this.
logged() {
	sqlite3 "$1/workspace/log.db" 'select data from leaf' | jq -es "any(.[]; $2)" >/dev/null || fail "no leaf with $2"
}

step "P-384 root keys, a P-384 ISK key that signs image and SB3.1"
cp -r oem p384
rm -rf p384/workspace p384/keys/rot_* p384/build
mfgpkg keys generate --type rot --curve p384 --count 4 -o p384/keys --no-passphrase -q
mfgpkg keys generate --type isk --curve p384 -o p384/keys --no-passphrase -q
ISK=$(basename "$(ls p384/keys/isk*.pem)" .pem)
sed -i "s/rot_p256/rot_p384/" p384/*.yaml
sed -i "s/^useIsk: false.*/useIsk: true\niskPublicKey: keys\/$ISK.pub\nsigner: keys\/rot_p384_2.pem/; s/^mainRootCertId: 0/mainRootCertId: 2/" p384/cert_block.yaml
sed -i "s/^signer: .*/signer: keys\/$ISK.pem/" p384/mbi.yaml p384/sb31.yaml
expect 0 '^RKTH +[0-9a-f]{96}$' mfgpkg create -c p384/release.yaml -p "$T/desk/ttyMCX0" -o p384/blinky.mfgpkg
produce p384 p384/blinky.mfgpkg o-384
logged p384 '.kind == "key" and .type == "isk"'

step "two approvals, documents, a provisioning SB3.1 that was made earlier"
expect 0 '' mfgpkg create -c oem/release.yaml -p "$T/desk/ttyMCX0" -o oem/first.mfgpkg
cp -r oem two
rm -rf two/workspace
cp oem/build/provisioning.sb3 two/kept.sb3
printf 'Put the board in, press the button.\n' >two/steps.txt
sed -i 's/approvals: 1/approvals: 2/; s/^docs:.*/docs: [steps.txt]/; s/^devhsm:.*/provisioning_sb: kept.sb3/
	/^cmpa:/d; /^cfpa:/d' two/release.yaml
expect 0 '2 approvals wanted' mfgpkg create -c two/release.yaml -o two/blinky.mfgpkg
unzip -p two/blinky.mfgpkg docs/steps.txt | cmp - two/steps.txt || fail "the document did not go along"
mfgpkg keys generate --type package -o two/keys/second.key --no-passphrase -q
station "$T/state-two" station-two "$T/two" >/dev/null
runner trust add --state "$T/state-two" two/keys/second.pub >/dev/null
expect 3 'approval' runner verify --state "$T/state-two" two/blinky.mfgpkg
expect 0 '' mfgpkg approve two/blinky.mfgpkg -s two/keys/second.key
expect 0 '' runner verify --state "$T/state-two" two/blinky.mfgpkg
logged two '.kind == "approval"'
expect 0 '' mfgpkg verify two/blinky.mfgpkg -P two/keys/package.pub two/keys/second.pub --threshold 2 \
	--log-key "$(cat two/workspace/log.vkey)" --secrets two/keys

step "and it programs a device"
cp -r two one
sed -i 's/approvals: 2/approvals: 1/' one/release.yaml
expect 0 '' mfgpkg create -c one/release.yaml -o one/blinky.mfgpkg
produce one one/blinky.mfgpkg o-one
logged one '.kind == "order" and .order == "o-one" and .quantity == 1'
expect 0 '^PASS' mfgpkg audit verify one/workspace/log.db --log-key one/workspace/log.vkey

step "interrupted while the device works: no package, the steps before are kept, exit 130"
cp -r oem stop
rm -rf stop/build stop/*.mfgpkg
sim_start slowdesk --count 1 --seed 7 --baud-pacing --baud 9600
mfgpkg create -c stop/release.yaml -p "$T/slowdesk/ttyMCX0" -o stop/x.mfgpkg >stop.out 2>&1 &
pid=$!
for _ in $(seq 200); do grep -q '^\[4/6\]' stop.out && break; sleep 0.02; done
kill -TERM $pid
rc=0
wait $pid || rc=$?
[ $rc = 130 ] || { cat stop.out; fail "exit $rc, 130 wanted"; }
[ ! -e stop/x.mfgpkg ] && [ -e stop/build/image.sb3 ] && [ ! -e stop/build/provisioning.sb3 ] || fail "wrong files left"

echo "create-variants: all scenarios passed"
