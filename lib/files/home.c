// SPDX-License-Identifier: Apache-2.0
#include "lib/files/home.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"

/* What STATE/home says. */
struct file { char *id, *born, *path; };

static void file_clear(struct file *f)
{
	free(f->id);
	free(f->born);
	free(f->path);
	*f = (struct file){ 0 };
}

void vh_home_clear(struct vh_home *h)
{
	free(h->was);
	*h = (struct vh_home){ 0 };
}

/* When the directory was made, or, on a file system that does not know, its inode. Both outlast a new name and a
 * reboot, which the number of a device does not, and on some overlays that of an inode. What was said, or NULL: the
 * same is asked then, for a newer kernel may know when. */
static int born_of(const char *state, const char *said, char **ret, struct vh_err *err)
{
	struct statx st;

	if (statx(AT_FDCWD, state, 0, STATX_BTIME | STATX_INO, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", state, strerror(errno));
	if (st.stx_mask & STATX_BTIME && st.stx_btime.tv_sec && (!said || strncmp(said, "inode ", 6)))
		*ret = vh_strf("%lld.%09u", (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
	else
		*ret = vh_strf("inode %llu", (unsigned long long)st.stx_ino);
	return *ret ? 0 : vh_err_nomem(err);
}

static int member(const json_t *doc, const char *key, const char *path, char **ret, struct vh_err *err)
{
	const char *text = json_string_value(json_object_get(doc, key));

	if (!text)
		return vh_err_set(err, EBADMSG, "%s: has no %s", path, key);
	*ret = strdup(text);
	return *ret ? 0 : vh_err_nomem(err);
}

/* -ENOENT (no error text): it has none. */
static int file_load(const char *state, struct file *ret, struct vh_err *err)
{
	vh_cleanup(file_clear) struct file f = { 0 };
	vh_autofree char *path = vh_strf("%s/home", state);
	json_error_t why;
	vh_autojson doc = NULL;
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return vh_err_set(err, EBADMSG, "%s:%d: %s", path, why.line, why.text);
	r = member(doc, "id", path, &f.id, err);
	if (r == 0)
		r = member(doc, "born", path, &f.born, err);
	if (r == 0)
		r = member(doc, "path", path, &f.path, err);
	if (r < 0)
		return r;
	*ret = f;
	f = (struct file){ 0 };
	return 0;
}

static bool is_same_directory(const char *a, const char *b)
{
	struct stat at, bt;

	return stat(a, &at) == 0 && stat(b, &bt) == 0 && at.st_dev == bt.st_dev && at.st_ino == bt.st_ino;
}

/* Whether the directory of that number stands at the path. */
static bool stands_at(const char *path, const char *id)
{
	vh_cleanup(file_clear) struct file there = { 0 };
	vh_autoerr none = VH_ERR_NONE;

	return file_load(path, &there, &none) == 0 && !strcmp(there.id, id);
}

static int look(const char *state, const struct file *f, enum vh_home_is *ret, struct vh_err *err)
{
	vh_autofree char *born = NULL;
	const bool here = is_same_directory(state, f->path);
	int r;

	/* Also of a clone of the whole file system, in which the directory is as old as its original. */
	if (!here && stands_at(f->path, f->id)) {
		*ret = VH_HOME_COPY;
		return 0;
	}
	r = born_of(state, f->born, &born, err);
	if (r == 0)
		*ret = strcmp(born, f->born) ? VH_HOME_STRANGE : here ? VH_HOME_OWN : VH_HOME_MOVED;
	return r;
}

/* An empty directory, a mount point say, is no state directory. */
static bool has_state(const char *path)
{
	vh_autofree char *store = vh_strf("%s/store.db", path), *libvirt = vh_strf("%s/libvirt/etc", path);

	return !store || !libvirt || access(store, F_OK) == 0 || access(libvirt, F_OK) == 0;
}

/* Before directories knew themselves the link for libvirt's hook said which one it was, where it had VMs. */
static int look_at_link(const char *state, struct vh_home *ret, struct vh_err *err)
{
	vh_autofree char *link = vh_strf("%s/libvirt/etc/vhpc.state", state);
	char was[PATH_MAX];
	ssize_t n = link ? readlink(link, was, sizeof(was) - 1) : -1;

	if (!link)
		return vh_err_nomem(err);
	*ret = (struct vh_home){ VH_HOME_NEW, NULL };
	if (n <= 0)
		return 0;
	was[n] = 0;
	if (is_same_directory(state, was))
		return 0;
	ret->is = has_state(was) ? VH_HOME_COPY : VH_HOME_MOVED;
	ret->was = strdup(was);
	return ret->was ? 0 : vh_err_nomem(err);
}

int vh_home_look(const char *state, struct vh_home *ret, struct vh_err *err)
{
	vh_cleanup(file_clear) struct file f = { 0 };
	enum vh_home_is is = VH_HOME_NEW;
	int r = file_load(state, &f, err);

	if (r == -ENOENT && !err->num)
		return look_at_link(state, ret, err);
	if (r == 0)
		r = look(state, &f, &is, err);
	if (r == 0)
		*ret = (struct vh_home){ is, vh_steal(&f.path) };
	return r;
}

int vh_home_check(const char *state, struct vh_err *err)
{
	vh_cleanup(vh_home_clear) struct vh_home h = { 0 };
	int r = vh_home_look(state, &h, err);

	if (r < 0 || (h.is != VH_HOME_COPY && h.is != VH_HOME_STRANGE))
		return r;
	if (h.is == VH_HOME_COPY) {
		vh_err_refuse(err, EXDEV, "state directory %s: is a copy of %s, which has the VMs and leases", state, h.was);
		return vh_err_hint(err, "use --state %s; a state directory of its own starts empty, or with images/ alone", h.was);
	}
	vh_err_refuse(err, EXDEV, "state directory %s: is a copy, or was moved from another file system: it was made as another "
		      "directory, at %s", state, h.was);
	return vh_err_hint(err, "vhpc cluster recover --state %s makes it this one's own, where nothing of it runs", state);
}

static int random_id(char id[33], struct vh_err *err)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return vh_err_set(err, EIO, "no random number to be had: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* A strange one gets a number of its own, and is then one that has moved: what names its paths is still to be told. */
int vh_home_settle(const char *state, struct vh_err *err)
{
	vh_cleanup(vh_home_clear) struct vh_home h = { 0 };
	vh_cleanup(file_clear) struct file f = { 0 };
	vh_autofree char *path = vh_strf("%s/home", state), *real = realpath(state, NULL), *born = NULL, *text = NULL;
	vh_autojson doc = NULL;
	char id[33];
	int r = path && real ? vh_home_look(state, &h, err) : vh_err_set(err, errno, "%s: %s", state, strerror(errno));

	if (r < 0 || h.is == VH_HOME_OWN)
		return r;
	/* An overlay makes a directory of its lower layer anew at the first change. */
	utimensat(AT_FDCWD, state, NULL, 0);
	r = born_of(state, NULL, &born, err);
	if (r == 0)
		r = random_id(id, err);
	if (r == 0 && h.is == VH_HOME_MOVED && (r = file_load(state, &f, err)) == -ENOENT && !err->num)
		r = 0;
	if (r < 0)
		return r;
	doc = json_pack("{ss ss ss ss}", "schema", "vhpc.home/1", "id", f.id ? f.id : id, "born", born, "path",
			h.is == VH_HOME_STRANGE ? h.was : real);
	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

int vh_home_enter(const char *state, struct vh_err *err)
{
	vh_cleanup(vh_home_clear) struct vh_home h = { 0 };
	int r = vh_home_look(state, &h, err);

	if (r < 0)
		return r;
	return h.is == VH_HOME_NEW ? vh_home_settle(state, err) : vh_home_check(state, err);
}
