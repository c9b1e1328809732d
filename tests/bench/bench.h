// SPDX-License-Identifier: Apache-2.0
/* What benchmarks share: a captured host of many VFs, and programs against the clock. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

/* Seconds, from whenever. */
double bench_now(void);

/* Below the directory, which is there, what /sys has of a host with two sockets of four cores, and so many PFs
 * of so many VFs (127 at most): half of them on each socket, half of the VFs for VMs and half with the host. */
int bench_make_host(const char *dir, unsigned pfs, unsigned vfs_a_pf, struct vh_err *err);

/* The least of runs, in seconds; *ret_cpu: what the processor had to do with it, which neighbours on the machine
 * do not lengthen. may_fail: whatever it exits with. */
int bench_time_program(char *const *argv, int runs, bool may_fail, double *ret, double *ret_cpu, struct vh_err *err);

#endif
