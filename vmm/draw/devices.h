// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_DRAW_DEVICES_H
#define VH_VMM_DRAW_DEVICES_H

#include "vmm/draw/shapes.h"

/* The devices near a node (-1: near none), in boxes of what they are behind. */
struct vh_svg_size vh_svg_devices(const struct vh_svg *d, int node, int x, int y);

#endif
