// SPDX-License-Identifier: Apache-2.0
/* apt, with sources, keys, lists and settings of its own: nothing of the host's but the proxy. */
#ifndef VH_APT_H
#define VH_APT_H

#include "images/packages/archive.h"
#include "images/packages/complaint.h"
#include "lib/spawn.h"

struct vh_apt {
	const struct vh_archive *a;
	char *dir;		/* CACHE/apt/SUITE-HASH */
	char *config;		/* "APT_CONFIG=..." */
	char *debs;		/* CACHE/debs */
	int lock;		/* nobody else changes the lists meanwhile */
	struct vh_complaint complaint;
};
#define VH_APT_NONE { .lock = -1 }
void vh_apt_clear(struct vh_apt *t);

/* Waits for the lock; status: dpkg's, of what counts as installed. */
int vh_apt_open(struct vh_apt *t, const struct vh_archive *a, const char *status, struct vh_err *err);
/* Gets the lists of today, making the directory first where there is none. */
int vh_apt_refresh(struct vh_apt *t, struct vh_err *err);
/* Runs a program of apt's in cwd; its failure is explained by what it said. ret may be NULL. */
int vh_apt_run(struct vh_apt *t, char *const *argv, const char *cwd, struct vh_output *ret, struct vh_err *err);
/* The same for what only asks: quick, and not in the log. */
int vh_apt_ask(const struct vh_apt *t, char *const *argv, struct vh_output *ret, struct vh_err *err);

#endif
