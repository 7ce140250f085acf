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
# Every log that the tests forge stands there with its verdict and finding, and no other does.
mkdir "$T/corpus"
for t in test_attacks test_attacks_made; do
	EV_CORPUS=$T/corpus "${B:-build}/unit/$t" >"$T/attacks.log" 2>&1 || { tail "$T/attacks.log" >&2; fail "$t"; }
done
text man/mfgpkg-log.7 >"$T/page"
logs=0
while IFS=$'\t' read -r name verdict attack _; do
	case $name in good*) continue ;; esac
	logs=$((logs + 1))
	want="$name: $verdict"
	[ "$attack" = - ] || want+=", $attack"
	grep -qE -- " ${want//./\\.}[;.]" "$T/page" || fail "man/mfgpkg-log.7 does not have '$want'"
done <"$T/corpus/index"
[ $logs -ge 100 ] || fail "only $logs logs"
listed=$(grep -oE '[a-z0-9-]+: (PASS|FAIL|INCOMPLETE|UNOWNED)[,;.]' "$T/page" | sort -u | wc -l)
[ "$listed" = $logs ] || fail "man/mfgpkg-log.7 lists $listed logs, the tests make $logs"
for kind in $(jq -r '.. | objects | .kind? | objects | .const? // empty' schemas/leaf.schema.json | sort -u); do
	grep -qE -- " $kind,? " "$T/page" || fail "man/mfgpkg-log.7 does not name the leaf '$kind'"
done
for t in $(grep -oE '(tests|schemas)/[a-z0-9_./\\-]+' man/mfgpkg-log.7 | tr -d '\\'); do [ -e "$t" ] || fail "man/mfgpkg-log.7 names $t"; done
echo "$n attacks on packages and orders, $logs on logs"
