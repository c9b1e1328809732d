// SPDX-License-Identifier: Apache-2.0
/* NoCloud and ConfigDrive seeds as the identity of a node: untrusted files in, the text of
 * docs/formats/identity.md out, which then passes the same checks as any other. */
#ifndef VH_SEED_H
#define VH_SEED_H

#include <stddef.h>

/* What lies on the seed's file system; NULL: it is not there. */
struct vh_seed {
	const char *meta_data;		/* NoCloud: YAML */
	const char *user_data;		/* of both; only #cloud-config is read */
	const char *network_config;	/* NoCloud: YAML, version 1 or 2 */
	const char *meta_data_json;	/* ConfigDrive */
	const char *network_data_json;
};

/* *ret is malloc'd. -1 with the reason: a file that must be there is not, or is none of its
 * kind. What is understood but not supported is left out, and said in *ret_skipped (malloc'd
 * lines, or NULL). */
int vh_seed_text(const struct vh_seed *seed, char **ret, char **ret_skipped, char *why, size_t why_len);

#endif
