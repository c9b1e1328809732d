// SPDX-License-Identifier: Apache-2.0
#include "vmm/hosts/remote.h"

#include <errno.h>
#include <string.h>

#include "lib/parallel.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { AT_ONCE = 64 };

struct asking {
	struct vh_remote *hosts;
	int deadline_ms;
};

static void ask_host(void *arg, size_t i)
{
	const struct asking *a = arg;
	struct vh_remote *host = &a->hosts[i];
	vh_autofree char *timeout = vh_strf("-oConnectTimeout=%d", (a->deadline_ms + 999) / 1000);
	char *argv[] = {
		"ssh", "-oBatchMode=yes", timeout, "--", (char *)host->name, "vhpc", "vm", "host", "--json", NULL,
	};
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = a->deadline_ms };
	vh_autooutput out = { 0 };

	if (!timeout)
		vh_err_nomem(&host->err);
	else if (vh_spawn_ok(&spawn, &out, &host->err) == 0)
		host->model = vh_steal(&out.out);
}

int vh_remote_hosts(char *const *names, int deadline_ms, struct vh_remote **ret, size_t *ret_n, struct vh_err *err)
{
	size_t n = vh_strv_len(names);
	struct asking a = { .hosts = calloc(n + 1, sizeof(*a.hosts)), .deadline_ms = deadline_ms };

	if (!a.hosts)
		return vh_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		a.hosts[i].name = names[i];
	vh_parallel(n, AT_ONCE, ask_host, &a);
	*ret = a.hosts;
	*ret_n = n;
	return 0;
}

void vh_remote_free(struct vh_remote *hosts, size_t n)
{
	for (size_t i = 0; hosts && i < n; i++) {
		free(hosts[i].model);
		vh_err_clear(&hosts[i].err);
	}
	free(hosts);
}
