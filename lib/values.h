// SPDX-License-Identifier: Apache-2.0
/* Values as people write them: sizes, counts, names. Untrusted text in, checked out. */
#ifndef VH_VALUES_H
#define VH_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

/* "512M", "2G", "1.5G", "4096" (bytes); K, M, G, T are powers of 1024, with or
 * without a trailing iB. -EINVAL for anything else, -ERANGE past 2^63-1. */
int vh_size_parse(const char *text, uint64_t *ret_bytes, struct vh_err *err);
/* "1.5 GiB", into buf (16 bytes are enough); returns buf. */
const char *vh_size_format(char *buf, size_t len, uint64_t bytes);

/* Decimal, no sign, no spaces; -ERANGE past max. */
int vh_uint_parse(const char *text, uint64_t max, uint64_t *ret, struct vh_err *err);

/* A host name label (RFC 1123: letters, digits, inner hyphens; at most 63), lower case. */
bool vh_is_hostname(const char *s);
int vh_hostname_check(const char *s, struct vh_err *err);

/* A login as Debian gives them: lower-case letters, digits, _ and -, at most 32, not first a digit or -. */
bool vh_is_login(const char *s);
int vh_login_check(const char *s, struct vh_err *err);

/* "0000:3b:00.1", "02:00:00:00:00:01", as the kernel writes them. */
bool vh_is_pci_address(const char *s);
bool vh_is_mac(const char *s);

/* A list of small integers in the kernel's form "0-3,8": a fresh array, NULL when empty. */
int vh_cpulist_parse(const char *text, unsigned **ret, size_t *ret_n);
/* The kernel's form of n sorted integers; malloc'd, NULL without memory. */
char *vh_cpulist_format(const unsigned *v, size_t n);
/* The same of integers in any order. */
char *vh_cpu_list(const unsigned *v, size_t n);
void vh_sort_unsigned(unsigned *v, size_t n);

/* The upstream release in a Debian version: "1:4.1.4+ds-3+b1" is 4.1.4, "4.3.0+really4.2.1-1" is 4.2.1,
 * what its programs say of themselves. malloc'd, NULL without memory. */
char *vh_version_upstream(const char *version);

#endif
