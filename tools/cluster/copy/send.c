// SPDX-License-Identifier: Apache-2.0
/* From here to nodes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/copy/names.h"
#include "tools/cluster/copy/pack.h"
#include "tools/cluster/copy/remote.h"
#include "tools/cluster/copy/transfer.h"

struct sending {
	struct copy *copy;
	char *const *paths;
	size_t n;
	char *const *nodes;
	const char **args;	/* where to, and the names */
};

/* One node's archive. */
struct archive_of { const struct sending *of; int fd, result; struct vh_err err; };

static void *write_archive(void *arg)
{
	struct archive_of *a = arg;

	a->result = pack_all(a->of->copy, a->of->paths, a->of->n, a->fd, &a->err);
	close(a->fd);
	return NULL;
}

/* Where the node has ended early it knows why; else what could not be read here does. */
static int judge(struct archive_of *a, int r, struct vh_err *err)
{
	if (a->result == 0 || (r < 0 && a->result == -EPIPE))
		return r;
	vh_err_move(err, &a->err);
	return -err->num;
}

static int send_to(void *arg, size_t i, struct vh_err *err)
{
	const struct sending *s = arg;
	struct archive_of a = { .of = s };
	pthread_t writer;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vh_err_set(err, errno, "pipe: %s", strerror(errno));
	a.fd = fds[1];
	if (pthread_create(&writer, NULL, write_archive, &a) != 0) {
		close(fds[0]);
		close(fds[1]);
		return vh_err_nomem(err);
	}
	r = remote_run(s->copy, s->nodes[i], remote_take, s->args, fds[0], 0, NULL, err);
	/* A writer that goes on finds nobody who reads (lib/cli.c ignores SIGPIPE). */
	close(fds[0]);
	pthread_join(writer, NULL);
	r = judge(&a, r, err);
	vh_err_clear(&a.err);
	return r;
}

static const char *name_of(const void *arg, size_t i)
{
	return ((const struct sending *)arg)->nodes[i];
}

/* The last names of what is copied: a strv behind where to, and each of them there only once. */
static int name_all(char *const *paths, size_t n, char ***args, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		vh_autofree char *dir = NULL, *base = NULL;

		r = name_split(paths[i], &dir, &base, err);
		if (r == 0 && access(paths[i], F_OK) < 0 && readlink(paths[i], (char[1]){ 0 }, 1) < 0)
			r = vh_err_refuse(err, ENOENT, "%s: no such file or directory", paths[i]);
		if (r == 0 && vh_strv_has(*args + 1, base))
			r = vh_err_refuse(err, EEXIST, "two of what is to be copied are called %s", base);
		if (r == 0 && vh_strv_push(args, base) < 0)
			r = vh_err_nomem(err);
	}
	return r;
}

int copy_to_nodes(struct copy *c, char *const *paths, size_t n, char *const *nodes, const char *path, struct vh_err *err)
{
	vh_autofree char *to = name_path(path);
	vh_autostrv args = NULL;
	struct sending s = { .copy = c, .paths = paths, .n = n, .nodes = nodes };
	int r = to && vh_strv_push(&args, to) == 0 ? name_all(paths, n, &args, err) : vh_err_nomem(err);

	s.args = (const char **)args;
	return r < 0 ? r : transfer_all(vh_strv_len(nodes), send_to, name_of, &s, err);
}
