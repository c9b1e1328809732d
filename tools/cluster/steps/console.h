// SPDX-License-Identifier: Apache-2.0
/* What a node's console says while it boots. The guest writes it: it is no more than a hint. */
#ifndef VH_CLUSTER_CONSOLE_H
#define VH_CLUSTER_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

struct cluster;
struct node;

/* The last thing that the guest said, for the end of an error; empty when it said nothing. */
void console_last_words(const struct cluster *c, const struct node *n, char *buf, size_t len);
/* Whether its kernel has said, within the last 32 KiB, that a processor or its own threads no longer get on. */
bool console_hangs(const struct cluster *c, const struct node *n);

#endif
