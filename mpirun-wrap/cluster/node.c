// SPDX-License-Identifier: Apache-2.0
/* A node of cluster.json: where its CPUs lie, and its RDMA devices. */
#include "mpirun-wrap/cluster/node.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "mpirun-wrap/cluster/fields.h"

enum { MAX_CELLS = 64, MAX_DEVICES = 64, MAX_NAME = 63, MAX_HOSTNAME = 255 };

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= MAX_NAME && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n &&
	       *s != '-';
}

/* Its own name for itself, so dots are in it. */
static bool is_host(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= MAX_HOSTNAME &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == n && *s != '-';
}

static bool is_link(const char *s)
{
	return !strcmp(s, "infiniband") || !strcmp(s, "ethernet");
}

/* "0x8001" */
static bool is_pkey(const char *s)
{
	return !strncmp(s, "0x", 2) && strlen(s) > 2 && strlen(s) <= 6 &&
	       strspn(s + 2, "0123456789abcdefABCDEF") == strlen(s + 2);
}

/* --- hosts */

static int find_host(struct vh_mpi_cluster *c, const char *name, unsigned *ret)
{
	char **grown;

	/* Nodes of one host stand together, as a rule. */
	for (size_t i = c->n_hosts; i-- > 0; )
		if (!strcmp(c->hosts[i], name)) {
			*ret = (unsigned)i;
			return 0;
		}
	grown = reallocarray(c->hosts, c->n_hosts + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->hosts = grown;
	c->hosts[c->n_hosts] = strdup(name);
	if (!c->hosts[c->n_hosts])
		return -ENOMEM;
	*ret = (unsigned)c->n_hosts++;
	return 0;
}

static int parse_host(const json_t *j, struct vh_mpi_cluster *c, struct vh_mpi_node *node, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	int r = json_object_get(j, "host") ? vh_mpi_member(j, "host", is_host, &name, err) : 0;

	if (r < 0)
		return r;
	return find_host(c, name ? name : "", &node->host) < 0 ? vh_err_nomem(err) : 0;
}

/* --- CPUs */

static int bad_cpus(struct vh_err *err, const char *what)
{
	return vh_err_refuse(err, EINVAL, "'cells': %s", what);
}

static int read_list(const json_t *j, unsigned **ret, size_t *ret_n)
{
	const char *text = json_string_value(j);

	return text && vh_cpulist_parse(text, ret, ret_n) == 0 && *ret_n > 0 && *ret_n <= VH_MPI_MAX_SLOTS ? 0 : -EINVAL;
}

static struct vh_mpi_cpu *find_cpu(struct vh_mpi_node *node, size_t first, unsigned id)
{
	for (size_t i = first; i < node->n_cpus; i++)
		if (node->cpus[i].id == id)
			return &node->cpus[i];
	return NULL;
}

/* "l3": lists that share the cell's CPUs out among its caches. */
static int read_caches(const json_t *l3, struct vh_mpi_node *node, size_t first, unsigned *cache, struct vh_err *err)
{
	size_t seen = 0;

	if (!l3) {
		(*cache)++;
		return 0;
	}
	for (size_t i = 0; i < json_array_size(l3); i++, (*cache)++) {
		vh_autofree unsigned *ids = NULL;
		size_t n = 0;

		if (read_list(json_array_get(l3, i), &ids, &n) < 0)
			return bad_cpus(err, "'l3' is no list of CPU lists");
		for (size_t k = 0; k < n; k++, seen++) {
			struct vh_mpi_cpu *cpu = find_cpu(node, first, ids[k]);

			if (!cpu || cpu->cache != UINT32_MAX)
				return bad_cpus(err, "'l3' does not share out the cell's 'cpus'");
			cpu->cache = *cache;
		}
	}
	return seen == node->n_cpus - first ? 0 : bad_cpus(err, "'l3' does not share out the cell's 'cpus'");
}

static int read_cell(const json_t *j, unsigned cell, unsigned *cache, struct vh_mpi_node *node, struct vh_err *err)
{
	const json_t *l3 = json_object_get(j, "l3");
	const size_t first = node->n_cpus;
	vh_autofree unsigned *ids = NULL;
	size_t n = 0;

	if (read_list(json_object_get(j, "cpus"), &ids, &n) < 0)
		return bad_cpus(err, "'cpus' is no list of CPUs");
	if (n > node->slots - first)
		return bad_cpus(err, "more CPUs than slots");
	for (size_t i = 0; i < n; i++) {
		if (find_cpu(node, 0, ids[i]))
			return bad_cpus(err, "a CPU stands there twice");
		node->cpus[node->n_cpus++] = (struct vh_mpi_cpu){ ids[i], cell, l3 ? UINT32_MAX : *cache };
	}
	return read_caches(l3, node, first, cache, err);
}

static int by_place(const void *a, const void *b)
{
	const struct vh_mpi_cpu *x = a, *y = b;

	if (x->cell != y->cell)
		return x->cell < y->cell ? -1 : 1;
	if (x->cache != y->cache)
		return x->cache < y->cache ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Optional: [{"cpus": "0-3", "l3": ["0-1", "2-3"]}, ...], a CPU for each slot. */
static int parse_cells(const json_t *cells, struct vh_mpi_node *node, struct vh_err *err)
{
	unsigned cache = 0;

	if (!cells)
		return 0;
	if (json_array_size(cells) < 1 || json_array_size(cells) > MAX_CELLS)
		return vh_err_refuse(err, EINVAL, "'cells' is not a list of 1 to %d", MAX_CELLS);
	node->cpus = calloc(node->slots, sizeof(*node->cpus));
	if (!node->cpus)
		return vh_err_nomem(err);
	for (size_t i = 0; i < json_array_size(cells); i++) {
		int r = read_cell(json_array_get(cells, i), (unsigned)i, &cache, node, err);

		if (r < 0)
			return r;
	}
	if (node->n_cpus != node->slots)
		return bad_cpus(err, "fewer CPUs than slots");
	qsort(node->cpus, node->n_cpus, sizeof(*node->cpus), by_place);
	return 0;
}

/* --- devices */

static int parse_device(const json_t *j, struct vh_mpi_device *d, struct vh_err *err)
{
	vh_autofree char *link = NULL, *pkey = NULL;
	int64_t port = 1, cell = -1, gid = -1;
	int r = vh_mpi_member(j, "name", is_name, &d->name, err);

	if (r == 0)
		r = vh_mpi_member(j, "link", is_link, &link, err);
	if (r == 0)
		r = vh_mpi_number(j, "port", 1, 255, &port, err);
	if (r == 0)
		r = vh_mpi_number(j, "cell", 0, MAX_CELLS - 1, &cell, err);
	if (r == 0)
		r = vh_mpi_number(j, "gid_index", 0, 255, &gid, err);
	if (r == 0 && json_object_get(j, "pkey"))
		r = vh_mpi_member(j, "pkey", is_pkey, &pkey, err);
	if (r == 0 && json_object_get(j, "fabric"))
		r = vh_mpi_member(j, "fabric", is_name, &d->fabric, err);
	if (r < 0)
		return r;
	d->port = (unsigned)port;
	d->cell = (int)cell;
	d->gid_index = (int)gid;
	d->ethernet = !strcmp(link, "ethernet");
	d->pkey = pkey ? (unsigned)strtoul(pkey, NULL, 16) : 0;
	return 0;
}

static int parse_devices(const json_t *devices, struct vh_mpi_node *node, struct vh_err *err)
{
	size_t n = json_array_size(devices);

	if (devices && (!json_is_array(devices) || n > MAX_DEVICES))
		return vh_err_refuse(err, EINVAL, "'devices' is not a list of at most %d", MAX_DEVICES);
	if (n == 0)
		return 0;
	node->devices = calloc(n, sizeof(*node->devices));
	if (!node->devices)
		return vh_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		node->n_devices = i + 1;
		if (parse_device(json_array_get(devices, i), &node->devices[i], err) < 0)
			return vh_err_within(err, "device %zu", i + 1);
	}
	return 0;
}

int vh_mpi_node_parse(const json_t *j, struct vh_mpi_cluster *c, struct vh_mpi_node *node, struct vh_err *err)
{
	int64_t slots = 0;
	int r = vh_mpi_member(j, "name", vh_is_hostname, &node->name, err);

	if (r == 0)
		r = vh_mpi_member(j, "address", vh_mpi_is_address, &node->address, err);
	if (r == 0)
		r = vh_mpi_number(j, "slots", 1, VH_MPI_MAX_SLOTS, &slots, err);
	if (r == 0 && slots == 0)
		r = vh_err_refuse(err, EINVAL, "'slots' is not a number from 1 to %d", VH_MPI_MAX_SLOTS);
	node->slots = (unsigned)slots;
	if (r == 0)
		r = parse_host(j, c, node, err);
	if (r == 0)
		r = parse_cells(json_object_get(j, "cells"), node, err);
	return r < 0 ? r : parse_devices(json_object_get(j, "devices"), node, err);
}

void vh_mpi_node_clear(struct vh_mpi_node *node)
{
	for (size_t i = 0; i < node->n_devices; i++) {
		free(node->devices[i].name);
		free(node->devices[i].fabric);
	}
	free(node->devices);
	free(node->cpus);
	free(node->name);
	free(node->address);
	*node = (struct vh_mpi_node){ 0 };
}
