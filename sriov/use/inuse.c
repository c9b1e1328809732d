// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
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

json_t *vh_vfio_users(const struct vh_root *root)
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

static const char *vfio_user(const struct vh_root *root, const json_t *users, const char *address)
{
	vh_autojson group = vh_pci_link(root, address, "iommu_group");
	vh_autojson devices = vh_pci_names(root, address, "vfio-dev");
	const char *user = NULL;

	if (json_is_string(group)) {
		vh_autofree char *path = vh_strf(VFIO "%s", json_string_value(group));

		user = path ? json_string_value(json_object_get(users, path)) : NULL;
	}
	if (!user && json_array_size(devices) > 0) {
		vh_autofree char *path = vh_strf(VFIO "devices/%s", json_string_value(json_array_get(devices, 0)));

		user = path ? json_string_value(json_object_get(users, path)) : NULL;
	}
	return user;
}

static char *netdev_user(const struct vh_root *root, const char *netdev)
{
	vh_autostrv entries = NULL;

	if (vh_root_list(root, &entries, "sys/class/net/%s", netdev) == 0)
		for (char **e = entries; *e; e++)
			if (!strncmp(*e, "upper_", strlen("upper_")))
				return vh_strf("%s, over %s", *e + strlen("upper_"), netdev);
	return vh_has_routes(root, netdev) > 0 ? vh_strf("routes over %s", netdev) : NULL;
}

char *vh_fn_user(const struct vh_root *root, const json_t *vfio_users, const char *address)
{
	vh_autojson netdevs = vh_pci_names(root, address, "net");
	vh_autojson driver = vh_pci_link(root, address, "driver");
	const char *user = NULL;
	char *net_user = NULL;
	const json_t *name;
	size_t i;

	if (json_is_string(driver) && strstr(json_string_value(driver), "vfio"))
		user = vfio_user(root, vfio_users, address);
	if (user)
		return strdup(user);
	json_array_foreach(netdevs, i, name)
		if (!net_user)
			net_user = netdev_user(root, json_string_value(name));
	return net_user;
}

/* What the host itself cannot do without; *ret stays NULL where there is nothing. */
int vh_host_use(const struct vh_root *root, const char *address, char **ret, struct vh_err *err)
{
	int r = vh_carries_storage(root, address, ret);

	if (r == 0)
		r = vh_is_only_uplink(root, address, ret);
	return r < 0 ? vh_err_nomem(err) : 0;
}
