// SPDX-License-Identifier: Apache-2.0
/* Whether a cluster's Slurm is up, which its head is asked for over ssh. */
#include "tools/cluster/slurm/slurm.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { LOGIN_MS = 30000 };
static const struct timespec pause_of = { .tv_nsec = 300 * 1000 * 1000 };

/* Tools of Slurm say every attempt. */
static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *end;

	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	end = strrchr(text, '\n');
	return vh_plain(end ? end + 1 : text);
}

int slurm_amiss(const struct slurm *s, const char *ssh_config, char **ret, struct vh_err *err)
{
	char *const argv[] = { "ssh", "-F", (char *)ssh_config, (char *)s->head, (char *)slurm_question, NULL };
	vh_autooutput out = { 0 };
	vh_autofree char *text = NULL;
	int r = vh_spawn_run(&(struct vh_spawn){ .argv = argv, .deadline_ms = LOGIN_MS }, &out, err);

	if (r < 0)
		return r;
	text = out.status == 0 ? slurm_absent(s, out.out) : vh_strf("sinfo says: %.160s", last_line(out.err));
	if (!text)
		return vh_err_nomem(err);
	*ret = vh_steal(&text);
	return 0;
}

static int is_late(const struct slurm *s, int within_ms, const char *amiss, struct vh_err *err)
{
	vh_err_set(err, ETIMEDOUT, "%s: Slurm is not up after %d s: %s", s->head, within_ms / 1000, amiss);
	return vh_err_hint(err, "apply --timeout SECONDS waits longer; with --keep, vhpc cluster ssh --user root %s %s journalctl -u slurmctld says more",
			   s->cluster, s->head);
}

int slurm_wait(const struct slurm *s, const char *ssh_config, int within_ms, bool *ret_waited, struct vh_err *err)
{
	const double begun = vh_now();
	bool waited = false;

	for (;; waited = true) {
		vh_autofree char *amiss = NULL;
		int r = slurm_amiss(s, ssh_config, &amiss, err);

		if (r == 0 && !*amiss)
			*ret_waited = waited;
		if (r < 0 || !*amiss)
			return r;
		if (vh_now() - begun > within_ms / 1e3)
			return is_late(s, within_ms, amiss, err);
		nanosleep(&pause_of, NULL);
	}
}
