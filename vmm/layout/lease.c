// SPDX-License-Identifier: Apache-2.0
/* What a VM of a layout holds of its host. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/layout/layout.h"

void vh_domain_lease_clear(struct vh_domain_lease *lease)
{
	free(lease->holder);
	free(lease->owner);
	free(lease->cpus);
	free(lease->nodes);
	free(lease->node_memory);
	vh_strv_free(lease->devices);
	*lease = (struct vh_domain_lease){ 0 };
}

static void lease_memory(const struct vh_layout *l, const struct vh_host *here, struct vh_domain_lease *lease)
{
	for (size_t i = 0; i < l->n_cells; i++) {
		size_t k = 0;

		if (!vh_layout_node_is_here(here, l->cells[i].node))
			continue;
		while (k < lease->n_nodes && lease->nodes[k] != l->cells[i].node)
			k++;
		lease->n_nodes += k == lease->n_nodes;
		lease->nodes[k] = l->cells[i].node;
		lease->node_memory[k] += l->cells[i].memory;
	}
	lease->page = l->page > 4096 && !here ? l->page : 0;
}

int vh_layout_lease(const struct vh_layout *l, const struct vh_host *here, const char *holder, const char *owner,
		    struct vh_domain_lease *ret)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = {
		.holder = strdup(holder), .owner = owner ? strdup(owner) : NULL,
		.nodes = calloc(l->n_cells + 1, sizeof(*lease.nodes)),
		.node_memory = calloc(l->n_cells + 1, sizeof(*lease.node_memory)),
	};
	struct vh_numbers own;

	if (!lease.holder || (owner && !lease.owner) || !lease.nodes || !lease.node_memory ||
	    vh_layout_own(l, here, &own) < 0)
		return -ENOMEM;
	vh_sort_unsigned(own.v, own.n);
	lease.cpus = own.v;
	lease.n_cpus = own.n;
	lease_memory(l, here, &lease);
	for (size_t i = 0; !here && i < l->n_devices; i++)
		if (vh_strv_push(&lease.devices, l->devices[i].address) < 0)
			return -ENOMEM;
	*ret = lease;
	lease = (struct vh_domain_lease){ 0 };
	return 0;
}
