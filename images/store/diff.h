// SPDX-License-Identifier: Apache-2.0
/* What two images differ in, by their image.json. */
#ifndef VH_IMAGE_DIFF_H
#define VH_IMAGE_DIFF_H

#include <jansson.h>

/* Rows {"what": "package" or "recipe" or "image", "name", "first", "second"}, the last two
 * null where one lacks it; NULL without memory. */
json_t *vh_image_differences(const json_t *first, const json_t *second);

#endif
