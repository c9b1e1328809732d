// SPDX-License-Identifier: Apache-2.0
/* Which OpenStack cloud, and as whom: clouds.yaml as openstacksdk finds it, or OS_* variables. */
#ifndef VH_CLOUDS_H
#define VH_CLOUDS_H

#include <stddef.h>
#include "lib/err.h"

/* The name that openstacksdk has for the cloud of the OS_* variables. */
#define VH_CLOUD_ENV "envvars"

enum vh_cloud_method { VH_CLOUD_PASSWORD, VH_CLOUD_APPLICATION_CREDENTIAL, VH_CLOUD_TOKEN };

/* By the names of clouds.yaml's keys; NULL: not given. */
struct vh_cloud {
	char *auth_url;		/* after vh_cloud_find: ends in /v3 */
	char *username, *user_id, *user_domain_name, *user_domain_id;
	char *project_name, *project_id, *project_domain_name, *project_domain_id;
	char *application_credential_id, *application_credential_name;
	char *password, *application_credential_secret, *token;		/* secret */
	char *auth_type, *region_name;
	char *interface;	/* after vh_cloud_find: public, internal or admin */
	char *image_endpoint_override;
	char *cacert, *cert, *key;	/* paths */
	char *tenant_name, *tenant_id, *endpoint_type, *verify, *insecure, *profile;	/* read, not used after */
	enum vh_cloud_method method;
};

/* The cloud of that name: of the clouds.yaml that $OS_CLIENT_CONFIG_FILE names, else of the first in .,
 * $XDG_CONFIG_HOME/openstack and /etc/openstack, with secure.yaml ($OS_CLIENT_SECURE_FILE, else beside
 * it) laid over it; of the variables only OS_REGION_NAME, OS_INTERFACE and OS_CACERT count. For
 * VH_CLOUD_ENV all variables, and no file. env is as environ. Refused, without a secret in the text,
 * where what is needed lacks. *ret is filled on success only. */
int vh_cloud_find(const char *name, char *const *env, struct vh_cloud *ret, struct vh_err *err);
/* One cloud out of the texts of such files (secure NULL: none), without variables. For vh_cloud_find and its tests. */
int vh_cloud_parse(const char *name, const char *file, const char *text, size_t len, const char *secure_file,
		   const char *secure, size_t secure_len, struct vh_cloud *ret, struct vh_err *err);
/* Fills in what follows from the rest, and refuses what lacks; from tells where it stands. */
int vh_cloud_complete(struct vh_cloud *cloud, const char *name, const char *from, struct vh_err *err);

/* A URL of http or https, with nothing in it that a log should not hold. */
int vh_cloud_check_url(const char *url, struct vh_err *err);
/* Without the slashes and the version ("/v3", "/v2.0") that it may end in; malloc'd. */
char *vh_cloud_base_url(const char *url);

/* Secrets are overwritten. */
void vh_cloud_clear(struct vh_cloud *cloud);
#define vh_autocloud vh_cleanup(vh_cloud_clear) struct vh_cloud

#endif
