// SPDX-License-Identifier: Apache-2.0
/* Which keys of a recipe are read back in a running machine, and how: a row each. A key asks by
 * lines of the script and judges the lines "@WHAT VALUE" that come back. */
#ifndef VH_VERIFY_KEYS_H
#define VH_VERIFY_KEYS_H

#include <stdio.h>
#include "images/verify/verify.h"
#include "lib/answer.h"

struct vh_judge {
	const json_t *image;	/* its image.json, which may be from anywhere */
	const char *text;	/* what the guest answered, untrusted */
	struct vh_verify *to;
	struct vh_err *err;
};

/* ask writes lines of the script; NULL: what is said of every machine tells it. judge adds the
 * rows; NULL: nothing of it is left in a machine. Both take the key's value, which may be NULL. */
struct vh_verify_key {
	const char *key;
	void (*ask)(FILE *f, const json_t *value);
	int (*judge)(const struct vh_judge *j, const char *key, const json_t *value);
};
extern const struct vh_verify_key vh_verify_keys[];

/* The value of a key of the image's recipe. */
const json_t *vh_verify_recipe(const json_t *image, const char *key);
/* "" where there is none. */
const char *vh_verify_text(const json_t *o, const char *key);

int vh_judge_equal(const struct vh_judge *j, const char *check, const char *what, const char *wanted);
/* One row for all of a list, which names those that differ. */
int vh_judge_all(const struct vh_judge *j, const json_t *list, const char *check, bool (*holds)(const char *text, const char *name));

/* verify_values.c: what the kernel and logins have. */
void vh_ask_sysctl(FILE *f, const json_t *value);
void vh_ask_sysfs(FILE *f, const json_t *value);
int vh_judge_values(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_limits(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_cmdline(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_mitigations(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_modules(FILE *f, const json_t *value);
int vh_judge_modules(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_blacklist(const struct vh_judge *j, const char *key, const json_t *value);

/* verify_units.c: what systemd has. */
void vh_ask_mask(FILE *f, const json_t *value);
int vh_judge_mask(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_enable(FILE *f, const json_t *value);
int vh_judge_enable(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_cloud_init(FILE *f, const json_t *value);
int vh_judge_cloud_init(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_console(FILE *f, const json_t *value);
int vh_judge_console(const struct vh_judge *j, const char *key, const json_t *value);

/* verify_packages.c: what is installed, and from where. */
void vh_ask_packages(FILE *f, const json_t *value);
int vh_judge_packages(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_set(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_backports(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_without(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_exclude(FILE *f, const json_t *value);
int vh_judge_exclude(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_suite(FILE *f, const json_t *value);
int vh_judge_suite(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_mirror(const struct vh_judge *j, const char *key, const json_t *value);
int vh_judge_components(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_repositories(FILE *f, const json_t *value);
int vh_judge_repositories(const struct vh_judge *j, const char *key, const json_t *value);

/* verify_files.c: files and logins. */
void vh_ask_files(FILE *f, const json_t *value);
int vh_judge_files(const struct vh_judge *j, const char *key, const json_t *value);
void vh_ask_users(FILE *f, const json_t *value);
int vh_judge_users(const struct vh_judge *j, const char *key, const json_t *value);

#endif
