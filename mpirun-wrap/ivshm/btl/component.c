// SPDX-License-Identifier: Apache-2.0
/* The component: what Open MPI loads, how peers find each other, and receiving. */
#include "mpirun-wrap/ivshm/btl/btl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <opal/class/opal_bitmap.h>
#include <opal/mca/base/mca_base_var.h>
#include <opal/runtime/opal_progress.h>
#include <opal/util/output.h>
#include <opal/util/proc.h>
#if BTL_VERSION >= 330
#include <opal/mca/pmix/pmix-internal.h>
#define GLOBAL PMIX_GLOBAL
#else
#include <opal/mca/pmix/pmix.h>
#define GLOBAL OPAL_PMIX_GLOBAL
#endif

enum { A_TURN = 16 };	/* messages taken from one peer before the next one's turn */

/* --- parameters */

static void string_param(const char *name, const char *help, char **storage)
{
	mca_base_component_var_register(&IVSHM.super.btl_version, name, help, MCA_BASE_VAR_TYPE_STRING, NULL, 0, 0,
					OPAL_INFO_LVL_3, MCA_BASE_VAR_SCOPE_LOCAL, storage);
}

static void unsigned_param(const char *name, const char *help, unsigned *storage)
{
	mca_base_component_var_register(&IVSHM.super.btl_version, name, help, MCA_BASE_VAR_TYPE_UNSIGNED_INT, NULL, 0, 0,
					OPAL_INFO_LVL_5, MCA_BASE_VAR_SCOPE_LOCAL, storage);
}

static void bool_param(const char *name, const char *help, bool *storage)
{
	mca_base_component_var_register(&IVSHM.super.btl_version, name, help, MCA_BASE_VAR_TYPE_BOOL, NULL, 0, 0,
					OPAL_INFO_LVL_3, MCA_BASE_VAR_SCOPE_LOCAL, storage);
}

static int component_register(void)
{
	mca_btl_base_module_t *m = &mca_btl_ivshm.super;

	IVSHM.piece = PIECE;
	string_param("path", "The shared region: a file, a PCI device's directory in sysfs, or a devdax device "
		     "(default: the first ivshmem device)", &IVSHM.path);
	string_param("copy", "How to copy: vectors, words, or auto (measured at start)", &IVSHM.copy_name);
	unsigned_param("piece", "Bytes of a long message that are sent at a time", &IVSHM.piece);
	bool_param("local", "Use the region between ranks of one machine too", &IVSHM.local);
	bool_param("report", "Say which region was mapped, how, and how it copies", &IVSHM.report);
	m->btl_eager_limit = m->btl_rndv_eager_limit = EAGER_LIMIT;
	m->btl_max_send_size = MAX_SEND;
	m->btl_exclusivity = MCA_BTL_EXCLUSIVITY_HIGH - 1;
	m->btl_latency = 2;
	m->btl_bandwidth = 20000;
	m->btl_flags = MCA_BTL_FLAGS_SEND | MCA_BTL_FLAGS_GET;
	m->btl_get_limit = SIZE_MAX;
	m->btl_registration_handle_size = ivshm_handle_size;
	return mca_btl_base_param_register(&IVSHM.super.btl_version, m);
}

static int component_open(void)
{
	return OPAL_SUCCESS;
}

static int component_close(void)
{
	return OPAL_SUCCESS;
}

/* --- start and end */

/* Processes of one mpirun may talk to each other, spawned ones included. */
static uint64_t job_key(void)
{
	uint64_t h = 0xcbf29ce484222325;
#if BTL_VERSION >= 330
	const char *s = opal_process_info.myprocid.nspace;

	for (; *s && *s != '@'; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h;
#else
	return (h ^ OPAL_PROC_MY_NAME.jobid >> 16) * 0x100000001b3;
#endif
}

static void say(const char *why, int error)
{
	const char *at = IVSHM.mapping.path;

	if (IVSHM.report)
		opal_output(0, "btl ivshm: no region: %s%s%s: %s", at, *at ? ": " : "", why, strerror(-error));
}

static void choose_copy(void)
{
	const struct ivshm_region *r = &IVSHM.region;
	const struct ivshm_copy *c = ivshm_copies;
	struct ivshm_run run;

	while (c->name && (!IVSHM.copy_name || strcmp(c->name, IVSHM.copy_name)))
		c++;
	if (!c->name)
		c = ivshm_claim(&IVSHM.region, 1, &run) == 0 ? ivshm_copy_choose(ivshm_run_at(r, run), IVSHM_CHUNK)
							     : ivshm_copies;
	IVSHM.copy = c->copy;
	if (IVSHM.report)
		opal_output(0, "btl ivshm: %s by %s: %llu MiB, %s, %.1f ns a load, copies by %s, slot %u of %u",
			    IVSHM.mapping.path, IVSHM.mapping.by, (unsigned long long)(r->size >> 20),
			    IVSHM.mapping.cached ? "write-back" : "not cached", IVSHM.mapping.load_ns, c->name,
			    r->mine.slot, r->n_slots);
}

static int join(void)
{
	struct ivshm_self self;
	int r = ivshm_map(IVSHM.path && *IVSHM.path ? IVSHM.path : NULL, &IVSHM.mapping);

	if (r < 0) {
		say("mapping", r);
		return r;
	}
	ivshm_self_here(&self, job_key(), OPAL_PROC_MY_NAME.vpid);
	r = ivshm_open(&IVSHM.region, IVSHM.mapping.base, IVSHM.mapping.size, !IVSHM.mapping.cached);
	if (r == 0)
		r = ivshm_join(&IVSHM.region, &self);
	if (r < 0) {
		say("joining", r);
		ivshm_unmap(&IVSHM.mapping);
		return r;
	}
	IVSHM.joined = true;
	choose_copy();
	return 0;
}

static int make_list(opal_free_list_t *list, size_t room)
{
	OBJ_CONSTRUCT(list, opal_free_list_t);
	return opal_free_list_init(list, sizeof(struct fragment), 64, OBJ_CLASS(fragment), room, 64, 0, -1, 32, NULL, 0,
				   NULL, NULL, NULL);
}

static int make_tables(void)
{
	uint32_t n = IVSHM.region.n_slots;

	IVSHM.by_slot = calloc(n, sizeof(*IVSHM.by_slot));
	IVSHM.all = calloc(2 * n, sizeof(*IVSHM.all));
	IVSHM.receiving = calloc(2 * n, sizeof(*IVSHM.receiving));
	if (!IVSHM.by_slot || !IVSHM.all || !IVSHM.receiving)
		return OPAL_ERR_OUT_OF_RESOURCE;
	if (make_list(&IVSHM.user, HEADER_ROOM) != OPAL_SUCCESS || make_list(&IVSHM.eager, EAGER_LIMIT) != OPAL_SUCCESS ||
	    make_list(&IVSHM.full, MAX_SEND) != OPAL_SUCCESS)
		return OPAL_ERR_OUT_OF_RESOURCE;
	return OPAL_SUCCESS;
}

static void leave(void)
{
	if (IVSHM.joined)
		ivshm_leave(&IVSHM.region);
	IVSHM.joined = false;
	ivshm_unmap(&IVSHM.mapping);
}

/* Every process publishes an address, if only to say that it has none: nobody waits for
 * what will not come. */
static int publish(void)
{
	struct ivshm_address none = { .slot = UINT32_MAX };
	int r;

	OPAL_MODEX_SEND(r, GLOBAL, &IVSHM.super.btl_version, IVSHM.joined ? &IVSHM.region.mine : &none, sizeof(none));
	return r;
}

static int component_progress(void);

static mca_btl_base_module_t **component_init(int *n, bool progress_threads, bool mpi_threads)
{
	mca_btl_base_module_t **modules = NULL;

	(void)progress_threads;
	*n = 0;
	IVSHM.threads = mpi_threads;
	if (join() == 0 && make_tables() == OPAL_SUCCESS)
		modules = calloc(1, sizeof(*modules));
	if (!modules)
		leave();
	if (publish() != OPAL_SUCCESS || !modules) {
		leave();
		free(modules);
		return NULL;
	}
	/* A peer may reach this process before, or although, this one reaches nobody. */
	opal_progress_register(component_progress);
	modules[0] = &mca_btl_ivshm.super;
	*n = 1;
	return modules;
}

static int module_finalize(mca_btl_base_module_t *btl)
{
	(void)btl;
	opal_progress_unregister(component_progress);
	ivshm_endpoints_free();
	leave();
	OBJ_DESTRUCT(&IVSHM.user);
	OBJ_DESTRUCT(&IVSHM.eager);
	OBJ_DESTRUCT(&IVSHM.full);
	return OPAL_SUCCESS;
}

/* --- peers */

static struct mca_btl_base_endpoint_t *reach(opal_proc_t *proc)
{
	struct mca_btl_base_endpoint_t *e = NULL;
	struct ivshm_address *address = NULL;
	size_t size = 0;
	int r;

	if (proc == opal_proc_local_get() || (!IVSHM.local && OPAL_PROC_ON_LOCAL_NODE(proc->proc_flags)))
		return NULL;
	OPAL_MODEX_RECV(r, &IVSHM.super.btl_version, &proc->proc_name, (void **)&address, &size);
	if (r == OPAL_SUCCESS && size == sizeof(*address) && ivshm_find(&IVSHM.region, address) == 0) {
		e = ivshm_endpoint(address->slot, address->generation);
		if (e && ivshm_endpoint_open(e) < 0) {
			opal_output_verbose(1, opal_btl_base_framework.framework_output,
					    "btl ivshm: no room for a channel to rank %u", e->rank);
			e = NULL;
		}
	}
	free(address);
	if (e)
		e->proc = proc;
	return e;
}

static int add_procs(mca_btl_base_module_t *btl, size_t n, opal_proc_t **procs,
		     struct mca_btl_base_endpoint_t **endpoints, opal_bitmap_t *reachable)
{
	(void)btl;
	for (size_t i = 0; i < n; i++) {
		ivshm_lock();
		endpoints[i] = reach(procs[i]);
		ivshm_unlock();
		if (endpoints[i] && reachable)
			opal_bitmap_set_bit(reachable, (int)i);
	}
	return OPAL_SUCCESS;
}

/* An endpoint lives as long as the module: its peer may still send. */
static int del_procs(mca_btl_base_module_t *btl, size_t n, opal_proc_t **procs, struct mca_btl_base_endpoint_t **endpoints)
{
	(void)btl;
	(void)procs;
	for (size_t i = 0; i < n; i++)
		if (endpoints[i])
			endpoints[i]->proc = NULL;
	return OPAL_SUCCESS;
}

static int register_error(mca_btl_base_module_t *btl, mca_btl_base_module_error_cb_fn_t fn)
{
	((struct ivshm_module *)btl)->on_error = fn;
	return OPAL_SUCCESS;
}

/* --- receiving */

static bool deliver(struct mca_btl_base_endpoint_t *e, const struct ivshm_message *m)
{
	const mca_btl_active_message_callback_t *to = mca_btl_base_active_message_trigger + m->tag;
	mca_btl_base_segment_t segment = { .seg_len = m->len };

	if (m->tag >= IVSHM_TAG_ASK)
		return ivshm_stream_message(e, m);
	if (!to->cbfunc || m->len == 0)
		return false;
	segment.seg_addr.pval = (void *)m->data;
#if BTL_VERSION >= 330
	to->cbfunc(&mca_btl_ivshm.super, &(mca_btl_base_receive_descriptor_t){
		.endpoint = e, .des_segments = &segment, .des_segment_count = 1, .tag = m->tag, .cbdata = to->cbdata });
#else
	to->cbfunc(&mca_btl_ivshm.super, m->tag, &(mca_btl_base_descriptor_t){
		.des_segments = &segment, .des_segment_count = 1 }, to->cbdata);
#endif
	return true;
}

static int receive(struct mca_btl_base_endpoint_t *e)
{
	struct ivshm_message m;
	int n = 0, r = 0;

	while (n < A_TURN && !e->failed && (r = ivshm_rx_peek(&e->rx, &m)) > 0) {
		if (!deliver(e, &m))
			r = -1;
		if (r < 0)
			break;
		ivshm_rx_done(&e->rx);
		n++;
	}
	if (r < 0)
		ivshm_endpoint_fail(e, "sent what is no message");
	return n;
}

static int progress(void)
{
	int n = 0;

	for (uint32_t i = 0; i < IVSHM.n_receiving; i++)
		n += receive(IVSHM.receiving[i]);
	if (IVSHM.n_waiting)
		n += ivshm_send_pending();
	if (IVSHM.knocks != ivshm_knocks(&IVSHM.region)) {
		IVSHM.knocks = ivshm_knocks(&IVSHM.region);
		ivshm_lock();
		ivshm_endpoints_knocked();
		ivshm_unlock();
	}
	return n;
}

/* A message's callback may come here again while the message is still being read. */
static int component_progress(void)
{
	int n;

	if (!IVSHM.joined || __atomic_load_n(&IVSHM.progressing, __ATOMIC_RELAXED))
		return 0;
	if (!IVSHM.threads)
		IVSHM.progressing = true;
	else if (__atomic_exchange_n(&IVSHM.progressing, true, __ATOMIC_ACQUIRE))
		return 0;
	n = progress();
	__atomic_store_n(&IVSHM.progressing, false, __ATOMIC_RELEASE);
	return n;
}

struct ivshm_module mca_btl_ivshm = {
	.super = {
		.btl_component = &mca_btl_ivshm_component.super,
		.btl_add_procs = add_procs,
		.btl_del_procs = del_procs,
		.btl_finalize = module_finalize,
		.btl_alloc = ivshm_alloc,
		.btl_free = ivshm_free,
		.btl_prepare_src = ivshm_prepare_src,
		.btl_send = ivshm_send,
		.btl_sendi = ivshm_sendi,
		.btl_get = ivshm_get,
		.btl_register_mem = ivshm_register,
		.btl_deregister_mem = ivshm_deregister,
		.btl_dump = mca_btl_base_dump,
		.btl_register_error = register_error,
	},
};

struct ivshm_component mca_btl_ivshm_component = {
	.super = {
		.btl_version = {
			MCA_BTL_DEFAULT_VERSION("ivshm"),
			.mca_open_component = component_open,
			.mca_close_component = component_close,
			.mca_register_component_params = component_register,
		},
		.btl_data = { .param_field = MCA_BASE_METADATA_PARAM_CHECKPOINT },
		.btl_init = component_init,
		.btl_progress = component_progress,
	},
};
