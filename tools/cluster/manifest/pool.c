// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/pool.h"

#include <string.h>

#include "images/images.h"
#include "lib/values.h"
#include "vmm/place/place.h"

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

struct vh_request pool_request(const struct pool *p, const char *name)
{
	return (struct vh_request){ .name = name, .vcpus = (unsigned)p->vcpus, .memory = p->memory,
				    .policy = (enum vh_cpu_policy)p->cpu_policy };
}
