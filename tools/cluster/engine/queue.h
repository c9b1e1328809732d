// SPDX-License-Identifier: Apache-2.0
/* Tasks by a number of theirs, the smallest first: a heap. */
#ifndef VH_CLUSTER_ENGINE_QUEUE_H
#define VH_CLUSTER_ENGINE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct entry { int64_t key; size_t task; };

/* entries: the caller's, with room for all that is ever in it at once. */
struct queue { struct entry *entries; size_t n; };

void queue_put(struct queue *q, int64_t key, size_t task);
/* Takes out the smallest; the queue is not empty. */
size_t queue_take(struct queue *q);

#endif
