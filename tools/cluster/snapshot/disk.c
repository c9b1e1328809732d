// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/snapshot/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/confine.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { DISK_MS = 30 * 60 * 1000 };

/* A guest that got hold of its QEMU wrote what is read here: qemu-img has the rights of whose file it is and no more,
 * and the disk alone, not what that names. A file of root's is lent to nobody, and so
 * is one that a killed run has lent: it is root's again then. */
static int run(const char *path, int fd, char *const argv[], struct vh_output *ret, struct vh_err *err)
{
	struct vh_spawn spawn = { .argv = argv, .confined = true, .keep = (const int[]){ fd, -1 }, .deadline_ms = DISK_MS };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vh_err_set(err, EINVAL, "%s: is no disk", path);
	if (st.st_uid && st.st_uid != VH_CONFINE_ID) {
		spawn.uid = st.st_uid;
		spawn.gid = st.st_gid;
		return vh_spawn_ok(&spawn, ret, err);
	}
	r = vh_confine_lend(fd);
	if (r < 0)
		return vh_err_set(err, -r, "%s: %s", path, strerror(-r));
	r = vh_spawn_ok(&spawn, ret, err);
	errno = -vh_confine_take(fd, st.st_mode & 07777);
	return r == 0 && errno ? vh_err_set(err, errno, "%s: %s", path, strerror(errno)) : r;
}

/* By qemu-img's last words. */
static int explain(const char *path, struct vh_err *err)
{
	if (strstr(err->text, "No space left"))
		vh_err_set(err, ENOSPC, "no space left");
	else if (strstr(err->text, "another process"))
		vh_err_set(err, EBUSY, "another process has it open, a VM perhaps");
	return vh_err_within(err, "%s", path);
}

/* Words of its command line; with ret for its answer it looks, whoever has the disk. */
static int qemu_img(const char *path, const char *verb, const char *option, const char *word, struct vh_output *ret, struct vh_err *err)
{
	vh_autoclose int fd = open(path, (ret ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC);
	vh_autofree char *image = vh_strf("json:{\"driver\": \"qcow2\", \"backing\": null, "
					  "\"file\": {\"driver\": \"file\", \"filename\": \"/proc/self/fd/%d\"}}", fd);
	char *const argv[] = { (char *)"qemu-img", (char *)verb, (char *)option, (char *)word, image, NULL };
	int r;

	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!image)
		return vh_err_nomem(err);
	r = run(path, fd, argv, ret, err);
	return r < 0 ? explain(path, err) : 0;
}

/* Its guest wrote that: what is changed is to be in the disk alone. */
static bool is_elsewhere(const json_t *info)
{
	return json_object_get(json_object_get(json_object_get(info, "format-specific"), "data"), "data-file") != NULL;
}

int disk_tags(const char *path, char ***ret, struct vh_err *err)
{
	vh_autooutput out = { 0 };
	vh_autojson info = NULL;
	vh_autostrv tags = NULL;
	const json_t *snapshot;
	size_t i;
	int r = qemu_img(path, "info", "-U", "--output=json", &out, err);

	if (r < 0)
		return r;
	info = json_loadb(out.out, out.out_len, 0, NULL);
	if (!info)
		return vh_err_set(err, EBADMSG, "%s: what qemu-img says of it is not understood", path);
	if (is_elsewhere(info))
		return vh_err_refuse(err, EINVAL, "%s: names another file, which its data are in", path);
	json_array_foreach(json_object_get(info, "snapshots"), i, snapshot) {
		const char *tag = json_string_value(json_object_get(snapshot, "name"));

		if (tag && vh_strv_push(&tags, tag) < 0)
			return vh_err_nomem(err);
	}
	*ret = vh_steal(&tags);
	return 0;
}

static int has(const char *path, const char *tag, bool *ret, struct vh_err *err)
{
	vh_autostrv tags = NULL;
	int r = 0;

	if (access(path, F_OK) == 0)
		r = disk_tags(path, &tags, err);
	*ret = r == 0 && vh_strv_has(tags, tag);
	return r;
}

int disk_drop(const char *path, const char *tag, struct vh_err *err)
{
	bool there = false;
	int r = has(path, tag, &there, err);

	return there ? qemu_img(path, "snapshot", "-d", tag, NULL, err) : r;
}

int disk_take(const char *path, const char *tag, struct vh_err *err)
{
	int r = disk_drop(path, tag, err);

	return r < 0 ? r : qemu_img(path, "snapshot", "-c", tag, NULL, err);
}

int disk_go_back(const char *path, const char *tag, struct vh_err *err)
{
	bool there = false;
	int r = has(path, tag, &there, err);

	return there ? qemu_img(path, "snapshot", "-a", tag, NULL, err) : r;
}
