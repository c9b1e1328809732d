// SPDX-License-Identifier: Apache-2.0
/* What a shell on the head is asked, and told, over ssh. */
#ifndef VH_CLUSTER_SLURM_ASK_H
#define VH_CLUSTER_SLURM_ASK_H

#include <stdbool.h>

#include "lib/err.h"

struct slurm;

/* Untrusted: a guest's words. */
struct said {
	bool well;		/* the command ended well */
	char *text;		/* what it printed; else the last that it complained of, which a terminal bears */
};
void said_clear(struct said *s);
#define autosaid vh_cleanup(said_clear) struct said

/* What Slurm's own tools are asked is answered to anybody. */
int head_ask(const struct slurm *s, const char *ssh_config, const char *command, struct said *ret, struct vh_err *err);
/* What changes it root says; what does not end well is an error. command is taken over, and may be NULL. */
int head_tell(const struct slurm *s, const char *ssh_config, char *command, struct vh_err *err);

#endif
