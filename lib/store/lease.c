// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include "lib/store/sql.h"
#include "lib/store/transaction.h"

/* Takes it when it is free or the holder's own already: *ret_taken. */
static int try_take(struct vh_store *s, const char *kind, const char *key, const char *holder,
		    uint64_t amount, bool *ret_taken, struct vh_err *err)
{
	int r = vh_sql_run(s, err, "INSERT INTO lease VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
			   " SET amount = excluded.amount WHERE holder = excluded.holder",
			   "sssi", kind, key, holder, (int64_t)amount);

	if (r == 0)
		*ret_taken = sqlite3_changes(s->db) > 0;
	return r;
}

static int refuse_taken(struct vh_store *s, const char *kind, const char *key, struct vh_err *err)
{
	vh_autostmt stmt = NULL;
	int r = vh_sql_prepare(s, &stmt, err, "SELECT holder FROM lease WHERE kind = ? AND key = ?",
			       "ss", kind, key);

	if (r == 0)
		r = vh_sql_step(s, stmt, err);
	if (r < 0)
		return r;
	return vh_err_refuse(err, EBUSY, "%s %s: held by %s", kind, key, sqlite3_column_text(stmt, 0));
}

int vh_lease_take(struct vh_store *s, const char *kind, const char *key, const char *holder,
		  uint64_t amount, struct vh_err *err)
{
	bool taken = false;
	int r;

	if (amount > INT64_MAX)
		return vh_err_set(err, ERANGE, "%s %s: absurd amount", kind, key);
	r = vh_sql_enter(s, err);
	if (r < 0)
		return r;
	r = try_take(s, kind, key, holder, amount, &taken, err);
	if (r == 0 && !taken)
		r = refuse_taken(s, kind, key, err);
	return vh_sql_leave(s, r, err);
}

int vh_lease_drop(struct vh_store *s, const char *holder, const char *kind, unsigned *ret_n,
		  struct vh_err *err)
{
	unsigned n;
	int r = vh_sql_enter(s, err);

	if (r < 0)
		return r;
	r = vh_sql_run(s, err, "DELETE FROM lease WHERE holder = ?1 AND (?2 IS NULL OR kind = ?2)",
		       "ss", holder, kind);
	n = (unsigned)sqlite3_changes(s->db);
	r = vh_sql_leave(s, r, err);
	if (r == 0 && ret_n)
		*ret_n = n;
	return r;
}

static int append(sqlite3_stmt *row, struct vh_lease **leases, size_t *n, struct vh_err *err)
{
	struct vh_lease *l, *grown = reallocarray(*leases, *n + 1, sizeof(*grown));

	if (!grown)
		return vh_err_nomem(err);
	*leases = grown;
	l = &grown[(*n)++];
	l->kind = vh_sql_text(row, 0);
	l->key = vh_sql_text(row, 1);
	l->holder = vh_sql_text(row, 2);
	l->amount = (uint64_t)sqlite3_column_int64(row, 3);
	return l->kind && l->key && l->holder ? 0 : vh_err_nomem(err);
}

static int list(struct vh_store *s, const char *kind, const char *holder, struct vh_lease **ret,
		size_t *ret_n, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	vh_autostmt stmt = NULL;
	size_t n = 0;
	int r = vh_sql_prepare(s, &stmt, err,
			       "SELECT kind, key, holder, amount FROM lease WHERE (?1 IS NULL OR kind = ?1)"
			       " AND (?2 IS NULL OR holder = ?2) ORDER BY kind, key", "ss", kind, holder);

	while (r == 0 && (r = vh_sql_step(s, stmt, err)) > 0)
		r = append(stmt, &leases, &n, err);
	if (r < 0) {
		vh_lease_free(leases, n);
		return r;
	}
	*ret = leases;
	*ret_n = n;
	return 0;
}

int vh_lease_list(struct vh_store *s, const char *kind, const char *holder,
		  struct vh_lease **ret, size_t *ret_n, struct vh_err *err)
{
	int r;

	if (!s->db) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	vh_sql_look(s);
	r = list(s, kind, holder, ret, ret_n, err);
	vh_sql_looked(s);
	return r;
}

void vh_lease_free(struct vh_lease *leases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(leases[i].kind);
		free(leases[i].key);
		free(leases[i].holder);
	}
	free(leases);
}
