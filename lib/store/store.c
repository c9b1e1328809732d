// SPDX-License-Identifier: Apache-2.0
#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/store/store.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "lib/store/sql.h"
#include "lib/store/transaction.h"
#include "lib/strv.h"

enum { SCHEMA = 1, BUSY_MS = 10000, RETRY_MS = 10 };

static const char schema[] =
	"CREATE TABLE lease (kind TEXT NOT NULL, key TEXT NOT NULL, holder TEXT NOT NULL,"
	" amount INTEGER NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX lease_holder ON lease (holder);"
	"CREATE TABLE record (class TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,"
	" PRIMARY KEY (class, name)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL,"
	" what TEXT NOT NULL, object TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (run, what, object)) STRICT;"
	"PRAGMA user_version = 1;";

static int get_version(struct vh_store *s, int *ret, struct vh_err *err)
{
	vh_autostmt stmt = NULL;
	int r = vh_sql_prepare(s, &stmt, err, "PRAGMA user_version", "");

	if (r == 0)
		r = vh_sql_step(s, stmt, err);
	if (r < 0)
		return r;
	*ret = sqlite3_column_int(stmt, 0);
	if (*ret <= SCHEMA)
		return 0;
	vh_err_refuse(err, EPROTO, "%s: of version %d, newer than this program's %d", s->path, *ret, SCHEMA);
	return vh_err_hint(err, "use the newer vhpc that wrote it");
}

/* The change to WAL may find the file busy without SQLite's own waiting. */
static int set_wal(struct vh_store *s, struct vh_err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	int r = -EBUSY;

	for (int waited = 0; r == -EBUSY && waited < BUSY_MS; waited += RETRY_MS) {
		r = vh_sql_exec(s, "PRAGMA journal_mode = WAL", err);
		if (r == -EBUSY)
			nanosleep(&pause, NULL);
	}
	return r;
}

static int make_schema(struct vh_store *s, struct vh_err *err)
{
	int version, r = set_wal(s, err);

	if (r == 0)
		r = vh_sql_enter(s, err);
	if (r < 0)
		return r;
	/* Asked again inside: another process may have been first. */
	r = get_version(s, &version, err);
	if (r == 0 && version < SCHEMA)
		r = vh_sql_exec(s, schema, err);
	return vh_sql_leave(s, r, err);
}

/* The file is made by us, not by SQLite, so that it is 0600 from its first moment.
 * An existing one is not opened here: closing it would drop SQLite's locks on it. */
static int make_file(const char *state, const char *path, struct vh_err *err)
{
	int fd, r = vh_mkdirs(state, 0711, err);

	if (r == 0)
		r = vh_home_enter(state, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	vh_close_fd(&fd);
	return 0;
}

static int check_access(const char *path, int mode, struct vh_err *err)
{
	if (access(path, mode) == 0)
		return 0;
	vh_err_refuse(err, errno, "%s: %s", path, strerror(errno));
	return err->num == EACCES ? vh_err_hint(err, "run as root, or choose your own state with --state")
				  : -err->num;
}

/* A path as a URI has it; malloc'd. */
static char *uri_path(const char *path)
{
	char *text = malloc(3 * strlen(path) + 1), *out = text;

	for (; out && *path; path++)
		out += isalnum((unsigned char)*path) || strchr("/._-~", *path) ? sprintf(out, "%c", *path)
									       : sprintf(out, "%%%02X", (unsigned char)*path);
	if (text)
		*out = 0;
	return text;
}

/* On a file system where nobody writes. Without a WAL the file alone is all, and there is none to be made. */
static int open_fixed(struct vh_store *s)
{
	vh_autofree char *wal = vh_strf("%s-wal", s->path), *path = uri_path(s->path), *uri = NULL;
	struct stat st;

	if (wal && path)
		uri = vh_strf("file:%s?%s", path, stat(wal, &st) == 0 && st.st_size > 0 ? "mode=ro" : "immutable=1");
	return uri ? sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) : SQLITE_NOMEM;
}

static int open_db(struct vh_store *s, bool fixed, struct vh_err *err)
{
	int version, r;

	/* Read-write in both modes: readers of a WAL take part in its locks. */
	if ((fixed ? open_fixed(s) : sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE, NULL)) != SQLITE_OK)
		return s->db ? vh_sql_error(s, err) : vh_err_nomem(err);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	r = vh_sql_exec(s, "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF", err);
	if (r == 0)
		r = get_version(s, &version, err);
	if (r < 0)
		return r;
	if (s->write)
		return make_schema(s, err);
	if (version > 0)
		return vh_sql_exec(s, "PRAGMA query_only = ON", err);
	/* Made this moment by a writer that has not come further. */
	sqlite3_close(s->db);
	s->db = NULL;
	return 0;
}

static int open_store(struct vh_store *s, const char *state, struct vh_err *err)
{
	bool fixed;
	int r;

	if (s->write) {
		r = make_file(state, s->path, err);
		if (r < 0)
			return r;
	} else if (access(s->path, F_OK) < 0 && errno == ENOENT) {
		return 0;
	}
	fixed = !s->write && access(s->path, W_OK) < 0 && errno == EROFS;
	r = check_access(s->path, fixed ? R_OK : R_OK | W_OK, err);
	return r < 0 ? r : open_db(s, fixed, err);
}

static struct vh_store *new_store(const char *state, enum vh_store_mode mode)
{
	struct vh_store *s = calloc(1, sizeof(*s));
	pthread_mutexattr_t attr;

	if (!s)
		return NULL;
	s->path = vh_strf("%s/store.db", state);
	s->write = mode == VH_STORE_WRITE;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&s->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_cond_init(&s->ended, NULL);
	if (s->path)
		return s;
	vh_store_close(s);
	return NULL;
}

int vh_store_open(struct vh_store **ret, const char *state, enum vh_store_mode mode, struct vh_err *err)
{
	vh_autostore s = new_store(state, mode);
	int r;

	if (!s)
		return vh_err_nomem(err);
	r = open_store(s, state, err);
	if (r < 0)
		return r;
	*ret = vh_steal(&s);
	return 0;
}

void vh_store_close(struct vh_store *s)
{
	if (!s)
		return;
	vh_sql_drop_kept(s);
	sqlite3_close(s->db);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}
