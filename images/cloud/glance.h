// SPDX-License-Identifier: Apache-2.0
/* OpenStack's image service, API v2. */
#ifndef VH_GLANCE_H
#define VH_GLANCE_H

#include <jansson.h>
#include "images/cloud/glance_plan.h"
#include "images/cloud/http.h"
#include "images/cloud/keystone.h"

struct vh_glance {
	struct vh_http *http;		/* borrowed, as is the cloud */
	const struct vh_cloud *cloud;
	struct vh_keystone_token token;
	char *url;			/* up to /v2 */
	char *project;			/* its id */
};

/* Logs in and finds the service. */
int vh_glance_open(struct vh_glance *ret, struct vh_http *http, const struct vh_cloud *cloud, struct vh_err *err);
void vh_glance_close(struct vh_glance *g);
#define vh_autoglance vh_cleanup(vh_glance_close) struct vh_glance

/* Every image of that name that the project sees; an array. */
int vh_glance_find(struct vh_glance *g, const char *name, json_t **ret, struct vh_err *err);
/* Makes the item's image, without bytes yet, under item->id; -EREMOTEIO: Glance said no, and has none. */
int vh_glance_create(struct vh_glance *g, const struct vh_glance_item *item, struct vh_err *err);
/* Sends its file; sent is told the bytes as they go. */
int vh_glance_send(struct vh_glance *g, const struct vh_glance_item *item, void (*sent)(void *arg, uint64_t bytes),
		   void *arg, struct vh_err *err);
/* Waits until Glance is done with it, and compares what it has with what was sent. */
int vh_glance_verify(struct vh_glance *g, const struct vh_glance_item *item, struct vh_err *err);
/* 0 too where it is not there. */
int vh_glance_remove(struct vh_glance *g, const char *id, struct vh_err *err);

#endif
