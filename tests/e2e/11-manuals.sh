# The manual pages: well-formed, and they name every command, every option and every attack.
. "$(dirname "$0")/lib.sh"
for page in man/*; do
	mandoc -Tlint -W warning "$page" >"$T/lint" || true
	[ ! -s "$T/lint" ] || { cat "$T/lint" >&2; fail "$page"; }
done
# text PAGE: without markup, so that `--rot-key` and .Fl -rot-key are the same.
text() { mandoc -Tutf8 "$1" | perl -0pe 's/.\x08//g; s/\xe2\x80\x90\n\s*//g; s/\s+/ /g'; }
for program in mfgpkg runner; do
	text "man/$program.1" >"$T/page"
	"$program" --help | sed -n '/^commands:/,/^$/p' | sed -n 's/^  \([a-z][a-z0-9-]*\( [a-z][a-z0-9-]*\)\{0,1\}\)  .*/\1/p;s/^  \(trust [a-z]*\|[a-z0-9-]* [a-z]*\) .*/\1/p' >"$T/commands"
	[ "$(wc -l <"$T/commands")" -ge 15 ] || fail "only $(wc -l <"$T/commands") commands found in '$program --help'"
	while read -r command; do
		grep -qF "$command" "$T/page" || fail "man/$program.1 does not name '$program $command'"
		# shellcheck disable=SC2086
		for option in $("$program" $command --help | grep -oE -- ' --[a-z][a-z0-9-]+' | sort -u); do
			grep -qF -- "$option" "$T/page" || fail "man/$program.1 does not name $option of '$program $command'"
		done
	done <"$T/commands"
done
# Every attack of the tables in the unit tests stands there with its exact message.
n=0
text man/mfgpkg-package.7 >"$T/page"
python3 tests/attack_table.py tests/unit/test_*_attacks.c >"$T/attacks" || fail "attack tables"
while IFS=$'\t' read -r attack message; do
	n=$((n + 1))
	grep -qF -- "$attack $(tr -s ' ' <<<"$message")" "$T/page" ||
		fail "man/mfgpkg-package.7 does not have the attack '$attack' with '$message'"
done <"$T/attacks"
[ $n -ge 180 ] || fail "only $n attacks found"
for t in $(grep -oE 'tests/e2e/[0-9a-z-]+\.sh' man/mfgpkg-package.7); do [ -e "$t" ] || fail "man/mfgpkg-package.7 names $t"; done
echo "$n attacks"
