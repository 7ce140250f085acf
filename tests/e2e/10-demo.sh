# The whole job as a newcomer sees it: its last line, word for word.
. "$(dirname "$0")/lib.sh"
samples/demo.sh >"$T/demo.out" 2>&1 || { tail -n 40 "$T/demo.out" >&2; fail "samples/demo.sh: exit $?"; }
last=$(tail -n 1 "$T/demo.out")
want="demo: 4 passed, 0 failed; log verified; no OEM key outside the OEM workspace"
[ "$last" = "$want" ] || fail "last line is '$last'"
