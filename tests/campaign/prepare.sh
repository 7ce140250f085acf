# prepare.sh - a factory for the campaign in $T: workspace oem/, package blinky.mfgpkg, station/. The
# script of the sample, with shorter times, so that devices that fall silent do not cost minutes.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

prepare_campaign() {
	oem_workspace "$T/oem"
	sed -i -e '/^@stage erase/s/$/ timeout=2s/' -e '/^@stage provision/s/$/ timeout=3s/' \
		-e '/^@stage program/s/timeout=60s/timeout=3s/' -e '/^@stage attest/s/$/ timeout=2s/' \
		-e '/^@stage finish/s/$/ timeout=2s/' "$T/oem/program.blhost"
	[ "$(grep -c 'timeout=[23]s' "$T/oem/program.blhost")" = 5 ] || fail "the sample's stages have changed"
	oem_package "$T/oem" "$T/blinky.mfgpkg"
	station "$T/station" campaign.example "$T/oem" >/dev/null
}
