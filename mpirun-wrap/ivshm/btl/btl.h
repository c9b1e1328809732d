// SPDX-License-Identifier: Apache-2.0
/* Open MPI's byte transfer layer "ivshm": one source for 4.1 (BTL 3.1) and 5.0 (BTL 3.3). */
#ifndef VH_IVSHM_BTL_H
#define VH_IVSHM_BTL_H

#include <opal_config.h>

#include <opal/class/opal_free_list.h>
#include <opal/class/opal_list.h>
#include <opal/constants.h>
#include <opal/datatype/opal_convertor.h>
#include <opal/mca/btl/base/base.h>
#include <opal/mca/btl/btl.h>
#include <opal/util/proc.h>

#include "mpirun-wrap/ivshm/core/core.h"

/* 8 KiB are eager: what a copy more costs there is less than asking back would. */
enum { HEADER_ROOM = 256, EAGER_LIMIT = (8 << 10) + HEADER_ROOM, MAX_SEND = 32 << 10, PIECE = 16 << 10, MAX_CHANNEL_CHUNKS = 8 };

/* A peer, by its slot. Receiving may begin before Open MPI names the peer to us. */
struct mca_btl_base_endpoint_t {
	uint32_t slot, generation, rank;
	bool sends, receives, failed;
	struct ivshm_tx tx;
	struct ivshm_rx rx;
	opal_list_t pending;		/* of fragments, when the channel is full */
	opal_list_t feeds;		/* of what the peer asked for */
	bool waits, feeding;		/* the one and the other is not empty */
	opal_proc_t *proc;		/* NULL until Open MPI named it */
};

struct fragment {
	mca_btl_base_descriptor_t super;
	mca_btl_base_segment_t segments[2];	/* header (and copied data); the user's data */
	opal_free_list_t *home;
	struct mca_btl_base_endpoint_t *endpoint;
	mca_btl_base_tag_t tag;
};
OBJ_CLASS_DECLARATION(fragment);

struct ivshm_module {
	mca_btl_base_module_t super;
	mca_btl_base_module_error_cb_fn_t on_error;
};

struct ivshm_component {
	mca_btl_base_component_t super;
	/* parameters */
	char *path, *copy_name;
	bool local, report;
	unsigned piece;			/* bytes of a long message that are sent at a time */

	struct ivshm_mapping mapping;
	struct ivshm_region region;
	ivshm_copy_fn *copy;
	bool joined, threads;
	int lock;			/* taken only with threads */
	bool progressing;
	uint32_t knocks, channel_chunks;
	struct mca_btl_base_endpoint_t **by_slot;
	struct mca_btl_base_endpoint_t **receiving;	/* n_receiving of them */
	struct mca_btl_base_endpoint_t **all;
	uint32_t n_receiving, n_all;
	uint32_t n_waiting;		/* lists of endpoints that are not empty */
	struct ivshm_table windows, pulls;
	opal_free_list_t user, eager, full;	/* fragments by the room of their buffer */
};

extern struct ivshm_component mca_btl_ivshm_component __attribute__((visibility("default")));
#define IVSHM mca_btl_ivshm_component
extern struct ivshm_module mca_btl_ivshm;

static inline void ivshm_lock(void)
{
	if (mca_btl_ivshm_component.threads)
		while (__atomic_exchange_n(&mca_btl_ivshm_component.lock, 1, __ATOMIC_ACQUIRE))
			__builtin_ia32_pause();
}

static inline void ivshm_unlock(void)
{
	if (mca_btl_ivshm_component.threads)
		__atomic_store_n(&mca_btl_ivshm_component.lock, 0, __ATOMIC_RELEASE);
}

/* --- endpoint.c: the first three with the lock */

/* The peer's endpoint, made where there is none; NULL: no memory, or too many. It lives until the end. */
struct mca_btl_base_endpoint_t *ivshm_endpoint(uint32_t slot, uint32_t generation);
/* Makes the channel to the peer, if there is none yet: 0, or why it cannot be used. */
int ivshm_endpoint_open(struct mca_btl_base_endpoint_t *e);
/* Finds the channels that peers have made to this process. */
void ivshm_endpoints_knocked(void);
/* Says once what the peer did, and tells Open MPI that it is lost. */
void ivshm_endpoint_fail(struct mca_btl_base_endpoint_t *e, const char *what);
/* All of them, at the end. */
void ivshm_endpoints_free(void);

/* --- send.c: Open MPI's functions of these names (opal/mca/btl/btl.h) */

mca_btl_base_descriptor_t *ivshm_alloc(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, uint8_t order,
				       size_t size, uint32_t flags);
int ivshm_free(mca_btl_base_module_t *btl, mca_btl_base_descriptor_t *des);
mca_btl_base_descriptor_t *ivshm_prepare_src(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e,
					     opal_convertor_t *convertor, uint8_t order, size_t reserve, size_t *size,
					     uint32_t flags);
int ivshm_send(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, mca_btl_base_descriptor_t *des,
	       mca_btl_base_tag_t tag);
int ivshm_sendi(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, opal_convertor_t *convertor,
		void *header, size_t header_size, size_t payload_size, uint8_t order, uint32_t flags,
		mca_btl_base_tag_t tag, mca_btl_base_descriptor_t **des);
/* Puts it into the channel; false: there is no room for it now. With the lock. */
bool ivshm_push(struct mca_btl_base_endpoint_t *e, const struct fragment *f);
/* Tells Open MPI that it was sent, and frees it where it is ours. */
void ivshm_complete(struct mca_btl_base_endpoint_t *e, struct fragment *f);
/* OPAL_ERR_UNREACH where the peer has failed or claims what cannot be. */
int ivshm_check(struct mca_btl_base_endpoint_t *e);

/* --- progress.c */

/* Sends what waited for room: how many messages and pieces went. */
int ivshm_send_pending(void);

/* --- get.c: Open MPI's functions again, and what answers them at the peer */

extern const size_t ivshm_handle_size;
mca_btl_base_registration_handle_t *ivshm_register(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e,
						   void *base, size_t size, uint32_t flags);
int ivshm_deregister(mca_btl_base_module_t *btl, mca_btl_base_registration_handle_t *handle);
int ivshm_get(mca_btl_base_module_t *btl, struct mca_btl_base_endpoint_t *e, void *local, uint64_t remote,
	      mca_btl_base_registration_handle_t *local_handle, mca_btl_base_registration_handle_t *remote_handle,
	      size_t size, int flags, int order, mca_btl_base_rdma_completion_fn_t done, void *context, void *data);
/* What a peer asks for or sends of a long message: false: it is none. */
bool ivshm_stream_message(struct mca_btl_base_endpoint_t *e, const struct ivshm_message *m);
/* Sends on what the peer asked for: how many pieces. */
int ivshm_feed(struct mca_btl_base_endpoint_t *e);

#endif
