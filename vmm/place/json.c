// SPDX-License-Identifier: Apache-2.0
/* Plans as JSON. */
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"

static json_t *score_to_json(const struct vh_plan *p)
{
	json_t *doc = json_object();

	for (int i = 0; i < VH_SCORES; i++)
		json_object_set_new(doc, vh_score_names[i], json_integer(
			i == VH_SCORE_HOLE || i == VH_SCORE_HOLES ? -p->score[i] : p->score[i]));
	return doc;
}

json_t *vh_plan_to_json(const struct vh_host *host, const struct vh_plan *p)
{
	struct vh_layout layout;
	json_t *doc;

	if (vh_plan_layout(host, p, &layout) < 0)
		return NULL;
	doc = vh_layout_to_json(&layout);
	vh_layout_clear(&layout);
	json_object_set_new(doc, "score", score_to_json(p));
	json_object_set_new(doc, "proven", json_boolean(p->proven));
	return doc;
}
