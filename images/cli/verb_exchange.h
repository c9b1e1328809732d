// SPDX-License-Identifier: Apache-2.0
/* What export shares with the other verbs that take --boot. */
#ifndef VH_IMAGES_VERB_EXCHANGE_H
#define VH_IMAGES_VERB_EXCHANGE_H

#include "images/images.h"

/* The way to boot of that name, for --boot. */
int vh_image_find_boot(const char *name, enum vh_boot *ret, struct vh_err *err);

#endif
