// SPDX-License-Identifier: Apache-2.0
/* A plan kept in a file, to be applied as it is (docs/formats/cluster-views.md). */
#ifndef VH_CLUSTER_SAVED_H
#define VH_CLUSTER_SAVED_H

#include <jansson.h>

#include "tools/cluster/steps/steps.h"

struct saved {
	struct manifest manifest;
	bool exists;		/* whether the cluster was there */
	json_t *plan, *steps;	/* NULL: a manifest alone, which any plan fits */
};
void saved_clear(struct saved *s);
#define autosaved vh_cleanup(saved_clear) struct saved

/* Writes it, mode 0600. */
int saved_write(const char *path, const struct manifest *m, const struct cluster *c, bool exists, const struct sights *sights,
		struct vh_err *err);
/* doc is untrusted; name stands for the file. Refused where it is no such plan, or another release's. */
int saved_from_json(const char *name, const json_t *doc, struct saved *ret, struct vh_err *err);
int saved_load(const char *path, struct saved *ret, struct vh_err *err);

/* Whether the plan that is made now is that one; refused (-ESTALE), naming what is otherwise. */
int saved_fits(const struct saved *s, const struct cluster *c, bool exists, struct vh_err *err);
/* Whether apply finds to do what it was to find then; refused as above. */
int saved_fits_sights(const struct saved *s, const struct cluster *c, const struct sights *sights, struct vh_err *err);

#endif
