// SPDX-License-Identifier: Apache-2.0
/* A VM's QEMU in /proc: its process, its threads, its memory. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

/* --- threads */

static void name_thread(const char *comm, struct vh_thread *t)
{
	t->kind = VH_THREAD_OTHER;
	if (sscanf(comm, "CPU %u/", &t->id) == 1)
		t->kind = VH_THREAD_VCPU;
	else if (sscanf(comm, "IO iothread%u", &t->id) == 1)
		t->kind = VH_THREAD_IO;
	else if (!strncmp(comm, "TC ", 3))
		t->kind = VH_THREAD_ALLOCATOR;
}

/* The rest of a line "KEY:\tvalue"; malloc'd, NULL: no such line. */
static char *field(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	if (!at)
		return NULL;
	at += strlen(key);
	at += strspn(at, " \t");
	return strndup(at, strcspn(at, "\n"));
}

/* The path of the thread's cgroup that has cpusets: "N:cpuset:/path", or "0::/path". */
static char *cgroup_path(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? strndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

static char *read_set(const struct vh_root *root, const char *dir, const char *path, const char *file)
{
	char *text = NULL;

	return vh_root_read(root, &text, "sys/fs/cgroup/%s%s/%s", dir, path, file) == 0 ? text : NULL;
}

/* The top one holds all, and restricts nothing. */
static void read_cgroup(const struct vh_root *root, const char *text, struct vh_thread *t)
{
	vh_autofree char *v1 = cgroup_path(text, ":cpuset:"), *v2 = cgroup_path(text, "0::");

	if (v1 && strcmp(v1, "/")) {
		t->cpuset = read_set(root, "cpuset", v1, "cpuset.effective_cpus");
		t->mems = read_set(root, "cpuset", v1, "cpuset.effective_mems");
	} else if (!v1 && v2 && strcmp(v2, "/")) {
		t->cpuset = read_set(root, "", v2, "cpuset.cpus.effective");
		t->mems = read_set(root, "", v2, "cpuset.mems.effective");
	}
}

static bool read_thread(const struct vh_root *root, const char *pid, const char *tid, struct vh_thread *t)
{
	vh_autofree char *comm = NULL, *status = NULL, *cgroup = NULL;

	if (vh_root_read(root, &comm, "proc/%s/task/%s/comm", pid, tid) < 0 ||
	    vh_root_read(root, &status, "proc/%s/task/%s/status", pid, tid) < 0)
		return false;
	name_thread(comm, t);
	t->tid = (pid_t)strtol(tid, NULL, 10);
	t->allowed = field(status, "Cpus_allowed_list:");
	if (vh_root_read(root, &cgroup, "proc/%s/task/%s/cgroup", pid, tid) == 0)
		read_cgroup(root, cgroup, t);
	return t->allowed;
}

int vh_process_threads(const struct vh_root *root, const char *pid, struct vh_thread **ret, size_t *ret_n)
{
	vh_autostrv tids = NULL;
	struct vh_thread *threads;
	int r = vh_root_list(root, &tids, "proc/%s/task", pid);

	if (r < 0)
		return r;
	threads = calloc(vh_strv_len(tids) + 1, sizeof(*threads));
	if (!threads)
		return -ENOMEM;
	*ret_n = 0;
	for (char **tid = tids; tid && *tid; tid++)
		*ret_n += read_thread(root, pid, *tid, &threads[*ret_n]);
	*ret = threads;
	return 0;
}

void vh_threads_free(struct vh_thread *threads, size_t n)
{
	for (size_t i = 0; threads && i < n; i++) {
		free(threads[i].allowed);
		free(threads[i].cpuset);
		free(threads[i].mems);
	}
	free(threads);
}

/* --- memory */

/* "7f90ec000000 bind:0 anon=214 ... N0=214 kernelpagesize_kB=4" */
static void read_mapping(const char *line, size_t len, struct vh_memory *m)
{
	vh_autofree char *copy = strndup(line, len);
	char *rest = copy, *word;
	uint64_t kb, pages;
	unsigned node;

	if (!copy)
		return;
	strsep(&rest, " ");
	word = strsep(&rest, " ");
	snprintf(m->policy, sizeof(m->policy), "%s", word ? word : "");
	while ((word = strsep(&rest, " "))) {
		if (sscanf(word, "N%u=%" SCNu64, &node, &pages) == 2 && node < VH_HOST_NODES_MAX)
			m->on[node] = pages;
		else if (sscanf(word, "kernelpagesize_kB=%" SCNu64, &kb) == 1 && kb < UINT64_MAX >> 10)
			m->page = kb << 10;
	}
	for (node = 0; node < VH_HOST_NODES_MAX; node++)
		m->on[node] *= m->page;
}

/* The line of numa_maps that begins with this address; *ret_len 0: none. */
static const char *find_mapping(const char *numa_maps, uint64_t start, size_t *ret_len)
{
	*ret_len = 0;
	for (const char *line = numa_maps; *line; line += *line == '\n') {
		size_t len = strcspn(line, "\n");
		uint64_t at;

		if (sscanf(line, "%" SCNx64, &at) == 1 && at == start) {
			*ret_len = len;
			return line;
		}
		line += len;
	}
	return NULL;
}

int vh_process_memory(const struct vh_root *root, const char *pid, uint64_t bytes, struct vh_memory **ret, size_t *ret_n)
{
	vh_autofree char *maps = NULL, *numa = NULL;
	vh_autofree struct vh_memory *all = NULL;
	size_t n = 0;
	int r = vh_root_read(root, &maps, "proc/%s/maps", pid);

	if (r == 0)
		r = vh_root_read(root, &numa, "proc/%s/numa_maps", pid);
	if (r < 0)
		return r;
	for (const char *line = maps; *line; line += *line == '\n') {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && end - start == bytes) {
			struct vh_memory *grown = reallocarray(all, n + 1, sizeof(*all));
			size_t len;
			const char *mapping = find_mapping(numa, start, &len);

			if (!grown)
				return -ENOMEM;
			all = grown;
			all[n] = (struct vh_memory){ .bytes = bytes };
			if (mapping)
				read_mapping(mapping, len, &all[n++]);
		}
		line += strcspn(line, "\n");
	}
	*ret = vh_steal(&all);
	*ret_n = n;
	return 0;
}

/* The arguments of a process, one after the other; malloc'd, NULL: it is gone, or has none. */
static char *arguments(const struct vh_root *root, const char *pid, size_t *ret_len)
{
	enum { FIRST = 4096, MOST = 1 << 20 };
	vh_autoclose int fd = vh_root_openf(root, 0, "proc/%s/cmdline", pid);
	size_t size = FIRST, len = 0;
	char *text = fd < 0 ? NULL : malloc(size);
	ssize_t n = 0;

	while (text && (n = read(fd, text + len, size - len)) > 0) {
		char *grown;

		len += (size_t)n;
		if (len < size)
			continue;
		grown = size < MOST ? realloc(text, 2 * size) : NULL;
		if (!grown)
			break;
		text = grown;
		size *= 2;
	}
	*ret_len = len;
	return text;
}

static bool has(const char *text, size_t len, const char *part, size_t part_len)
{
	return memmem(text, len, part, part_len);
}

const char *vh_qemu_process(const struct vh_root *root, char *const *pids, const char *vm, const char *uuid)
{
	vh_autofree char *guest = vh_strf("guest=%s,", vm);

	for (; guest && pids && *pids; pids++) {
		vh_autofree char *args = NULL;
		size_t len = 0;

		if ((*pids)[0] < '0' || (*pids)[0] > '9')
			continue;
		args = arguments(root, *pids, &len);
		if (!args || !has(args, len, "-name", 6) || !has(args, len, guest, strlen(guest)))
			continue;
		/* Each argument ends with a 0. */
		if (!uuid || !*uuid || has(args, len, uuid, strlen(uuid) + 1))
			return *pids;
	}
	return NULL;
}
