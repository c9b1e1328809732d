// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/self.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3;
	h ^= h >> 32;
	return h;
}

static ssize_t read_text(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, len - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* When the process started, with the boot that counts from; 0: there is none, or it has
 * ended and waits for its parent. */
static uint64_t started(pid_t pid)
{
	char path[32], stat[1024], boot[64], *at;
	unsigned field = 3;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_text(path, stat, sizeof(stat)) <= 0 || !(at = strrchr(stat, ')')) || strlen(at) < 3)
		return 0;
	at += 2;	/* the state, the third field */
	if (*at == 'Z' || *at == 'X')
		return 0;
	for (; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return 0;
	at[1 + strcspn(at + 1, " ")] = '\0';
	read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	return mix(mix(0xcbf29ce484222325, at + 1, strlen(at + 1)), boot, strlen(boot)) | 1;
}

bool ivshm_process_alive(pid_t pid, uint64_t when)
{
	uint64_t now = started(pid);

	return now && (!when || now == when);
}

static bool nobody_is_dead(pid_t pid, uint64_t when)
{
	(void)pid;
	(void)when;
	return true;
}

/* A /proc of another pid namespace tells of other processes than those that we mean. */
static bool proc_is_ours(void)
{
	char text[16] = "", mine[16];

	snprintf(mine, sizeof(mine), "%d", (int)getpid());
	return readlink("/proc/self", text, sizeof(text) - 1) > 0 && !strcmp(text, mine);
}

void ivshm_self_here(struct ivshm_self *ret, uint64_t job, uint32_t rank)
{
	char host[256] = "";
	struct stat st = { 0 };
	uint64_t machine;

	gethostname(host, sizeof(host) - 1);
	if (stat("/proc/self/ns/pid", &st) < 0)
		st.st_ino = 0;
	machine = mix(mix(0xcbf29ce484222325, host, strlen(host)), &st.st_ino, sizeof(st.st_ino));
	*ret = (struct ivshm_self){
		.machine = machine, .started = started(getpid()), .job = job, .rank = rank, .pid = getpid(),
		.alive = proc_is_ours() ? ivshm_process_alive : nobody_is_dead,
	};
}
