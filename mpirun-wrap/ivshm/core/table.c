// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/table.h"

#include <stdlib.h>

static struct ivshm_entry *entry(const struct ivshm_table *t, uint64_t number)
{
	uint32_t i = (uint32_t)number;

	return i < t->n && t->entries[i].item && t->entries[i].serial == number >> 32 ? &t->entries[i] : NULL;
}

static int grow(struct ivshm_table *t)
{
	uint32_t n = t->n ? 2 * t->n : 16;
	struct ivshm_entry *more = n > t->n ? realloc(t->entries, n * sizeof(*more)) : NULL;

	if (!more)
		return -1;
	for (uint32_t i = n; i-- > t->n; ) {
		more[i] = (struct ivshm_entry){ .next_free = t->free };
		t->free = i + 1;
	}
	t->entries = more;
	t->n = n;
	return 0;
}

uint64_t ivshm_table_add(struct ivshm_table *t, void *item)
{
	struct ivshm_entry *e;
	uint32_t i;

	if (!t->free && grow(t) < 0)
		return 0;
	i = t->free - 1;
	e = &t->entries[i];
	t->free = e->next_free;
	t->serial += t->serial == UINT32_MAX ? 2 : 1;	/* never 0 */
	e->item = item;
	e->serial = t->serial;
	return (uint64_t)e->serial << 32 | i;
}

void *ivshm_table_get(const struct ivshm_table *t, uint64_t number)
{
	const struct ivshm_entry *e = entry(t, number);

	return e ? e->item : NULL;
}

void ivshm_table_drop(struct ivshm_table *t, uint64_t number)
{
	struct ivshm_entry *e = entry(t, number);

	if (!e)
		return;
	e->item = NULL;
	e->next_free = t->free;
	t->free = (uint32_t)number + 1;
}

void ivshm_table_clear(struct ivshm_table *t)
{
	free(t->entries);
	*t = (struct ivshm_table){ 0 };
}
