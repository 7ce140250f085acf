/* Who has a serial port: answered from /proc, because opening a port to find out disturbs it. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "mboot/fdio.h"
#include "mboot/serial.h"

/* Slaves of UNIX98 pseudo-terminals have these majors (Linux devices.txt). */
enum { PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143 };

bool is_pty_dev(dev_t dev)
{
	return major(dev) >= PTY_MAJOR_FIRST && major(dev) <= PTY_MAJOR_LAST;
}

static void program_name(int pid, char *program, size_t cap)
{
	char path[64];

	snprintf(program, cap, "?");
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return;
	char line[64];
	if (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		snprintf(program, cap, "%s", line);
	}
	fclose(f);
}

/* A lock: "1: FLOCK  ADVISORY  WRITE 1234 00:18:5 0 EOF" (process, device in hex, inode). Seen
 * for all users' processes. */
static int lock_holder(const struct stat *st)
{
	FILE *f = fopen("/proc/locks", "re");
	char line[256];
	int found = 0;

	while (f && !found && fgets(line, sizeof line, f)) {
		int pid;
		unsigned maj, min;
		unsigned long long inode;
		char kind[16];
		if (sscanf(line, "%*u: %15s %*s %*s %d %x:%x:%llu", kind, &pid, &maj, &min,
			    &inode) == 5 &&
			pid > 0 && inode == st->st_ino && maj == major(st->st_dev) &&
			min == minor(st->st_dev))
			found = pid;
	}
	if (f)
		fclose(f);
	return found;
}

/* Is it the same port? Pseudo-terminals of another devpts instance (a container's) have the same
 * numbers; the nodes of a real port may lie in several places. */
static bool same_port(const struct stat *a, const struct stat *b)
{
	return a->st_rdev == b->st_rdev && (!is_pty_dev(a->st_rdev) || a->st_dev == b->st_dev);
}

/* Does the process have the port open? The owner of a pseudo-terminal's master is its far end
 * (a simulator), which may well keep the slave open too: it does not count. */
static bool has_open(const char *pid, const struct stat *port)
{
	char dir[300], link[600], target[64];
	bool found = false, master = false;

	snprintf(dir, sizeof dir, "/proc/%s/fd", pid);
	DIR *d = opendir(dir);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		struct stat st;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(link, sizeof link, "%s/%s", dir, entry->d_name);
		ssize_t n = readlink(link, target, sizeof target - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		master = master || strcmp(target, "/dev/ptmx") == 0 ||
			 strcmp(target, "/dev/pts/ptmx") == 0;
		/* Only what looks like a device is examined: stat on a pipe or a network file is
		 * work for nothing. */
		if (strncmp(target, "/dev/", 5) == 0 && stat(link, &st) == 0 &&
			S_ISCHR(st.st_mode) && same_port(&st, port))
			found = true;
	}
	if (d)
		closedir(d);
	return found && !master;
}

static int open_holder(const struct stat *port)
{
	DIR *proc = opendir("/proc");
	int self = (int)getpid(), found = 0;

	for (struct dirent *entry; proc && !found && (entry = readdir(proc));)
		if (isdigit((unsigned char)entry->d_name[0])) {
			int pid = atoi(entry->d_name);
			if (pid != self && has_open(entry->d_name, port))
				found = pid;
		}
	if (proc)
		closedir(proc);
	return found;
}

int serial_holder(const char *path, char *program, size_t cap)
{
	struct stat st;

	if (cap)
		*program = 0;
	if (stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
		return 0;
	int pid = lock_holder(&st);
	if (!pid)
		pid = open_holder(&st);
	if (pid)
		program_name(pid, program, cap);
	return pid;
}
