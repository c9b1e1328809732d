// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "images/cache/cache.h"
#include "images/node/mpi.h"
#include "images/node/node.h"
#include "images/packages/packages.h"
#include "lib/answer.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "lib/json.h"

#define COMPONENT "mca_btl_ivshm.so"
#define LIBRARIES "usr/lib/x86_64-linux-gnu/openmpi/lib"

/* Ranks run as the image's user (1000), who may then map the memory that VMs share. */
static const char rule[] =
	"ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{vendor}==\"0x1af4\", ATTR{device}==\"0x1110\", "
	"RUN+=\"/bin/chgrp 1000 $sys$devpath/resource2 $sys$devpath/resource2_wc\", "
	"RUN+=\"/bin/chmod 0660 $sys$devpath/resource2 $sys$devpath/resource2_wc\"\n";

int vh_component_digest(const char *guest, const char *release, SHA256_CTX *s, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/mca/%s/" COMPONENT, guest, release ? release : ""), *data = NULL;
	size_t len;

	if (!path)
		return vh_err_nomem(err);
	vh_digest_text(s, rule);
	if (!release || access(path, F_OK) < 0)
		return 0;
	int r = vh_host_file(path, &data, &len, err);
	if (r == 0)
		vh_digest_add(s, data, len);
	return r;
}

/* Where Open MPI looks for components: openmpi3, openmpi40. It need not hold any: those of
 * release 5 are in its libraries. */
static const struct vh_node *components(const struct vh_tree *tree)
{
	const struct vh_node *libraries = vh_tree_find(tree, LIBRARIES);

	for (size_t i = 0; libraries && i < libraries->n_children; i++) {
		const struct vh_node *dir = libraries->children[i];
		if (S_ISDIR(dir->mode) && !strncmp(dir->name, "openmpi", 7) && isdigit((unsigned char)dir->name[7]))
			return dir;
	}
	return NULL;
}

/* Of the component in these directories; malloc'd. */
static char *path_in(const struct vh_node *dir)
{
	vh_autofree char *path = vh_node_path(dir);
	return path ? vh_strf("%s/" COMPONENT, path + 1) : NULL;
}

bool vh_component_is_in(const struct vh_tree *tree)
{
	const struct vh_node *dir = components(tree);
	vh_autofree char *path = dir ? path_in(dir) : NULL;
	return path && vh_tree_find(tree, path);
}

int vh_component_put(struct vh_tree *tree, const char *guest, const char *release, bool *ret_put,
		     struct vh_err *err)
{
	vh_autofree char *from = vh_strf("%s/mca/%s/" COMPONENT, guest, release), *data = NULL;
	const struct vh_node *dir = components(tree);
	vh_autofree char *to = dir ? path_in(dir) : NULL;
	size_t len;

	*ret_put = false;
	if (!from || (dir && !to))
		return vh_err_nomem(err);
	if (!dir || access(from, F_OK) < 0)
		return 0;
	int r = vh_host_file(from, &data, &len, err);
	if (r == 0)
		r = vh_tree_put(tree, to, 0644, data, len, err);
	if (r == 0)
		r = vh_tree_text(tree, "etc/udev/rules.d/70-vhpc-ivshm.rules", 0644, rule, err);
	*ret_put = r == 0;
	return r;
}

static int put_links(struct vh_tree *tree, struct vh_err *err)
{
	int r = vh_tree_symlink(tree, "../lib/vhpc/mpirun-wrap", "usr/bin/mpirun-wrap", err);

	return r < 0 ? r : vh_tree_symlink(tree, "/usr/lib/systemd/system/vhpc-mpi.service",
					   "etc/systemd/system/multi-user.target.wants/vhpc-mpi.service", err);
}

static int put_mpi(const struct vh_furnish *to, struct vh_err *err)
{
	vh_autofree char *status = NULL, *release = NULL;
	size_t len;
	bool put;
	int r = vh_tree_read(to->tree, "var/lib/dpkg/status", &status, &len, err);

	if (r == 0 && to->recipe->mpi != VH_MPI_NONE)
		r = put_links(to->tree, err);
	if (r < 0 || to->recipe->mpi != VH_MPI_OPENMPI)
		return r;
	vh_autojson packages = vh_packages_json(status);
	release = packages ? vh_packages_upstream(packages, vh_mpi_package(to->recipe->mpi)) : NULL;
	return release ? vh_component_put(to->tree, to->guest, release, &put, err) : vh_err_nomem(err);
}

/* Open MPI names the components that it could load, and says why it could not. */
static void ask_mpi(FILE *f, const json_t *value)
{
	if (json_string_value(value) && !strcmp(json_string_value(value), "openmpi"))
		fputs("say transport \"$(ompi_info --parsable 2>&1 | grep -e mca:btl:ivshm -e mca_btl_ivshm | "
		      "tail -n 1)\"\n", f);
}

static int judge_transport(const struct vh_judge *j, const char *name)
{
	vh_autofree char *found = vh_answer(j->text, "transport"), *check = vh_strf("btl %s", name);
	vh_autofree char *wanted = vh_strf("mca:btl:%s", name);

	return check && wanted ? vh_judge_add(j, check, wanted, found, found && !strncmp(found, wanted, strlen(wanted))) :
	       vh_err_nomem(j->err);
}

static int judge_mpi(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *mpi = json_object_get(j->image, "mpi");
	const char *version = vh_judge_text(mpi, "version"), *transport = vh_judge_text(mpi, "transport");
	vh_autofree char *found = vh_answer(j->text, "mpi");
	int r = *version ? vh_judge_add(j, key, version, found, found && strstr(found, version)) : 0;

	(void)value;
	return r == 0 && *transport ? judge_transport(j, transport) : r;
}

static const struct vh_subject_key keys[] = {
	{ "mpi", ask_mpi, judge_mpi },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_mpi = { put_mpi, keys };
