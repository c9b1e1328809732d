// SPDX-License-Identifier: Apache-2.0
/* What other programs want to know of an image, from its image.json. */
#ifndef VH_SBOM_H
#define VH_SBOM_H

#include <jansson.h>
#include <stdint.h>

/* The list of packages as SPDX 2.3; NULL without memory. */
json_t *vh_sbom_spdx(const json_t *image);
/* Properties for Glance: of the root disk as an image booted by kernel and ramdisk (firmware
 * 0), or of the disk that firmware boots, which is that many bytes larger. */
json_t *vh_sbom_glance(const json_t *image, uint64_t firmware);

#endif
