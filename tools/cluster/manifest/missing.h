// SPDX-License-Identifier: Apache-2.0
/* Nodes that a cluster was to have and does without, as its manifest lets it (ready). */
#ifndef VH_CLUSTER_MISSING_H
#define VH_CLUSTER_MISSING_H

#include "lib/doc/doc.h"

struct missing {
	char *name;	/* the node's */
	char *group;	/* its group's, or NULL */
	char *why;	/* what it failed by */
	uint64_t sockets, cores, threads;	/* that it was to have: cores of a socket, threads of a core */
	uint64_t memory, gpus;			/* memory: bytes */
};

extern const struct vh_key missing_keys[];

/* The record has them; AT is where the struct vh_doc_list is. */
#define MISSING_KEY(AT) \
	{ .name = "missing", .type = VH_KEY_LIST, .offset = (AT), .keys = missing_keys, .item_size = sizeof(struct missing) }

/* Adds a copy; -ENOMEM. missing_clear frees what a list holds, also of a zeroed one. */
int missing_add(struct vh_doc_list *l, const struct missing *m);
int missing_copy(const struct vh_doc_list *l, struct vh_doc_list *ret, struct vh_err *err);
void missing_clear(struct vh_doc_list *l);
/* Whether a node of that name is among them. */
bool missing_has(const struct vh_doc_list *l, const char *name);
/* "two-2, two-3"; malloc'd, NULL without memory. */
char *missing_names(const struct vh_doc_list *l);

#endif
