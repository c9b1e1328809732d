// SPDX-License-Identifier: Apache-2.0
/* The store: one SQLite database (WAL) under the state directory, STATE/store.db, 0600.
 * It holds what neither the kernel nor libvirt can: leases, records and the journal.
 * Safe between processes and threads (a group keeps other threads out until its end);
 * every call is one transaction unless vh_store_begin groups them. */
#ifndef VH_STORE_H
#define VH_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_store;

enum vh_store_mode {
	VH_STORE_READ,		/* a missing store reads as an empty one; writing fails; also where the file system is read-only */
	VH_STORE_WRITE,		/* made (with its directory, 0711) where missing */
};

int vh_store_open(struct vh_store **ret, const char *state, enum vh_store_mode mode, struct vh_err *err);
void vh_store_close(struct vh_store *s);
static inline void vh_store_closep(struct vh_store **s) { vh_store_close(*s); }
#define vh_autostore vh_cleanup(vh_store_closep) struct vh_store *

/* Groups what follows into one transaction (BEGIN IMMEDIATE); end commits or rolls back. */
int vh_store_begin(struct vh_store *s, struct vh_err *err);
int vh_store_end(struct vh_store *s, bool commit, struct vh_err *err);
/* Ends the group by what came of it: r of 0 commits; below 0 it rolls back and returns r, err as it is. */
int vh_store_settle(struct vh_store *s, int r, struct vh_err *err);

/* --- leases: (kind, key) has one holder. Kinds in use: "cpu", "memory", "hugepage",
 * "subnet", "address", "mac", "vf", "guid". A holder is "vm/NAME" or "cluster/NAME". */

struct vh_lease {
	char *kind, *key, *holder;
	uint64_t amount;	/* bytes for memory, else 0 */
};

/* Takes the lease. Already held by the same holder: 0, and the amount is replaced.
 * Held by another: -EBUSY, refused, the text names the holder. */
int vh_lease_take(struct vh_store *s, const char *kind, const char *key, const char *holder,
		  uint64_t amount, struct vh_err *err);
/* Gives back all of a holder, or those of one kind; *ret_n (or NULL) counts them. */
int vh_lease_drop(struct vh_store *s, const char *holder, const char *kind, unsigned *ret_n,
		  struct vh_err *err);
/* Those of a kind and a holder, NULL meaning any, sorted by kind and key. */
int vh_lease_list(struct vh_store *s, const char *kind, const char *holder,
		  struct vh_lease **ret, size_t *ret_n, struct vh_err *err);
void vh_lease_free(struct vh_lease *leases, size_t n);

/* --- records: named JSON documents by class ("cluster", "sriov-wanted") */

int vh_record_put(struct vh_store *s, const char *class, const char *name, const json_t *doc,
		  struct vh_err *err);
/* -ENOENT (no error text) when there is none. */
int vh_record_get(struct vh_store *s, const char *class, const char *name, json_t **ret,
		  struct vh_err *err);
/* Object of name -> document. */
int vh_record_list(struct vh_store *s, const char *class, json_t **ret, struct vh_err *err);
int vh_record_delete(struct vh_store *s, const char *class, const char *name, struct vh_err *err);

/* --- journal: a step is written before it is done and marked after. run names whose
 * steps they are ("cluster/two-node"); what names the step and its object
 * ("bridge", "vb0123abcd"), enough for another process to undo it. */

enum vh_step_state { VH_STEP_BEGUN, VH_STEP_DONE };

struct vh_step {
	int64_t id;
	enum vh_step_state state;
	char *what, *object;
};

/* Writes the step as begun, durably, before its effect. The same (run, what, object)
 * again returns the row that is there, begun anew. */
int vh_journal_begin(struct vh_store *s, const char *run, const char *what, const char *object,
		     int64_t *ret_id, struct vh_err *err);
/* The step was done; or undone: forget it. On disk before any step that is begun later, and where other threads write,
 * not before: a run that is killed may find the step as begun. */
int vh_journal_done(struct vh_store *s, int64_t id, struct vh_err *err);
int vh_journal_forget(struct vh_store *s, int64_t id, struct vh_err *err);
/* A run's steps in the order they were begun. */
int vh_journal_list(struct vh_store *s, const char *run, struct vh_step **ret, size_t *ret_n,
		    struct vh_err *err);
void vh_journal_free(struct vh_step *steps, size_t n);

#endif
