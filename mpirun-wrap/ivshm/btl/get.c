// SPDX-License-Identifier: Apache-2.0
/* Open MPI's "get" over the channel: what moves long messages (stream.h). */
#include "mpirun-wrap/ivshm/btl/btl.h"

#include <stdlib.h>
#include <string.h>

/* What a peer gets to name the memory by. */
struct mca_btl_base_registration_handle_t { uint64_t window; };
const size_t ivshm_handle_size = sizeof(struct mca_btl_base_registration_handle_t);

struct registration {
	mca_btl_base_registration_handle_t handle;
	struct ivshm_window window;
};

struct pull {
	struct ivshm_pull super;
	uint64_t number;
	struct mca_btl_base_endpoint_t *endpoint;
	mca_btl_base_registration_handle_t *handle;
	mca_btl_base_rdma_completion_fn_t done;
	void *context, *data;
};

typedef struct feed { opal_list_item_t super; struct ivshm_feed feed; } feed;
static OBJ_CLASS_INSTANCE(feed, opal_list_item_t, NULL, NULL);

mca_btl_base_registration_handle_t *ivshm_register(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e,
						   void *base, size_t size, uint32_t flags)
{
	struct registration *r = malloc(sizeof(*r));

	(void)btl;
	(void)e;
	if (!r)
		return NULL;
	r->handle.window = 0;
	/* A local end is checked by its pull: it needs no window. */
	if (flags & MCA_BTL_REG_FLAG_REMOTE_READ) {
		r->window = (struct ivshm_window){ .base = base, .len = size };
		ivshm_lock();
		r->handle.window = ivshm_table_add(&IVSHM.windows, &r->window);
		ivshm_unlock();
		if (!r->handle.window) {
			free(r);
			return NULL;
		}
	}
	return &r->handle;
}

int ivshm_deregister(mca_btl_base_module_t *btl, mca_btl_base_registration_handle_t *handle)
{
	(void)btl;
	ivshm_lock();
	ivshm_table_drop(&IVSHM.windows, handle->window);
	ivshm_unlock();
	free(handle);
	return OPAL_SUCCESS;
}

static int ask(struct pull *p, uint64_t window, uint64_t address)
{
	const struct ivshm_ask a = { window, address, p->super.len, p->number };
	mca_btl_base_descriptor_t *des = ivshm_alloc(&mca_btl_ivshm.super, p->endpoint, MCA_BTL_NO_ORDER, sizeof(a),
						     MCA_BTL_DES_FLAGS_BTL_OWNERSHIP);
	int r;

	if (!des)
		return OPAL_ERR_OUT_OF_RESOURCE;
	memcpy(des->des_segments->seg_addr.pval, &a, sizeof(a));
	r = ivshm_send(&mca_btl_ivshm.super, p->endpoint, des, IVSHM_TAG_ASK);
	return r < 0 ? r : OPAL_SUCCESS;
}

static void forget(struct pull *p)
{
	ivshm_lock();
	ivshm_table_drop(&IVSHM.pulls, p->number);
	ivshm_unlock();
	free(p);
}

int ivshm_get(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, void *local, uint64_t remote,
	      mca_btl_base_registration_handle_t *local_handle, mca_btl_base_registration_handle_t *remote_handle,
	      size_t size, int flags, int order, mca_btl_base_rdma_completion_fn_t done, void *context, void *data)
{
	struct pull *p = malloc(sizeof(*p));
	int r;

	(void)btl;
	(void)flags;
	(void)order;
	if (!p)
		return OPAL_ERR_OUT_OF_RESOURCE;
	*p = (struct pull){ .super = { .peer = e, .to = local, .len = size }, .endpoint = e, .handle = local_handle,
			    .done = done, .context = context, .data = data };
	ivshm_lock();
	p->number = ivshm_table_add(&IVSHM.pulls, &p->super);
	ivshm_unlock();
	r = p->number ? ask(p, remote_handle->window, remote) : OPAL_ERR_OUT_OF_RESOURCE;
	if (r != OPAL_SUCCESS)
		forget(p);
	return r;
}

static bool take_piece(struct mca_btl_base_endpoint_t *e, const struct ivshm_message *m)
{
	struct ivshm_pull *got;
	struct pull *p;

	ivshm_lock();
	got = ivshm_pull_take(&IVSHM.pulls, e, m, IVSHM.copy);
	ivshm_unlock();
	if (!got || got->got < got->len)
		return got;
	p = (struct pull *)got;
	p->done(&mca_btl_ivshm.super, e, got->to, p->handle, p->context, p->data, OPAL_SUCCESS);
	forget(p);
	return true;
}

static bool open_feed(struct mca_btl_base_endpoint_t *e, const struct ivshm_message *m)
{
	feed *f;

	if (ivshm_endpoint_open(e) < 0 || !(f = OBJ_NEW(feed)))
		return false;
	if (!ivshm_feed_open(&IVSHM.windows, m, &f->feed)) {
		OBJ_RELEASE(f);
		return false;
	}
	opal_list_append(&e->feeds, &f->super);
	IVSHM.n_waiting += !e->feeding;
	e->feeding = true;
	return true;
}

bool ivshm_stream_message(struct mca_btl_base_endpoint_t *e, const struct ivshm_message *m)
{
	bool right;

	if (m->tag == IVSHM_TAG_PIECE)
		return take_piece(e, m);
	ivshm_lock();
	right = open_feed(e, m);
	ivshm_unlock();
	if (right)
		ivshm_feed(e);
	return right;
}

/* With the lock, as open_feed(). */
static int feed_on(struct mca_btl_base_endpoint_t *e)
{
	int r = 1;

	while (r > 0 && !opal_list_is_empty(&e->feeds)) {
		feed *f = (feed *)opal_list_get_first(&e->feeds);

		r = ivshm_feed_send(&f->feed, &IVSHM.windows, &e->tx, IVSHM.copy, IVSHM.piece);
		if (r != 0) {
			opal_list_remove_first(&e->feeds);
			OBJ_RELEASE(f);
		}
	}
	if (opal_list_is_empty(&e->feeds)) {
		e->feeding = false;
		IVSHM.n_waiting--;
	}
	return r;
}

int ivshm_feed(struct mca_btl_base_endpoint_t *e)
{
	uint32_t before = e->tx.sent;
	int r;

	ivshm_lock();
	r = e->feeding ? feed_on(e) : 1;
	ivshm_unlock();
	if (r < 0)
		ivshm_endpoint_fail(e, "ended a message before it had all of it");
	return (int)(e->tx.sent - before);
}
