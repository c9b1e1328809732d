// SPDX-License-Identifier: Apache-2.0
/* Runs on a node before a job: says what is there. Reads what it is asked on standard input,
 * a line each, and answers a line each (docs/mpi.md has both):
 *   mpi NAME, daemon NAME, directory PATH, program WORD, device NAME PORT PKEY, region,
 *   peer NAME ADDRESS
 * It changes nothing. No word of a line is ever given to a shell. */
#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "mpirun-wrap/ivshm/core/core.h"

enum { LIFE_S = 20, CONNECT_MS = 2000, SSH_PORT = 22, MAX_PEERS = 1024, MAX_LINE = 8192, MAX_PATH = 4096 };

struct peer { char name[64]; int fd; const char *says; };

struct state {
	struct vh_root *root;
	char directory[MAX_PATH];
	struct peer peers[MAX_PEERS];
	size_t n_peers;
};

/* --- packages: dpkg's own record, since asking the programs takes them a second */

static void packages(const struct state *s)
{
	static const char *const wanted[] = { "openmpi-bin", "mpich", "libucx0", "libpmix2", "libpmix2t64" };
	vh_autofree char *text = NULL;
	const char *name = NULL;

	if (vh_root_read(s->root, &text, "var/lib/dpkg/status") < 0)
		return;
	for (char *at = text, *line; (line = strsep(&at, "\n")); ) {
		if (!strncmp(line, "Package: ", 9)) {
			name = NULL;
			for (size_t i = 0; i < vh_array_len(wanted); i++)
				if (!strcmp(line + 9, wanted[i]))
					name = wanted[i];
		} else if (name && !strncmp(line, "Version: ", 9)) {
			printf("package %s %s\n", name, line + 9);
		}
	}
}

/* --- programs */

/* A name without '/' by PATH; false: it is not there. */
static bool in_path(const char *name, char ret[MAX_PATH])
{
	const char *path = getenv("PATH");

	for (path = path ? path : "/usr/bin:/bin"; *path; path += strcspn(path, ":"), path += *path == ':') {
		snprintf(ret, MAX_PATH, "%.*s/%s", (int)strcspn(path, ":"), path, name);
		if (access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

/* As mpirun's daemons do: in the directory that mpirun was started in, where they may enter one here. */
static bool locate(const struct state *s, const char *word, char ret[MAX_PATH])
{
	const char *home = getenv("HOME");
	struct stat st;
	bool there = *s->directory && stat(s->directory, &st) == 0 && S_ISDIR(st.st_mode) && access(s->directory, X_OK) == 0;

	if (!strchr(word, '/'))
		return in_path(word, ret);
	if (*word == '/')
		return snprintf(ret, MAX_PATH, "%s", word) < MAX_PATH;
	return snprintf(ret, MAX_PATH, "%s/%s", there ? s->directory : home ? home : "", word) < MAX_PATH;
}

/* The loader lists what it would load, without running the program. */
static void libraries(const char *loader, const char *program)
{
	int fds[2];
	char line[MAX_LINE];
	FILE *f;
	pid_t pid;

	if (pipe(fds) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execl(loader, loader, "--list", program, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	f = fdopen(fds[0], "r");
	while (f && fgets(line, sizeof(line), f)) {
		char *end = strstr(line, " => not found");

		if (end) {
			*end = '\0';
			printf("library %s\n", line + strspn(line, " \t"));
		}
	}
	if (f)
		fclose(f);
	else
		close(fds[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* What cannot run of an ELF file; NULL: nothing. Its loader, if it has one, into loader. */
static const char *elf(int fd, char loader[256])
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	*loader = '\0';
	if (pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != EM_X86_64)
		return "is for another processor";
	for (unsigned i = 0; i < h.e_phnum; i++) {
		if (pread(fd, &p, sizeof(p), (off_t)(h.e_phoff + i * sizeof(p))) != (ssize_t)sizeof(p))
			return "is cut off";
		if (p.p_type != PT_INTERP)
			continue;
		if (p.p_filesz > 255 || pread(fd, loader, p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz)
			return "is cut off";
		loader[p.p_filesz] = '\0';
		return access(loader, X_OK) == 0 ? NULL : "wants a loader that is not here";
	}
	return NULL;
}

static const char *script(char *line)
{
	char *interpreter = line + 2 + strspn(line + 2, " \t");

	interpreter[strcspn(interpreter, " \t\r\n")] = '\0';
	return access(interpreter, X_OK) == 0 ? NULL : "wants an interpreter that is not here";
}

static void program(const struct state *s, const char *word)
{
	char path[MAX_PATH], begin[257] = "", loader[256] = "";
	const char *why = NULL;
	vh_autoclose int fd = -1;
	struct stat st;

	if (!locate(s, word, path) || stat(path, &st) < 0)
		why = "is not there";
	else if (!S_ISREG(st.st_mode))
		why = "is no file";
	else if (access(path, X_OK) < 0)
		why = "is not executable";
	else if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0 && read(fd, begin, 256) > 0)
		why = !memcmp(begin, ELFMAG, SELFMAG) ? elf(fd, loader) : !memcmp(begin, "#!", 2) ? script(begin) : NULL;
	printf("program %s\n", why ? why : "ok");
	if (!why && *loader)
		libraries(loader, path);
}

/* --- limits, memory, clock */

static void limits(void)
{
	struct rlimit l;
	struct statvfs v;

	if (getrlimit(RLIMIT_MEMLOCK, &l) == 0)
		printf(l.rlim_cur == RLIM_INFINITY ? "memlock unlimited\n" : "memlock %llu\n", (unsigned long long)l.rlim_cur);
	if (statvfs("/dev/shm", &v) == 0)
		printf("shm %llu %llu\n", (unsigned long long)v.f_blocks * v.f_frsize, (unsigned long long)v.f_bavail * v.f_frsize);
}

static void clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	printf("clock %lld.%03ld\n", (long long)t.tv_sec, t.tv_nsec / 1000000);
}

/* --- devices */

static bool has_pkey(const struct state *s, const char *name, unsigned port, unsigned wanted)
{
	vh_autostrv keys = NULL;

	if (vh_root_list(s->root, &keys, "sys/class/infiniband/%s/ports/%u/pkeys", name, port) < 0)
		return false;
	for (char **k = keys; k && *k; k++) {
		int64_t v;

		if (vh_root_read_int(s->root, &v, "sys/class/infiniband/%s/ports/%u/pkeys/%s", name, port, *k) == 0 && v == (int64_t)wanted)
			return true;
	}
	return false;
}

/* NAME PORT PKEY, the latter 0 where any will do. */
static void device(const struct state *s, const char *words)
{
	char name[64];
	unsigned port, pkey;
	vh_autofree char *text = NULL;

	if (sscanf(words, "%63[A-Za-z0-9_-] %u %x", name, &port, &pkey) != 3)
		return;
	if (vh_root_read(s->root, &text, "sys/class/infiniband/%s/ports/%u/state", name, port) < 0)
		printf("device %s:%u missing\n", name, port);
	else	/* "4: ACTIVE" */
		printf("device %s:%u %s\n", name, port, strchr(text, ' ') ? strchr(text, ' ') + 1 : text);
	if (text && pkey)
		printf("pkey %s:%u %s\n", name, port, has_pkey(s, name, port, pkey) ? "there" : "missing");
}

static void region(void)
{
	struct ivshm_mapping m;
	int r = ivshm_map(NULL, &m);

	if (r < 0)
		printf("region missing %s\n", strerror(-r));
	else
		printf("region %zu %s %s\n", m.size, m.cached ? "write-back" : "uncached", m.by);
	if (r == 0)
		ivshm_unmap(&m);
}

/* --- peers: whoever answers, even by refusing, is there */

static void begin_peer(struct state *s, const char *words)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(SSH_PORT) };
	struct peer *p = &s->peers[s->n_peers];
	char address[16];

	if (s->n_peers == MAX_PEERS || sscanf(words, "%63s %15s", p->name, address) != 2 ||
	    inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return;
	s->n_peers++;
	p->says = NULL;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == ECONNREFUSED)
		p->says = "ok";
	else if (errno != EINPROGRESS)
		p->says = strerrordesc_np(errno);
}

static void settle(struct peer *p)
{
	int e = 0;
	socklen_t len = sizeof(e);

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &len) < 0)
		e = errno;
	p->says = e == 0 || e == ECONNREFUSED ? "ok" : strerrordesc_np(e);
}

static void finish_peers(struct state *s)
{
	static struct pollfd fds[MAX_PEERS];
	const double until = vh_now() + CONNECT_MS / 1e3;
	size_t open = 1;

	for (double left = CONNECT_MS; open > 0 && left > 0; left = (until - vh_now()) * 1e3) {
		open = 0;
		for (size_t i = 0; i < s->n_peers; i++) {
			fds[i] = (struct pollfd){ .fd = s->peers[i].says ? -1 : s->peers[i].fd, .events = POLLOUT };
			open += fds[i].fd >= 0;
		}
		if (open > 0 && poll(fds, s->n_peers, (int)left) > 0)
			for (size_t i = 0; i < s->n_peers; i++)
				if (fds[i].fd >= 0 && fds[i].revents)
					settle(&s->peers[i]);
	}
	for (size_t i = 0; i < s->n_peers; i++)
		printf("peer %s %s\n", s->peers[i].name, s->peers[i].says ? s->peers[i].says : "no answer");
}

static void answer(struct state *s, char *line)
{
	char *rest = strchr(line, ' '), path[MAX_PATH];

	line[strcspn(line, "\n")] = '\0';
	rest = rest ? rest + 1 : line + strlen(line);
	if (!strncmp(line, "daemon ", 7))
		printf("daemon %s\n", in_path(rest, path) ? path : "missing");
	else if (!strncmp(line, "directory ", 10))
		snprintf(s->directory, sizeof(s->directory), "%s", rest);
	else if (!strncmp(line, "program ", 8))
		program(s, rest);
	else if (!strncmp(line, "device ", 7))
		device(s, rest);
	else if (!strcmp(line, "region"))
		region();
	else if (!strncmp(line, "peer ", 5))
		begin_peer(s, rest);
}

int main(void)
{
	static struct state s;
	vh_autoerr err = VH_ERR_NONE;
	char line[MAX_LINE];

	alarm(LIFE_S);
	clock_now();
	if (vh_root_open(&s.root, NULL, &err) < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin))
		answer(&s, line);
	packages(&s);
	limits();
	finish_peers(&s);
	puts("end");
	vh_root_free(s.root);
	return 0;
}
