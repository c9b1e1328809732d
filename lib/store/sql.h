// SPDX-License-Identifier: Apache-2.0
/* SQLite as the parts of the store use it; private to them. */
#ifndef VH_STORE_SQL_H
#define VH_STORE_SQL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"
#include "lib/store/store.h"

struct vh_store {
	char *path;
	sqlite3 *db;		/* NULL: no store there, opened for reading */
	bool write;
	bool grouped;		/* between begin and end; the lock is held meanwhile */
	pthread_mutex_t lock;	/* recursive */
	unsigned waiting;	/* threads that wait for the lock */
	struct vh_shared *shared;	/* the transaction that their changes are in; NULL: none is open */
	pthread_cond_t ended;	/* of a shared one */
	struct vh_kept *kept;	/* statements that were compiled already */
};

/* SQLite's last error as ours, with the path in front; returns -errno. */
int vh_sql_error(struct vh_store *s, struct vh_err *err);

/* Runs statements that give no rows. */
int vh_sql_exec(struct vh_store *s, const char *sql, struct vh_err *err);

/* Prepares and binds: types has a letter an argument, 's' text (NULL: null), 'i' int64_t. */
int vh_sql_prepare(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql,
		   const char *types, ...);
/* The same of one that is compiled once: sql is a constant, and the store's the statement, which the caller resets. */
int vh_sql_reuse(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql, const char *types, ...);
void vh_sql_drop_kept(struct vh_store *s);
/* 1: a row, 0: the end, -errno. */
int vh_sql_step(struct vh_store *s, sqlite3_stmt *stmt, struct vh_err *err);
/* Binds and runs to the end, its rows unread; sql as of vh_sql_reuse. */
int vh_sql_run(struct vh_store *s, struct vh_err *err, const char *sql, const char *types, ...);
/* A column's text, malloc'd; NULL without memory. */
char *vh_sql_text(sqlite3_stmt *stmt, int column);

static inline void vh_sql_finalizep(sqlite3_stmt **stmt) { sqlite3_finalize(*stmt); }
#define vh_autostmt vh_cleanup(vh_sql_finalizep) sqlite3_stmt *
/* And frees the arguments, which may be a record of megabytes. */
static inline void vh_sql_resetp(sqlite3_stmt **stmt)
{
	sqlite3_reset(*stmt);
	if (*stmt)
		sqlite3_clear_bindings(*stmt);
}
#define vh_autoreset vh_cleanup(vh_sql_resetp) sqlite3_stmt *

#endif
