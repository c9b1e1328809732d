// SPDX-License-Identifier: Apache-2.0
#include "vmm/remote.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"

enum { AT_ONCE = 64 };

struct asking {
	struct vh_remote *hosts;
	size_t n;
	atomic_size_t next;
	int deadline_ms;
};

static void ask(struct vh_remote *host, int deadline_ms)
{
	vh_autofree char *timeout = vh_strf("-oConnectTimeout=%d", (deadline_ms + 999) / 1000);
	char *argv[] = {
		"ssh", "-oBatchMode=yes", timeout, "--", (char *)host->name, "vhpc", "vm", "host", "--json", NULL,
	};
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = deadline_ms };
	vh_autooutput out = { 0 };

	if (!timeout)
		vh_err_nomem(&host->err);
	else if (vh_spawn_ok(&spawn, &out, &host->err) == 0)
		host->model = vh_steal(&out.out);
}

static void *work(void *arg)
{
	struct asking *a = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&a->next, 1);

		if (i >= a->n)
			return NULL;
		ask(&a->hosts[i], a->deadline_ms);
	}
}

/* Where no thread more can be had, fewer do. */
static void ask_all(struct asking *a)
{
	pthread_t threads[AT_ONCE];
	size_t n = 0;

	while (n < AT_ONCE && n + 1 < a->n && pthread_create(&threads[n], NULL, work, a) == 0)
		n++;
	work(a);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

int vh_remote_hosts(char *const *names, int deadline_ms, struct vh_remote **ret, size_t *ret_n, struct vh_err *err)
{
	struct asking a = { .n = vh_strv_len(names), .deadline_ms = deadline_ms };

	a.hosts = calloc(a.n + 1, sizeof(*a.hosts));
	if (!a.hosts)
		return vh_err_nomem(err);
	for (size_t i = 0; i < a.n; i++)
		a.hosts[i].name = names[i];
	ask_all(&a);
	*ret = a.hosts;
	*ret_n = a.n;
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
