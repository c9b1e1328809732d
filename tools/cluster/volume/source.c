// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/volume/source.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/confine.h"

enum { END_MS = 10000 };

void source_clear(struct source *s)
{
	free(s->digest);
	*s = (struct source){ 0 };
}

/* --- the child, and what it tells: "tick BYTES" lines, and at its end "seen FILES BYTES NEWEST FORM DIGEST", or "fail ERRNO EXIT"
 * and a line each of text and hint */

static void tell_failure(FILE *tell, struct vh_err *err)
{
	fprintf(tell, "fail %d %d\n%s\n", err->num, (int)err->exit, err->text ? vh_plain(err->text) : "");
	fprintf(tell, "%s\n", err->hint ? vh_plain(err->hint) : "");
}

/* At the signals that end us it ends: what ours do about those is not for it to do. */
static void forget_ours(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < vh_array_len(ends); i++)
		signal(ends[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

/* It ends with us too: whoever becomes another user has to ask for that then. */
static int give_up_rights(pid_t parent, struct vh_err *err)
{
	int r = vh_confine_self(0);

	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = -errno;
	if (getppid() != parent)
		_exit(1);
	return r < 0 ? vh_err_set(err, -r, "cannot give up rights: %s", strerror(-r)) : 0;
}

struct order { const char *path; int to; double until; pid_t parent; };

static int read_source(void *arg, int tell_fd)
{
	const struct order *o = arg;
	struct vh_err err = VH_ERR_NONE;
	struct source is = { 0 };
	FILE *tell = fdopen(tell_fd, "w");
	int r;

	forget_ours();
	vh_confine_close_but(tell_fd, o->to < 0 ? tell_fd : o->to);
	r = give_up_rights(o->parent, &err);
	if (r == 0 && tell)
		r = source_walk(o->path, o->to, o->until, tell, &is, &err);
	if (tell && r < 0)
		tell_failure(tell, &err);
	else if (tell)
		fprintf(tell, "seen %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %s\n", is.files, is.bytes, is.newest, is.form, is.digest);
	return !tell || fclose(tell) < 0;
}

int source_start(const char *path, int to, double until, struct source_reader *ret, struct vh_err *err)
{
	struct order o = { path, to, until, getpid() };

	return vh_child_start(read_source, &o, &ret->from, &ret->pid, err);
}

/* --- what is heard of it */

/* The next line without its end; "" at the end of all. */
static char *next_line(FILE *f, char **line, size_t *room)
{
	ssize_t n = getline(line, room, f);

	if (n > 0 && (*line)[n - 1] == '\n')
		(*line)[n - 1] = 0;
	return n > 0 ? *line : (char *)"";
}

static int take_failure(FILE *f, const char *said, char **line, size_t *room, struct vh_err *err)
{
	int num, code;

	if (sscanf(said, "fail %d %d", &num, &code) != 2 || num <= 0)
		return vh_err_set(err, EIO, "its reader ended without a word");
	vh_err_set(err, num, "%s", next_line(f, line, room));
	vh_err_as(err, code == VH_EXIT_REFUSED ? VH_EXIT_REFUSED : VH_EXIT_FAILED);
	if (*next_line(f, line, room))
		vh_err_hint(err, "%s", *line);
	return -num;
}

static int take_seen(const char *said, struct source *ret, struct vh_err *err)
{
	struct source s = { 0 };
	char digest[65];

	if (sscanf(said, "seen %" SCNu64 " %" SCNu64 " %" SCNu64 " %d %64[0-9a-f]", &s.files, &s.bytes, &s.newest, &s.form, digest) != 5)
		return vh_err_set(err, EIO, "its reader ended without a word");
	s.digest = strdup(digest);
	if (!s.digest)
		return vh_err_nomem(err);
	*ret = s;
	return 0;
}

static int listen_to(FILE *f, void (*tick)(void *arg, uint64_t bytes), void *arg, struct source *ret, struct vh_err *err)
{
	vh_autofree char *line = NULL;
	size_t room = 0;
	uint64_t bytes;
	char *said;

	while (sscanf(said = next_line(f, &line, &room), "tick %" SCNu64, &bytes) == 1)
		if (tick)
			tick(arg, bytes);
	return strncmp(said, "seen ", 5) ? take_failure(f, said, &line, &room, err) : take_seen(said, ret, err);
}

int source_end(struct source_reader *reader, void (*tick)(void *arg, uint64_t bytes), void *arg, struct source *ret, struct vh_err *err)
{
	FILE *f = fdopen(reader->from, "r");
	int r = f ? listen_to(f, tick, arg, ret, err) : vh_err_nomem(err);

	if (f)
		fclose(f);
	else
		close(reader->from);
	vh_child_wait(reader->pid, END_MS);
	return r;
}
