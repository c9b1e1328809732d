// SPDX-License-Identifier: Apache-2.0
/* Transactions. What several threads change at once is committed together: each commit waits for the disk, and the one
 * that is last among those that wait for the store does it for all. */
#include "lib/store/transaction.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/store/sql.h"

enum { MEMBERS_MAX = 64 };

struct vh_shared {
	unsigned members;	/* that wait for its end, and the one that brings it */
	unsigned entered, changes;	/* threads in all; those whose change is in it */
	bool over;
	struct vh_err err;	/* why it was not committed */
};

static int begin(struct vh_store *s, struct vh_err *err)
{
	if (!s->write)
		return vh_err_set(err, EROFS, "%s: opened for reading only", s->path);
	return vh_sql_exec(s, "BEGIN IMMEDIATE", err);
}

static int finish(struct vh_store *s, bool commit, struct vh_err *err)
{
	int r = commit ? vh_sql_exec(s, "COMMIT", err) : 0;

	/* Some errors have rolled back already. */
	if ((!commit || r < 0) && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* --- shared by threads */

static int begin_shared(struct vh_store *s, struct vh_err *err)
{
	struct vh_shared *t = calloc(1, sizeof(*t));
	int r = t ? begin(s, err) : vh_err_nomem(err);

	if (r < 0)
		free(t);
	else
		s->shared = t;
	return r;
}

static void free_shared(struct vh_shared *t)
{
	vh_err_clear(&t->err);
	free(t);
}

/* For all whose changes are in it. */
static void end_shared(struct vh_store *s)
{
	struct vh_shared *t = s->shared;

	if (!t)
		return;
	s->shared = NULL;
	t->over = true;
	if (sqlite3_get_autocommit(s->db))
		vh_err_set(&t->err, EIO, "%s: a change that failed has undone others", s->path);
	else
		finish(s, true, &t->err);
	if (t->members)
		pthread_cond_broadcast(&s->ended);
	else
		free_shared(t);
}

/* The last of its members frees it. */
static void put_shared(struct vh_shared *t)
{
	if (!--t->members)
		free_shared(t);
}

static int leave_shared(struct vh_shared *t, struct vh_err *err)
{
	int r = t->err.num ? vh_err_set(err, t->err.num, "%s", t->err.text) : 0;

	if (r < 0 && t->err.hint)
		vh_err_hint(err, "%s", t->err.hint);
	put_shared(t);
	return r;
}

static int join_shared(struct vh_store *s, struct vh_err *err)
{
	int r = s->shared ? vh_sql_exec(s, "SAVEPOINT member", err) : begin_shared(s, err);

	/* Whoever waits for us to end it waits for nobody then. */
	if (r < 0)
		end_shared(s);
	else
		s->shared->entered++;
	return r;
}

/* Of one alone nothing else is lost. */
static void roll_back(struct vh_store *s)
{
	if (s->shared->changes) {
		sqlite3_exec(s->db, "ROLLBACK TO member; RELEASE member", NULL, NULL, NULL);
		return;
	}
	finish(s, false, NULL);
	free(vh_steal(&s->shared));
}

static bool others_come(const struct vh_store *s)
{
	return __atomic_load_n(&s->waiting, __ATOMIC_SEQ_CST) && s->shared->entered < MEMBERS_MAX;
}

/* --- one change */

/* Whoever holds it may leave the end of what is shared to those that come. */
static void come(struct vh_store *s)
{
	__atomic_add_fetch(&s->waiting, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&s->lock);
	__atomic_sub_fetch(&s->waiting, 1, __ATOMIC_SEQ_CST);
}

int vh_sql_enter(struct vh_store *s, struct vh_err *err)
{
	int r;

	come(s);
	r = s->grouped ? 0 : join_shared(s, err);
	if (r < 0)
		pthread_mutex_unlock(&s->lock);
	return r;
}

static int leave(struct vh_store *s, bool wait, struct vh_err *err)
{
	struct vh_shared *t = s->shared;

	t->changes++;
	if (!wait && others_come(s))
		return 0;
	t->members++;
	if (others_come(s))
		while (!t->over)
			pthread_cond_wait(&s->ended, &s->lock);
	else
		end_shared(s);
	return leave_shared(t, err);
}

static int leave_with(struct vh_store *s, int result, bool wait, struct vh_err *err)
{
	int r = 0;

	if (!s->grouped && result >= 0) {
		r = leave(s, wait, err);
	} else if (!s->grouped) {
		roll_back(s);
		/* Of some failures SQLite has rolled back all of it. */
		if (s->shared && (!others_come(s) || sqlite3_get_autocommit(s->db)))
			end_shared(s);
	}
	pthread_mutex_unlock(&s->lock);
	return r < 0 ? r : result;
}

int vh_sql_leave(struct vh_store *s, int result, struct vh_err *err)
{
	return leave_with(s, result, true, err);
}

int vh_sql_leave_early(struct vh_store *s, int result, struct vh_err *err)
{
	return leave_with(s, result, false, err);
}

/* Only what is on disk is seen: where others come they bring it there, with what is theirs. */
void vh_sql_look(struct vh_store *s)
{
	struct vh_shared *t;

	come(s);
	if (s->grouped)
		return;
	t = s->shared;
	if (t && others_come(s)) {
		t->members++;
		while (!t->over)
			pthread_cond_wait(&s->ended, &s->lock);
		put_shared(t);
	}
	end_shared(s);
}

void vh_sql_looked(struct vh_store *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* --- a group of changes */

int vh_store_begin(struct vh_store *s, struct vh_err *err)
{
	int r;

	vh_sql_look(s);
	r = s->grouped ? vh_err_set(err, EINVAL, "%s: a transaction is open already", s->path)
		       : begin(s, err);
	if (r < 0)
		pthread_mutex_unlock(&s->lock);
	else
		s->grouped = true;
	return r;
}

int vh_store_end(struct vh_store *s, bool commit, struct vh_err *err)
{
	int r = finish(s, commit, err);

	s->grouped = false;
	pthread_mutex_unlock(&s->lock);
	return r;
}

int vh_store_settle(struct vh_store *s, int r, struct vh_err *err)
{
	vh_autoerr ignored = VH_ERR_NONE;

	if (r == 0)
		return vh_store_end(s, true, err);
	vh_store_end(s, false, &ignored);
	return r;
}
