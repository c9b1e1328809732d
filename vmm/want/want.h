// SPDX-License-Identifier: Apache-2.0
/* Where requests come from: options, a request file, Nova's flavors and Glance's images. */
#ifndef VH_VMM_WANT_H
#define VH_VMM_WANT_H

#include "vmm/place/plan.h"

/* The request as text, all of it optional; NULL: not given. */
struct vh_want_text {
	char *name, *vcpus, *memory, *page_size, *cpu_policy, *threads, *emulator, *iothreads, *numa, *pairs,
	     *vms, *place;
	char **devices;		/* KIND[:N][:AFFINITY] */
	char **flavor, **image;	/* "hw:cpu_policy=dedicated" */
};

/* Reads a request file (YAML or JSON). Freed by vh_want_text_free, whatever is then set. */
int vh_want_load(const char *path, struct vh_want_text *ret, struct vh_err *err);
int vh_want_parse(const char *name, const char *text, size_t len, struct vh_want_text *ret, struct vh_err *err);
void vh_want_text_free(struct vh_want_text *text);

/* The want itself, checked. Flavor and image come first; what is said in our words goes
 * before them. Refused where it contradicts itself, and where Nova would. */
int vh_want_read(const struct vh_want_text *text, struct vh_want *ret, struct vh_err *err);
/* Sets of text what a flavor and an image say and it does not say yet. */
int vh_want_read_flavor(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err);

const char *vh_affinity_name(enum vh_affinity affinity);
json_t *vh_want_to_json(const struct vh_want *want);

#endif
