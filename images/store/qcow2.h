// SPDX-License-Identifier: Apache-2.0
/* Whether a qcow2 is nothing but a disk of its own (QEMU's docs/interop/qcow2.txt). */
#ifndef VH_QCOW2_H
#define VH_QCOW2_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the file's beginning that are enough. */
enum { VH_QCOW2_HEAD = 65536 };

/* NULL when the disk that begins so (len: VH_QCOW2_HEAD, or all of it) is as publish writes one: version 3, of
 * that many bytes, in plain clusters, and what it holds stands in no other file, is not encrypted and has no
 * snapshots. Otherwise what it is instead, for "the disk ..."; not to be freed. */
const char *vh_qcow2_objection(const uint8_t *head, size_t len, uint64_t size);

#endif
