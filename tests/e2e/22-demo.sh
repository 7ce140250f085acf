#!/bin/bash
# 22-demo - the demo succeeds with its exact last line and cleans up; and it can fail: when a key
# leaks to the factory, when a device is not what it should be, when the programs are not there.
. "$(dirname "$0")/lib.sh"
PROGRAMS=$PWD/${B:-build}/bin
export TMPDIR=$T/tmp
mkdir "$TMPDIR" "$T/fake"

# fake NAME: programs for the demo in $T/fake/NAME/bin, where NAME/bin/runner is read from stdin.
fake() {
	mkdir -p "$T/fake/$1/bin"
	ln -s "$PROGRAMS/mfgpkg" "$PROGRAMS/mcxsim" "$T/fake/$1/bin"
	{ echo '#!/bin/bash'; echo "real=$PROGRAMS/runner"; cat; } >"$T/fake/$1/bin/runner"
	chmod +x "$T/fake/$1/bin/runner"
}
demo_fails() { # demo_fails RC PROGRAMS REASON
	local rc=0
	B=$2 samples/demo.sh >"$T/out" 2>&1 || rc=$?
	[ "$rc" = "$1" ] || { cat "$T/out"; fail "exit $rc, $1 wanted"; }
	tail -n 1 "$T/out" | grep -qE "^demo: FAILED: .*$3" || { tail -n 3 "$T/out"; fail "'$3' is not the reason given"; }
	! grep -q '4 passed, 0 failed; log verified' "$T/out" || fail "success was printed as well"
	[ -z "$(ls "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
}

step "success"
samples/demo.sh >"$T/out" 2>&1 </dev/null || { tail -n 40 "$T/out"; fail "the demo"; }
[ "$(tail -n 1 "$T/out")" = "demo: 4 passed, 0 failed; log verified; no OEM key outside the OEM workspace" ] ||
	fail "last line: $(tail -n 1 "$T/out")"
[ -z "$(ls "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"
[ "$(grep -cE '^== [1-6]\. ' "$T/out")" = 6 ] || fail "not six steps"

step "a key on the factory's disk, in base64"
fake leak <<'SH'
"$real" "$@" || exit
[ "$1" != start ] || base64 -w0 oem/keys/cust_mk_sk.key >state/mfgpkg-runner/notes
SH
demo_fails 1 "$T/fake/leak" '[1-9][0-9]* occurrences of OEM secrets outside the OEM workspace'

step "a runner that claims success and does nothing"
fake lazy <<'SH'
[ "$1" != start ] || { echo "4 passed, 0 failed"; exit 0; }
exec "$real" "$@"
SH
demo_fails 1 "$T/fake/lazy" ''

step "a runner that fails"
fake broken <<'SH'
[ "$1" != start ] || exit 1
exec "$real" "$@"
SH
demo_fails 1 "$T/fake/broken" 'runner start .* ended with exit code 1'

step "no programs"
demo_fails 4 "$T/fake/none" 'no programs in'

echo "demo: all scenarios passed"
