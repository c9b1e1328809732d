// SPDX-License-Identifier: Apache-2.0
/* A volume's disk. Its file system is made here, before any node has it: no node need judge whether a disk is blank. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/volume/qcow2.h"
#include "tools/cluster/volume/volume.h"

enum { MAKE_MS = 600000 };

/* --- what is there */

static const char *judge(const uint8_t head[QCOW2_HEAD], uint64_t *ret_size)
{
	static const char *const why[] = { [QCOW2_NONE] = "is no disk of a volume", [QCOW2_ELSEWHERE] = "names another file, which this disk would show" };

	return why[qcow2_judge(head, ret_size)];
}

static int other_size(const struct volume *v, const char *path, uint64_t size, struct vh_err *err)
{
	char is[16], wanted[16];

	vh_err_refuse(err, EEXIST, "volume %s: its disk %s is of %s, the manifest says %s", v->name, path,
		      vh_size_format(is, sizeof(is), size), vh_size_format(wanted, sizeof(wanted), v->size));
	return vh_err_hint(err, "say that size, or move the disk away: a new one is made");
}

int volume_disk_look(const struct volume *v, const char *path, bool *ret_there, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint8_t head[QCOW2_HEAD];
	uint64_t size = 0;
	struct stat st = { 0 };
	const char *why;

	if (fd < 0 && errno == ENOENT) {
		*ret_there = false;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	why = S_ISREG(st.st_mode) && pread(fd, head, sizeof(head), 0) == sizeof(head) ? judge(head, &size) : "is no disk of a volume";
	if (why)
		return vh_err_refuse(err, EEXIST, "volume %s: %s %s", v->name, path, why);
	if (size != v->size)
		return other_size(v, path, size, err);
	*ret_there = true;
	return 0;
}

/* --- made */

static int run(char *const argv[], struct vh_err *err)
{
	return vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .deadline_ms = MAKE_MS }, NULL, err);
}

/* Tables and journal are filled in by the node's kernel, bit by bit. */
static int make_ext4(const struct volume *v, const char *raw, struct vh_err *err)
{
	char *const mkfs[] = {
		"mkfs.ext4", "-q", "-F", "-m", "0", "-L", v->name, "-E",
		"lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0", (char *)raw, NULL,
	};
	/* As /tmp; below /home root makes what there is. */
	char *const mode[] = { "debugfs", "-w", "-R", "set_inode_field <2> mode 041777", (char *)raw, NULL };
	int fd = open(raw, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 || ftruncate(fd, (off_t)v->size) < 0 ? vh_err_set(err, errno, "%s: %s", raw, strerror(errno)) : 0;

	if (fd >= 0)
		close(fd);
	if (r == 0)
		r = run(mkfs, err);
	return r < 0 || !strcmp(v->mount, "/home") ? r : run(mode, err);
}

/* --- of one that the host serves */

/* Below the file system's own directory, so that nodes find nothing where it is not mounted; that one is root's alone, whatever
 * modes guests give to what is below. */
static int make_files(const struct volume *v, const char *raw, struct vh_err *err)
{
	char *const own[] = { "debugfs", "-w", "-R", "set_inode_field <2> mode 040700", (char *)raw, NULL };
	char *const dir[] = { "debugfs", "-w", "-R", "mkdir " VOLUME_FILES, (char *)raw, NULL };
	char *const mode[] = { "debugfs", "-w", "-R", "set_inode_field " VOLUME_FILES " mode 041777", (char *)raw, NULL };
	int r = make_ext4(v, raw, err);

	if (r == 0)
		r = run(own, err);
	if (r == 0)
		r = run(dir, err);
	return r < 0 || !strcmp(v->mount, "/home") ? r : run(mode, err);
}

int volume_image_look(const struct volume *v, const char *path, bool *ret_there, struct vh_err *err)
{
	struct stat st;

	*ret_there = lstat(path, &st) == 0;
	if (!*ret_there)
		return errno == ENOENT ? 0 : vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vh_err_refuse(err, EEXIST, "volume %s: %s is no disk of a volume", v->name, path);
	return (uint64_t)st.st_size == v->size ? 0 : other_size(v, path, (uint64_t)st.st_size, err);
}

int volume_place_check(const char *dir, struct vh_err *err)
{
	DIR *d = opendir(dir);
	bool any = false;

	if (!d)
		return errno == ENOENT ? 0 : vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	for (const struct dirent *e; !any && (e = readdir(d)); )
		any = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	if (!any)
		return 0;
	vh_err_refuse(err, ENOTEMPTY, "%s: has files, while nothing is mounted on it", dir);
	return vh_err_hint(err, "move them away: what is mounted there would hide them");
}

int volume_image_make(const struct volume *v, const char *path, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", path);
	vh_autoerr ignored = VH_ERR_NONE;
	bool there = false;
	int r = part ? volume_image_look(v, path, &there, err) : vh_err_nomem(err);

	*ret_made = false;
	if (r < 0 || there)
		return r;
	r = make_files(v, part, err);
	if (r == 0)
		r = vh_rename(part, path, err);
	if (r < 0)
		vh_remove_tree(part, &ignored);
	*ret_made = r == 0;
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

int volume_image_remove(const char *path, bool keep, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", path);
	int r = part ? vh_remove_tree(part, err) : vh_err_nomem(err);

	return r < 0 || keep ? r : vh_remove_tree(path, err);
}

/* --- of a node's */

static int make(const struct volume *v, const char *path, const char *raw, const char *part, struct vh_err *err)
{
	char *const convert[] = { "qemu-img", "convert", "-f", "raw", "-O", "qcow2", (char *)raw, (char *)part, NULL };
	int r = make_ext4(v, raw, err);

	if (r == 0)
		r = run(convert, err);
	if (r == 0 && chmod(part, 0600) < 0)
		r = vh_err_set(err, errno, "%s: %s", part, strerror(errno));
	return r < 0 ? r : vh_rename(part, path, err);
}

int volume_disk_make(const struct volume *v, const char *path, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *raw = vh_strf("%s.raw", path), *part = vh_strf("%s.part", path);
	vh_autoerr ignored = VH_ERR_NONE;
	bool there = false;
	int r = raw && part ? volume_disk_look(v, path, &there, err) : vh_err_nomem(err);

	*ret_made = false;
	if (r < 0 || there)
		return r;
	r = make(v, path, raw, part, err);
	if (r < 0)
		vh_remove_tree(part, &ignored);
	vh_remove_tree(raw, &ignored);
	*ret_made = r == 0;
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

int volume_disk_remove(const char *path, bool keep, struct vh_err *err)
{
	vh_autofree char *raw = vh_strf("%s.raw", path), *part = vh_strf("%s.part", path);
	int r = raw && part ? vh_remove_tree(raw, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_remove_tree(part, err);
	return r < 0 || keep ? r : vh_remove_tree(path, err);
}
