// SPDX-License-Identifier: Apache-2.0
/* What the programs inside a node and those that build it agree on: the disk that grows at boot. */
#ifndef VH_GUEST_H
#define VH_GUEST_H

#include "images/guest/gpt.h"

#endif
