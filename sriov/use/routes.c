// SPDX-License-Identifier: Apache-2.0
/* Which PCI device is the host's way out, and which interfaces it has routes over. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

enum { DEPTH_MAX = 8 };

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

		if (vh_pci_addresses(&all, link) < 0 ||
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

int vh_uplink_use(const struct vh_root *root, json_t *host)
{
	vh_autostrv names = NULL;
	vh_autostrv devices = NULL;

	if (routes4(root, true, &names) < 0 || default6(root, &names) < 0)
		return -ENOMEM;
	for (char **n = names; n && *n; n++)
		if (add_interface(root, &devices, *n, 0) < 0)
			return -ENOMEM;
	if (vh_strv_len(devices) != 1 || json_object_get(host, devices[0]))
		return 0;
	return json_object_set_new(host, devices[0], json_sprintf("the only way out, by %s", names[0])) < 0 ? -ENOMEM : 0;
}

int vh_routed(const struct vh_root *root, char ***ret)
{
	return routes4(root, false, ret);
}
