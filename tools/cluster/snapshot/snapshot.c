// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/snapshot/snapshot.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/snapshot/all.h"
#include "tools/cluster/snapshot/begun.h"
#include "tools/cluster/snapshot/disk.h"
#include "tools/cluster/snapshot/kept.h"

void snapshot_disks_clear(struct snapshot_disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		free(disks->v[i].node);
		free(disks->v[i].uuid);
		free(disks->v[i].volume);
		free(disks->v[i].path);
	}
	free(disks->v);
	free(disks->cluster);
	free(disks->run);
	free(disks->dir);
	*disks = (struct snapshot_disks){ 0 };
}

static int none(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_err_refuse(err, ENOENT, "cluster %s: has no snapshot %s", disks->cluster, name);
	return vh_err_hint(err, "vhpc cluster snapshot %s lists those that it has", disks->cluster);
}

int snapshot_check(const struct snapshot_disks *disks, const char *name, char **ret_created, struct vh_err *err)
{
	vh_cleanup(seen_clear) struct seen seen = { 0 };
	vh_autofree char *why = NULL, *created = NULL;
	vh_autojson kept = NULL;
	int r = kept_load(disks, name, &kept, err);

	if (r < 0)
		return r == -ENOENT ? none(disks, name, err) : r;
	if (disks_see(disks, &seen) == 0)
		why = why_not(&seen, kept, name);
	created = strdup(json_string_value(json_object_get(kept, "created")));
	if (!why || !created)
		return vh_err_nomem(err);
	if (*why) {
		vh_err_refuse(err, ESTALE, "cluster %s: snapshot %s: %s", disks->cluster, name, why);
		return vh_err_hint(err, "it is all or nothing; vhpc cluster snapshot --remove %s %s gives its room back", disks->cluster, name);
	}
	*ret_created = vh_steal(&created);
	return 0;
}

/* --- taken, gone back to, removed */

/* The journal has it, and disks_settle sees to it. */
static int unfinished(struct vh_err *err)
{
	vh_err_as(err, VH_EXIT_PARTIAL);
	return err->hint ? -err->num : vh_err_hint(err, "the next start or apply ends what was begun, a revert too");
}

/* Of what failed and was undone; where that failed too the journal keeps it, and the next run sees to it. */
static int undone(const struct snapshot_disks *disks, struct vh_store *store, int64_t id, int r, struct vh_err *undo_err, struct vh_err *err)
{
	if (r == 0)
		r = vh_journal_forget(store, id, undo_err);
	vh_err_within(err, "cluster %s", disks->cluster);
	if (r == 0)
		return vh_err_within(err, "nothing is changed");
	vh_err_within(err, "half done, for undoing failed too (%s)", undo_err->text);
	return unfinished(err);
}

/* Every disk is there, and can be read. */
static int check_disks(const struct snapshot_disks *disks, struct vh_err *err)
{
	vh_cleanup(seen_clear) struct seen seen = { 0 };

	if (disks_see(disks, &seen) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < disks->n; i++)
		if (seen.v[i].err.num) {
			vh_err_move(err, &seen.v[i].err);
			vh_err_as(err, VH_EXIT_REFUSED);
			return err->num == ENOENT ? vh_err_hint(err, "vhpc cluster plan says what apply mends, and what that costs") : -err->num;
		}
	return 0;
}

int snapshot_take(const struct snapshot_disks *disks, struct vh_store *store, const char *name, struct vh_err *err)
{
	vh_autofree char *tag = tag_of(name);
	vh_autoerr undo_err = VH_ERR_NONE;
	vh_autojson kept = NULL;
	int64_t id = 0;
	int r = tag ? kept_load(disks, name, &kept, err) : vh_err_nomem(err);

	if (r == 0) {
		vh_err_refuse(err, EEXIST, "cluster %s: has a snapshot %s", disks->cluster, name);
		return vh_err_hint(err, "take another name, or remove it first (--remove)");
	}
	r = r == -ENOENT ? check_disks(disks, err) : r;
	if (r == 0)
		r = deed_begin(TAKE, disks, store, name, &id, err);
	if (r < 0)
		return r;
	r = disks_do(disks, disk_take, tag, err);
	if (r == 0)
		r = kept_save(disks, name, err);
	if (r == 0)
		r = vh_journal_forget(store, id, err);
	return r < 0 ? undone(disks, store, id, finish_remove(disks, name, &undo_err), &undo_err, err) : 0;
}

int snapshot_remove(const struct snapshot_disks *disks, struct vh_store *store, const char *name, bool *ret_there, struct vh_err *err)
{
	vh_autofree char *tag = tag_of(name);
	vh_autojson kept = NULL;
	int64_t id = 0;
	int r = tag ? kept_load(disks, name, &kept, err) : vh_err_nomem(err);

	*ret_there = r != -ENOENT;
	/* One that cannot be read can be removed. */
	if (r == -ENOENT || r == -ENOMEM)
		return r == -ENOENT ? 0 : r;
	vh_err_clear(err);
	r = deed_begin(REMOVE, disks, store, name, &id, err);
	if (r < 0)
		return r;
	r = finish_remove(disks, name, err);
	return r < 0 ? unfinished(err) : vh_journal_forget(store, id, err);
}

/* As they were before: all of them took that first. */
static int take_back(const struct snapshot_disks *disks, struct vh_err *err)
{
	int r = disks_do(disks, disk_go_back, tag_before, err);

	return r < 0 ? r : disks_do(disks, disk_drop, tag_before, err);
}

int snapshot_revert(const struct snapshot_disks *disks, struct vh_store *store, const char *name, struct vh_err *err)
{
	vh_autofree char *created = NULL, *tag = tag_of(name);
	vh_autoerr undo_err = VH_ERR_NONE;
	int64_t id = 0;
	int r = tag ? snapshot_check(disks, name, &created, err) : vh_err_nomem(err);

	if (r == 0)
		r = deed_begin(REVERT, disks, store, name, &id, err);
	if (r < 0)
		return r;
	r = disks_do(disks, disk_take, tag_before, err);
	if (r < 0)
		return undone(disks, store, id, disks_do(disks, disk_drop, tag_before, &undo_err), &undo_err, err);
	r = disks_do(disks, disk_go_back, tag, err);
	if (r < 0)
		return undone(disks, store, id, take_back(disks, &undo_err), &undo_err, err);
	r = disks_do(disks, disk_drop, tag_before, err);
	return r < 0 ? unfinished(err) : vh_journal_forget(store, id, err);
}

int snapshots_strip(const char *disk, struct vh_err *err)
{
	vh_autostrv all = NULL;
	vh_autoerr none = VH_ERR_NONE;
	int r = 0;

	/* What cannot be read has none that anybody goes back to. */
	if (access(disk, F_OK) < 0 || disk_tags(disk, &all, &none) < 0)
		return 0;
	for (char **tag = all; r == 0 && tag && *tag; tag++)
		if (tag_is_ours(*tag))
			r = disk_drop(disk, *tag, err);
	return r;
}
