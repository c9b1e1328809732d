// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/pool.h"

#include <string.h>

#include "images/images.h"
#include "lib/values.h"
#include "vmm/want/want.h"

const char *const pool_cpu_policies[] = { "dedicated", "shared", NULL };

const struct vh_key pool_keys[] = { POOL_KEYS(0), { .name = NULL } };

void pool_clear(struct pool *p)
{
	free(p->name);
	vh_doc_free(pool_keys, p);
	*p = (struct pool){ 0 };
}

int pool_copy(const struct pool *p, struct pool *ret, struct vh_err *err)
{
	struct pool copy = *p;

	copy.name = p->name ? strdup(p->name) : NULL;
	copy.image = strdup(p->image);
	if (!copy.image || (p->name && !copy.name)) {
		pool_clear(&copy);
		return vh_err_nomem(err);
	}
	*ret = copy;
	return 0;
}

void pool_want(const struct pool *p, const char *name, struct vh_want *ret)
{
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	ret->vcpus = (unsigned)p->vcpus;
	ret->memory = p->memory;
	ret->page = VH_PAGE_SMALL;
	ret->policy = (enum vh_want_policy)p->cpu_policy;
}
