// SPDX-License-Identifier: Apache-2.0
/* What becomes of a node that is off, by its policy and its past. */
#ifndef VH_CLUSTER_WATCH_H
#define VH_CLUSTER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "vmm/virt/virt.h"

enum { WATCH_HOUR_S = 3600, WATCH_PAST = 64 };

/* When a node was started again, by the clock on the wall, which outlives a boot; the earliest first. */
struct watch_past { int64_t at[WATCH_PAST]; size_t n; };

struct watch_case {
	bool failed_too, all_too;	/* whether a node is started again that failed; one that ended in order */
	unsigned limit;			/* how often in an hour */
	enum vh_virt_end end;
	bool off;			/* as it is to be */
	const struct watch_past *past;
	int64_t now;			/* by the same clock */
};

enum watch_what {
	WATCH_NOTHING,	/* it runs, or is off as it should be */
	WATCH_LEAVE,	/* somebody wants it off, which is to be remembered */
	WATCH_START,
	WATCH_WAIT,	/* it was started a moment ago, and has ended again */
	WATCH_LIMIT,	/* as often as it may be */
};
struct watch_verdict {
	enum watch_what what;
	const char *why;	/* why it is off; static */
	unsigned count;		/* how often it was started again within the hour */
};
struct watch_verdict watch_judge(const struct watch_case *c);

/* --- what is remembered of a node, in a directory of its own */

enum watch_mark {
	WATCH_WANTED,	/* to run: no mark */
	WATCH_OFF_NOW,	/* off as long as the host is up, whose end ends nodes too, as if somebody had stopped them */
	WATCH_OFF,	/* off until it is started */
};
/* Whether it is to be off. */
bool watch_is_off(const char *dir);
/* 0 also where it is so already, or nothing is there of the node. */
int watch_mark(const char *dir, enum watch_mark mark, struct vh_err *err);
/* What it was started again; empty where nothing is known. */
void watch_past_load(const char *dir, struct watch_past *ret);
/* Adds one, and forgets the oldest. On disk when it returns. */
int watch_past_add(const char *dir, struct watch_past *past, int64_t now, struct vh_err *err);

#endif
