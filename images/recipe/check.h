// SPDX-License-Identifier: Apache-2.0
/* What single values of a recipe may be: each becomes a package, a path, a line of some file. */
#ifndef VH_RECIPE_CHECK_H
#define VH_RECIPE_CHECK_H

#include "lib/err.h"

/* All: 0, or -EINVAL with the value in the text. */
int vh_check_package(const char *value, struct vh_err *err);
/* "NAME", or "SUITE:NAME" for that suite alone. */
int vh_check_suite_package(const char *value, struct vh_err *err);
/* A kernel's flavour, or a package. */
int vh_check_kernel(const char *value, struct vh_err *err);
int vh_check_unit(const char *value, struct vh_err *err);
int vh_check_pattern(const char *value, struct vh_err *err);
/* Of a file to put: absolute, without "..", and not where something is mounted at boot. */
int vh_check_path(const char *value, struct vh_err *err);
int vh_check_mode(const char *value, struct vh_err *err);
/* "USER" or "USER:GROUP", names or numbers. */
int vh_check_owner(const char *value, struct vh_err *err);
int vh_check_module(const char *value, struct vh_err *err);
int vh_check_cmdline(const char *value, struct vh_err *err);
int vh_check_format(const char *value, struct vh_err *err);
/* A login; root is none, but where users are listed. */
int vh_check_user(const char *value, struct vh_err *err);
int vh_check_listed_user(const char *value, struct vh_err *err);
/* An OpenSSH public key, without options. */
int vh_check_key(const char *value, struct vh_err *err);
int vh_check_url(const char *value, struct vh_err *err);
int vh_check_word(const char *value, struct vh_err *err);

/* Of "name: value" pairs. */
int vh_check_sysctl(const char *name, const char *value, struct vh_err *err);
int vh_check_sysfs(const char *name, const char *value, struct vh_err *err);
int vh_check_limit(const char *name, const char *value, struct vh_err *err);

#endif
