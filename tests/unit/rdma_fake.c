// SPDX-License-Identifier: Apache-2.0
/* A libibumad and libibverbs that know one device of two ports, "mlx5_0"; the second is not to be asked. */
#include <endian.h>
#include <errno.h>
#include <infiniband/umad.h>
#include <infiniband/verbs.h>
#include <stdlib.h>
#include <string.h>

#undef ibv_query_port

static struct ibv_device device;
static struct ibv_context context;
static int users;

int umad_get_port(const char *ca, int number, umad_port_t *ret)
{
	if (strcmp(ca, "mlx5_0") || number != 1)
		return -ENODEV;
	*ret = (umad_port_t){ .state = 4, .phys_state = 5, .base_lid = 7, .sm_lid = 1, .rate = 200, .pkeys_size = 3 };
	ret->port_guid = htobe64(0x0c42a10300a1b2c3);
	ret->pkeys = calloc(ret->pkeys_size, sizeof(*ret->pkeys));
	ret->pkeys[0] = 0xffff;
	ret->pkeys[2] = 0x8001;
	return 0;
}

int umad_release_port(umad_port_t *port)
{
	free(port->pkeys);
	return 0;
}

struct ibv_device **ibv_get_device_list(int *ret_n)
{
	struct ibv_device **list = calloc(2, sizeof(*list));

	list[0] = &device;
	if (ret_n)
		*ret_n = 1;
	return list;
}

void ibv_free_device_list(struct ibv_device **list)
{
	free(list);
}

const char *ibv_get_device_name(struct ibv_device *of)
{
	return of == &device ? "mlx5_0" : NULL;
}

/* One user at a time: who forgets to close it finds it gone. */
struct ibv_context *ibv_open_device(struct ibv_device *of)
{
	return of == &device && users++ == 0 ? &context : NULL;
}

int ibv_close_device(struct ibv_context *of)
{
	users -= of == &context;
	return 0;
}

int ibv_query_port(struct ibv_context *of, uint8_t number, struct _compat_ibv_port_attr *ret)
{
	struct ibv_port_attr *is = (struct ibv_port_attr *)ret;

	if (of != &context || number != 1)
		return EINVAL;
	is->max_mtu = IBV_MTU_4096;
	is->active_mtu = IBV_MTU_2048;
	return 0;
}
