// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/transfer.h"

#include <pthread.h>

#include "lib/parallel.h"
#include "lib/values.h"

/* Each reads, hashes and encrypts. */
enum { AT_ONCE = 8 };

struct all {
	int (*one)(void *arg, size_t i, struct vh_err *err);
	const char *(*of)(const void *arg, size_t i);
	void *arg;
	pthread_mutex_t lock;	/* of what follows */
	size_t done;
	struct vh_err *err;	/* the first one */
};

static void transfer(void *arg, size_t i)
{
	struct all *all = arg;
	vh_autoerr err = VH_ERR_NONE;
	const int r = all->one(all->arg, i, &err);

	if (r < 0)
		vh_err_within(&err, "%s", all->of(all->arg, i));
	pthread_mutex_lock(&all->lock);
	all->done += r == 0;
	if (r < 0 && !all->err->num)
		vh_err_move(all->err, &err);
	pthread_mutex_unlock(&all->lock);
}

int transfer_all(size_t n, int (*one)(void *arg, size_t i, struct vh_err *err), const char *(*of)(const void *arg, size_t i),
		 void *arg, struct vh_err *err)
{
	struct all all = { .one = one, .of = of, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err };

	vh_parallel(n, AT_ONCE, transfer, &all);
	if (!err->num)
		return 0;
	return all.done ? vh_err_as(err, VH_EXIT_PARTIAL) : -err->num;
}

void copy_tick(struct copy *c, uint64_t files, uint64_t bytes)
{
	static const uint64_t every = 4 << 20;
	const uint64_t now = __atomic_add_fetch(&c->bytes, bytes, __ATOMIC_RELAXED);
	const uint64_t n = __atomic_add_fetch(&c->files, files, __ATOMIC_RELAXED);
	char size[16];

	/* A line that rewrites itself; elsewhere the last one says it all. */
	if (now / every != (now - bytes) / every && isatty(STDERR_FILENO))
		vh_progress_step(c->progress, "%s in %llu files", vh_size_format(size, sizeof(size), now / every * every),
				 (unsigned long long)n);
}
