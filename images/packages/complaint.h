// SPDX-License-Identifier: Apache-2.0
/* What apt, dpkg and mmdebstrap say when they fail, made into one error. */
#ifndef VH_COMPLAINT_H
#define VH_COMPLAINT_H

#include <stdbool.h>
#include "lib/err.h"

enum { VH_COMPLAINT_TAIL = 6, VH_COMPLAINT_LINE = 400 };

struct vh_complaint {
	char tail[VH_COMPLAINT_TAIL][VH_COMPLAINT_LINE];	/* what went wrong, oldest first */
	char package[VH_COMPLAINT_LINE];	/* the one that the archive does not have */
	char unmet[VH_COMPLAINT_LINE];		/* what a package depends on in vain */
	bool unreachable, unfetched, full, untrusted, no_suite;
};

/* Takes in one line of what they say. */
void vh_complaint_line(struct vh_complaint *c, const char *line);
/* suite and work (the directory written to) are named in it. */
int vh_complaint_explain(const struct vh_complaint *c, const char *suite, const char *work,
			 struct vh_err *err);

#endif
