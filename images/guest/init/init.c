// SPDX-License-Identifier: Apache-2.0
/* The whole of the initrd's program: loads the modules that the root disk needs, in
 * the order the builder wrote them, waits for root= (a device below /dev, or the UUID of an
 * ext4 file system), lets it grow with its disk, mounts it and becomes its init; with
 * vhpc.overlay a file system in memory takes what is written.
 * On failure it says why on the console and powers off, so that a VM never hangs here. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "images/guest/init/grow.h"

#define MODULES "/modules"
#define NEW_ROOT "/root"
#define LOWER "/lower"

enum { ROOT_WAIT_MS = 60000, ROOT_POLL_MS = 5 };

struct boot {
	const char *root, *fstype, *flags, *init;
	bool read_only, overlay;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void vsay(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void vsay(const char *fmt, va_list ap)
{
	char line[512];
	int n = vsnprintf(line, sizeof line, fmt, ap);
	if (n > 0 && dprintf(STDERR_FILENO, "vhpc-init: %s\n", line) < 0)
		return;
}

static void say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

static void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	say("powering off");
	sync();
	reboot(RB_POWER_OFF);
	/* Without ACPI the machine stays on: the end of PID 1 is a panic, which ends it too. */
	_exit(1);
}

static void mount_api(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, MS_NOSUID, NULL) < 0 && errno != EBUSY)
		die("cannot mount %s on %s: %s", type, where, strerror(errno));
}

static void load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		say("%s: cannot be loaded: %s", path, strerror(errno));
	close(fd);
}

/* One path a line; a module that fails is only said, for the disk may come without it. */
static void load_modules(void)
{
	char line[512];
	FILE *f = fopen(MODULES, "re");
	if (!f)
		return;
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		if (*line)
			load_module(line);
	}
	fclose(f);
}

static char *read_cmdline(void)
{
	static char text[8192];
	FILE *f = fopen("/proc/cmdline", "re");
	if (!f || !fgets(text, sizeof text, f))
		die("/proc/cmdline: %s", strerror(errno));
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return text;
}

static bool take_word(const char *word, const char *key, const char **ret)
{
	size_t n = strlen(key);
	if (strncmp(word, key, n))
		return false;
	*ret = word + n;
	return true;
}

static struct boot parse_cmdline(char *text)
{
	struct boot b = { .fstype = "ext4", .flags = "", .init = "/sbin/init", .read_only = true };
	for (char *save, *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (take_word(w, "root=", &b.root) || take_word(w, "rootfstype=", &b.fstype) ||
		    take_word(w, "rootflags=", &b.flags) || take_word(w, "init=", &b.init))
			continue;
		if (!strcmp(w, "rw") || !strcmp(w, "ro"))
			b.read_only = w[1] == 'o';
		else if (!strcmp(w, "vhpc.overlay"))
			b.overlay = true;
	}
	return b;
}

/* The block device whose ext4 has this UUID, into dev. */
static bool find_uuid(const char *uuid, char *dev, size_t len)
{
	char have[37];
	DIR *d = opendir("/sys/class/block");
	bool found = false;
	for (struct dirent *e; !found && d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(dev, len, "/dev/%.200s", e->d_name);
		found = vh_ext4_uuid(dev, have) == 0 && !strcasecmp(have, uuid);
	}
	if (d)
		closedir(d);
	return found;
}

/* The device that root= means, once it is there. */
static const char *wait_for(const char *root)
{
	static char dev[256];
	struct timespec nap = { .tv_nsec = ROOT_POLL_MS * 1000000L };
	const char *uuid = NULL;
	struct stat st;
	bool by_uuid = take_word(root, "UUID=", &uuid);
	for (int ms = 0; ms < ROOT_WAIT_MS; ms += ROOT_POLL_MS) {
		if (by_uuid && find_uuid(uuid, dev, sizeof dev))
			return dev;
		if (!by_uuid && stat(root, &st) == 0 && S_ISBLK(st.st_mode))
			return root;
		nanosleep(&nap, NULL);
	}
	die("root=%s did not appear within %d s", root, ROOT_WAIT_MS / 1000);
}

/* What is written goes to memory, into the half of it at most. */
static void mount_overlay(void)
{
	mkdir("/run", 0755);
	mkdir(LOWER, 0755);
	if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") < 0 || mkdir("/run/upper", 0755) < 0 ||
	    mkdir("/run/work", 0755) < 0 || mount(NEW_ROOT, LOWER, NULL, MS_MOVE, NULL) < 0 ||
	    mount("overlay", NEW_ROOT, "overlay", 0, "lowerdir=" LOWER ",upperdir=/run/upper,workdir=/run/work") < 0)
		die("cannot lay a file system in memory over the root disk: %s", strerror(errno));
}

static void mount_root(const struct boot *b)
{
	bool ext4 = !strcmp(b->fstype, "ext4") && !b->read_only;
	const char *why = NULL;

	mkdir(NEW_ROOT, 0755);
	if (ext4 && vh_grow_partition(b->root, &why) < 0)
		say("%s: its partition stays as it is: %s", b->root, why);
	if (mount(b->root, NEW_ROOT, b->fstype, b->read_only ? MS_RDONLY : 0, b->flags) < 0)
		die("cannot mount %s as %s: %s", b->root, b->fstype, strerror(errno));
	if (ext4 && vh_grow_ext4(b->root, NEW_ROOT, &why) < 0)
		say("%s: its file system stays as it is: %s", b->root, why);
	if (b->overlay)
		mount_overlay();
}

/* What the initrd holds is memory until it is removed. */
static void free_initrd(void)
{
	char line[512];
	FILE *f = fopen(MODULES, "re");
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		unlink(line);
	}
	if (f)
		fclose(f);
	unlink(MODULES);
	unlink("/init");
}

static void switch_root(const struct boot *b)
{
	static const char *const api[] = { "/dev", "/proc", "/sys" };
	char to[64];

	free_initrd();
	for (size_t i = 0; i < sizeof api / sizeof *api; i++) {
		snprintf(to, sizeof to, NEW_ROOT "%s", api[i]);
		if (mount(api[i], to, NULL, MS_MOVE, NULL) < 0)
			die("cannot move %s into the root disk: %s", api[i], strerror(errno));
	}
	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		die("cannot make %s the root: %s", b->root, strerror(errno));
}

int main(int argc, char **argv)
{
	(void)argc;
	if (getpid() != 1) {
		fputs("vhpc-init: only as the first program of a machine\n", stderr);
		return 1;
	}
	mount_api("devtmpfs", "/dev");
	mount_api("proc", "/proc");
	mount_api("sysfs", "/sys");
	struct boot b = parse_cmdline(read_cmdline());
	if (!b.root || (strncmp(b.root, "/dev/", 5) && strncmp(b.root, "UUID=", 5)))
		die("root=%s: a device below /dev or UUID= is needed", b.root ? b.root : "");
	load_modules();
	b.root = wait_for(b.root);
	mount_root(&b);
	switch_root(&b);
	argv[0] = (char *)b.init;
	execv(b.init, argv);
	die("%s: %s", b.init, strerror(errno));
}
