// SPDX-License-Identifier: Apache-2.0
/* libibverbs, through which a job opens the device: it alone tells a port's MTU. It is asked
 * where it is installed; only its types are built in. */
#include "sriov/inventory/ibverbs.h"

#include <dlfcn.h>
#include <errno.h>
#include <infiniband/verbs.h>
#include <string.h>

#include "lib/cleanup.h"

/* What of the library is needed, by its names. */
struct verbs {
	struct ibv_device **(*list)(int *ret_n);
	void (*free_list)(struct ibv_device **list);
	const char *(*name)(struct ibv_device *device);
	struct ibv_context *(*open)(struct ibv_device *device);
	int (*close)(struct ibv_context *context);
	int (*query)(struct ibv_context *context, uint8_t port, struct ibv_port_attr *ret);
};

static void close_library(void **library)
{
	if (*library)
		dlclose(*library);
}

static int load_verbs(void *library, struct verbs *ret)
{
	*(void **)&ret->list = dlsym(library, "ibv_get_device_list");
	*(void **)&ret->free_list = dlsym(library, "ibv_free_device_list");
	*(void **)&ret->name = dlsym(library, "ibv_get_device_name");
	*(void **)&ret->open = dlsym(library, "ibv_open_device");
	*(void **)&ret->close = dlsym(library, "ibv_close_device");
	*(void **)&ret->query = dlsym(library, "ibv_query_port");
	return ret->list && ret->free_list && ret->name && ret->open && ret->close && ret->query ? 0 : -ENOSYS;
}

/* The device of that name, open; NULL: there is none, no provider knows it, or it may not be opened. */
static struct ibv_context *open_device(const struct verbs *verbs, const char *ibdev)
{
	struct ibv_device **all = verbs->list(NULL);
	struct ibv_context *context = NULL;

	for (size_t i = 0; all && all[i] && !context; i++)
		if (!strcmp(verbs->name(all[i]), ibdev))
			context = verbs->open(all[i]);
	if (all)
		verbs->free_list(all);
	return context;
}

/* The specification's numbers, 1 for 256 bytes to 5 for 4096. */
static json_t *bytes(enum ibv_mtu mtu)
{
	return mtu >= IBV_MTU_256 && mtu <= IBV_MTU_4096 ? json_integer(128 << mtu) : json_null();
}

int vh_ibverbs_port(const char *path, const char *ibdev, int number, json_t *port)
{
	vh_cleanup(close_library) void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	struct ibv_context *context;
	struct ibv_port_attr is;
	struct verbs verbs;
	int r;

	if (!library)
		return -ENOENT;
	if ((r = load_verbs(library, &verbs)) < 0)
		return r;
	context = open_device(&verbs, ibdev);
	if (!context)
		return -ENODEV;
	memset(&is, 0, sizeof(is));
	r = verbs.query(context, (uint8_t)number, &is);
	if (r == 0)
		r = json_object_set_new(port, "mtu", bytes(is.active_mtu)) |
		    json_object_set_new(port, "mtu_max", bytes(is.max_mtu));
	verbs.close(context);
	return r ? -ENODEV : 0;
}
