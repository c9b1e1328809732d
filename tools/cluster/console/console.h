// SPDX-License-Identifier: Apache-2.0
/* What a node's console says while it boots, in the node's directory, DIR/NODE. The guest writes it: it is no more than a hint. */
#ifndef VH_CLUSTER_CONSOLE_H
#define VH_CLUSTER_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* The last thing that the guest said, for the end of an error; empty when it said nothing. */
void console_last_words(const char *dir, const char *node, char *buf, size_t len);
/* Whether its kernel has said, within the last 32 KiB, that a processor or its own threads no longer get on. */
bool console_hangs(const char *dir, const char *node);

#endif
