// SPDX-License-Identifier: Apache-2.0
/* Which PCI devices the host itself lives on: file systems, swap, and the way out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/change/check.h"
#include "sriov/private.h"

enum { DEPTH_MAX = 8 };

/* Every PCI address in a path below /sys/devices. */
static int add_addresses(char ***ret, const char *path)
{
	vh_autofree char *copy = strdup(path);
	char *rest = copy, *part;

	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, "/")))
		if (vh_pci_is_address(part) && !vh_strv_has(*ret, part) && vh_strv_push(ret, part) < 0)
			return -ENOMEM;
	return 0;
}

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
		    add_addresses(ret, target) < 0)
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
	if ((r = add_addresses(ret, link)) < 0 || (r = add_subsystem(root, ret, link)) < 0)
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

static int find_mount(const struct vh_root *root, const char *address, char **ret)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, "proc/1/mountinfo") < 0 && vh_root_read(root, &text, "proc/self/mountinfo") < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		vh_autostrv devices = NULL;
		const char *mount;

		if (mount_line(root, line, &devices, &mount) < 0)
			return -ENOMEM;
		if (devices && vh_strv_has(devices, address)) {
			*ret = vh_strf("the file system on %s", mount);
			return *ret ? 1 : -ENOMEM;
		}
	}
	return 0;
}

static int find_swap(const struct vh_root *root, const char *address, char **ret)
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
		if (add_source(root, &devices, source) < 0)
			return -ENOMEM;
		if (devices && vh_strv_has(devices, address)) {
			*ret = strdup("swap space");
			return *ret ? 1 : -ENOMEM;
		}
	}
	return 0;
}

int vh_carries_storage(const struct vh_root *root, const char *address, char **ret)
{
	int r = find_mount(root, address, ret);

	return r ? r : find_swap(root, address, ret);
}

/* --- the way out */

static int add_interface(const struct vh_root *root, char ***ret, const char *name, int depth)
{
	vh_autofree char *link = NULL;
	vh_autostrv entries = NULL;
	int r = 0;

	if (depth > DEPTH_MAX)
		return 0;
	if (vh_root_readlink(root, &link, "sys/class/net/%s", name) == 0) {
		/* The device itself is the last address; those before it are ports. */
		vh_autostrv all = NULL;

		if (add_addresses(&all, link) < 0 ||
		    (all && !vh_strv_has(*ret, all[vh_strv_len(all) - 1]) &&
		     vh_strv_push(ret, all[vh_strv_len(all) - 1]) < 0))
			return -ENOMEM;
	}
	if (vh_root_list(root, &entries, "sys/class/net/%s", name) < 0)
		return 0;
	for (char **e = entries; r == 0 && *e; e++)
		if (!strncmp(*e, "lower_", strlen("lower_")))
			r = add_interface(root, ret, *e + strlen("lower_"), depth + 1);
	return r;
}

/* Interfaces in the routing tables: with_default those of a default route, else all. */
static int routes4(const struct vh_root *root, bool with_default, char ***ret)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, "proc/net/route") < 0)
		return 0;
	rest = text;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n"))) {
		char name[64], to[16], mask[16];

		if (sscanf(line, "%63s %15s %*s %*s %*s %*s %*s %15s", name, to, mask) == 3 &&
		    (!with_default || (!strcmp(to, "00000000") && !strcmp(mask, "00000000"))) &&
		    !vh_strv_has(*ret, name) && vh_strv_push(ret, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int default6(const struct vh_root *root, char ***ret)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, "proc/net/ipv6_route") < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char name[64], to[40], length[8];

		if (sscanf(line, "%39s %7s %*s %*s %*s %*s %*s %*s %*s %63s", to, length, name) == 3 &&
		    strspn(to, "0") == 32 && !strcmp(length, "00") && strcmp(name, "lo") &&
		    !vh_strv_has(*ret, name) && vh_strv_push(ret, name) < 0)
			return -ENOMEM;
	}
	return 0;
}

int vh_is_only_uplink(const struct vh_root *root, const char *address, char **ret)
{
	vh_autostrv names = NULL;
	vh_autostrv devices = NULL;

	if (routes4(root, true, &names) < 0 || default6(root, &names) < 0)
		return -ENOMEM;
	for (char **n = names; n && *n; n++)
		if (add_interface(root, &devices, *n, 0) < 0)
			return -ENOMEM;
	if (!devices || vh_strv_len(devices) != 1 || strcmp(devices[0], address))
		return 0;
	*ret = vh_strf("the only way out, by %s", names[0]);
	return *ret ? 1 : -ENOMEM;
}

int vh_has_routes(const struct vh_root *root, const char *netdev)
{
	vh_autostrv names = NULL;
	int r = routes4(root, false, &names);

	return r < 0 ? r : names && vh_strv_has(names, netdev);
}
