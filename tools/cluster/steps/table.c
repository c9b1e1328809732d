// SPDX-License-Identifier: Apache-2.0
/* The order of the steps: the plan prints it, apply walks it forwards, undo backwards. */
#include "tools/cluster/steps/steps.h"

const struct step *const cluster_steps[] = {
	&step_files,
	&step_region,
	&step_bridge,
	&step_tap,
	&step_disk,
	&step_domain,
	&step_start,
	&step_ready,
	&step_publish,
	NULL,
};
