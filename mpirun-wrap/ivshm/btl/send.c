// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/btl/btl.h"

#include <string.h>
#include <sys/uio.h>

static void fragment_construct(struct fragment *f)
{
	memset(f->segments, 0, sizeof(f->segments));
	f->super.des_segments = f->segments;
	f->super.des_segment_count = 1;
	f->endpoint = NULL;
}

typedef struct fragment fragment;
OBJ_CLASS_INSTANCE(fragment, mca_btl_base_descriptor_t, fragment_construct, NULL);

static struct fragment *take_fragment(opal_free_list_t *list, struct mca_btl_base_endpoint_t *e, size_t size, uint32_t flags)
{
	opal_free_list_item_t *item = opal_free_list_get(list);
	struct fragment *f = (struct fragment *)item;

	if (!f)
		return NULL;
	f->home = list;
	f->endpoint = e;
	f->super.des_flags = flags;
	f->super.order = MCA_BTL_NO_ORDER;
	f->super.des_cbfunc = NULL;
	f->super.des_segment_count = 1;
	f->segments[0].seg_addr.pval = item->ptr;
	f->segments[0].seg_len = size;
	return f;
}

static opal_free_list_t *list_for(size_t size)
{
	return size <= HEADER_ROOM ? &IVSHM.user : size <= EAGER_LIMIT ? &IVSHM.eager
			     : size <= MAX_SEND ? &IVSHM.full : NULL;
}

mca_btl_base_descriptor_t *ivshm_alloc(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, uint8_t order,
				       size_t size, uint32_t flags)
{
	opal_free_list_t *list = list_for(size);
	struct fragment *f = list ? take_fragment(list, e, size, flags) : NULL;

	(void)btl;
	(void)order;
	return f ? &f->super : NULL;
}

int ivshm_free(mca_btl_base_module_t *btl, mca_btl_base_descriptor_t *des)
{
	struct fragment *f = (struct fragment *)des;

	(void)btl;
	opal_free_list_return(f->home, &f->super.super);
	return OPAL_SUCCESS;
}

/* Contiguous data stays where it is until it is copied into the channel. */
static struct fragment *prepare_user(struct mca_btl_base_endpoint_t *e, opal_convertor_t *convertor, size_t reserve,
				     size_t *size, uint32_t flags)
{
	struct fragment *f = take_fragment(&IVSHM.user, e, reserve, flags);
	struct iovec iov = { .iov_base = NULL };
	uint32_t n = 1;

	if (!f)
		return NULL;
	if (*size > MAX_SEND - reserve)
		*size = MAX_SEND - reserve;
	iov.iov_len = *size;
	if (opal_convertor_pack(convertor, &iov, &n, size) < 0) {
		ivshm_free(NULL, &f->super);
		return NULL;
	}
	f->segments[1].seg_addr.pval = iov.iov_base;
	f->segments[1].seg_len = *size;
	f->super.des_segment_count = 2;
	return f;
}

static struct fragment *prepare_packed(struct mca_btl_base_endpoint_t *e, opal_convertor_t *convertor, size_t reserve,
				       size_t *size, uint32_t flags)
{
	opal_free_list_t *list = list_for(reserve + *size);
	struct fragment *f = take_fragment(list ? list : &IVSHM.full, e, reserve, flags);
	struct iovec iov;
	uint32_t n = 1;

	if (!f)
		return NULL;
	if (!list)
		*size = MAX_SEND - reserve;
	iov.iov_base = (uint8_t *)f->segments[0].seg_addr.pval + reserve;
	iov.iov_len = *size;
	if (opal_convertor_pack(convertor, &iov, &n, size) < 0) {
		ivshm_free(NULL, &f->super);
		return NULL;
	}
	f->segments[0].seg_len = reserve + *size;
	return f;
}

mca_btl_base_descriptor_t *ivshm_prepare_src(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e,
					     opal_convertor_t *convertor, uint8_t order, size_t reserve, size_t *size,
					     uint32_t flags)
{
	struct fragment *f;

	(void)btl;
	(void)order;
	if (reserve > HEADER_ROOM)
		return NULL;
	f = opal_convertor_need_buffers(convertor) ? prepare_packed(e, convertor, reserve, size, flags)
						   : prepare_user(e, convertor, reserve, size, flags);
	return f ? &f->super : NULL;
}

bool ivshm_push(struct mca_btl_base_endpoint_t *e, const struct fragment *f)
{
	const mca_btl_base_segment_t *s = f->segments;
	uint32_t second = f->super.des_segment_count > 1 ? (uint32_t)s[1].seg_len : 0, len = (uint32_t)s[0].seg_len + second;
	uint8_t *to = ivshm_tx_reserve(&e->tx, len);

	if (!to)
		return false;
	IVSHM.copy(to, s[0].seg_addr.pval, s[0].seg_len);
	if (second)
		IVSHM.copy(to + s[0].seg_len, s[1].seg_addr.pval, second);
	ivshm_tx_commit(&e->tx, len, f->tag);
	return true;
}

void ivshm_complete(struct mca_btl_base_endpoint_t *e, struct fragment *f)
{
	bool ours = f->super.des_flags & MCA_BTL_DES_FLAGS_BTL_OWNERSHIP;

	if ((f->super.des_flags & MCA_BTL_DES_SEND_ALWAYS_CALLBACK) && f->super.des_cbfunc)
		f->super.des_cbfunc(&mca_btl_ivshm.super, e, &f->super, OPAL_SUCCESS);
	if (ours)
		ivshm_free(NULL, &f->super);
}

int ivshm_check(struct mca_btl_base_endpoint_t *e)
{
	if (e->tx.broken)
		ivshm_endpoint_fail(e, "claims to have read what was not sent to it");
	return e->failed ? OPAL_ERR_UNREACH : OPAL_SUCCESS;
}

int ivshm_send(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, mca_btl_base_descriptor_t *des,
	       mca_btl_base_tag_t tag)
{
	struct fragment *f = (struct fragment *)des;
	bool open, sent = false;

	(void)btl;
	f->tag = tag;
	f->endpoint = e;
	ivshm_lock();
	open = ivshm_endpoint_open(e) == 0;
	if (open)
		sent = opal_list_is_empty(&e->pending) && ivshm_push(e, f);
	if (open && !sent) {
		f->super.des_flags |= MCA_BTL_DES_SEND_ALWAYS_CALLBACK;
		opal_list_append(&e->pending, (opal_list_item_t *)f);
		IVSHM.n_waiting += !e->waits;
		e->waits = true;
	}
	ivshm_unlock();
	if (!open)
		return OPAL_ERR_UNREACH;
	if (!sent)
		return ivshm_check(e);
	ivshm_complete(e, f);
	return 1;
}

static void pack(uint8_t *to, opal_convertor_t *convertor, size_t size)
{
	struct iovec iov = { .iov_base = to, .iov_len = size };
	uint32_t n = 1;
	void *from;

	if (opal_convertor_need_buffers(convertor)) {
		opal_convertor_pack(convertor, &iov, &n, &size);
		return;
	}
	opal_convertor_get_current_pointer(convertor, &from);
	IVSHM.copy(to, from, size);
}

int ivshm_sendi(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, opal_convertor_t *convertor,
		void *header, size_t header_size, size_t payload_size, uint8_t order, uint32_t flags,
		mca_btl_base_tag_t tag, mca_btl_base_descriptor_t **des)
{
	size_t len = header_size + payload_size;
	uint8_t *to = NULL;

	ivshm_lock();
	if (len <= EAGER_LIMIT && e->sends && !e->waits)
		to = ivshm_tx_reserve(&e->tx, (uint32_t)len);
	if (to) {
		memcpy(to, header, header_size);
		if (payload_size)
			pack(to + header_size, convertor, payload_size);
		ivshm_tx_commit(&e->tx, (uint32_t)len, tag);
	}
	ivshm_unlock();
	if (to)
		return OPAL_SUCCESS;
	if (des)
		*des = ivshm_alloc(btl, e, order, len, flags);
	return OPAL_ERR_OUT_OF_RESOURCE;
}
