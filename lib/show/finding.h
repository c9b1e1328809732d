// SPDX-License-Identifier: Apache-2.0
/* Findings: what a check looked at, what it found and wanted, and what mends it. All that
 * looks and judges (the doctor, verify, the preflight of a job, a VM beside its plan) tells it
 * in these words, as rows of one shape. */
#ifndef VH_FINDING_H
#define VH_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "lib/err.h"
#include "lib/show/table.h"

enum vh_verdict {
	VH_OK,
	VH_WRONG,
	VH_UNKNOWN,	/* this host cannot tell */
	VH_VERDICTS
};

struct vh_finding {
	const char *object;	/* what was looked at: an address, a node, a VM */
	const char *check;	/* what about it: "driver", "memlock" */
	enum vh_verdict verdict;
	const char *found;	/* text of strangers is made harmless; NULL: nothing */
	const char *wanted;	/* or NULL */
	const char *mend;	/* the command or setting that mends it; kept unless it is well; or NULL */
	bool stops;		/* a wrong one stops what was to be done; else it is only borne */
};

struct vh_findings {
	json_t *rows;		/* {object, check, verdict, found, wanted, mend, stops}; NULL: none yet */
	size_t count[VH_VERDICTS];
	size_t stops;		/* wrong ones that stop */
	bool no_memory;		/* one could not be kept: told by vh_findings_end */
};

#define VH_FINDINGS_NONE { 0 }
void vh_findings_clear(struct vh_findings *f);
#define vh_autofindings vh_cleanup(vh_findings_clear) struct vh_findings

/* Adds a copy of the finding. Returns its row, borrowed, to which the caller may add members of
 * its own; NULL without memory. */
json_t *vh_finding_add(struct vh_findings *f, const struct vh_finding *finding);

/* Moves all that from has behind what f has. */
void vh_findings_join(struct vh_findings *f, struct vh_findings *from);

/* The rows, given away (an empty array when nothing was found); f is empty then. -ENOMEM. */
int vh_findings_end(struct vh_findings *f, json_t **ret, struct vh_err *err);

/* --- reading rows */

bool vh_finding_is(const json_t *row, enum vh_verdict verdict);
/* A member that is a text; "" where it has none. */
const char *vh_finding_text(const json_t *row, const char *key);

/* OBJECT, CHECK, VERDICT, FOUND, and where any row has them WANTED and MEND: for vh_listing. */
enum { VH_FINDING_COLS = 7 };
void vh_finding_columns(const json_t *rows, struct vh_col ret[VH_FINDING_COLS]);
/* The table of the rows, or of those alone that are not well. */
void vh_findings_print(FILE *f, const json_t *rows, bool all);

#endif
