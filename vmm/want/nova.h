// SPDX-License-Identifier: Apache-2.0
/* What the readers of Nova's flavors and Glance's images share. */
#ifndef VH_VMM_FLAVOR_H
#define VH_VMM_FLAVOR_H

#include "vmm/want/sets.h"
#include "vmm/want/want.h"

/* One property: of the flavor "hw:NAME", of the image "hw_NAME"; NULL: not said. */
struct vh_property { const char *name, *flavor, *image; };
struct vh_property vh_property_get(const struct vh_want_text *t, const char *name);
const char *vh_property_lookup(char *const *map, const char *key);
/* Refuses as Nova does, whose name for it is the hint. */
int vh_nova_refuse(struct vh_err *err, const char *nova, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Both say something, and that is not allowed. */
int vh_nova_conflict(struct vh_err *err, const char *nova, const struct vh_property *p);

/* Sets of text what a flavor and an image say and it does not say yet. */
int vh_want_read_flavor(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err);
/* Guest nodes, into text->numa. pinned: some vCPU is dedicated. */
int vh_flavor_numa(const struct vh_want_text *from, unsigned vcpus, bool pinned, struct vh_want_text *text,
		   struct vh_err *err);

#endif
