// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/engine/queue.h"

#include <stdbool.h>

static bool is_before(const struct entry *a, const struct entry *b)
{
	return a->key < b->key || (a->key == b->key && a->task < b->task);
}

void queue_put(struct queue *q, int64_t key, size_t task)
{
	const struct entry new = { key, task };
	size_t at = q->n++;

	for (; at && is_before(&new, &q->entries[(at - 1) / 2]); at = (at - 1) / 2)
		q->entries[at] = q->entries[(at - 1) / 2];
	q->entries[at] = new;
}

/* The smaller of the two below; n: there is none. */
static size_t below(const struct queue *q, size_t at)
{
	const size_t a = 2 * at + 1, b = a + 1;

	if (a >= q->n)
		return q->n;
	return b < q->n && is_before(&q->entries[b], &q->entries[a]) ? b : a;
}

size_t queue_take(struct queue *q)
{
	const size_t task = q->entries[0].task;
	const struct entry last = q->entries[--q->n];
	size_t at = 0, next;

	while ((next = below(q, at)) < q->n && is_before(&q->entries[next], &last)) {
		q->entries[at] = q->entries[next];
		at = next;
	}
	q->entries[at] = last;
	return task;
}
