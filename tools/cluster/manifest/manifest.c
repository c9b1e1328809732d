// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "images/images.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "lib/cidr.h"

/* "-1024" is put behind the name, and the whole is a host name. */
static int check_name(const char *s, struct vh_err *err)
{
	if (strlen(s) > 58)
		return vh_err_refuse(err, EINVAL, "'%.80s' is too long: node names are made from it (at most 58)", s);
	return vh_hostname_check(s, err);
}

static int check_cidr(const char *s, struct vh_err *err)
{
	struct vh_cidr net;

	return vh_cidr_parse(s, &net, err);
}

/* Offsets are into manifest.network. */
static const struct vh_key network_keys[] = {
	{ .name = "cidr", .type = VH_KEY_STR, .offset = 0,
	  .check = check_cidr, .help = "IPv4 network of the cluster; when absent the first free /24 of 10.119.0.0/16." },
	{ .name = NULL },
};

const struct vh_key manifest_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct manifest, name), .required = true,
	  .check = check_name, .help = "Name of the cluster; its nodes are NAME-1, NAME-2, ..." },
	POOL_KEYS(offsetof(struct manifest, pool)),
	{ .name = "network", .type = VH_KEY_MAP, .offset = offsetof(struct manifest, network), .keys = network_keys,
	  .help = "The cluster's own network." },
	{ .name = NULL },
};

int manifest_load(const char *path, struct manifest *ret, struct vh_err *err)
{
	*ret = (struct manifest){ 0 };
	return vh_doc_load(path, manifest_keys, ret, err);
}

void manifest_clear(struct manifest *m)
{
	vh_doc_free(manifest_keys, m);
	*m = (struct manifest){ 0 };
}

static bool is_file(const char *arg)
{
	size_t n = strlen(arg);
	struct stat st;

	return strchr(arg, '/') || (n > 5 && !strcmp(arg + n - 5, ".yaml")) ||
	       (n > 4 && !strcmp(arg + n - 4, ".yml")) || (stat(arg, &st) == 0 && S_ISREG(st.st_mode));
}

int cluster_name(const char *file_or_name, char **ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	int r;

	if (is_file(file_or_name)) {
		r = manifest_load(file_or_name, &m, err);
		if (r < 0)
			return r;
		*ret = vh_steal(&m.name);
		return 0;
	}
	r = check_name(file_or_name, err);
	if (r < 0)
		return r;
	*ret = strdup(file_or_name);
	return *ret ? 0 : vh_err_nomem(err);
}
