// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int differs(const struct cluster *c, struct vh_err *err, const char *key, const char *is, const char *wanted)
{
	vh_err_refuse(err, EEXIST, "cluster %s exists with another shape: %s is %s, the manifest says %s",
		      c->name, key, is, wanted);
	return vh_err_hint(err, "vhpc cluster destroy %s first, or give the manifest another name", c->name);
}

static int differs_number(const struct cluster *c, struct vh_err *err, const char *key, uint64_t is, uint64_t wanted)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%" PRIu64, is);
	snprintf(b, sizeof(b), "%" PRIu64, wanted);
	return differs(c, err, key, a, b);
}

int cluster_matches(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	static const char *const policies[] = { "dedicated", "shared" };
	struct vh_cidr wanted = c->cidr;
	char cidr[19];

	if (m->network.cidr && vh_cidr_parse(m->network.cidr, &wanted, err) < 0)
		return -err->num;
	vh_cidr_format(&c->cidr, cidr);
	if (strcmp(c->image, m->image))
		return differs(c, err, "image", c->image, m->image);
	if (c->n_nodes != m->nodes)
		return differs_number(c, err, "nodes", c->n_nodes, m->nodes);
	if (c->vcpus != m->vcpus)
		return differs_number(c, err, "vcpus", c->vcpus, m->vcpus);
	if (c->memory != m->memory)
		return differs_number(c, err, "memory", c->memory, m->memory);
	if (c->cpu_policy != m->cpu_policy)
		return differs(c, err, "cpu_policy", policies[c->cpu_policy], policies[m->cpu_policy]);
	if (c->boot != m->boot)
		return differs(c, err, "boot", vh_boot_names[c->boot], vh_boot_names[m->boot]);
	if (c->disk != m->disk)
		return differs_number(c, err, "disk", c->disk, m->disk);
	if (wanted.base != c->cidr.base || wanted.prefix != c->cidr.prefix)
		return differs(c, err, "network.cidr", cidr, m->network.cidr);
	return 0;
}
