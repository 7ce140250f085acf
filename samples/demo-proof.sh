# demo-proof.sh - the parts of the demo that prove something, with plain tools (sourced by demo.sh):
# od, grep, sed, awk, base64, sha256sum, jq. Nothing here trusts mfgpkg or runner.

# --- logs ---------------------------------------------------------------------------------------
# forge FILE: change one byte of a leaf in a copy of a log, as somebody would who has the disk.
forge() {
	local at
	at=$(LC_ALL=C grep -obUa '"tries":1' "$1" | tail -1 | cut -d: -f1)
	[ -n "$at" ] || fail "no leaf to forge"
	show "printf 2 | dd of=$1 bs=1 seek=$((at + 8)) conv=notrunc    # \"tries\":1 becomes \"tries\":2"
	printf 2 | dd of="$1" bs=1 seek=$((at + 8)) conv=notrunc status=none
}

# --- devices ------------------------------------------------------------------------------------
# prove_devices: the simulator's own report on its four devices. It shares nothing with the runner.
prove_devices() {
	local mbi rkth flash n want
	note "what the four devices say about themselves (report of the simulator)"
	mbi=$(sha256sum <oem/build/mbi.bin | cut -d' ' -f1)
	rkth=$(mfgpkg rkth -c oem/cert_block.yaml --json | jq -r .rkth)
	flash=$({ # 2 MiB of erased flash with the signed image at its start
		cat oem/build/mbi.bin
		head -c $((2097152 - $(stat -c %s oem/build/mbi.bin))) /dev/zero | tr '\0' '\377'
	} | sha256sum | cut -d' ' -f1)
	jq -r '.[] | "\(.port | sub(".*/"; ""))  \(.uuid)  \(.lifecycle)  boot: \(.boot)  image \(.image_sha256[0:16])...  RKTH \(.rkth[0:16])...  wrapped key: \(.key_blob_present)"' line.json
	echo "wanted:  signed MBI  $mbi"
	echo "         all flash   $flash"
	echo "         RKTH        $rkth"
	want='.lifecycle == "in-field" and .boot == "application" and .image_sha256 == $mbi and .flash_sha256 == $flash
		and .rkth == $rkth and .key_blob_present and (.sb_refused | length) == 0'
	n=$(jq --arg mbi "$mbi" --arg rkth "$rkth" --arg flash "$flash" "[.[] | select($want)] | length" line.json)
	[ "$(jq length line.json)" = 4 ] && [ "$n" = 4 ] || fail "$n of 4 devices are as the package asks for"
	[ "$(jq '[.[].uuid] | unique | length' line.json)" = 4 ] || fail "a UUID occurs twice"
	jq -e '.[0].lifecycle == "blank"' desk.json >/dev/null || fail "the device on the OEM's desk is not blank any more"
	echo "4 of 4: in-field, flash equal to the signed image, RKTH and wrapped key in CMPA, secure boot accepted the image"
	echo "the device on the OEM's desk: still $(jq -r '.[0].lifecycle' desk.json)"
}

# --- bytes as text ----------------------------------------------------------------------------
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; } # file or stdin as one line of hex digits
unhex() { # stdin: hex digits, stdout: bytes
	local h
	h=$(cat)
	printf '%b' "$(sed 's/../\\x&/g' <<<"$h")"
}

# base64_of HEX SHIFT: the base64 text of these bytes when SHIFT bytes (0..2) stand before them, cut
# to the characters that depend on them alone; as hex digits.
base64_of() {
	local text lead=(0 2 3) tail=(0 3 2) n=$((${#1} / 2 + $2))
	text=$({ head -c "$2" /dev/zero; unhex <<<"$1"; } | base64 -w0)
	text=${text:${lead[$2]}}
	text=${text:0:$((${#text} - ${tail[$((n % 3))]}))}
	printf '%s' "$text" | hex
}

# patterns_of HEX: every form a secret could hide in, one a line, as hex digits: raw, reversed, hex in
# small and in capital letters; and raw and hex in base64, at each of the three alignments.
patterns_of() {
	local small capital form shift
	small=$(printf '%s' "$1" | hex)
	capital=$(printf '%s' "${1^^}" | hex)
	echo "$1"
	sed 's/../&\n/g' <<<"$1" | sed '/^$/d' | tac | tr -d '\n'
	echo
	echo "$small"
	echo "$capital"
	for form in "$1" "$small" "$capital"; do
		for shift in 0 1 2; do
			base64_of "$form" "$shift"
			echo
		done
	done
}

# --- secrets, in hex ------------------------------------------------------------------------------
rot_scalar() { # private number inside an unencrypted PKCS#8 key
	sed '/-----/d' "$1" | base64 -d | hex | sed -n 's/.*0201010420\([0-9a-f]\{64\}\).*/\1/p'
}
symmetric() { # key file: hex digits, or the bytes themselves
	if grep -qaE '^[0-9a-fA-F]{32,64}[[:space:]]*$' "$1"; then
		tr -d ' \r\n' <"$1" | tr A-F a-f
	else
		hex "$1"
	fi
}
minisign_seed() { # of an unencrypted minisign secret key: bytes 62..93
	sed -n 2p "$1" | base64 -d | hex | cut -c125-188
}
# firmware_windows FILE: each 32 bytes of the firmware that are not just a repeated byte or two.
firmware_windows() {
	hex "$1" | fold -w 64 | awk 'length($0) == 64 {
		n = 0; split("", seen)
		for (i = 1; i < 64; i += 2) if (!(substr($0, i, 2) in seen)) { seen[substr($0, i, 2)]; n++ }
		if (n >= 8) print
	}'
}

# --- search ---------------------------------------------------------------------------------------
# view FOLDER|FILE...: all files as hex digits, each once as it is and once without white space (keys
# in PEM are broken into lines).
view() {
	local f
	while IFS= read -r -d '' f; do
		hex "$f"
		echo
		tr -d ' \t\r\n' <"$f" | hex
		echo
	done < <(find "$@" -type f -print0)
}
# count PATTERNS VIEW: how often any of the patterns occurs, on byte boundaries or not.
count() { { grep -oFf "$1" "$2" || true; } | wc -l; }

prove_no_keys() {
	local oem=$T/oem name file i n found=0
	local -A secret=()
	local names=()

	note "search for every secret, raw, reversed, as hex and as base64, in the package and on the factory's disk;"
	note "the same search in the OEM workspace shows that it can find"
	for i in 0 1 2 3; do
		names+=("RoT private key $i")
		secret["RoT private key $i"]=$(rot_scalar "$oem/keys/rot_p256_$i.pem")
	done
	names+=(CUST_MK_SK "OEM seed" "package secret key")
	secret[CUST_MK_SK]=$(symmetric "$oem/keys/cust_mk_sk.key")
	secret["OEM seed"]=$(symmetric "$oem/keys/oem_seed.key")
	secret["package secret key"]=$(minisign_seed "$oem/keys/package.key")

	mkdir -p "$T/search"
	view "$oem/keys" "$oem/build" "$oem/firmware" >"$T/search/oem"
	view "$oem/blinky.mfgpkg" >"$T/search/package"
	view "$T/state" "$T/factory" >"$T/search/factory"

	printf '%-22s %14s %9s %9s\n' secret "OEM workspace" package factory
	for name in "${names[@]}" "plaintext firmware"; do
		if [ "$name" = "plaintext firmware" ]; then
			firmware_windows "$oem/firmware/frdm_mcxn947_led_blinky.bin" >"$T/search/pattern"
			[ "$(wc -l <"$T/search/pattern")" -ge 20 ] || fail "the search has no firmware to look for"
		else
			[[ ${secret[$name]} =~ ^[0-9a-f]{32,64}$ ]] || fail "cannot read the $name from its file"
			patterns_of "${secret[$name]}" >"$T/search/pattern"
		fi
		local c=()
		for n in oem package factory; do c+=("$(count "$T/search/pattern" "$T/search/$n")"); done
		printf '%-22s %14d %9d %9d\n' "$name" "${c[@]}"
		[ "${c[0]}" -gt 0 ] || fail "the search does not even find the $name in the OEM workspace"
		found=$((found + c[1] + c[2]))
	done
	[ "$found" -eq 0 ] || fail "$found occurrences of OEM secrets outside the OEM workspace"
}
