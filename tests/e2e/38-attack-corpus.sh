#!/bin/bash
# 38-attack-corpus - every log that the attack table forges, given to both verifiers through their
# command lines: the verdict the table wants from mfgpkg, the attack by its name, and the same verdict
# from the second verifier. It leaves device receipts, witnesses and known checkpoints to mfgpkg.
. "$(dirname "$0")/lib.sh"
PY=/usr/bin/python3 # Debian's, which has python3-nacl
"$PY" -c 'import nacl.signing' 2>/dev/null || PY=python3
mkdir "$T/corpus"
for t in test_attacks test_attacks_made; do
	EV_CORPUS=$T/corpus "${B:-build}/unit/$t" >"$T/attacks.log" 2>&1 || { tail "$T/attacks.log" >&2; fail "$t"; }
done

agreed=0 alone=0
while IFS=$'\t' read -r name verdict attack args; do
	log=$T/corpus/$name.db
	IFS=$'\t' read -r -a a <<<"$args"
	options=() pub=() known=
	for ((i = 0; i < ${#a[@]}; i += 2)); do
		case ${a[i]} in
		--checkpoint) options+=(--checkpoint "$T/corpus/${a[i + 1]}"); known=1 ;;
		-P) printf 'untrusted comment: oem\n%s\n' "${a[i + 1]}" >"$T/oem.pub"; pub=(-P "$T/oem.pub") ;;
		*) options+=("${a[i]}" "${a[i + 1]}") ;;
		esac
	done
	rc=6; [ "$verdict" != PASS ] || rc=0
	expect $rc "^$verdict  " mfgpkg audit verify "$log" "${pub[@]}" "${options[@]}"
	[ "$attack" = - ] || grep -q ": $attack[ :]" "$T/out" || { cat "$T/out" >&2; fail "$name: \"$attack\" is not named"; }
	if [ -n "$known" ] || [[ $attack == *receipt* || $attack == *quorum* ]]; then
		alone=$((alone + 1))
		continue
	fi
	second=$("$PY" tests/audit_verify.py "$log" "${pub[@]}" 2>&1) || true
	[ "${second%%$'\n'*}" = "$verdict" ] || fail "$name: $verdict wanted, the second verifier says: $second"
	agreed=$((agreed + 1))
done <"$T/corpus/index"
[ $agreed -ge 90 ] || fail "only $agreed logs"
echo "attack corpus: $agreed logs judged alike by both verifiers, $alone by mfgpkg alone (receipts, witnesses, known checkpoints)"
