// SPDX-License-Identifier: Apache-2.0
/* What a domain holds: out of its layout, and read back from its XML. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/private.h"
#include "vmm/layout/layout.h"

enum { CPUS_MAX = 4096, NODES_MAX = 1024 };

static int get_attr(xmlNodePtr node, const char *name, char **ret)
{
	vh_autoxmlstr value = xmlGetNoNsProp(node, BAD_CAST name);

	if (!value)
		return 0;
	*ret = strdup((const char *)value);
	return *ret ? 0 : -ENOMEM;
}

static int bad_lease(const char *name, const char *what, struct vh_err *err)
{
	return vh_err_set(err, EINVAL, "domain %s: lease: %s", name, what);
}

static int read_cpus(xmlNodePtr node, const char *name, struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autofree char *cpus = NULL;

	if (get_attr(node, "cpus", &cpus) < 0)
		return vh_err_nomem(err);
	if (cpus && (vh_cpulist_parse(cpus, &lease->cpus, &lease->n_cpus) < 0 || lease->n_cpus > CPUS_MAX))
		return bad_lease(name, "cpus is no list of CPUs", err);
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
			return bad_lease(name, "memory is no node and bytes", err);
		lease->nodes[lease->n_nodes] = (unsigned)id;
		lease->node_memory[lease->n_nodes++] = bytes;
	}
	return 0;
}

static int read_devices(xmlNodePtr lease_node, const char *name, struct vh_domain_lease *lease, struct vh_err *err)
{
	xmlNodePtr node = vh_xml_child(lease_node, VH_DOMAIN_NS, "device");

	for (size_t n = 0; node; node = vh_xml_next(node, VH_DOMAIN_NS, "device"), n++) {
		vh_autofree char *address = NULL;

		if (get_attr(node, "address", &address) < 0)
			return vh_err_nomem(err);
		if (!address || n == VH_PLAN_DEVICES_MAX || !vh_is_pci_address(address))
			return bad_lease(name, "device is no PCI address", err);
		if (vh_strv_push(&lease->devices, address) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

static int read_page(xmlNodePtr node, const char *name, struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autofree char *text = NULL;

	if (get_attr(node, "page", &text) < 0)
		return vh_err_nomem(err);
	if (text && (read_number(node, "page", VH_NODE_MEMORY_MAX, &lease->page) < 0 || lease->page < 4096))
		return bad_lease(name, "page is no size of pages", err);
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
	lease->foreign = xmlHasProp(node, BAD_CAST "foreign") != NULL;
	/* Its maker has cloned it, or given it another name: such a one was never imported. */
	if (lease->foreign && lease->holder && strcmp(lease->holder, own))
		return -ENODATA;
	if (!vh_is_hostname(name) || !lease->holder || strcmp(lease->holder, own))
		return bad_lease(name, "its holder is not this domain", err);
	r = read_cpus(node, name, lease, err);
	if (r == 0)
		r = read_page(node, name, lease, err);
	if (r == 0)
		r = read_memory(node, name, lease, err);
	return r < 0 ? r : read_devices(node, name, lease, err);
}

/* "+70000:+107", as vh_domain_xml writes it; 0: another, or none. */
static unsigned user_of(xmlNodePtr domain)
{
	for (xmlNodePtr s = vh_xml_child(domain, NULL, "seclabel"); s; s = vh_xml_next(s, NULL, "seclabel")) {
		vh_autoxmlstr model = xmlGetNoNsProp(s, BAD_CAST "model");
		vh_autoxmlstr label = xmlNodeGetContent(vh_xml_child(s, NULL, "label"));
		unsigned uid;

		if (model && label && !strcmp((const char *)model, "dac") && sscanf((const char *)label, "+%u:+", &uid) == 1)
			return uid;
	}
	return 0;
}

int vh_domain_lease_parse(const char *xml, size_t len, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autoxml doc = NULL;
	vh_autoxmlstr name = NULL;
	vh_autoxmlstr uuid = NULL;
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
	uuid = xmlNodeGetContent(vh_xml_child(domain, NULL, "uuid"));
	if (uuid && !(lease.uuid = strdup((const char *)uuid)))
		return vh_err_nomem(err);
	lease.uid = user_of(domain);
	*ret = lease;
	lease = (struct vh_domain_lease){ 0 };
	return 0;
}

int vh_domain_fill_lease(xmlNodePtr node, const struct vh_domain_lease *l)
{
	vh_autofree char *cpus = vh_cpu_list(l->cpus, l->n_cpus);

	if (!cpus)
		return -ENOMEM;
	vh_xml_setf(node, "holder", "%s", l->holder);
	if (l->owner)
		vh_xml_setf(node, "owner", "%s", l->owner);
	if (l->foreign)
		vh_xml_setf(node, "foreign", "yes");
	if (*cpus)
		vh_xml_setf(node, "cpus", "%s", cpus);
	if (l->page)
		vh_xml_setf(node, "page", "%llu", (unsigned long long)l->page);
	for (size_t i = 0; i < l->n_nodes; i++) {
		xmlNodePtr memory = vh_xml_add(node, "memory", NULL);

		vh_xml_setf(memory, "node", "%u", l->nodes[i]);
		vh_xml_setf(memory, "bytes", "%llu", (unsigned long long)l->node_memory[i]);
	}
	for (char **address = l->devices; address && *address; address++)
		vh_xml_add(node, "device", "address", *address, NULL);
	return 0;
}

char *vh_domain_lease_xml(const struct vh_domain_lease *lease)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr node = doc ? xmlNewDocNode(doc, NULL, BAD_CAST "lease", NULL) : NULL;
	xmlBufferPtr text = node ? xmlBufferCreate() : NULL;
	char *ret = NULL;

	if (node)
		xmlDocSetRootElement(doc, node);
	if (text && vh_domain_fill_lease(node, lease) == 0 && xmlNodeDump(text, doc, node, 0, 0) > 0)
		ret = strdup((const char *)xmlBufferContent(text));
	xmlBufferFree(text);
	return ret;
}

void vh_domain_lease_clear(struct vh_domain_lease *lease)
{
	free(lease->holder);
	free(lease->owner);
	free(lease->uuid);
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
