// SPDX-License-Identifier: Apache-2.0
#include "vmm/vmm.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/memory.h"
#include "vmm/xml.h"

enum { CPUS_MAX = 4096, NODES_MAX = 1024 };

void vh_domain_lease_clear(struct vh_domain_lease *lease)
{
	free(lease->holder);
	free(lease->owner);
	free(lease->cpus);
	free(lease->nodes);
	free(lease->node_memory);
	*lease = (struct vh_domain_lease){ 0 };
}

static int get_attr(xmlNodePtr node, const char *name, char **ret)
{
	vh_autoxmlstr value = xmlGetNoNsProp(node, BAD_CAST name);

	if (!value)
		return 0;
	*ret = strdup((const char *)value);
	return *ret ? 0 : -ENOMEM;
}

static int bad(const char *name, const char *what, struct vh_err *err)
{
	return vh_err_set(err, EINVAL, "domain %s: lease: %s", name, what);
}

static int read_cpus(xmlNodePtr node, const char *name, struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autofree char *cpus = NULL;

	if (get_attr(node, "cpus", &cpus) < 0)
		return vh_err_nomem(err);
	if (cpus && (vh_cpulist_parse(cpus, &lease->cpus, &lease->n_cpus) < 0 || lease->n_cpus > CPUS_MAX))
		return bad(name, "cpus is no list of CPUs", err);
	return 0;
}

static int read_number(xmlNodePtr node, const char *attr, uint64_t max, uint64_t *ret)
{
	vh_autofree char *text = NULL;
	vh_autoerr none = VH_ERR_NONE;

	if (get_attr(node, attr, &text) < 0 || !text)
		return -EINVAL;
	return vh_uint_parse(text, max, ret, &none);
}

static int read_memory(xmlNodePtr lease_node, const char *name, struct vh_domain_lease *lease,
		       struct vh_err *err)
{
	xmlNodePtr node = vh_xml_child(lease_node, VH_DOMAIN_NS, "memory");

	lease->nodes = calloc(NODES_MAX, sizeof(*lease->nodes));
	lease->node_memory = calloc(NODES_MAX, sizeof(*lease->node_memory));
	if (!lease->nodes || !lease->node_memory)
		return vh_err_nomem(err);
	for (; node; node = vh_xml_next(node, VH_DOMAIN_NS, "memory")) {
		uint64_t id, bytes;

		if (lease->n_nodes == NODES_MAX || read_number(node, "node", NODES_MAX - 1, &id) < 0 ||
		    read_number(node, "bytes", INT64_MAX, &bytes) < 0)
			return bad(name, "memory is no node and bytes", err);
		lease->nodes[lease->n_nodes] = (unsigned)id;
		lease->node_memory[lease->n_nodes++] = bytes;
	}
	return 0;
}

/* The holder is the domain's own: nobody takes or drops leases for another. */
static int read_lease(xmlNodePtr node, const char *name, struct vh_domain_lease *lease,
		      struct vh_err *err)
{
	vh_autofree char *own = vh_strf("vm/%s", name);
	int r;

	if (!own || get_attr(node, "holder", &lease->holder) < 0 || get_attr(node, "owner", &lease->owner) < 0)
		return vh_err_nomem(err);
	if (!vh_is_hostname(name) || !lease->holder || strcmp(lease->holder, own))
		return bad(name, "its holder is not this domain", err);
	r = read_cpus(node, name, lease, err);
	return r < 0 ? r : read_memory(node, name, lease, err);
}

int vh_domain_lease_parse(const char *xml, size_t len, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autoxml doc = NULL;
	vh_autoxmlstr name = NULL;
	xmlNodePtr domain, node;
	int r = vh_xml_parse("domain", xml, len, &doc, err);

	if (r < 0)
		return r;
	domain = xmlDocGetRootElement(doc);
	if (!domain || strcmp((const char *)domain->name, "domain"))
		return vh_err_set(err, EINVAL, "domain: the document is no libvirt domain");
	node = vh_xml_child(vh_xml_child(domain, NULL, "metadata"), VH_DOMAIN_NS, "lease");
	if (!node)
		return -ENODATA;
	name = xmlNodeGetContent(vh_xml_child(domain, NULL, "name"));
	r = read_lease(node, name ? (const char *)name : "", &lease, err);
	if (r < 0)
		return r;
	*ret = lease;
	lease = (struct vh_domain_lease){ 0 };
	return 0;
}

/* "0:vm/two-node-1" is of node 0. */
static bool is_of_node(const struct vh_lease *lease, unsigned node)
{
	char *end;

	return strtoul(lease->key, &end, 10) == node && *end == ':';
}

static int check_memory(struct vh_store *s, const struct vh_root *root, unsigned node, const char *holder,
			struct vh_err *err)
{
	struct vh_lease *leases;
	size_t n;
	uint64_t sum = 0, ram, left;
	char a[16], b[16];
	int r = vh_lease_list(s, "memory", NULL, &leases, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_of_node(&leases[i], node) && __builtin_add_overflow(sum, leases[i].amount, &sum))
			sum = UINT64_MAX;
	vh_lease_free(leases, n);
	if (vh_node_memory(root, node, &ram, &left) == 0 && sum > ram)
		return vh_err_refuse(err, ENOSPC, "%s: memory of NUMA node %u: %s promised to VMs, %s there",
				     holder, node, vh_size_format(a, sizeof(a), sum),
				     vh_size_format(b, sizeof(b), ram));
	return 0;
}

static int take_memory(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
		       size_t i, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%u:%s", lease->nodes[i], lease->holder);
	int r = key ? vh_lease_take(s, "memory", key, lease->holder, lease->node_memory[i], err)
		    : vh_err_nomem(err);

	return r < 0 ? r : check_memory(s, root, lease->nodes[i], lease->holder, err);
}

int vh_domain_lease_take(struct vh_store *s, const struct vh_root *root,
			 const struct vh_domain_lease *lease, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < lease->n_cpus; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", lease->cpus[i]);
		r = vh_lease_take(s, "cpu", key, lease->holder, 0, err);
	}
	for (size_t i = 0; r == 0 && i < lease->n_nodes; i++)
		r = take_memory(s, root, lease, i, err);
	return r;
}

int vh_domain_lease_drop(struct vh_store *s, const char *holder, struct vh_err *err)
{
	int r = vh_lease_drop(s, holder, "cpu", NULL, err);

	return r < 0 ? r : vh_lease_drop(s, holder, "memory", NULL, err);
}
