// SPDX-License-Identifier: Apache-2.0
/* Images into an OpenStack cloud. */
#ifndef VH_CLOUD_H
#define VH_CLOUD_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include "images/images.h"
#include "lib/show/progress.h"

struct vh_cloud_publish {
	const char *store, *name, *state;
	const char *cloud;		/* its name in clouds.yaml, or what vh_cloud_chosen gives */
	enum vh_boot boot;		/* VH_BOOTS: by UEFI where the image does, else direct */
	const char *visibility;		/* Glance's word */
	bool replace;			/* an image of that name that is another gives way */
	bool dry_run;			/* nothing is changed */
	unsigned stall_s;
	const volatile sig_atomic_t *stop;	/* or NULL */
	struct vh_progress *progress;
};

/* The cloud that the variables choose (OS_CLOUD, else VH_CLOUD_ENV where OS_AUTH_URL is set), or NULL. Borrowed. */
const char *vh_cloud_chosen(char *const *env);

/* Sends what Glance has not; *ret are the rows of the plan (image, id, action (there, send), size, sha512, replaces),
 * the image to boot last. However it ends, no image of this run is there half-made; where that cannot be had, or an
 * old one stays, the error exits with VH_EXIT_PARTIAL. */
int vh_image_publish_cloud(const struct vh_cloud_publish *p, json_t **ret, struct vh_err *err);

#endif
