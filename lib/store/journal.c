// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include "lib/store/sql.h"
#include "lib/store/transaction.h"

static int begin(struct vh_store *s, const char *run, const char *what, const char *object,
		 int64_t *ret_id, struct vh_err *err)
{
	vh_autoreset stmt = NULL;
	int r = vh_sql_reuse(s, &stmt, err, "INSERT INTO journal (run, what, object) VALUES (?, ?, ?)"
			     " ON CONFLICT (run, what, object) DO UPDATE SET done = 0 RETURNING id",
			     "sss", run, what, object);

	if (r == 0)
		r = vh_sql_step(s, stmt, err);
	if (r < 0)
		return r;
	*ret_id = sqlite3_column_int64(stmt, 0);
	return 0;
}

int vh_journal_begin(struct vh_store *s, const char *run, const char *what, const char *object,
		     int64_t *ret_id, struct vh_err *err)
{
	int64_t id = 0;
	int r = vh_sql_enter(s, err);

	if (r < 0)
		return r;
	r = begin(s, run, what, object, &id, err);
	r = vh_sql_leave(s, r, err);
	if (r == 0)
		*ret_id = id;
	return r;
}

/* A change of the one step of that id, which must be there. It is on disk no later than what begins after it. */
static int change(struct vh_store *s, const char *sql, int64_t id, struct vh_err *err)
{
	int r = vh_sql_enter(s, err);

	if (r < 0)
		return r;
	r = vh_sql_run(s, err, sql, "i", id);
	if (r == 0 && sqlite3_changes(s->db) != 1)
		r = vh_err_set(err, ENOENT, "%s: no step %" PRId64 " in the journal", s->path, id);
	return vh_sql_leave_early(s, r, err);
}

int vh_journal_done(struct vh_store *s, int64_t id, struct vh_err *err)
{
	return change(s, "UPDATE journal SET done = 1 WHERE id = ?", id, err);
}

int vh_journal_forget(struct vh_store *s, int64_t id, struct vh_err *err)
{
	return change(s, "DELETE FROM journal WHERE id = ?", id, err);
}

static int append(sqlite3_stmt *row, struct vh_step **steps, size_t *n, struct vh_err *err)
{
	struct vh_step *step, *grown = reallocarray(*steps, *n + 1, sizeof(*grown));

	if (!grown)
		return vh_err_nomem(err);
	*steps = grown;
	step = &grown[(*n)++];
	step->id = sqlite3_column_int64(row, 0);
	step->state = sqlite3_column_int(row, 1) ? VH_STEP_DONE : VH_STEP_BEGUN;
	step->what = vh_sql_text(row, 2);
	step->object = vh_sql_text(row, 3);
	return step->what && step->object ? 0 : vh_err_nomem(err);
}

static int list(struct vh_store *s, const char *run, struct vh_step **ret, size_t *ret_n,
		struct vh_err *err)
{
	struct vh_step *steps = NULL;
	vh_autostmt stmt = NULL;
	size_t n = 0;
	int r = vh_sql_prepare(s, &stmt, err,
			       "SELECT id, done, what, object FROM journal WHERE run = ? ORDER BY id",
			       "s", run);

	while (r == 0 && (r = vh_sql_step(s, stmt, err)) > 0)
		r = append(stmt, &steps, &n, err);
	if (r < 0) {
		vh_journal_free(steps, n);
		return r;
	}
	*ret = steps;
	*ret_n = n;
	return 0;
}

int vh_journal_list(struct vh_store *s, const char *run, struct vh_step **ret, size_t *ret_n,
		    struct vh_err *err)
{
	int r;

	if (!s->db) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	vh_sql_look(s);
	r = list(s, run, ret, ret_n, err);
	vh_sql_looked(s);
	return r;
}

void vh_journal_free(struct vh_step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(steps[i].what);
		free(steps[i].object);
	}
	free(steps);
}
