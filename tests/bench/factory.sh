#!/bin/bash
# factory.sh - the bench of the real runner: throughput and processor time of a file, beside NXP's
# blhost when it is in PATH or build/venv; memory by number of ports; how soon a board is spoken to.
. "$(dirname "$0")/../campaign/prepare.sh"
export PATH="$PATH:$PWD/build/venv/bin"
prepare_campaign
# The same package with an image of 1 MiB.
cp -r "$T/oem" "$T/big-oem"
head -c 1048576 /dev/urandom >>"$T/big-oem/firmware/frdm_mcxn947_led_blinky.bin"
sed -i 's/size: 0x10000 .*/size: 0x110000/' "$T/big-oem/sb31.yaml"
sed -i 's/^product: .*/product: big/' "$T/big-oem/release.yaml"
sed -i 's/timeout=3s retry=2/timeout=60s/' "$T/big-oem/program.blhost"
sim_start bigdesk --count 1 --seed 1
mfgpkg create -c "$T/big-oem/release.yaml" -p "$T/bigdesk/ttyMCX0" -o "$T/big.mfgpkg" -q >"$T/out" 2>&1 ||
	{ cat "$T/out" >&2; fail "mfgpkg create, big image"; }
sim_stop bigdesk
unzip -q -o "$T/big.mfgpkg" sb/image.sb3 -d "$T/big"
PYTHONPATH=tests/campaign python3 tests/bench/factory.py "$T"
