// SPDX-License-Identifier: Apache-2.0
/* Changes of the store, and looks at it, one thread after the other; private to its parts. */
#ifndef VH_STORE_TRANSACTION_H
#define VH_STORE_TRANSACTION_H

#include "lib/err.h"
#include "lib/store/store.h"

/* Around a change of several statements: a transaction, the caller's where he has one, else one that other threads'
 * changes may be in, too. leave takes the result so far and returns the final one, once the change is on disk. */
int vh_sql_enter(struct vh_store *s, struct vh_err *err);
int vh_sql_leave(struct vh_store *s, int result, struct vh_err *err);
/* The same, but where another thread waits the change goes to disk with that one's, and nobody is told if it cannot. */
int vh_sql_leave_early(struct vh_store *s, int result, struct vh_err *err);
/* Around a look: at what is on disk, or the caller has changed. */
void vh_sql_look(struct vh_store *s);
void vh_sql_looked(struct vh_store *s);

#endif
