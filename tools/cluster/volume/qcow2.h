// SPDX-License-Identifier: Apache-2.0
/* The header of a qcow2 that somebody else may have written. */
#ifndef VH_CLUSTER_VOLUME_QCOW2_H
#define VH_CLUSTER_VOLUME_QCOW2_H

#include <stdint.h>

enum qcow2_is {
	QCOW2_PLAIN,		/* all of it is in its own file */
	QCOW2_NONE,		/* it is no qcow2 of version 3 */
	QCOW2_ELSEWHERE,	/* it names another file, or has its data in a form that we do not make */
};
enum { QCOW2_HEAD = 80 };
/* *ret_size: the disk's bytes, of one that is a qcow2. */
enum qcow2_is qcow2_judge(const uint8_t head[QCOW2_HEAD], uint64_t *ret_size);

#endif
