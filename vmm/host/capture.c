// SPDX-License-Identifier: Apache-2.0
/* A host's /sys and /proc as files, as far as plans and listings read them. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/host/host.h"

enum { DEPTH_MAX = 6 };

struct capture {
	const struct vh_root *root;
	const char *dir;
	struct vh_err *err;
};

/* What this process lacked, or the kernel broke off: not what the host is without. */
static bool is_no_answer(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EINTR;
}

static int unread(const struct capture *c, const char *path, int r)
{
	return vh_err_set(c->err, -r, "/%s: %s", path, strerror(-r));
}

static int make_parent(const struct capture *c, const char *path)
{
	vh_autofree char *full = vh_strf("%s/%s", c->dir, path);

	if (!full)
		return vh_err_nomem(c->err);
	*strrchr(full, '/') = 0;
	return vh_mkdirs(full, 0755, c->err);
}

/* What cannot be read is left out: its reader will find it missing here too. */
static int copy_file(const struct capture *c, const char *path)
{
	vh_autofree char *text = NULL, *full = vh_strf("%s/%s", c->dir, path);
	vh_autofclose FILE *f = NULL;
	int r;

	if (!full)
		return vh_err_nomem(c->err);
	r = vh_root_read(c->root, &text, "%s", path);
	if (r < 0)
		return is_no_answer(r) ? unread(c, path, r) : 0;
	r = make_parent(c, path);
	if (r < 0)
		return r;
	f = fopen(full, "we");
	if (!f || fprintf(f, "%s\n", text) < 0 || fflush(f))
		return vh_err_set(c->err, errno, "%s: %s", full, strerror(errno));
	return 0;
}

static int copy_link(const struct capture *c, const char *path, const char *target)
{
	vh_autofree char *full = vh_strf("%s/%s", c->dir, path);
	int r = full ? make_parent(c, path) : vh_err_nomem(c->err);

	if (r < 0)
		return r;
	if (symlink(target, full) < 0 && errno != EEXIST)
		return vh_err_set(c->err, errno, "%s: %s", full, strerror(errno));
	return 0;
}

/* A directory that may not be listed, or is not there, is left out; one that broke off is no copy. */
static int list_failed(const struct capture *c, const char *path, int r)
{
	return is_no_answer(r) || r == -EIO ? unread(c, path, r) : 0;
}

/* A file, a link as a link, or a directory with all below it. */
static int copy_tree(const struct capture *c, const char *path, unsigned depth)
{
	vh_autofree char *target = NULL;
	vh_autostrv names = NULL;
	int r = vh_root_readlink(c->root, &target, "%s", path);

	if (r == 0)
		return copy_link(c, path, target);
	if (is_no_answer(r))
		return unread(c, path, r);
	r = vh_root_list(c->root, &names, "%s", path);
	if (r == -ENOTDIR)
		return copy_file(c, path);
	if (r < 0)
		return list_failed(c, path, r);
	for (char **n = names; r == 0 && *n && depth < DEPTH_MAX; n++) {
		vh_autofree char *below = vh_strf("%s/%s", path, *n);

		r = below ? copy_tree(c, below, depth + 1) : vh_err_nomem(c->err);
	}
	return r;
}

/* Entries of a directory whose name begins so, and of each of them this. */
static int copy_each(const struct capture *c, const char *dir, const char *begin, const char *below)
{
	vh_autostrv names = NULL;
	int r = vh_root_list(c->root, &names, "%s", dir);

	if (r < 0)
		return list_failed(c, dir, r);
	for (char **n = names; r == 0 && *n; n++) {
		vh_autofree char *path = vh_strf("%s/%s%s", dir, *n, below);

		if (strncmp(*n, begin, strlen(begin)))
			continue;
		r = path ? copy_tree(c, path, 0) : vh_err_nomem(c->err);
	}
	return r;
}

static int copy_netdev(const struct capture *c, const char *dir)
{
	static const char *const files[] = { "/address", "/operstate", "/speed" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(files); i++)
		r = copy_each(c, dir, "", files[i]);
	return r;
}

static int copy_network(const struct capture *c, const char *device)
{
	vh_autofree char *net = vh_strf("%s/net", device), *verbs = vh_strf("%s/infiniband", device);
	vh_autostrv names = NULL;
	int r = net && verbs ? copy_netdev(c, net) : vh_err_nomem(c->err);

	if (r == 0)
		r = copy_each(c, verbs, "", "/node_type");
	if (r < 0)
		return r;
	r = vh_root_list(c->root, &names, "%s", device);
	if (r < 0)
		return list_failed(c, device, r);
	for (char **n = names; r == 0 && *n; n++) {
		vh_autofree char *virtio = vh_strf("%s/%s/net", device, *n);

		if (!strncmp(*n, "virtio", strlen("virtio")))
			r = virtio ? copy_netdev(c, virtio) : vh_err_nomem(c->err);
	}
	return r;
}

/* Only what is harmless to read: some of a device's files act on it. */
static int copy_device(const struct capture *c, const char *device)
{
	static const char *const files[] = {
		"class", "vendor", "device", "subsystem_vendor", "subsystem_device", "revision", "numa_node",
		"local_cpulist", "local_cpus", "resource", "sriov_totalvfs", "sriov_numvfs", "sriov_drivers_autoprobe",
		"power_state", "reset_method", "ari_enabled", "current_link_speed", "current_link_width",
		"max_link_speed", "max_link_width", "driver_override", "driver", "iommu_group", "physfn",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("%s/%s", device, files[i]);

		r = path ? copy_tree(c, path, DEPTH_MAX) : vh_err_nomem(c->err);
	}
	if (r == 0)
		r = copy_each(c, device, "virtfn", "");
	return r < 0 ? r : copy_network(c, device);
}

static int copy_pci(const struct capture *c)
{
	vh_autostrv names = NULL;
	int r = vh_root_list(c->root, &names, "sys/bus/pci/devices");

	if (r < 0)
		return list_failed(c, "sys/bus/pci/devices", r);
	for (char **n = names; r == 0 && *n; n++) {
		vh_autofree char *link = vh_strf("sys/bus/pci/devices/%s", *n), *target = NULL, *path = NULL;

		if (!link)
			return vh_err_nomem(c->err);
		r = copy_tree(c, link, 0);
		if (r < 0 || vh_root_readlink(c->root, &target, "%s", link) < 0 ||
		    strncmp(target, "../../../devices/", strlen("../../../devices/")))
			continue;
		path = vh_strf("sys/%s", target + strlen("../../../"));
		r = path ? copy_device(c, path) : vh_err_nomem(c->err);
	}
	return r;
}

static int copy_host(const struct capture *c)
{
	static const char *const trees[] = {
		"proc/cpuinfo", "proc/meminfo", "sys/devices/system/cpu/online", "sys/devices/system/cpu/possible",
		"sys/devices/system/cpu/present", "sys/devices/system/cpu/isolated", "sys/devices/system/cpu/nohz_full",
		"sys/devices/system/node/online", "sys/devices/system/node/possible", "sys/kernel/iommu_groups", "sys/class/iommu",
	};
	static const struct { const char *dir, *begin, *below; } each[] = {
		{ "sys/devices/system/cpu", "cpu", "/topology" }, { "sys/devices/system/cpu", "cpu", "/cache" },
		{ "sys/devices/system/cpu", "cpu", "/online" }, { "sys/devices/system/node", "node", "/cpumap" },
		{ "sys/devices/system/node", "node", "/cpulist" }, { "sys/devices/system/node", "node", "/meminfo" },
		{ "sys/devices/system/node", "node", "/distance" }, { "sys/devices/system/node", "node", "/hugepages" },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(trees); i++)
		r = copy_tree(c, trees[i], 0);
	for (size_t i = 0; r == 0 && i < vh_array_len(each); i++)
		r = copy_each(c, each[i].dir, each[i].begin, each[i].below);
	return r < 0 ? r : copy_pci(c);
}

/* A new directory beside dir, in which dir comes to be. */
static char *make_beside(const char *dir, struct vh_err *err)
{
	size_t len = strlen(dir);
	vh_autofree char *part = NULL, *parent = NULL;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	part = vh_strf("%.*s.XXXXXX", (int)len, dir);
	parent = part ? strdup(part) : NULL;
	if (!parent) {
		vh_err_nomem(err);
		return NULL;
	}
	if (vh_mkdirs(dirname(parent), 0755, err) < 0)
		return NULL;
	if (mkdtemp(part) && chmod(part, 0755) == 0)
		return vh_steal(&part);
	vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	return NULL;
}

/* Under its name it is whole. */
int vh_host_capture(const struct vh_root *root, const char *dir, struct vh_err *err)
{
	vh_autofree char *part = NULL;
	vh_autoerr ignored = VH_ERR_NONE;
	struct capture c = { .root = root, .err = err };
	struct stat st;
	int r;

	if (stat(dir, &st) == 0)
		return vh_err_refuse(err, EEXIST, "%s: is there already", dir);
	part = make_beside(dir, err);
	if (!part)
		return -err->num;
	c.dir = part;
	r = copy_host(&c);
	if (r == 0)
		r = vh_rename(part, dir, err);
	if (r < 0)
		vh_remove_tree(part, &ignored);
	return r;
}
