// SPDX-License-Identifier: Apache-2.0
/* Where nobody says that a VM has ended (the host went down, or libvirt was gone when QEMU was) its process
 * tells: what is not there any more holds nothing. */
#include "vmm/life/life.h"

#include <errno.h>
#include <string.h>

#include "lib/child.h"
#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

/* Records by holder: {"boot", "pids": its namespace of processes, "pid", "start", "uuid": the VM's}; pid 0: none yet. */
static const char life[] = "vm-life";

struct here { char *boot, *pids, **procs; };

static void here_clear(struct here *h)
{
	free(h->boot);
	free(h->pids);
	vh_strv_free(h->procs);
}

/* What a number of a process means here; -errno where that cannot be told. */
static int here_load(const struct vh_root *root, struct here *h)
{
	int r = vh_root_read(root, &h->boot, "proc/sys/kernel/random/boot_id");

	return r < 0 ? r : vh_root_readlink(root, &h->pids, "proc/self/ns/pid");
}

static int here_load_all(const struct vh_root *root, struct here *h)
{
	int r = here_load(root, h);

	return r < 0 ? r : vh_root_list(root, &h->procs, "proc");
}

static const char *text_of(const json_t *doc, const char *key)
{
	const char *text = json_string_value(json_object_get(doc, key));

	return text ? text : "";
}

static bool is_alive(const struct vh_root *root, const json_t *doc)
{
	char start[VH_PROCESS_START];
	int r = vh_process_start(root, (int)json_integer_value(json_object_get(doc, "pid")), start);

	/* What cannot be told is no proof. */
	return r == 0 ? !strcmp(start, text_of(doc, "start")) : r != -ESRCH;
}

/* Of this boot only what had a process is judged, and only where its number means the same. */
static bool is_over(const struct vh_root *root, const struct here *here, const char *holder, const json_t *doc)
{
	bool same_boot = !strcmp(text_of(doc, "boot"), here->boot);

	if (strncmp(holder, "vm/", 3))
		return false;
	if (same_boot && (!json_integer_value(json_object_get(doc, "pid")) || strcmp(text_of(doc, "pids"), here->pids)))
		return false;
	if (same_boot && is_alive(root, doc))
		return false;
	return !vh_qemu_process(root, here->procs, holder + 3, text_of(doc, "uuid"));
}

const char *vh_life_process(struct vh_store *s, const struct vh_root *root, char *const *pids, const char *holder)
{
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson doc = NULL;

	if (strncmp(holder, "vm/", 3))
		return NULL;
	vh_record_get(s, life, holder, &doc, &none);
	return vh_qemu_process(root, pids, holder + 3, text_of(doc, "uuid"));
}

int vh_life_end(struct vh_store *s, const char *holder, struct vh_err *err)
{
	static const char *const kinds[] = { "cpu", "memory", "hugepage", "vf" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(kinds); i++)
		r = vh_lease_drop(s, holder, kinds[i], NULL, err);
	return r < 0 ? r : vh_record_delete(s, life, holder, err);
}

static int doc_of(const struct vh_root *root, const struct here *here, const char *uuid, pid_t pid, json_t **ret,
		  struct vh_err *err)
{
	char start[VH_PROCESS_START] = "";

	if (pid && vh_process_start(root, pid, start) < 0)
		pid = 0;
	*ret = json_pack("{ss ss si ss ss*}", "boot", here->boot, "pids", here->pids, "pid", (int)pid, "start", start,
			 "uuid", uuid);
	return *ret ? 0 : vh_err_nomem(err);
}

int vh_life_begin(struct vh_store *s, const struct vh_root *root, const char *holder, const char *uuid, pid_t pid,
		  struct vh_err *err)
{
	vh_cleanup(here_clear) struct here here = { 0 };
	vh_autojson was = NULL;
	vh_autojson doc = NULL;
	int r = here_load(root, &here);

	/* A captured host has no processes. */
	if (r < 0)
		return r == -ENOENT ? 0 : vh_err_set(err, -r, "/proc: %s", strerror(-r));
	r = doc_of(root, &here, uuid, pid, &doc, err);
	if (r == 0 && !json_integer_value(json_object_get(doc, "pid")))
		r = vh_record_get(s, life, holder, &was, err);
	if (r < 0 && r != -ENOENT)
		return r;
	/* A plan for one that runs already does not hide its process. */
	if (was && !strcmp(text_of(was, "boot"), here.boot))
		return 0;
	return vh_record_put(s, life, holder, doc, err);
}

/* Holders whose VM has ended, a strv; NULL: none. */
static int find_over(struct vh_store *s, const struct vh_root *root, char ***ret, struct vh_err *err)
{
	vh_cleanup(here_clear) struct here here = { 0 };
	vh_autojson all = NULL;
	vh_autostrv over = NULL;
	const char *holder;
	json_t *doc;
	int r = vh_record_list(s, life, &all, err);

	if (r < 0)
		return r;
	if (!json_object_size(all) || (r = here_load_all(root, &here)) < 0)
		return r == -ENOMEM ? vh_err_nomem(err) : 0;
	json_object_foreach(all, holder, doc)
		if (is_over(root, &here, holder, doc) && vh_strv_push(&over, holder) < 0)
			return vh_err_nomem(err);
	*ret = vh_steal(&over);
	return 0;
}

int vh_lives_sweep(struct vh_store *s, const struct vh_root *root, struct vh_err *err)
{
	vh_autostrv over = NULL;
	int r = find_over(s, root, &over, err);

	for (char **holder = over; r == 0 && holder && *holder; holder++)
		r = vh_life_end(s, *holder, err);
	return r;
}

int vh_lives_sweep_state(const char *state, struct vh_err *err)
{
	vh_autostrv over = NULL;
	vh_autostore look = NULL;
	vh_autostore s = NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_store_open(&look, state, VH_STORE_READ, err);
	if (r == 0)
		r = find_over(look, root, &over, err);
	if (r < 0 || !over)
		return r;
	r = vh_store_open(&s, state, VH_STORE_WRITE, err);
	/* Where nothing can be written they count as they stand. */
	if (r == -EROFS) {
		vh_err_clear(err);
		return 0;
	}
	if (r == 0)
		r = vh_store_begin(s, err);
	return r < 0 ? r : vh_store_settle(s, vh_lives_sweep(s, root, err), err);
}
