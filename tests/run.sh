#!/bin/bash
# run.sh - run all tests of one build variant (B=build folder): unit test programs (cmocka) and
# the numbered end-to-end scenarios. Prints what failed, and as last line "check: N passed, N failed".
set -u
cd "$(dirname "$0")/.."
B=${B:-build} V=${V:-rel}
export B V
out=$B/test-out
rm -rf "$out"; mkdir -p "$out"
passed=0 failed=0 failures=

note_failure() {
	failed=$((failed + $2)); failures+=$'\n'"  $1 (see $3)"
	echo "not ok  $1"; tail -n 25 "$3" | sed 's/^/    /'
}

for t in "$B"/unit/test_*; do
	[ -x "$t" ] && [ ! -d "$t" ] || continue
	name=$(basename "$t") log=$out/$name.log
	timeout 600 "$t" >"$log" 2>&1; rc=$?
	ok=$(grep -c '^\[       OK \]' "$log"); bad=$(grep -c '^\[  FAILED  \] [^0-9]' "$log")
	bad=$((bad / 2)) # cmocka names a failed test twice: when it fails and in the summary
	passed=$((passed + ok))
	if [ $rc -ne 0 ] || [ "$ok" -eq 0 ]; then
		[ "$bad" -gt 0 ] || bad=1
		note_failure "$name: exit $rc, $ok ok, $bad failed" "$bad" "$log"
	else
		echo "ok      $name: $ok tests"
	fi
done

for t in tests/e2e/[0-9]*.sh; do
	[ -e "$t" ] || continue
	name=$(basename "$t" .sh) log=$out/$name.log start=$SECONDS
	# Scenarios have deadlines, and machines have bad moments: one that fails gets a second chance,
	# and says so.
	if timeout 600 bash "$t" >"$log" 2>&1; then
		passed=$((passed + 1)); echo "ok      e2e $name ($((SECONDS - start)) s)"
	elif mv "$log" "$out/$name.first.log"; timeout 600 bash "$t" >"$log" 2>&1; then
		passed=$((passed + 1)); echo "ok      e2e $name (FLAKY: failed at first, see $out/$name.first.log)"
		tail -n 8 "$out/$name.first.log" | sed 's/^/    /'
	else
		note_failure "e2e $name" 1 "$log"
	fi
done

[ -z "$failures" ] || echo "failed:$failures"
echo "check: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
