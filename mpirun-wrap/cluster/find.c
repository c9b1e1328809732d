// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/cluster/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/files/read.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "lib/doc/yaml.h"

int vh_mpi_read(const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	return vh_host_file(path, ret, ret_len, err) < 0 ? vh_err_as(err, VH_EXIT_REFUSED) : 0;
}

int vh_mpi_cluster_load(const char *path, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	int r = vh_mpi_read(path, &text, &len, err);

	return r < 0 ? r : vh_mpi_cluster_parse(path, text, len, ret, err);
}

int vh_mpi_manifest_name(const char *path, const char *text, size_t len, char **ret, struct vh_err *err)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *doc = NULL;
	const struct vh_yaml *name;
	int r = vh_yaml_parse(path, text, len, &doc, err);

	if (r < 0)
		return r;
	name = vh_yaml_get(doc, "name");
	if (!name || name->type != VH_YAML_SCALAR)
		return vh_err_refuse(err, EINVAL, "%s: no cluster manifest: it has no key 'name'", path);
	if (vh_hostname_check(name->text, err) < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "%s: name", path);
	}
	*ret = strdup(name->text);
	return *ret ? 0 : vh_err_nomem(err);
}

static char *record_path(const char *state, const char *name)
{
	return vh_strf("%s/clusters/%s/cluster.json", state, name);
}

static int find_name(const char *state, const char *name, const char *manifest, struct vh_mpi_cluster **ret,
		     struct vh_err *err)
{
	vh_autofree char *path = record_path(state, name);
	vh_autocluster c = NULL;
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		vh_err_refuse(err, ENOENT, "cluster %s is not applied", name);
		return manifest ? vh_err_hint(err, "vhpc cluster apply %s", manifest)
				: vh_err_hint(err, "apply its manifest: vhpc cluster apply FILE");
	}
	r = vh_mpi_cluster_load(path, &c, err);
	if (r == -EACCES)
		return vh_err_hint(err, "a cluster belongs to the user who applied it; run this as that user");
	if (r < 0)
		return r;
	if (strcmp(c->name, name))
		return vh_err_refuse(err, EINVAL, "%s: describes the cluster %s", path, c->name);
	*ret = vh_steal(&c);
	return 0;
}

static int find_file(const char *state, const char *path, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	vh_autofree char *text = NULL, *name = NULL;
	size_t len;
	int r = vh_mpi_read(path, &text, &len, err);

	if (r < 0)
		return r;
	if (text[strspn(text, " \t\r\n")] == '{')
		return vh_mpi_cluster_parse(path, text, len, ret, err);
	r = vh_mpi_manifest_name(path, text, len, &name, err);
	return r < 0 ? r : find_name(state, name, path, ret, err);
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), w = strlen(with);

	return n >= w && !strcmp(s + n - w, with);
}

int vh_mpi_cluster_find(const char *state, const char *what, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	vh_autofree char *record = NULL;

	if (strchr(what, '/') || ends(what, ".yaml") || ends(what, ".yml") || ends(what, ".json"))
		return find_file(state, what, ret, err);
	if (!vh_is_hostname(what)) {
		vh_err_refuse(err, EINVAL, "'%s' is neither a cluster's name nor a file", what);
		return vh_err_hint(err, "a file's name ends in .yaml or .json or has a '/' in it");
	}
	record = record_path(state, what);
	if (!record)
		return vh_err_nomem(err);
	if (access(record, F_OK) < 0 && access(what, R_OK) == 0)
		return find_file(state, what, ret, err);
	return find_name(state, what, NULL, ret, err);
}

static bool has_all(const struct vh_mpi_cluster *c, char *const *nodes)
{
	for (; *nodes; nodes++) {
		size_t i = 0;

		while (i < c->n_nodes && strcmp(c->nodes[i].name, *nodes))
			i++;
		if (i == c->n_nodes)
			return false;
	}
	return true;
}

int vh_mpi_cluster_with(const char *state, char *const *nodes, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/clusters", state);
	DIR *d = path ? opendir(path) : NULL;
	const struct dirent *e;
	int r = -ENOENT;

	while (d && r < 0 && (e = readdir(d))) {
		vh_autofree char *record = vh_is_hostname(e->d_name) ? record_path(state, e->d_name) : NULL;
		vh_autocluster c = NULL;

		if (!record || vh_mpi_cluster_load(record, &c, err) < 0 || !has_all(c, nodes))
			continue;
		*ret = vh_steal(&c);
		r = 0;
	}
	if (d)
		closedir(d);
	vh_err_clear(err);
	return r;
}
