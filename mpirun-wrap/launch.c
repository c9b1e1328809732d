// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/spawn.h"
#include "lib/strv.h"

enum { VERSION_DEADLINE_MS = 20000 };

int vh_mpi_hostfile_open(int *ret_fd, char path[32], struct vh_err *err)
{
	int fd = memfd_create("vhpc-hosts", 0);	/* kept across exec: mpirun reads it */

	if (fd < 0)
		return vh_err_set(err, errno, "host list: %s", strerror(errno));
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	*ret_fd = fd;
	return 0;
}

int vh_mpi_head_interface(const char *cidr, char ret[IFNAMSIZ])
{
	char base[INET_ADDRSTRLEN];
	struct ifaddrs *all, *a;
	struct in_addr net;
	uint32_t mask;
	int r = -ENODEV;

	snprintf(base, sizeof(base), "%.*s", (int)strcspn(cidr, "/"), cidr);
	mask = htonl(~0u << (32 - atoi(strchr(cidr, '/') + 1)));
	if (inet_pton(AF_INET, base, &net) != 1 || getifaddrs(&all) < 0)
		return -ENODEV;
	for (a = all; a && r < 0; a = a->ifa_next) {
		const struct sockaddr_in *in = (const void *)a->ifa_addr;

		if (!in || in->sin_family != AF_INET || (in->sin_addr.s_addr & mask) != (net.s_addr & mask))
			continue;
		snprintf(ret, IFNAMSIZ, "%s", a->ifa_name);
		r = 0;
	}
	freeifaddrs(all);
	return r;
}

char *vh_mpi_version_parse(const char *text)
{
	static const char before[] = "(Open MPI) ";
	const char *at = strstr(text, before);
	size_t n;

	if (!at)
		return NULL;
	at += strlen(before);
	n = strspn(at, "0123456789.");
	return n > 0 && n < 32 ? strndup(at, n) : NULL;
}

static int check_version(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	char *argv[] = { (char *)"mpirun", (char *)"--version", NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = VERSION_DEADLINE_MS };
	vh_autofree char *here = NULL;
	vh_autooutput out = { 0 };
	int r = vh_spawn_ok(&spawn, &out, err);

	if (r < 0) {
		err->exit = VH_EXIT_REFUSED;
		return r == -ENOENT ? vh_err_hint(err, "install the nodes' MPI here too: openmpi-bin %s", c->version) : r;
	}
	here = vh_mpi_version_parse(out.out);
	if (!here)
		return vh_err_refuse(err, ENOTSUP, "mpirun: not Open MPI's, as on the nodes of %s", c->name);
	if (strcmp(here, c->version)) {
		vh_err_refuse(err, ENOTSUP, "mpirun here is Open MPI %s, the nodes of %s have %s", here, c->name,
			      c->version);
		return vh_err_hint(err, "put an mpirun of %s first in PATH, or build the image from the suite that has %s",
				   c->version, here);
	}
	return 0;
}

char *vh_mpi_identity_file(const char *line)
{
	static const char key[] = "IdentityFile";
	const char *at = line + strspn(line, " \t");
	size_t n;

	if (strncasecmp(at, key, strlen(key)))
		return NULL;
	at += strlen(key);
	n = strspn(at, " \t=");
	at += n;
	if (n == 0 || !*at)
		return NULL;
	return *at == '"' ? strndup(at + 1, strcspn(at + 1, "\"")) : strndup(at, strcspn(at, " \t\r"));
}

/* mpirun would say of a key that it may not read only that some daemon did not start. */
static int check_key(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	vh_autofree char *config = NULL;
	char *at, *line;
	size_t len;
	int r = vh_mpi_read(c->ssh_config, &config, &len, err);

	for (at = config; r == 0 && (line = strsep(&at, "\n")); ) {
		vh_autofree char *file = vh_mpi_identity_file(line);

		if (file && access(file, R_OK) < 0)
			r = vh_err_refuse(err, errno, "%s: %s", file, strerror(errno));
	}
	if (r < 0)
		vh_err_within(err, "cluster %s", c->name);
	return r == -EACCES ? vh_err_hint(err, "a cluster belongs to the user who applied it; run this as that user") : r;
}

int vh_mpi_check(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	char interface[IFNAMSIZ];
	int r = check_key(c, err);

	if (r < 0)
		return r;
	if (vh_mpi_head_interface(c->cidr, interface) < 0) {
		vh_err_refuse(err, ENETUNREACH, "cluster %s: this machine has no address in its network %s", c->name,
			      c->cidr);
		return vh_err_hint(err, "run it on the cluster's host, in the network namespace where it was applied");
	}
	return check_version(c, err);
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	for (; len > 0; text += n, len -= n)
		if ((n = write(fd, text, len)) < 0)
			return -errno;
	return 0;
}

int vh_mpi_launch(const struct vh_mpi_plan *plan, int hostfile_fd, struct vh_err *err)
{
	int r = write_all(hostfile_fd, plan->hostfile);

	if (r < 0)
		return vh_err_set(err, -r, "host list: %s", strerror(-r));
	for (char *const *e = plan->env; e && *e; e++) {
		vh_autofree char *name = strndup(*e, strcspn(*e, "="));

		if (!name || setenv(name, *e + strlen(name) + 1, 1) < 0)
			return vh_err_nomem(err);
	}
	return vh_spawn_exec(plan->argv, err);
}
