// SPDX-License-Identifier: Apache-2.0
/* Whether this machine is one of the nodes, and which. */
#include "mpirun-wrap/cluster/cluster.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>
#include <unistd.h>

bool vh_mpi_is_node(void)
{
	return access(VH_MPI_NODE_RECORD, R_OK) == 0;
}

static const char *address_of_node(const struct vh_mpi_cluster *c, const char *address)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (!strcmp(c->nodes[i].address, address))
			return c->nodes[i].address;
	return NULL;
}

void vh_mpi_own_first(struct vh_mpi_cluster *c, const char *address)
{
	for (size_t i = 1; i < c->n_nodes; i++)
		if (!strcmp(c->nodes[i].address, address)) {
			const struct vh_mpi_node own = c->nodes[i];

			memmove(&c->nodes[1], &c->nodes[0], i * sizeof(own));
			c->nodes[0] = own;
			return;
		}
}

const char *vh_mpi_own_address(const struct vh_mpi_cluster *c)
{
	static char own[INET_ADDRSTRLEN];
	struct ifaddrs *all, *a;

	*own = '\0';
	if (getifaddrs(&all) < 0)
		return own;
	for (a = all; a && !*own; a = a->ifa_next) {
		const struct sockaddr_in *in = (const void *)a->ifa_addr;
		char text[INET_ADDRSTRLEN];

		if (in && in->sin_family == AF_INET && inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) &&
		    address_of_node(c, text))
			snprintf(own, sizeof(own), "%s", text);
	}
	freeifaddrs(all);
	return own;
}
