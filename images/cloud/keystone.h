// SPDX-License-Identifier: Apache-2.0
/* OpenStack's identity service, API v3: who we are there, and where its services are. */
#ifndef VH_KEYSTONE_H
#define VH_KEYSTONE_H

#include <jansson.h>
#include "images/cloud/clouds.h"
#include "images/cloud/http.h"

struct vh_keystone_token {
	char *id;		/* secret */
	json_t *doc;		/* "token" of the answer: catalog, project, expires_at */
};
void vh_keystone_token_clear(struct vh_keystone_token *t);
#define vh_autotoken vh_cleanup(vh_keystone_token_clear) struct vh_keystone_token

/* The body of POST /v3/auth/tokens, which holds the secret; NULL without memory or where a text is not UTF-8. */
json_t *vh_keystone_request(const struct vh_cloud *cloud);
/* The token out of what came back; answer's is taken. -EPROTO: there is none that a header can be made of. */
int vh_keystone_read(const struct vh_http_request *request, struct vh_http_answer *answer, struct vh_keystone_token *ret,
		     struct vh_err *err);
int vh_keystone_login(struct vh_http *http, const struct vh_cloud *cloud, struct vh_keystone_token *ret, struct vh_err *err);

/* Where images are in that region, by that interface, without a version or a slash at its end;
 * image_endpoint_override goes before the catalog. Refused where the catalog has none, or several regions
 * and none is chosen. malloc'd. */
int vh_keystone_image_url(const json_t *token, const struct vh_cloud *cloud, char **ret, struct vh_err *err);
/* The project's id; refused where the token is not for one. Borrowed. */
int vh_keystone_project(const json_t *token, const char **ret, struct vh_err *err);

#endif
