// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/cluster/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "lib/strv.h"
#include "lib/values.h"

enum { MAX_FILE = 16 << 20, MAX_MANIFEST = 1 << 20, MAX_EVENTS = 100000 };

int vh_mpi_read(const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	vh_autofree char *text = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vh_err_refuse(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		return vh_err_refuse(err, EINVAL, "%s: no file of at most 16 MiB", path);
	text = malloc(st.st_size + 1);
	if (!text)
		return vh_err_nomem(err);
	while (len < (size_t)st.st_size && (n = read(fd, text + len, st.st_size - len)) != 0) {
		if (n < 0)
			return vh_err_refuse(err, errno, "%s: %s", path, strerror(errno));
		len += n;
	}
	text[len] = '\0';
	*ret = vh_steal(&text);
	*ret_len = len;
	return 0;
}

int vh_mpi_cluster_load(const char *path, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	int r = vh_mpi_read(path, &text, &len, err);

	return r < 0 ? r : vh_mpi_cluster_parse(path, text, len, ret, err);
}

/* Walks a YAML document for the scalar behind the key `name` of its top mapping. */
struct walk {
	unsigned depth;		/* mappings and sequences that are open */
	bool key;		/* at the top: the next scalar is a key */
	bool wanted;		/* it was `name` */
	char *name;
};

static void walk_event(struct walk *w, const yaml_event_t *e)
{
	const char *scalar = e->type == YAML_SCALAR_EVENT ? (const char *)e->data.scalar.value : NULL;

	switch (e->type) {
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		w->depth++;
		w->key = w->depth == 1;
		w->wanted = false;
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		w->depth--;
		w->key = true;
		break;
	case YAML_ALIAS_EVENT:
		w->key = !w->key;
		break;
	case YAML_SCALAR_EVENT:
		if (w->depth != 1)
			break;
		if (!w->key && w->wanted && !w->name)
			w->name = strdup(scalar);
		w->wanted = w->key && !strcmp(scalar, "name");
		w->key = !w->key;
		break;
	default:
		break;
	}
}

static int bad_yaml(const char *path, const yaml_parser_t *p, struct vh_err *err)
{
	return vh_err_refuse(err, EINVAL, "%s:%zu:%zu: %s", path, p->problem_mark.line + 1,
			     p->problem_mark.column + 1, p->problem ? p->problem : "no YAML");
}

int vh_mpi_manifest_name(const char *path, const char *text, size_t len, char **ret, struct vh_err *err)
{
	struct walk w = { 0 };
	yaml_parser_t p;
	bool end = false;
	int r = 0;

	if (len > MAX_MANIFEST)
		return vh_err_refuse(err, EFBIG, "%s: longer than 1 MiB", path);
	if (!yaml_parser_initialize(&p))
		return vh_err_nomem(err);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	for (unsigned n = 0; r == 0 && !end && !w.name; n++) {
		yaml_event_t e;

		if (n >= MAX_EVENTS || !yaml_parser_parse(&p, &e)) {
			r = bad_yaml(path, &p, err);
			break;
		}
		walk_event(&w, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (r == 0 && !w.name)
		r = vh_err_refuse(err, EINVAL, "%s: no cluster manifest: it has no key 'name'", path);
	if (r == 0 && vh_hostname_check(w.name, err) < 0) {
		err->exit = VH_EXIT_REFUSED;
		r = vh_err_within(err, "%s: name", path);
	}
	if (r < 0) {
		free(w.name);
		return r;
	}
	*ret = w.name;
	return 0;
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
