// SPDX-License-Identifier: Apache-2.0
/* Whether a cluster's Slurm is up, which its head is asked for over ssh. */
#include "tools/cluster/slurm/slurm.h"

#include <errno.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/ask.h"
#include "tools/cluster/slurm/judge.h"

static const struct timespec pause_of = { .tv_nsec = 300 * 1000 * 1000 };

int slurm_amiss(const struct slurm *s, const char *ssh_config, char **ret, struct vh_err *err)
{
	autosaid said = { 0 };
	vh_autofree char *text = NULL;
	int r = head_ask(s, ssh_config, nodes_question, &said, err);

	if (r < 0)
		return r;
	text = said.well ? slurm_absent(s, said.text) : vh_strf("sinfo says: %s", said.text);
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
