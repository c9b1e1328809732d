// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/volume/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

/* ext4 takes so many as a label; a serial number has room for 20. */
enum { NAME_MAX_LEN = 16, MOUNT_MAX_LEN = 64, FROM_MAX_LEN = 1024 };
#define SIZE_MIN (64ull << 20)
#define SIZE_MAX_BYTES (64ull << 40)

const char *const volume_kinds[] = { [VOLUME_NODE] = "node", [VOLUME_SHARED] = "shared", [VOLUME_DATA] = "data", NULL };
const char *const volume_bys[] = { [VOLUME_BY_NODE] = "node", [VOLUME_BY_HOST] = "host", NULL };

/* --- what a manifest may say */

static int check_name(const char *s, struct vh_err *err)
{
	if (strlen(s) > NAME_MAX_LEN)
		return vh_err_refuse(err, EINVAL, "'%.80s' is too long: a disk is known by it (at most %d)", s, NAME_MAX_LEN);
	return vh_hostname_check(s, err);
}

/* Whether a is b or below it. */
static bool is_within(const char *a, const char *b)
{
	const size_t n = strlen(b);

	return !strncmp(a, b, n) && (!a[n] || a[n] == '/');
}

/* Words, each after a slash: what stands in fstab, in a path and in a shell's word as it is. */
static bool is_plain(const char *s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	while (*s == '/' && s[1] && !strchr("/.-", s[1])) {
		s++;
		s += strspn(s, chars);
	}
	return !*s;
}

/* What the system is made of, and what it keeps its own in. */
static int check_free(const char *s, struct vh_err *err)
{
	static const char *const whole[] = {
		"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/proc", "/root", "/run", "/sbin",
		"/sys", "/usr", "/var/lib/vhpc",
	};
	static const char *const alone[] = { "/var", "/var/lib", "/var/log", "/var/cache" };
	bool taken = strcmp(s, "/home") && is_within(s, "/home");

	for (size_t i = 0; i < vh_array_len(whole); i++)
		taken |= is_within(s, whole[i]);
	for (size_t i = 0; i < vh_array_len(alone); i++)
		taken |= !strcmp(s, alone[i]);
	return taken ? vh_err_refuse(err, EINVAL, "'%s' is the system's, or a user's home", s) : 0;
}

static int check_mount(const char *s, struct vh_err *err)
{
	if (!*s || !is_plain(s) || strlen(s) > MOUNT_MAX_LEN) {
		vh_err_refuse(err, EINVAL, "'%.80s' is no directory to mount on", s);
		return vh_err_hint(err, "as /scratch: letters, digits, _, - and . in it, at most %d, and nothing after the last /", MOUNT_MAX_LEN);
	}
	return check_free(s, err);
}

/* Names, each after a slash, that lead down and to one place only. */
static bool is_straight(const char *s)
{
	while (*s == '/' && s[1] && s[1] != '/') {
		const size_t n = strcspn(++s, "/");

		if ((n == 1 && !strncmp(s, ".", n)) || (n == 2 && !strncmp(s, "..", n)))
			return false;
		s += n;
	}
	return !*s;
}

/* Of the host: whoever reads it there has no more rights than any of its users. */
static int check_from(const char *s, struct vh_err *err)
{
	static const char *const kernels[] = { "/proc", "/sys", "/dev" };
	bool is_kernels = false;

	if (!*s || !is_straight(s) || strlen(s) > FROM_MAX_LEN) {
		vh_err_refuse(err, EINVAL, "'%.80s' is no path of the host's", s);
		return vh_err_hint(err, "as /srv/genomes: absolute, without . and .., at most %d bytes", FROM_MAX_LEN);
	}
	for (size_t i = 0; i < vh_array_len(kernels); i++)
		is_kernels |= is_within(s, kernels[i]);
	return is_kernels ? vh_err_refuse(err, EINVAL, "'%.80s' is the kernel's, no data", s) : 0;
}

/* One would hide what is below the other. */
static bool mounts_go_together(const char *a, const char *b)
{
	return !is_within(a, b) && !is_within(b, a);
}

#define AT(member) .offset = offsetof(struct volume, member)
const struct vh_key volume_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, AT(name), .required = true, .unique = true, .check = check_name,
	  .help = "Name of the volume, and its disk's serial number in the node; at most 16 characters." },
	{ .name = "mount", .type = VH_KEY_STR, AT(mount), .required = true, .unique = true, .apart = mounts_go_together, .check = check_mount,
	  .help = "Directory that it is mounted on; none of the system's, and none in that of another volume." },
	{ .name = "kind", .type = VH_KEY_ENUM, AT(kind), .required = true, .choices = volume_kinds,
	  .help = "node: each node has one of its own, a disk. shared: all have the same one. "
		  "data: what is on the host, packed once, which all only read." },
	{ .name = "by", .type = VH_KEY_ENUM, AT(by), .dflt = "node", .choices = volume_bys,
	  .help = "Of a shared one, who serves it. node: one node has the disk, and the others mount it from there, by NFS. host: the host has "
		  "it, and all mount it from there, by virtiofs." },
	{ .name = "size", .type = VH_KEY_SIZE, AT(size), .min = SIZE_MIN, .max = SIZE_MAX_BYTES,
	  .help = "Size of the disk, of those that are written to; what is never written takes no room on the host." },
	{ .name = "from", .type = VH_KEY_STR, AT(from), .check = check_from,
	  .help = "Of data: a directory of the host, or an image of squashfs, ext4 or ISO 9660, that everybody may read there, by its whole path "
		  "without links." },
	{ .name = "groups", .type = VH_KEY_STRV, AT(groups), .max = 64, .names = "groups", .check = vh_hostname_check,
	  .help = "Groups whose nodes have it, or mount it; all when absent." },
	{ .name = "on", .type = VH_KEY_STR, AT(on), .names = "groups", .check = vh_hostname_check,
	  .help = "Of a shared one: the group whose first node has the disk; the node of the role head, else the first, when absent. "
		  "All that nodes share by nodes is on one." },
	{ .name = "keep", .type = VH_KEY_BOOL, AT(keep), .dflt = "no",
	  .help = "yes: `destroy` leaves its disks, and a cluster of the same name takes them again." },
	{ .name = NULL },
};
#undef AT

static const struct vh_key list_keys[] = { VOLUMES_KEY(0), { .name = NULL } };

/* --- lists of them */

int volumes_copy(const struct vh_doc_list *volumes, struct vh_doc_list *ret, struct vh_err *err)
{
	vh_autojson all = vh_doc_json(list_keys, volumes);

	return all ? vh_doc_from_json(list_keys, all, ret, err) : vh_err_nomem(err);
}

void volumes_clear(struct vh_doc_list *volumes)
{
	vh_doc_free(list_keys, volumes);
}

static const struct volume *find(const struct vh_doc_list *volumes, const char *name)
{
	const struct volume *v = volumes->items;

	for (size_t i = 0; i < volumes->n; i++)
		if (!strcmp(v[i].name, name))
			return &v[i];
	return NULL;
}

/* One of a that b has not, or has otherwise. */
static const char *lacks(const struct vh_doc_list *a, const struct vh_doc_list *b)
{
	const struct volume *v = a->items;

	for (size_t i = 0; i < a->n; i++) {
		const struct volume *other = find(b, v[i].name);
		vh_autojson x = vh_doc_json(volume_keys, &v[i]);
		vh_autojson y = other ? vh_doc_json(volume_keys, other) : NULL;

		if (!json_equal(x, y))
			return v[i].name;
	}
	return NULL;
}

const char *volumes_differ(const struct vh_doc_list *a, const struct vh_doc_list *b)
{
	const char *name = lacks(a, b);

	return name ? name : lacks(b, a);
}

int volumes_check(const struct vh_doc_list *volumes, char *const *groups, struct vh_err *err)
{
	const struct volume *v = volumes->items;

	if (volumes->n > VOLUMES_MAX)
		return vh_err_refuse(err, E2BIG, "%zu volumes, at most %d are taken", volumes->n, VOLUMES_MAX);
	for (size_t i = 0; i < volumes->n; i++) {
		bool fine = (v[i].from || (v[i].size >= SIZE_MIN && v[i].size <= SIZE_MAX_BYTES)) && volume_settled(&v[i], err) == 0 &&
			    (!v[i].on || vh_strv_has(groups, v[i].on));

		for (size_t k = 0; k < i; k++)
			fine &= strcmp(v[k].name, v[i].name) && mounts_go_together(v[k].mount, v[i].mount);
		for (char **g = v[i].groups; g && *g; g++)
			fine &= vh_strv_has(groups, *g);
		if (!fine)
			return vh_err_refuse(err, EINVAL, "volume %s: is not as a manifest has volumes", v[i].name);
	}
	return 0;
}

static int check_host(const struct volume *v, struct vh_err *err)
{
	if (v->kind != VOLUME_SHARED)
		return vh_err_refuse(err, EINVAL, "by: only what is shared is served");
	return v->on ? vh_err_refuse(err, EINVAL, "on: what the host serves is on no node") : 0;
}

static int check_data(const struct volume *v, struct vh_err *err)
{
	if (!v->from)
		return vh_err_refuse(err, EINVAL, "from: data are of something on the host");
	if (v->size)
		return vh_err_refuse(err, EINVAL, "size: data are as large as what they are of");
	if (v->keep)
		return vh_err_refuse(err, EINVAL, "keep: data go with the cluster, what they are of stays");
	return strcmp(v->mount, "/home") ? 0 : vh_err_refuse(err, EINVAL, "mount: homes are written to");
}

int volume_settled(const void *volume, struct vh_err *err)
{
	const struct volume *v = volume;
	int r = v->kind == VOLUME_DATA ? check_data(v, err) : 0;

	if (r == 0 && v->by == VOLUME_BY_HOST)
		r = check_host(v, err);
	if (r < 0)
		return r;
	if (v->kind != VOLUME_DATA && !v->size)
		return vh_err_refuse(err, EINVAL, "size: a disk that is written to has one");
	if (v->kind != VOLUME_DATA && v->from)
		return vh_err_refuse(err, EINVAL, "from: only data are of something on the host");
	return v->on && v->kind != VOLUME_SHARED ? vh_err_refuse(err, EINVAL, "on: only what is shared is on one node") : 0;
}

/* --- a node's */

enum volume_part volume_part(const struct volume *v, const char *group, bool serves)
{
	if (v->kind == VOLUME_SHARED && v->by == VOLUME_BY_NODE && serves)
		return VOLUME_EXPORTS;
	if (v->groups && !(group && vh_strv_has(v->groups, group)))
		return VOLUME_NONE;
	if (v->by == VOLUME_BY_HOST)
		return VOLUME_ENTERS;
	return v->kind == VOLUME_SHARED ? VOLUME_MOUNTS : v->kind == VOLUME_DATA ? VOLUME_READS : VOLUME_HAS;
}

/* A disk by its serial number, whatever letter it has got: a node that lacks it boots all the same, and can be looked at.
 * The kernel needs the server's address in words, where no mount.nfs4 is there to say it. */
void volume_put(FILE *f, const struct volume *v, enum volume_part part, const char *address, const char *network)
{
	if (part == VOLUME_HAS || part == VOLUME_EXPORTS)
		fprintf(f, "mount /dev/disk/by-id/virtio-%s %s ext4 nofail,nosuid,nodev,x-systemd.before=vhpc-mounts.service\n", v->name,
			v->mount);
	if (part == VOLUME_READS)
		fprintf(f, "mount /dev/disk/by-id/virtio-%s %s auto ro,nofail,nosuid,nodev,x-systemd.before=vhpc-mounts.service\n", v->name,
			v->mount);
	if (part == VOLUME_ENTERS)
		fprintf(f, "mount %s %s virtiofs nofail,nosuid,nodev,x-systemd.before=vhpc-mounts.service\n", v->name, v->mount);
	if (part == VOLUME_EXPORTS)
		fprintf(f, "export %s %s\n", v->mount, network);
	if (part == VOLUME_MOUNTS)
		fprintf(f, "mount %s:%s %s nfs4 _netdev,nosuid,nodev,hard,vers=4.2,addr=%s\n", address, v->mount, v->mount, address);
}
