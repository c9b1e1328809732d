// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include "lib/json.h"
#include "tools/cluster/plan/plan.h"

const char *change_of(const struct look *look)
{
	return look->is == LOOK_MISSING ? "create" : look->is == LOOK_OTHER ? "change" : "none";
}

size_t changes_of(const struct sights *s, enum look_is is)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].look.is == is;
	return n;
}

size_t changes_count(const struct sights *s)
{
	return changes_of(s, LOOK_MISSING) + changes_of(s, LOOK_OTHER);
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
