#!/bin/bash
# 43-runner-syscalls - what a run of the factory's program does to files, as the kernel sees it: no file
# of the package is opened after it was verified, and nothing is written outside of the state folder.
# And while a run is going the package file is replaced: the boards get the bytes that were verified.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/runner-lib.sh"
oem_workspace "$T/oem"
oem_package "$T/oem" "$T/blinky.mfgpkg"
S=$T/station
station "$S" line3 "$T/oem" >/dev/null
KEY=$T/oem/keys/package.key

step "the bytes a board should get: one board, undisturbed"
make_order "$S" o-1 blinky.mfgpkg 1
sim_start calm --count 1 --seed 20
expect 0 '' runner start --state "$S" "$T/blinky.mfgpkg" --order "$T/o-1" --ports "$T/calm/ttyMCX*" --ui plain
sim_stop calm
what='.[] | [.flash_sha256, .boot]' # the CMPA holds a key wrapped for one chip
jq -c "$what" "$T/calm.json" >"$T/wanted"
grep -q application "$T/wanted" && ! grep -q null "$T/wanted" || fail "no digests in the report: $(cat "$T/calm.json")"

step "the package is replaced and overwritten while three boards are running"
# Another release with another image, signed by the same OEM: it would be accepted, but was not verified.
head -c 700 /dev/urandom >"$T/noise"
make_order "$S" o-2 blinky.mfgpkg 3
cp "$T/blinky.mfgpkg" "$T/line.mfgpkg"
sim_start fab --count 3 --seed 21 --baud-pacing
runner start --state "$S" "$T/line.mfgpkg" --order "$T/o-2" --ports "$T/fab/ttyMCX*" --baud 115200 --ui json >"$T/run.jsonl" &
RUN=$!
wait_for 20 "$T/run.jsonl" '"event":"stage".*"stage":"provision"'
for f in "$T/line.mfgpkg" "$S"/packages/*.mfgpkg; do
	dd if="$T/noise" of="$f" bs=1 seek=1500 conv=notrunc status=none # the same file, other bytes
done
cp "$T/noise" "$T/other"; mv "$T/other" "$T/line.mfgpkg" # another file under its name
rm "$S"/packages/*.mfgpkg
rc=0; wait $RUN || rc=$?
[ $rc = 0 ] && [ "$(summary "$T/run.jsonl" passed)" = 3 ] || fail "exit $rc: $(tail -n 3 "$T/run.jsonl")"
grep -q '"event":"stage".*"stage":"program"' "$T/run.jsonl" || fail "it was replaced too late"
sim_stop fab
[ "$(jq -c "$what" "$T/fab.json" | sort -u)" = "$(cat "$T/wanted")" ] || fail "the boards differ: $(jq -c "$what" "$T/fab.json")"
DIGEST=$(unzip -p "$T/blinky.mfgpkg" manifest.json | sha256sum | cut -d' ' -f1)
jq -se --arg d "$DIGEST" 'any(.kind == "package" and .package == $d)' <(runner log export --state "$S" o-2) >/dev/null ||
	fail "the log names another package"
expect 3 '' runner verify --state "$S" "$T/line.mfgpkg"

step "files and sockets of a run, as the kernel sees them"
if ! strace -qq -f -o "$T/probe" true 2>"$T/probe.err"; then
	echo "SKIPPED: this machine permits no ptrace, so no system call can be watched: $(head -n 1 "$T/probe.err")"
	exit 0
fi
trace=open,openat,openat2,creat,truncate,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2
trace=$trace,link,linkat,symlink,symlinkat,chmod,fchmodat,chown,lchown,fchownat,utime,utimes,utimensat,futimesat
trace=$trace,setxattr,lsetxattr,removexattr,lremovexattr,execve,execveat,mount,umount2,chroot,pivot_root,ptrace
trace=$trace,process_vm_writev,bpf,open_by_handle_at,socket,fcntl
export ASAN_OPTIONS=detect_leaks=0 # the leak sanitizer is a tracer of its own: not under strace
for by in path name; do
	make_order "$S" "o-$by" blinky.mfgpkg 2
	if [ $by = path ]; then
		run=("$T/blinky.mfgpkg" --order "$T/o-path") package=$T/blinky.mfgpkg
	else
		runner import --state "$S" "$T/blinky.mfgpkg" "$T/o-name" -q
		run=(--order o-name) package=$S/packages/$DIGEST.mfgpkg
	fi
	sim_start "fab$by" --count 2 --seed 22
	expect 0 '' strace -qq -f -y -s 4096 -e "trace=$trace" -e signal=none -o "$T/$by.trace" \
		runner start --state "$S" "${run[@]}" --ports "$T/fab$by/ttyMCX*" --ui json --operator tester
	[ "$(summary "$T/out" passed)" = 2 ] || fail "$(tail -n 1 "$T/out")"
	sim_stop "fab$by"
	python3 tests/e2e/syscalls.py "$T/$by.trace" "$S" "$package" || fail "run by $by"
done

step "the judge itself: what it must refuse"
must_refuse() {
	{ cat "$T/path.trace"; echo "$2"; } >"$T/forged.trace"
	! python3 tests/e2e/syscalls.py "$T/forged.trace" "$S" "$T/blinky.mfgpkg" >"$T/forged" 2>&1 || fail "syscalls.py accepts: $2"
	grep -q "$1" "$T/forged" || fail "$2: $(cat "$T/forged")"
}
must_refuse 'opened after it was copied' "1 openat(AT_FDCWD<$T>, \"$T/blinky.mfgpkg\", O_RDONLY|O_CLOEXEC) = 3"
must_refuse 'outside of the state' "1 openat(AT_FDCWD<$T>, \"$T/stray\", O_WRONLY|O_CREAT, 0600) = 3"
must_refuse 'outside of the state' "1 rename(\"$S/a\", \"$T/b\") = 0"
must_refuse 'outside of the state' "1 unlink(\"$T/b\") = 0"
must_refuse 'network' '1 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3'
must_refuse execve '1 execve("/bin/sh", ["sh"], 0x0) = 0'
echo "system calls: ok"
