// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/snapshot/all.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "lib/parallel.h"
#include "lib/strv.h"
#include "tools/cluster/snapshot/disk.h"
#include "tools/cluster/snapshot/kept.h"

enum { AT_ONCE = 16 };

const char tag_before[] = "vhpc/before";
static const char prefix[] = "vhpc:";

char *tag_of(const char *name)
{
	return vh_strf("%s%s", prefix, name);
}

bool tag_is_ours(const char *tag)
{
	return !strcmp(tag, tag_before) || !strncmp(tag, prefix, sizeof(prefix) - 1);
}

struct work {
	const struct snapshot_disks *disks;
	int (*one)(const char *path, const char *tag, struct vh_err *err);
	const char *tag;
	pthread_mutex_t lock;	/* of err */
	struct vh_err *err;	/* the first one */
};

static void work_on(void *arg, size_t i)
{
	struct work *w = arg;
	vh_autoerr err = VH_ERR_NONE;

	if (w->one(w->disks->v[i].path, w->tag, &err) == 0)
		return;
	pthread_mutex_lock(&w->lock);
	if (!w->err->num)
		vh_err_move(w->err, &err);
	pthread_mutex_unlock(&w->lock);
}

int disks_do(const struct snapshot_disks *disks, int (*one)(const char *path, const char *tag, struct vh_err *err), const char *tag,
	   struct vh_err *err)
{
	struct work w = { .disks = disks, .one = one, .tag = tag, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err };

	vh_parallel(disks->n, AT_ONCE, work_on, &w);
	pthread_mutex_destroy(&w.lock);
	return -err->num;
}

void seen_clear(struct seen *s)
{
	for (size_t i = 0; s->v && i < s->disks->n; i++) {
		vh_strv_free(s->v[i].tags);
		vh_err_clear(&s->v[i].err);
	}
	free(s->v);
}

static void see(void *arg, size_t i)
{
	struct seen *s = arg;

	disk_tags(s->disks->v[i].path, &s->v[i].tags, &s->v[i].err);
}

int disks_see(const struct snapshot_disks *disks, struct seen *ret)
{
	*ret = (struct seen){ .disks = disks, .v = calloc(disks->n + 1, sizeof(*ret->v)) };
	if (!ret->v)
		return -ENOMEM;
	vh_parallel(disks->n, AT_ONCE, see, ret);
	return 0;
}

char *why_not(const struct seen *seen, const json_t *kept, const char *name)
{
	const struct snapshot_disks *disks = seen->disks;
	vh_autofree char *tag = tag_of(name), *differs = kept_differs(disks, kept);

	if (!tag || differs)
		return vh_steal(&differs);
	for (size_t i = 0; i < disks->n; i++) {
		if (seen->v[i].err.num)
			return strdup(seen->v[i].err.text);
		if (!vh_strv_has(seen->v[i].tags, tag))
			return vh_strf("%s of node %s was made anew since", disks->v[i].volume ? disks->v[i].volume : "the disk",
				       disks->v[i].node);
	}
	return strdup("");
}
