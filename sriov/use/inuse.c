// SPDX-License-Identifier: Apache-2.0
/* Who uses a function: processes that have it open, and networks. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

#define VFIO "/dev/vfio/"

static int add_process(const struct vh_root *root, json_t *users, const char *pid)
{
	vh_autostrv fds = NULL;
	int r = 0;

	if (vh_root_list(root, &fds, "proc/%s/fd", pid) < 0)
		return 0;
	for (char **fd = fds; r == 0 && *fd; fd++) {
		vh_autofree char *target = NULL;
		vh_autofree char *name = NULL;

		if (vh_root_readlink(root, &target, "proc/%s/fd/%s", pid, *fd) < 0 ||
		    strncmp(target, VFIO, strlen(VFIO)) || !strcmp(target, VFIO "vfio") ||
		    json_object_get(users, target))
			continue;
		if (vh_root_read(root, &name, "proc/%s/comm", pid) < 0)
			name = strdup("?");
		r = json_object_set_new(users, target, json_sprintf("pid %s (%s)", pid, name ? name : "?"));
	}
	return r;
}

static json_t *vfio_users(const struct vh_root *root)
{
	vh_autojson users = json_object();
	vh_autofree char *self = vh_strf("%d", (int)getpid());
	vh_autostrv pids = NULL;

	if (!users || !self || vh_root_list(root, &pids, "proc") < 0)
		return vh_steal(&users);
	for (char **pid = pids; *pid; pid++)
		if (isdigit((unsigned char)**pid) && strcmp(*pid, self) && add_process(root, users, *pid) < 0)
			return NULL;
	/* What we inherited is better told by whose it is. */
	if (add_process(root, users, self) < 0)
		return NULL;
	return vh_steal(&users);
}

int vh_uses_load(const struct vh_root *root, struct vh_uses *ret)
{
	ret->host = json_object();
	ret->vfio = vfio_users(root);
	ret->routed = NULL;
	return !ret->host || !ret->vfio || vh_storage_uses(root, ret->host) < 0 || vh_uplink_use(root, ret->host) < 0 ||
	       vh_routed(root, &ret->routed) < 0 ? -ENOMEM : 0;
}

void vh_uses_clear(struct vh_uses *uses)
{
	json_decref(uses->host);
	json_decref(uses->vfio);
	vh_strv_free(uses->routed);
}

static const char *vfio_user(const struct vh_root *root, const json_t *users, const char *address)
{
	vh_autofree char *group = vh_pci_link(root, address, "iommu_group");
	vh_autostrv devices = vh_pci_names(root, address, "vfio-dev");
	const char *user = NULL;

	if (group) {
		vh_autofree char *path = vh_strf(VFIO "%s", group);

		user = path ? json_string_value(json_object_get(users, path)) : NULL;
	}
	if (!user && devices && *devices) {
		vh_autofree char *path = vh_strf(VFIO "devices/%s", *devices);

		user = path ? json_string_value(json_object_get(users, path)) : NULL;
	}
	return user;
}

static char *netdev_user(const struct vh_root *root, const struct vh_uses *uses, const char *netdev)
{
	vh_autostrv entries = NULL;

	if (vh_root_list(root, &entries, "sys/class/net/%s", netdev) == 0)
		for (char **e = entries; *e; e++)
			if (!strncmp(*e, "upper_", strlen("upper_")))
				return vh_strf("%s, over %s", *e + strlen("upper_"), netdev);
	return uses->routed && vh_strv_has(uses->routed, netdev) ? vh_strf("routes over %s", netdev) : NULL;
}

char *vh_fn_user(const struct vh_root *root, const struct vh_uses *uses, const char *address)
{
	vh_autostrv netdevs = vh_pci_names(root, address, "net");
	vh_autofree char *driver = vh_pci_link(root, address, "driver");
	const char *user = driver && strstr(driver, "vfio") ? vfio_user(root, uses->vfio, address) : NULL;
	char *net_user = NULL;

	if (user)
		return strdup(user);
	for (char **n = netdevs; n && *n && !net_user; n++)
		net_user = netdev_user(root, uses, *n);
	return net_user;
}

const char *vh_host_use(const struct vh_uses *uses, const char *address)
{
	return json_string_value(json_object_get(uses->host, address));
}
