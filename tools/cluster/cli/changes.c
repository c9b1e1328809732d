// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/changes.h"

#include "lib/json.h"
#include "lib/show/table.h"

const char *change_of(const struct look *look)
{
	return look->is == LOOK_MISSING ? "create" : look->is == LOOK_OTHER ? "change" : "none";
}

static size_t count_of(const struct sights *s, enum look_is is)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].look.is == is;
	return n;
}

size_t changes_count(const struct sights *s)
{
	return count_of(s, LOOK_MISSING) + count_of(s, LOOK_OTHER);
}

json_t *changes_rows(const struct cluster *c, const struct sights *s, bool changed)
{
	vh_autojson rows = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct sight *at = &s->v[i];
		vh_autofree char *object = at->step->object(c, &at->at);
		json_t *row;

		if (changed && at->look.is != LOOK_MISSING && at->look.is != LOOK_OTHER)
			continue;
		row = object ? json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:s*}", "step", at->step->what, "object", object,
					 "node", at->at.node ? at->at.node->name : NULL, "change", change_of(&at->look),
					 "why", at->look.cause, "costs", at->look.costs) : NULL;
		if (json_array_append_new(rows, row) < 0)
			return NULL;
	}
	return vh_steal(&rows);
}

int changes_print(const struct cluster *c, const struct sights *s, struct vh_err *err)
{
	static const struct vh_col all_cols[] = {
		{ "CHANGE", "change", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "OBJECT", "object", VH_COL_TEXT },
		{ "WHY", "why", VH_COL_TEXT }, { "COSTS", "costs", VH_COL_TEXT }, { NULL, NULL, VH_COL_TEXT },
	};
	static const struct vh_col new_cols[] = {
		{ "CHANGE", "change", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "OBJECT", "object", VH_COL_TEXT },
		{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autojson rows = changes_rows(c, s, true);
	bool caused = false;

	if (!rows)
		return vh_err_nomem(err);
	for (size_t i = 0; i < s->n; i++)
		caused |= s->v[i].look.cause != NULL;
	if (changes_count(s) == 0) {
		puts("Nothing to do: all is as planned.");
		return 0;
	}
	vh_table_print(stdout, caused ? all_cols : new_cols, rows);
	printf("\n%zu to create, %zu to change.\n", count_of(s, LOOK_MISSING), count_of(s, LOOK_OTHER));
	return 0;
}
