// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/cluster/cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "mpirun-wrap/cluster/fields.h"
#include "mpirun-wrap/cluster/node.h"

enum { MAX_PATH = 4095 };

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool only(const char *s, const char *chars, size_t max)
{
	size_t n = strlen(s);

	return n > 0 && n <= max && strspn(s, chars) == n;
}

static bool is_interface(const char *s)
{
	return only(s, LOWER UPPER DIGIT "_-.", IFNAMSIZ - 1) && *s != '-' && *s != '.';
}

static bool is_accel(const char *s)
{
	return !strcmp(s, "kvm") || !strcmp(s, "tcg");
}

static bool is_word(const char *s)
{
	return only(s, LOWER, 32);
}

/* "4.1.4": two or three numbers */
static bool is_version(const char *s)
{
	unsigned dots = 0;

	if (!only(s, DIGIT ".", 32) || *s == '.' || s[strlen(s) - 1] == '.' || strstr(s, ".."))
		return false;
	for (; *s; s++)
		dots += *s == '.';
	return dots == 1 || dots == 2;
}

static bool is_cidr(const char *s)
{
	char address[INET_ADDRSTRLEN];
	size_t n = strcspn(s, "/");
	vh_autoerr err = VH_ERR_NONE;
	uint64_t prefix;

	if (n >= sizeof(address) || s[n] != '/')
		return false;
	memcpy(address, s, n);
	address[n] = '\0';
	return vh_mpi_is_address(address) && vh_uint_parse(s + n + 1, 32, &prefix, &err) == 0 && prefix > 0;
}

/* mpirun takes ssh's command line as one text and splits it at blanks and colons. */
static bool is_config(const char *s)
{
	return *s == '/' && strlen(s) <= MAX_PATH && !strpbrk(s, " \t\r\n:;\"'\\$`&|<>*?()") && !strstr(s, "/../");
}

static int get_config(const json_t *from, char **ret, struct vh_err *err)
{
	int r = vh_mpi_member(from, "ssh_config", is_config, ret, err);

	return r < 0 ? vh_err_hint(err, "it is an absolute path without blanks, colons or quotes, since mpirun splits "
					"its remote shell's command there; choose such a state directory") : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(**(char **const *)a, **(char **const *)b);
}

/* The same host twice would be given twice its slots. */
static int check_distinct(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	vh_autofree char ***names = calloc(c->n_nodes, sizeof(*names));

	if (!names)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->n_nodes; i++)
		names[i] = &c->nodes[i].name;
	qsort(names, c->n_nodes, sizeof(*names), by_name);
	for (size_t i = 1; i < c->n_nodes; i++)
		if (!strcmp(*names[i - 1], *names[i]))
			return vh_err_refuse(err, EINVAL, "the node '%s' stands there twice", *names[i]);
	return 0;
}

static int parse_nodes(const json_t *nodes, struct vh_mpi_cluster *c, struct vh_err *err)
{
	size_t n = json_array_size(nodes);

	if (n < 1 || n > VH_MPI_MAX_NODES)
		return vh_err_refuse(err, EINVAL, "'nodes' is not a list of 1 to %d", VH_MPI_MAX_NODES);
	c->nodes = calloc(n, sizeof(*c->nodes));
	if (!c->nodes)
		return vh_err_nomem(err);
	for (c->n_nodes = 0; c->n_nodes < n; ) {
		size_t i = c->n_nodes++;

		if (vh_mpi_node_parse(json_array_get(nodes, i), c, &c->nodes[i], err) < 0)
			return vh_err_within(err, "node %zu", i + 1);
	}
	return check_distinct(c, err);
}

/* Optional: {"size": BYTES}. */
static int parse_region(const json_t *j, struct vh_mpi_cluster *c, struct vh_err *err)
{
	const json_t *size = json_object_get(j, "size");

	if (!j)
		return 0;
	if (!json_is_integer(size) || json_integer_value(size) < 1)
		return vh_err_refuse(err, EINVAL, "'region.size' is no number of bytes");
	c->region = (uint64_t)json_integer_value(size);
	return 0;
}

/* Optional: who works on the cluster by a login of his own. */
static int parse_users(const json_t *users, struct vh_mpi_cluster *c, struct vh_err *err)
{
	const json_t *user;
	size_t i;

	if (users && !json_is_array(users))
		return vh_err_refuse(err, EINVAL, "'users' is no list");
	json_array_foreach(users, i, user) {
		const char *name = json_string_value(user);

		if (!name || !vh_is_login(name))
			return vh_err_refuse(err, EINVAL, "'users': number %zu is no login", i + 1);
		if (vh_strv_push(&c->users, name) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

static int parse(const json_t *doc, struct vh_mpi_cluster *c, struct vh_err *err)
{
	const json_t *mpi = json_object_get(doc, "mpi");
	const char *schema = json_string_value(json_object_get(doc, "schema"));
	int r;

	if (!schema || strcmp(schema, "vhpc.cluster/1"))
		return vh_err_refuse(err, EINVAL, "no cluster's record (the schema is not vhpc.cluster/1)");
	r = vh_mpi_member(doc, "name", vh_is_hostname, &c->name, err);
	if (r == 0)
		r = vh_mpi_member(doc, "user", vh_is_login, &c->user, err);
	if (r == 0)
		r = vh_mpi_member(doc, "cidr", is_cidr, &c->cidr, err);
	if (r == 0)
		r = vh_mpi_member(doc, "interface", is_interface, &c->interface, err);
	if (r == 0)
		r = vh_mpi_member(doc, "accel", is_accel, &c->accel, err);
	if (r == 0)
		r = get_config(doc, &c->ssh_config, err);
	if (r == 0 && json_string_length(json_object_get(mpi, "name")) == 0) {
		vh_err_refuse(err, ENOENT, "the image of cluster %s has no MPI", c->name);
		return vh_err_hint(err, "build the image from a recipe with MPI, such as images/recipes/mpi.yaml");
	}
	if (r == 0)
		r = vh_mpi_member(mpi, "name", is_word, &c->mpi, err);
	if (r == 0)
		r = vh_mpi_member(mpi, "version", is_version, &c->version, err);
	if (r == 0)
		r = parse_region(json_object_get(doc, "region"), c, err);
	if (r == 0)
		r = parse_users(json_object_get(doc, "users"), c, err);
	c->slurm = json_is_true(json_object_get(doc, "slurm"));
	return r < 0 ? r : parse_nodes(json_object_get(doc, "nodes"), c, err);
}

int vh_mpi_cluster_parse(const char *source, const char *text, size_t len, struct vh_mpi_cluster **ret,
			 struct vh_err *err)
{
	json_error_t where;
	vh_autojson doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	vh_autocluster c = calloc(1, sizeof(*c));

	if (!c)
		return vh_err_nomem(err);
	if (!doc)
		return vh_err_refuse(err, EINVAL, "%s:%d:%d: %s", source, where.line, where.column, where.text);
	if (parse(doc, c, err) < 0)
		return vh_err_within(err, "%s", source);
	*ret = vh_steal(&c);
	return 0;
}

void vh_mpi_cluster_free(struct vh_mpi_cluster *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_nodes; i++)
		vh_mpi_node_clear(&c->nodes[i]);
	free(c->nodes);
	for (size_t i = 0; i < c->n_hosts; i++)
		free(c->hosts[i]);
	free(c->hosts);
	free(c->name);
	free(c->user);
	vh_strv_free(c->users);
	free(c->cidr);
	free(c->interface);
	free(c->accel);
	free(c->ssh_config);
	free(c->mpi);
	free(c->version);
	free(c);
}
