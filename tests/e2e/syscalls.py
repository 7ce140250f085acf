#!/usr/bin/env python3
"""syscalls.py TRACE STATE PACKAGE - judge an strace (-f -y) of a run of the factory's program.

After the package was copied into sealed memory no file of it is opened for reading again; files are
made, changed and removed below the state folder only, besides the serial ports, terminals and
/dev/null; no other program is started and no network socket made. Prints what was counted.
"""
import os, re, sys

trace, state, package = sys.argv[1:]
state, package = os.path.realpath(state), os.path.realpath(package)
WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
# Which arguments are paths that get changed; an *at call has its folder before each.
CHANGING = {
    "creat": [0], "truncate": [0], "unlink": [0], "rmdir": [0], "mkdir": [0], "mknod": [0], "chmod": [0],
    "chown": [0], "lchown": [0], "utime": [0], "utimes": [0], "setxattr": [0], "lsetxattr": [0],
    "removexattr": [0], "lremovexattr": [0], "rename": [0, 1], "link": [0, 1], "symlink": [1],
    "unlinkat": [1], "mkdirat": [1], "mknodat": [1], "fchmodat": [1], "fchownat": [1], "utimensat": [1],
    "futimesat": [1], "renameat": [1, 3], "renameat2": [1, 3], "linkat": [1, 3], "symlinkat": [2],
}
FORBIDDEN = ("execve", "execveat", "mount", "umount2", "chroot", "pivot_root", "swapon", "init_module",
             "ptrace", "process_vm_writev", "bpf", "open_by_handle_at", "fallocate_path")


def fail(text):
    sys.exit("syscalls: " + text)


def arguments(text):
    """Split an argument list; quotes, <..>, {..} and [..] keep commas."""
    out, depth, quote, cur, esc = [], 0, False, "", False
    for c in text:
        if quote:
            quote = not (c == '"' and not esc)
            esc = c == "\\" and not esc
        elif c == '"':
            quote = True
        elif c in "<{[(":
            depth += 1
        elif c in ">}])":
            depth -= 1
        if c == "," and depth == 0 and not quote:
            out.append(cur.strip())
            cur = ""
        else:
            cur += c
    return out + [cur.strip()]


def text_of(arg):
    m = re.match(r'"((?:[^"\\]|\\.)*)"', arg)
    return m.group(1) if m else None


def path_of(args, i):
    p = text_of(args[i])
    if p is None:
        return None
    if not p.startswith("/"):
        folder = re.search(r"<([^>]*)>", args[i - 1]) if i else None
        p = os.path.join(folder.group(1) if folder else os.getcwd(), p)
    # The last component may be gone or not be there yet; its folder is what matters.
    return os.path.realpath(p) if os.path.islink(p) else os.path.join(
        os.path.realpath(os.path.dirname(p)), os.path.basename(p))


def may_write(path):
    return (path == state or path.startswith(state + "/") or path.startswith(("/dev/pts/", "/dev/tty"))
            or path in ("/dev/null", "/dev/ptmx"))


sealed = read = written = changed = ports = 0
started = False
unfinished = {}
for line in open(trace, errors="replace"):
    m = re.match(r"(\d+)\s+(.*)", line.rstrip("\n"))
    if not m:
        fail("not understood: " + line)
    pid, rest = m.groups()
    if rest.endswith("<unfinished ...>"):
        unfinished[pid] = rest[: -len("<unfinished ...>")].rstrip()
        continue
    r = re.match(r"<\.\.\. (\w+) resumed>(.*)", rest)
    if r:
        rest = unfinished.pop(pid) + r.group(2)
    m = re.match(r"(\w+)\((.*)\)\s+= (.*)", rest)
    if not m:
        if re.match(r"(\+\+\+|---)", rest) or "exit" in rest:
            continue
        fail("not understood: " + line)
    call, args, result = m.group(1), arguments(m.group(2)), m.group(3)
    if call == "execve" and not started:
        started = True
        continue
    if call in FORBIDDEN:
        fail(f"{call}: {rest[:200]}")
    if call == "socket":
        if not args[0].startswith(("AF_UNIX", "AF_NETLINK", "AF_LOCAL")):
            fail("a network socket: " + rest)
        continue
    if call == "fcntl":
        if len(args) > 1 and args[1] == "F_ADD_SEALS" and result.startswith("0"):
            for seal in ("F_SEAL_SEAL", "F_SEAL_SHRINK", "F_SEAL_GROW", "F_SEAL_WRITE"):
                if seal not in args[2]:
                    fail("not sealed against " + seal)
            if not read:
                fail("sealed before the package was read")
            sealed += 1
        continue
    if call in ("open", "openat", "openat2"):
        i = 0 if call == "open" else 1
        flags = args[i + 1]
        path = path_of(args, i)
        writes = any(f in flags for f in WRITING)
        if path == package or (path.endswith(".mfgpkg") and not writes):
            if writes:
                fail("the package is written: " + rest)
            if sealed:
                fail("a file of the package is opened after it was copied: " + rest)
            read += 1
        if writes:
            if not may_write(path):
                fail("opened for writing outside of the state folder: " + rest)
            if path.startswith("/dev/"):
                ports += 1
            else:
                written += 1
        continue
    if call in ("mkdir", "mkdirat") and "EEXIST" in result:
        continue  # "make it with all parents": they are there
    for i in CHANGING.get(call, []):
        path = path_of(args, i)
        if path is None or not may_write(path):
            fail("changed outside of the state folder: " + rest)
        changed += 1

if not started or read < 1 or sealed != 1:
    fail(f"program started: {started}, package opened {read} times, sealed {sealed} times")
if not ports:
    fail("no port was opened: this was no run")
print(f"package opened {read}, sealed {sealed}; below the state folder {written} opened for writing,"
      f" {changed} made, renamed or removed; {ports} ports opened")
