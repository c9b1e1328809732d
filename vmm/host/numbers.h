// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_NUMBERS_H
#define VH_VMM_NUMBERS_H

#include <stddef.h>

void vh_sort_unsigned(unsigned *v, size_t n);

#endif
