// SPDX-License-Identifier: Apache-2.0
/* Those that there are, and whether they can be gone back to. */
#include "tools/cluster/snapshot/snapshot.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/snapshot/all.h"
#include "tools/cluster/snapshot/begun.h"
#include "tools/cluster/snapshot/kept.h"

static int add_row(json_t *rows, const char *name, const json_t *kept, const char *why, struct vh_err *err)
{
	json_t *row = json_pack("{s:s, s:s*, s:b}", "name", name, "created", json_string_value(json_object_get(kept, "created")),
				"usable", !why);

	if (kept)
		json_object_set_new(row, "nodes", json_integer((json_int_t)kept_nodes(kept)));
	if (why)
		json_object_set_new(row, "why_not", json_string(why));
	return json_array_append_new(rows, row) < 0 ? vh_err_nomem(err) : 0;
}

/* Of one that is whole its row says more. */
static int add_half(void *arg, const struct vh_step *row, enum deed deed, struct vh_err *err)
{
	vh_autofree char *why = vh_strf("%s; the next start, apply or snapshot sees to it", deed_half(deed));
	json_t *rows = arg, *whole;
	size_t i;

	if (!why)
		return vh_err_nomem(err);
	json_array_foreach(rows, i, whole)
		if (!strcmp(json_string_value(json_object_get(whole, "name")), row->object)) {
			json_object_set_new(whole, "usable", json_false());
			json_object_set_new(whole, "why_not", json_string(why));
			return 0;
		}
	return add_row(rows, row->object, NULL, why, err);
}

static int add_kept(const struct seen *seen, const char *name, json_t *rows, struct vh_err *err)
{
	vh_autoerr damage = VH_ERR_NONE;
	vh_autofree char *why = NULL;
	vh_autojson kept = NULL;
	int r = kept_load(seen->disks, name, &kept, &damage);

	if (r == -ENOENT)
		return 0;
	if (r == -EBADMSG)
		return add_row(rows, name, NULL, damage.text, err);
	why = r == 0 ? why_not(seen, kept, name) : NULL;
	return why ? add_row(rows, name, kept, *why ? why : NULL, err) : vh_err_nomem(err);
}

int snapshots_list(const struct snapshot_disks *disks, struct vh_store *store, json_t **ret, struct vh_err *err)
{
	vh_cleanup(seen_clear) struct seen seen = { 0 };
	vh_autojson rows = json_array();
	vh_autostrv names = NULL;
	int r = snapshots_names(disks->dir, &names, err);

	/* Disks are asked only where there is something to ask them for. */
	if (r == 0 && (!rows || (names && disks_see(disks, &seen) < 0)))
		r = vh_err_nomem(err);
	for (char **name = names; r == 0 && name && *name; name++)
		r = add_kept(&seen, *name, rows, err);
	if (r == 0)
		r = deeds_each(disks->run, store, add_half, rows, err);
	if (r == 0)
		*ret = vh_steal(&rows);
	return r;
}
