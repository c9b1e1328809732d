// SPDX-License-Identifier: Apache-2.0
/* Small numbers of CPUs and nodes. */
#ifndef VH_NUMBERS_H
#define VH_NUMBERS_H

#include <stddef.h>

void vh_sort_unsigned(unsigned *v, size_t n);
/* "0-1,5" of CPUs or nodes in any order; malloc'd, NULL without memory. */
char *vh_cpu_list(const unsigned *v, size_t n);

#endif
