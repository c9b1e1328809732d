// SPDX-License-Identifier: Apache-2.0
/* From nodes to here. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/copy/names.h"
#include "tools/cluster/copy/remote.h"
#include "tools/cluster/copy/transfer.h"
#include "tools/cluster/copy/unpack.h"

struct receiving {
	struct copy *copy;
	const struct copy_from *from;
	const char *path;
	bool into, apart;	/* path is a directory, or one of those in it a node */
};

/* One archive on its way. */
struct arrival {
	struct copy *copy;
	int fd, dir, result;
	const char *base;
	struct sums sums;
	struct vh_err err;
};

static void arrival_clear(struct arrival *a)
{
	sums_clear(&a->sums);
	vh_err_clear(&a->err);
}

static void *read_archive(void *arg)
{
	struct arrival *a = arg;

	a->result = unpack_all(a->copy, a->fd, a->dir, a->base, &a->sums, &a->err);
	/* A node that writes on finds nobody who reads. */
	close(a->fd);
	return NULL;
}

/* A node that failed knows why, unless it was we who would read no more. */
static int judge(struct arrival *a, int r, struct vh_err *err)
{
	if (a->result == 0 || (r < 0 && a->err.exit != VH_EXIT_REFUSED))
		return r;
	vh_err_move(err, &a->err);
	return -err->num;
}

static int arrive(struct arrival *a, const char *node, const char *const *args, struct vh_err *err)
{
	pthread_t reader;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vh_err_set(err, errno, "pipe: %s", strerror(errno));
	a->fd = fds[0];
	if (pthread_create(&reader, NULL, read_archive, a) != 0) {
		close(fds[0]);
		close(fds[1]);
		return vh_err_nomem(err);
	}
	r = remote_run(a->copy, node, remote_give, args, 0, fds[1], NULL, err);
	close(fds[1]);
	pthread_join(reader, NULL);
	return judge(a, r, err);
}

/* The node's files as they are there now: what was read of them once is read once more. */
static int compare(struct arrival *a, const char *node, const char *const *args, struct vh_err *err)
{
	vh_autooutput out = { 0 };
	char ours[SUM_LEN];
	int r = remote_run(a->copy, node, remote_sum, args, 0, 0, &out, err);

	sums_digest(&a->sums, ours);
	if (r == 0 && (out.out_len != SUM_LEN || memcmp(out.out, ours, SUM_LEN - 1))) {
		vh_err_set(err, EBADMSG, "%s: what arrived is not what is there", a->base);
		r = vh_err_hint(err, "copy again: it may have changed meanwhile");
	}
	return r;
}

/* Into part, an empty directory that nobody else gets into, and from there to its place. */
static int receive_by(struct copy *c, const struct copy_from *from, const char *part, const char *place, struct vh_err *err)
{
	vh_autofree char *dir = NULL, *base = NULL, *whole = NULL;
	vh_cleanup(arrival_clear) struct arrival a = { .copy = c };
	vh_autoclose int fd = open(part, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? vh_err_set(err, errno, "%s: %s", part, strerror(errno)) : name_split(from->path, &dir, &base, err);
	const char *const args[] = { dir, base, NULL };

	if (r < 0)
		return r;
	a.dir = fd;
	a.base = base;
	whole = vh_strf("%s/%s", part, base);
	r = whole ? arrive(&a, from->node, args, err) : vh_err_nomem(err);
	if (r == 0)
		r = compare(&a, from->node, args, err);
	return r < 0 ? r : vh_rename(whole, place, err);
}

static int check_free(const char *place, struct vh_err *err)
{
	struct stat st;

	return lstat(place, &st) == 0 && S_ISDIR(st.st_mode) ?
		vh_err_refuse(err, EEXIST, "%s: is a directory that is there already", place) : 0;
}

/* The directory that it comes to, and its place there; both malloc'd. */
static int place_of(const struct receiving *v, const struct copy_from *from, char **ret_dir, char **ret_place, struct vh_err *err)
{
	vh_autofree char *node_dir = NULL, *base = NULL;
	int r = name_split(from->path, &node_dir, &base, err);

	if (r < 0)
		return r;
	if (!v->into && !v->apart) {
		vh_autofree char *last = NULL;

		*ret_place = strdup(v->path);
		r = name_split(v->path, ret_dir, &last, err);
	} else {
		*ret_dir = v->apart ? vh_strf("%s/%s", v->path, from->node) : strdup(v->path);
		*ret_place = *ret_dir ? vh_strf("%s/%s", *ret_dir, base) : NULL;
	}
	return r == 0 && !*ret_place ? vh_err_nomem(err) : r;
}

static int receive_one(void *arg, size_t i, struct vh_err *err)
{
	const struct receiving *v = arg;
	vh_autofree char *dir = NULL, *place = NULL, *part = NULL;
	vh_autoerr none = VH_ERR_NONE;
	int r = place_of(v, &v->from[i], &dir, &place, err);

	if (r == 0 && v->apart)
		r = vh_mkdirs(dir, 0777, err);
	if (r == 0)
		r = check_free(place, err);
	part = r == 0 ? vh_strf("%s/.vhpc-cp.XXXXXX", dir) : NULL;
	if (r == 0 && (!part || !mkdtemp(part)))
		r = part ? vh_err_set(err, errno, "%s: %s", dir, strerror(errno)) : vh_err_nomem(err);
	if (r < 0)
		return r;
	r = receive_by(v->copy, &v->from[i], part, place, err);
	vh_remove_tree(part, &none);
	return r;
}

static const char *name_of(const void *arg, size_t i)
{
	return ((const struct receiving *)arg)->from[i].node;
}

/* Two of a name would be one here. */
static int check_names(const struct receiving *v, size_t n, struct vh_err *err)
{
	vh_autostrv places = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		vh_autofree char *dir = NULL, *place = NULL;

		r = place_of(v, &v->from[i], &dir, &place, err);
		if (r == 0 && vh_strv_has(places, place))
			r = vh_err_refuse(err, EEXIST, "two of what is to be copied would be %s", place);
		if (r == 0 && vh_strv_push(&places, place) < 0)
			r = vh_err_nomem(err);
	}
	return r;
}

int copy_from_nodes(struct copy *c, const struct copy_from *from, size_t n, const char *path, bool apart, struct vh_err *err)
{
	struct receiving v = { .copy = c, .from = from, .path = *path ? path : ".", .apart = apart };
	struct stat st;
	int r;

	v.into = stat(v.path, &st) == 0 && S_ISDIR(st.st_mode);
	if (!v.into && (n > 1 || apart || v.path[strlen(v.path) - 1] == '/'))
		return vh_err_refuse(err, ENOTDIR, "%s: no such directory", v.path);
	r = check_names(&v, n, err);
	return r < 0 ? r : transfer_all(n, receive_one, name_of, &v, err);
}
