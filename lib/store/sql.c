// SPDX-License-Identifier: Apache-2.0
#include "lib/store/sql.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int error_number(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EUCLEAN;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	default:
		return EIO;
	}
}

/* Of some failures of the file system SQLite says only that there was one. */
static int file_error(struct vh_store *s)
{
	int num = error_number(sqlite3_extended_errcode(s->db)), sys = sqlite3_system_errno(s->db);

	if (num == EIO && (sys == ENOSPC || sys == EDQUOT))
		return sys;
	if ((num == EIO || num == EACCES || num == EROFS) && access(s->path, W_OK) < 0 && errno == EROFS)
		return EROFS;
	return num == EROFS ? EACCES : num;
}

int vh_sql_error(struct vh_store *s, struct vh_err *err)
{
	int num = file_error(s);
	const bool plain = num == ENOSPC || num == EDQUOT || num == EROFS;

	vh_err_set(err, num, "%s: %s", s->path, plain ? strerror(num) : sqlite3_errmsg(s->db));
	if (num == EBUSY)
		return vh_err_hint(err, "another process holds it; try again");
	if (num == EUCLEAN)
		return vh_err_hint(err, "it is damaged: move it away, then vhpc cluster recover tells a new one what runs and is there");
	return -num;
}

int vh_sql_exec(struct vh_store *s, const char *sql, struct vh_err *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : vh_sql_error(s, err);
}

static int bind(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	int code = SQLITE_OK;

	for (int i = 0; types[i] && code == SQLITE_OK; i++)
		if (types[i] == 's')
			code = sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		else
			code = sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
	return code;
}

static int prepare(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql,
		   const char *types, va_list ap)
{
	vh_autostmt stmt = NULL;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    bind(stmt, types, ap) != SQLITE_OK)
		return vh_sql_error(s, err);
	*ret = vh_steal(&stmt);
	return 0;
}

int vh_sql_prepare(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql,
		   const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = prepare(s, ret, err, sql, types, ap);
	va_end(ap);
	return r;
}

struct vh_kept {
	const char *sql;
	sqlite3_stmt *stmt;
	struct vh_kept *next;
};

static int keep(struct vh_store *s, const char *sql, sqlite3_stmt **ret, struct vh_err *err)
{
	struct vh_kept *k = s->kept;

	while (k && k->sql != sql)
		k = k->next;
	if (!k) {
		k = calloc(1, sizeof(*k));
		if (!k)
			return vh_err_nomem(err);
		*k = (struct vh_kept){ sql, NULL, s->kept };
		s->kept = k;
	}
	if (!k->stmt && sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &k->stmt, NULL) != SQLITE_OK)
		return vh_sql_error(s, err);
	*ret = k->stmt;
	return 0;
}

static int reuse(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql, const char *types, va_list ap)
{
	int r = keep(s, sql, ret, err);

	return r < 0 ? r : bind(*ret, types, ap) == SQLITE_OK ? 0 : vh_sql_error(s, err);
}

int vh_sql_reuse(struct vh_store *s, sqlite3_stmt **ret, struct vh_err *err, const char *sql, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = reuse(s, ret, err, sql, types, ap);
	va_end(ap);
	return r;
}

void vh_sql_drop_kept(struct vh_store *s)
{
	for (struct vh_kept *k; (k = s->kept); ) {
		s->kept = k->next;
		sqlite3_finalize(k->stmt);
		free(k);
	}
}

int vh_sql_step(struct vh_store *s, sqlite3_stmt *stmt, struct vh_err *err)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return vh_sql_error(s, err);
	}
}

int vh_sql_run(struct vh_store *s, struct vh_err *err, const char *sql, const char *types, ...)
{
	vh_autoreset stmt = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	r = reuse(s, &stmt, err, sql, types, ap);
	va_end(ap);
	if (r < 0)
		return r;
	do
		r = vh_sql_step(s, stmt, err);
	while (r > 0);
	return r;
}

char *vh_sql_text(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text ? strdup((const char *)text) : NULL;
}
