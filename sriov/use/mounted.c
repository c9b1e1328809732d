// SPDX-License-Identifier: Apache-2.0
/* Which PCI devices carry the host's file systems and swap. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

enum { DEPTH_MAX = 8 };

/* An NVMe of several controllers hangs on none of them: link is below nvme-subsystem/NAME. */
static int add_subsystem(const struct vh_root *root, char ***ret, const char *link)
{
	const char *at = strstr(link, "nvme-subsystem/");
	vh_autofree char *name = at ? strndup(at + strlen("nvme-subsystem/"), strcspn(at + strlen("nvme-subsystem/"), "/"))
				    : NULL;
	vh_autostrv entries = NULL;

	if (!name || vh_root_list(root, &entries, "sys/devices/virtual/nvme-subsystem/%s", name) < 0)
		return 0;
	for (char **e = entries; *e; e++) {
		vh_autofree char *target = NULL;

		if (vh_root_readlink(root, &target, "sys/devices/virtual/nvme-subsystem/%s/%s", name, *e) == 0 &&
		    vh_pci_addresses(ret, target) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Below a block device, by its directory in /sys: what it is made of in the end. */
static int add_block(const struct vh_root *root, char ***ret, const char *dir, int depth)
{
	vh_autofree char *link = NULL;
	vh_autostrv slaves = NULL;
	int r;

	if (depth > DEPTH_MAX || vh_root_readlink(root, &link, "%s", dir) < 0)
		return 0;
	if ((r = vh_pci_addresses(ret, link)) < 0 || (r = add_subsystem(root, ret, link)) < 0)
		return r;
	if (vh_root_list(root, &slaves, "%s/slaves", dir) < 0)
		return 0;
	for (char **s = slaves; r == 0 && *s; s++) {
		vh_autofree char *below = vh_strf("sys/class/block/%s", *s);

		r = below ? add_block(root, ret, below, depth + 1) : -ENOMEM;
	}
	return r;
}

/* "/dev/nvme0n1p2", "/dev/mapper/root". */
static int add_source(const struct vh_root *root, char ***ret, const char *source)
{
	const char *name = strrchr(source, '/') + 1;
	vh_autofree char *target = NULL;
	vh_autofree char *dir = NULL;

	if (!strncmp(source, "/dev/mapper/", strlen("/dev/mapper/")) &&
	    vh_root_link_name(root, &target, "%s", source + 1) == 0)
		name = target;
	dir = vh_strf("sys/class/block/%s", name);
	return dir ? add_block(root, ret, dir, 0) : -ENOMEM;
}

/* One line of mountinfo: what it stands on; *ret_mount points into line. */
static int mount_line(const struct vh_root *root, char *line, char ***ret, const char **ret_mount)
{
	char *part[5] = { NULL }, *source = strstr(line, " - ");
	vh_autofree char *dir = NULL;

	*ret_mount = NULL;
	if (!source)
		return 0;
	*source = 0;
	source += strlen(" - ");
	strsep(&source, " ");
	for (size_t i = 0; i < vh_array_len(part); i++)
		if (!(part[i] = strsep(&line, " ")))
			return 0;
	*ret_mount = part[4];
	source = source ? strsep(&source, " ") : NULL;
	if (source && !strncmp(part[2], "0:", 2))
		return strncmp(source, "/dev/", strlen("/dev/")) ? 0 : add_source(root, ret, source);
	dir = vh_strf("sys/dev/block/%s", part[2]);
	return dir ? add_block(root, ret, dir, 0) : -ENOMEM;
}

/* The first use that is told of a device stays. */
static int add_use(json_t *host, char *const *devices, const char *use)
{
	for (char *const *d = devices; d && *d; d++)
		if (!json_object_get(host, *d) && json_object_set_new(host, *d, vh_json_text(use)) < 0)
			return -ENOMEM;
	return 0;
}

static int add_mounts(const struct vh_root *root, json_t *host)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, "proc/1/mountinfo") < 0 && vh_root_read(root, &text, "proc/self/mountinfo") < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		vh_autostrv devices = NULL;
		vh_autofree char *use = NULL;
		const char *mount;

		if (mount_line(root, line, &devices, &mount) < 0)
			return -ENOMEM;
		use = mount ? vh_strf("the file system on %s", mount) : NULL;
		if (devices && (!use || add_use(host, devices, use) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int add_swaps(const struct vh_root *root, json_t *host)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, "proc/swaps") < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		vh_autostrv devices = NULL;
		char *source = strsep(&line, " \t");

		if (strncmp(source, "/dev/", strlen("/dev/")))
			continue;
		if (add_source(root, &devices, source) < 0 || add_use(host, devices, "swap space") < 0)
			return -ENOMEM;
	}
	return 0;
}

int vh_storage_uses(const struct vh_root *root, json_t *host)
{
	int r = add_mounts(root, host);

	return r < 0 ? r : add_swaps(root, host);
}
