// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/snapshot/begun.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/snapshot/all.h"
#include "tools/cluster/snapshot/disk.h"
#include "tools/cluster/snapshot/kept.h"

static int undo_take(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_autofree char *tag = tag_of(name);

	return tag ? disks_do(disks, disk_drop, tag, err) : vh_err_nomem(err);
}

/* Where it is whole nothing lacks but the journal's word. */
static int settle_take(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_autojson kept = NULL;
	int r = kept_load(disks, name, &kept, err);

	return r == -ENOENT ? undo_take(disks, name, err) : r;
}

int finish_remove(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	int r = kept_remove(disks, name, err);

	return r < 0 ? r : undo_take(disks, name, err);
}

static int finish_revert(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_autofree char *tag = tag_of(name);
	int r = tag ? disks_do(disks, disk_go_back, tag, err) : vh_err_nomem(err);

	return r < 0 ? r : disks_do(disks, disk_drop, tag_before, err);
}

static const struct {
	const char *what;	/* the journal's */
	int (*settle)(const struct snapshot_disks *disks, const char *name, struct vh_err *err);
	const char *half;
} deeds[] = {
	[TAKE] = { "snapshot", settle_take, "is half taken" },
	[REMOVE] = { "snapshot-remove", finish_remove, "is half removed" },
	[REVERT] = { "snapshot-revert", finish_revert, "is half gone back to" },
};

const char *deed_half(enum deed deed)
{
	return deeds[deed].half;
}

int deed_begin(enum deed deed, const struct snapshot_disks *disks, struct vh_store *store, const char *name, int64_t *ret, struct vh_err *err)
{
	return vh_journal_begin(store, disks->run, deeds[deed].what, name, ret, err);
}

int deeds_each(const char *run, struct vh_store *store, int (*one)(void *arg, const struct vh_step *row, enum deed deed, struct vh_err *err),
	       void *arg, struct vh_err *err)
{
	struct vh_step *rows = NULL;
	size_t n = 0;
	int r = vh_journal_list(store, run, &rows, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		for (enum deed d = TAKE; r == 0 && d < vh_array_len(deeds); d++)
			if (!strcmp(rows[i].what, deeds[d].what))
				r = one(arg, &rows[i], d, err);
	vh_journal_free(rows, n);
	return r;
}

static int note(void *arg, const struct vh_step *row, enum deed deed, struct vh_err *err)
{
	(void)row;
	(void)deed;
	(void)err;
	*(bool *)arg = false;
	return 0;
}

int snapshots_are_settled(const char *run, struct vh_store *store, bool *ret, struct vh_err *err)
{
	*ret = true;
	return deeds_each(run, store, note, ret, err);
}

struct settling { const struct snapshot_disks *disks; struct vh_store *store; };

static int settle_one(void *arg, const struct vh_step *row, enum deed deed, struct vh_err *err)
{
	const struct settling *s = arg;
	int r = deeds[deed].settle(s->disks, row->object, err);

	if (r < 0)
		return vh_err_within(err, "cluster %s: snapshot %s %s", s->disks->cluster, row->object, deeds[deed].half);
	return vh_journal_forget(s->store, row->id, err);
}

int snapshots_settle(const struct snapshot_disks *disks, struct vh_store *store, struct vh_err *err)
{
	return deeds_each(disks->run, store, settle_one, &(struct settling){ disks, store }, err);
}
