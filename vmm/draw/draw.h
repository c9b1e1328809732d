// SPDX-License-Identifier: Apache-2.0
/* A host with a plan's CPUs, memory and devices marked, as text and as SVG. left is as before the
 * plan; plan NULL: the host alone. */
#ifndef VH_VMM_DRAW_H
#define VH_VMM_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "lib/err.h"

struct vh_left;
struct vh_plan;

void vh_plan_picture(FILE *f, const struct vh_left *left, const struct vh_plan *plan);
int vh_plan_svg(const char *path, const char *title, const struct vh_left *left, const struct vh_plan *plan,
		struct vh_err *err);

/* What the plan makes of a CPU: '#' runs a vCPU, 'e' the emulator, '+' kept idle, '~' vCPUs
 * float on it, '.' free, 'x' taken. */
char vh_plan_mark(const struct vh_left *left, const struct vh_plan *plan, unsigned cpu);
bool vh_plan_has_device(const struct vh_plan *plan, size_t device);
/* Bytes of a node that are the VM's. */
uint64_t vh_plan_memory(const struct vh_plan *plan, size_t node);

#endif
