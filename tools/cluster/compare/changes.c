// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/json.h"

const char *change_of(const struct look *look)
{
	static const char *const names[] = { [LOOK_MISSING] = "create", [LOOK_OTHER] = "change", [LOOK_LEAVING] = "remove" };

	return (size_t)look->is < vh_array_len(names) && names[look->is] ? names[look->is] : "none";
}

const char *change_loses(const struct step *s)
{
	if (s == &step_disk || s == &step_volume || s == &step_served)
		return "what was written on it";
	return s == &step_domain ? "what it runs" : s == &step_files ? "keys and identities" : NULL;
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
	return changes_of(s, LOOK_MISSING) + changes_of(s, LOOK_OTHER) + changes_of(s, LOOK_LEAVING);
}

json_t *changes_rows(const struct cluster *c, const struct sights *s, bool changed)
{
	vh_autojson rows = json_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct sight *at = &s->v[i];
		vh_autofree char *object = at->step->object(c, &at->at);
		json_t *row;

		if (changed && !strcmp(change_of(&at->look), "none"))
			continue;
		row = object ? json_pack("{s:s, s:s, s:s*, s:s, s:s*, s:s*}", "step", at->step->what, "object", object,
					 "node", spot_node(&at->at), "change", change_of(&at->look),
					 "why", at->look.cause, "costs", at->look.is == LOOK_LEAVING ? change_loses(at->step) : at->look.costs) : NULL;
		if (json_array_append_new(rows, row) < 0)
			return NULL;
	}
	return vh_steal(&rows);
}
