// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include "lib/store/sql.h"
#include "lib/store/transaction.h"

int vh_record_put(struct vh_store *s, const char *class, const char *name, const json_t *doc,
		  struct vh_err *err)
{
	vh_autofree char *text = json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	int r;

	if (!text)
		return vh_err_nomem(err);
	r = vh_sql_enter(s, err);
	if (r < 0)
		return r;
	r = vh_sql_run(s, err, "INSERT OR REPLACE INTO record VALUES (?, ?, ?)", "sss", class, name, text);
	return vh_sql_leave(s, r, err);
}

static int load(struct vh_store *s, sqlite3_stmt *stmt, int column, json_t **ret, struct vh_err *err)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	json_t *doc = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	if (!doc)
		return vh_err_set(err, EUCLEAN, "%s: a record in it is no JSON", s->path);
	*ret = doc;
	return 0;
}

static int get(struct vh_store *s, const char *class, const char *name, json_t **ret, struct vh_err *err)
{
	vh_autoreset stmt = NULL;
	int r = vh_sql_reuse(s, &stmt, err, "SELECT doc FROM record WHERE class = ? AND name = ?",
			     "ss", class, name);

	if (r == 0)
		r = vh_sql_step(s, stmt, err);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return load(s, stmt, 0, ret, err);
}

int vh_record_get(struct vh_store *s, const char *class, const char *name, json_t **ret,
		  struct vh_err *err)
{
	int r;

	if (!s->db)
		return -ENOENT;
	vh_sql_look(s);
	r = get(s, class, name, ret, err);
	vh_sql_looked(s);
	return r;
}

static int fill(struct vh_store *s, const char *class, json_t *all, struct vh_err *err)
{
	vh_autostmt stmt = NULL;
	int r = vh_sql_prepare(s, &stmt, err, "SELECT name, doc FROM record WHERE class = ? ORDER BY name",
			       "s", class);

	while (r == 0 && (r = vh_sql_step(s, stmt, err)) > 0) {
		json_t *doc = NULL;

		r = load(s, stmt, 1, &doc, err);
		if (r == 0 && json_object_set_new(all, (const char *)sqlite3_column_text(stmt, 0), doc) < 0)
			r = vh_err_nomem(err);
	}
	return r;
}

int vh_record_list(struct vh_store *s, const char *class, json_t **ret, struct vh_err *err)
{
	json_t *all = json_object();
	int r = 0;

	if (!all)
		return vh_err_nomem(err);
	if (s->db) {
		vh_sql_look(s);
		r = fill(s, class, all, err);
		vh_sql_looked(s);
	}
	if (r < 0)
		json_decref(all);
	else
		*ret = all;
	return r;
}

int vh_record_delete(struct vh_store *s, const char *class, const char *name, struct vh_err *err)
{
	int r = vh_sql_enter(s, err);

	if (r < 0)
		return r;
	r = vh_sql_run(s, err, "DELETE FROM record WHERE class = ? AND name = ?", "ss", class, name);
	return vh_sql_leave(s, r, err);
}
