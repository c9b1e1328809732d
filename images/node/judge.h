// SPDX-License-Identifier: Apache-2.0
/* Whether what a running machine said is what its image promises: a finding a check. */
#ifndef VH_JUDGE_H
#define VH_JUDGE_H

#include <jansson.h>
#include <stdbool.h>
#include "lib/err.h"
#include "lib/show/finding.h"

struct vh_judge {
	const json_t *image;	/* its image.json, which may be from anywhere */
	const char *text;	/* what the machine answered, lines "@WHAT VALUE" (lib/answer.h), untrusted */
	bool overlay;		/* its root is an overlay in memory, which has no size of its own */
	const char *object;	/* of the findings: how it was booted */
	struct vh_findings *findings;
	struct vh_err *err;
};

/* The value of a key of the image's recipe, or NULL. */
const json_t *vh_judge_recipe(const json_t *image, const char *key);
/* A text of an object, "" where there is none. */
const char *vh_judge_text(const json_t *o, const char *key);

/* All add findings, 0 or -ENOMEM. wanted and found may be NULL: not known, not there. */
int vh_judge_add(const struct vh_judge *j, const char *check, const char *wanted, const char *found, bool holds);
/* The answer to what is that text. */
int vh_judge_equal(const struct vh_judge *j, const char *check, const char *what, const char *wanted);
/* Each item of a list by findings of its own. */
int vh_judge_each(const struct vh_judge *j, const json_t *list,
		  int (*judge)(const struct vh_judge *j, const json_t *item));
/* One for all of a list, which names those that differ; none for an empty one. */
int vh_judge_all(const struct vh_judge *j, const json_t *list, const char *check,
		 bool (*holds)(const char *text, const char *name));

#endif
