// SPDX-License-Identifier: Apache-2.0
/* libibumad, which knows a port as its subnet manager does. It is asked where it is installed;
 * only its types are built in. */
#include "sriov/inventory/umad.h"

#include <dlfcn.h>
#include <endian.h>
#include <errno.h>
#include <infiniband/umad.h>

#include "lib/cleanup.h"
#include "sriov/inventory/rdma_names.h"

static void close_library(void **library)
{
	if (*library)
		dlclose(*library);
}

static void add_member(json_t *port, const char *key, json_t *value)
{
	if (json_is_null(json_object_get(port, key)))
		json_object_set_new(port, key, value);
	else
		json_decref(value);
}

static json_t *keys(const umad_port_t *of)
{
	json_t *list = json_array();
	char text[8];

	for (unsigned i = 0; i < of->pkeys_size; i++)
		if (of->pkeys[i]) {
			snprintf(text, sizeof(text), "0x%04x", of->pkeys[i]);
			json_array_append_new(list, json_string(text));
		}
	return list;
}

int vh_umad_port(const char *path, const char *ibdev, int number, json_t *port)
{
	vh_cleanup(close_library) void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*get)(const char *ca, int number, umad_port_t *ret);
	int (*release)(umad_port_t *port);
	umad_port_t is = { 0 };

	if (!library)
		return -ENOENT;
	*(void **)&get = dlsym(library, "umad_get_port");
	*(void **)&release = dlsym(library, "umad_release_port");
	if (!get || !release)
		return -ENOSYS;
	if (get(ibdev, number, &is) < 0)
		return -ENODEV;
	add_member(port, "state", vh_rdma_state(is.state));
	add_member(port, "physical", vh_rdma_physical(is.phys_state));
	add_member(port, "lid", json_integer(is.base_lid));
	add_member(port, "sm_lid", json_integer(is.sm_lid));
	add_member(port, "port_guid", vh_rdma_guid(be64toh(is.port_guid)));
	add_member(port, "rate", is.rate ? json_integer((json_int_t)is.rate * 1000) : json_null());
	if (json_array_size(json_object_get(port, "pkeys")) == 0)
		json_object_set_new(port, "pkeys", keys(&is));
	release(&is);
	return 0;
}
