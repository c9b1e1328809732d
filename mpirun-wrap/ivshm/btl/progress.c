// SPDX-License-Identifier: Apache-2.0
/* What waits for room in its channel goes on: messages, then what peers asked for. */
#include "mpirun-wrap/ivshm/btl/btl.h"

/* One at a time: a callback may send, and so append. */
static struct fragment *send_next(struct mca_btl_base_endpoint_t *e)
{
	struct fragment *f = NULL;

	ivshm_lock();
	if (!opal_list_is_empty(&e->pending) && ivshm_push(e, (struct fragment *)opal_list_get_first(&e->pending)))
		f = (struct fragment *)opal_list_remove_first(&e->pending);
	if (e->waits && opal_list_is_empty(&e->pending)) {
		e->waits = false;
		IVSHM.n_waiting--;
	}
	ivshm_unlock();
	return f;
}

int ivshm_send_pending(void)
{
	int n = 0;

	for (uint32_t i = 0; i < IVSHM.n_all && IVSHM.n_waiting; i++) {
		struct mca_btl_base_endpoint_t *e = IVSHM.all[i];
		struct fragment *f;

		while (e->waits && !e->failed && (f = send_next(e))) {
			ivshm_complete(e, f);
			n++;
		}
		if (e->feeding && !e->failed)
			n += ivshm_feed(e);
		if (e->waits || e->feeding)
			ivshm_check(e);
	}
	return n;
}
