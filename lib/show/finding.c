// SPDX-License-Identifier: Apache-2.0
#include "lib/show/finding.h"

#include <string.h>

#include "lib/json.h"

static const char *const verdicts[VH_VERDICTS] = { "ok", "wrong", "unknown" };

void vh_findings_clear(struct vh_findings *f)
{
	json_decref(f->rows);
	*f = (struct vh_findings)VH_FINDINGS_NONE;
}

static json_t *row_of(const struct vh_finding *f)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "object", vh_json_text(f->object), "check", f->check,
			 "verdict", verdicts[f->verdict], "found", vh_json_text(f->found),
			 "wanted", vh_json_text(f->wanted), "mend", vh_json_text(f->verdict == VH_OK ? NULL : f->mend),
			 "stops", f->verdict == VH_WRONG && f->stops);
}

json_t *vh_finding_add(struct vh_findings *f, const struct vh_finding *finding)
{
	json_t *row = row_of(finding);

	if (!f->rows)
		f->rows = json_array();
	if (json_array_append_new(f->rows, row) < 0) {
		f->no_memory = true;
		return NULL;
	}
	f->count[finding->verdict]++;
	f->stops += finding->verdict == VH_WRONG && finding->stops;
	return row;
}

void vh_findings_join(struct vh_findings *f, struct vh_findings *from)
{
	if (!f->rows)
		f->rows = json_array();
	if (from->rows && json_array_extend(f->rows, from->rows) < 0)
		f->no_memory = true;
	for (size_t v = 0; v < VH_VERDICTS; v++)
		f->count[v] += from->count[v];
	f->stops += from->stops;
	f->no_memory |= from->no_memory;
	vh_findings_clear(from);
}

int vh_findings_end(struct vh_findings *f, json_t **ret, struct vh_err *err)
{
	if (!f->rows)
		f->rows = json_array();
	if (!f->rows || f->no_memory)
		return vh_err_nomem(err);
	*ret = vh_steal(&f->rows);
	vh_findings_clear(f);
	return 0;
}

const char *vh_finding_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "";
}

bool vh_finding_is(const json_t *row, enum vh_verdict verdict)
{
	return !strcmp(vh_finding_text(row, "verdict"), verdicts[verdict]);
}

static bool any_has(const json_t *rows, const char *key)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (json_is_string(json_object_get(row, key)))
			return true;
	return false;
}

void vh_finding_columns(const json_t *rows, struct vh_col ret[VH_FINDING_COLS])
{
	static const struct vh_col all[VH_FINDING_COLS - 1] = {
		{ "OBJECT", "object", VH_COL_TEXT }, { "CHECK", "check", VH_COL_TEXT }, { "VERDICT", "verdict", VH_COL_TEXT },
		{ "FOUND", "found", VH_COL_TEXT }, { "WANTED", "wanted", VH_COL_TEXT }, { "MEND", "mend", VH_COL_TEXT },
	};
	const size_t always = 4;
	size_t n = 0;

	for (size_t i = 0; i < vh_array_len(all); i++)
		if (i < always || any_has(rows, all[i].key))
			ret[n++] = all[i];
	ret[n] = (struct vh_col){ 0 };
}

void vh_findings_print(FILE *f, const json_t *rows, bool all)
{
	struct vh_col cols[VH_FINDING_COLS];
	vh_autojson shown = json_array();
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (all || !vh_finding_is(row, VH_OK))
			json_array_append(shown, row);
	vh_finding_columns(shown, cols);
	vh_table_print(f, cols, shown);
}
