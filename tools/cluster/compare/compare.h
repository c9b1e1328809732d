// SPDX-License-Identifier: Apache-2.0
/* A plan beside what is there, what was planned earlier and what is wanted now. */
#ifndef VH_CLUSTER_COMPARE_H
#define VH_CLUSTER_COMPARE_H

#include <jansson.h>

#include "lib/show/finding.h"
#include "tools/cluster/steps/steps.h"
#include "tools/cluster/volume/volume.h"

struct manifest;

/* --- changes.c: what apply changes (docs/formats/cluster-views.md) */

/* "create", "change", "remove", "none": what apply does about an object that looks so; static. */
const char *change_of(const struct look *look);
/* What is lost for good with what the step made; static; NULL: nothing that cannot be made again. */
const char *change_loses(const struct step *s);
/* How many look so; how many are not "none". */
size_t changes_of(const struct sights *s, enum look_is is);
size_t changes_count(const struct sights *s);
/* A row an object, in apply's order: step, object, node, change, why, costs; changed: those alone that change.
 * NULL without memory. */
json_t *changes_rows(const struct cluster *c, const struct sights *s, bool changed);

/* --- users.c: users of whom the nodes of one that exists are still to be told */

/* Their names, "come", "change" and "go"; *ret NULL: there are none. */
int users_change(const struct cluster *c, json_t **ret, struct vh_err *err);
/* "carol comes, ada, dan change, bob goes"; malloc'd, NULL without memory. */
char *users_change_text(const json_t *change);

/* --- saved.c: a plan kept in a file, to be applied as it is (docs/formats/cluster-views.md) */

struct saved {
	struct manifest *manifest;
	bool exists;		/* whether the cluster was there */
	json_t *plan, *steps;	/* NULL: a manifest alone, which any plan fits */
	json_t *data;		/* of sets of data that were looked at the digests of what nodes get */
};
/* An empty manifest, to be filled in; -ENOMEM. */
int saved_new(struct saved *ret);
void saved_clear(struct saved *s);
#define autosaved vh_cleanup(saved_clear) struct saved

/* Writes it, mode 0600. data: what was looked at. */
int saved_write(const char *path, const struct manifest *m, const struct cluster *c, bool exists, const struct sights *sights,
		const struct data *data, struct vh_err *err);
/* doc is untrusted; name stands for the file. Refused where it is no such plan, or another release's. */
int saved_from_json(const char *name, const json_t *doc, struct saved *ret, struct vh_err *err);
int saved_load(const char *path, struct saved *ret, struct vh_err *err);

/* Whether the plan that is made now is that one; refused (-ESTALE), naming what is otherwise. */
int saved_fits(const struct saved *s, const struct cluster *c, bool exists, struct vh_err *err);
/* Whether nodes get the data that they were to get then; refused as above. */
int saved_fits_data(const struct saved *s, const struct cluster *c, const struct data *data, struct vh_err *err);
/* Whether apply finds to do what it was to find then; refused as above. */
int saved_fits_sights(const struct saved *s, const struct cluster *c, const struct sights *sights, struct vh_err *err);

/* --- causes.c: why a cluster is not as it should be, as findings: those that stop keep it from being up */

/* What apply mends. */
void causes_of_sights(const struct cluster *c, const struct sights *s, struct vh_findings *ret);
/* Nodes that it goes on without; borne, as its manifest has it. */
void causes_of_missing(const struct cluster *c, struct vh_findings *ret);
/* An image of the same name that is another than its nodes boot; borne. */
void causes_of_images(const struct cluster *c, const char *state, struct vh_findings *ret);
/* Sets of data of which what they were packed of is another by now, or can be read no more; borne. Looks for a second, and
 * says where that was too short. */
void causes_of_data(const struct cluster *c, struct vh_findings *ret);
/* What the manifest says otherwise by now; borne. */
void causes_of_manifest(const struct cluster *c, const struct manifest *m, struct vh_findings *ret);

#endif
