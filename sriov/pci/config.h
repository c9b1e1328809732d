// SPDX-License-Identifier: Apache-2.0
/* PCI configuration space as /sys offers it: 64 bytes to anyone, all of it to root. */
#ifndef VH_SRIOV_CONFIG_H
#define VH_SRIOV_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/sysroot.h"

enum { VH_CONFIG_SIZE = 4096 };
enum { VH_CAP_EXPRESS = 0x10, VH_ECAP_ACS = 0x0d, VH_ECAP_ATS = 0x0f, VH_ECAP_SRIOV = 0x10 };

struct vh_config { uint8_t bytes[VH_CONFIG_SIZE]; size_t len; };

/* 0 or -errno. */
int vh_config_read(const struct vh_root *root, const char *address, struct vh_config *ret);
/* All of it was readable. */
bool vh_config_is_whole(const struct vh_config *c);
/* Where a capability, or an extended one, begins; 0: it has none such that can be read. */
unsigned vh_config_cap(const struct vh_config *c, uint8_t id);
unsigned vh_config_ecap(const struct vh_config *c, uint16_t id);
/* 0 past what was read. */
uint16_t vh_config_word(const struct vh_config *c, unsigned at);

#endif
