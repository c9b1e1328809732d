// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/cloud/keystone.h"
#include "lib/json.h"
#include "lib/strv.h"

void vh_keystone_token_clear(struct vh_keystone_token *t)
{
	if (t->id)
		explicit_bzero(t->id, strlen(t->id));
	free(t->id);
	json_decref(t->doc);
	*t = (struct vh_keystone_token){ 0 };
}

/* --- the request */

/* {"id"}, or {"name", "domain"}. */
static json_t *named(const char *id, const char *name, const char *domain_id, const char *domain_name)
{
	if (id)
		return json_pack("{s:s}", "id", id);
	return json_pack("{s:s, s:{s:s*, s:s*}}", "name", name, "domain", "id", domain_id, "name",
			 domain_id ? NULL : domain_name);
}

static json_t *user_of(const struct vh_cloud *c)
{
	return named(c->user_id, c->username, c->user_domain_id, c->user_domain_name);
}

static json_t *identity_of(const struct vh_cloud *c)
{
	json_t *user = NULL;

	switch (c->method) {
	case VH_CLOUD_TOKEN:
		return json_pack("{s:[s], s:{s:s}}", "methods", "token", "token", "id", c->token);
	case VH_CLOUD_APPLICATION_CREDENTIAL:
		if (c->application_credential_id)
			return json_pack("{s:[s], s:{s:s, s:s}}", "methods", "application_credential", "application_credential",
					 "id", c->application_credential_id, "secret", c->application_credential_secret);
		return json_pack("{s:[s], s:{s:s, s:s, s:o}}", "methods", "application_credential", "application_credential",
				 "name", c->application_credential_name, "secret", c->application_credential_secret, "user", user_of(c));
	case VH_CLOUD_PASSWORD:
		user = user_of(c);
		if (!user || json_object_set_new(user, "password", json_string(c->password)) < 0) {
			json_decref(user);
			return NULL;
		}
		return json_pack("{s:[s], s:{s:o}}", "methods", "password", "password", "user", user);
	}
	return NULL;
}

json_t *vh_keystone_request(const struct vh_cloud *c)
{
	bool scoped = c->method != VH_CLOUD_APPLICATION_CREDENTIAL && (c->project_id || c->project_name);
	json_t *auth = json_pack("{s:o}", "identity", identity_of(c));

	/* An application credential is its project's anyway. */
	if (auth && scoped &&
	    json_object_set_new(auth, "scope", json_pack("{s:o}", "project",
				named(c->project_id, c->project_name, c->project_domain_id, c->project_domain_name))) < 0) {
		json_decref(auth);
		return NULL;
	}
	return auth ? json_pack("{s:o}", "auth", auth) : NULL;
}

/* A header is made of it: nothing in it may end one. */
static bool is_token(const char *id)
{
	if (!id || !*id)
		return false;
	for (; *id; id++)
		if (*id <= ' ' || *id > '~')
			return false;
	return true;
}

int vh_keystone_read(const struct vh_http_request *request, struct vh_http_answer *answer, struct vh_keystone_token *ret,
		     struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = answer->code == 200 || answer->code == 201 ? vh_http_json(request, answer, &doc, err) :
		vh_http_refusal(request, answer, err);

	if (r < 0)
		return r;
	json_t *token = json_object_get(doc, "token");
	if (!json_is_object(token) || !is_token(answer->subject_token))
		return vh_err_set(err, EPROTO, "%s: answers without a token (is it Keystone v3?)", request->url);
	*ret = (struct vh_keystone_token){ .id = vh_steal(&answer->subject_token), .doc = json_incref(token) };
	return 0;
}

int vh_keystone_login(struct vh_http *http, const struct vh_cloud *cloud, struct vh_keystone_token *ret, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/auth/tokens", cloud->auth_url);
	vh_autojson doc = vh_keystone_request(cloud);
	char *body = doc && url ? json_dumps(doc, JSON_COMPACT) : NULL;
	struct vh_http_request request = { .method = "POST", .url = url, .body = body };
	vh_autoanswer answer = { 0 };
	int r;

	if (!url)
		return vh_err_nomem(err);
	if (!body)
		return vh_err_refuse(err, EINVAL, "the cloud's settings: a name or a secret is not UTF-8");
	r = vh_http_do(http, &request, &answer, err);
	explicit_bzero(body, strlen(body));
	free(body);
	return r < 0 ? r : vh_keystone_read(&request, &answer, ret, err);
}

/* --- the catalog */

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static const char *region_of(const json_t *endpoint)
{
	const char *region = member(endpoint, "region");
	return *region ? region : member(endpoint, "region_id");
}

/* The endpoints of the image service by that interface; NULL without memory. */
static json_t *image_endpoints(const json_t *token, const char *interface)
{
	json_t *found = json_array(), *service, *endpoint;
	size_t i, j;

	json_array_foreach(json_object_get(token, "catalog"), i, service) {
		if (strcmp(member(service, "type"), "image"))
			continue;
		json_array_foreach(json_object_get(service, "endpoints"), j, endpoint)
			if (!strcmp(member(endpoint, "interface"), interface) && json_array_append(found, endpoint) < 0)
				return json_decref(found), NULL;
	}
	return found;
}

static char *regions(const json_t *endpoints)
{
	char *all = NULL;
	json_t *endpoint;
	size_t i;

	json_array_foreach(endpoints, i, endpoint) {
		vh_autofree char *before = all;
		all = vh_strf("%s%s%.60s", before ? before : "", before ? ", " : "", region_of(endpoint));
	}
	return all ? vh_plain(all) : NULL;
}

static int choose(const json_t *endpoints, const struct vh_cloud *cloud, const json_t **ret, struct vh_err *err)
{
	const json_t *first = json_array_get(endpoints, 0), *endpoint;
	vh_autofree char *all = regions(endpoints);
	size_t i;

	if (!first)
		return vh_err_refuse(err, ENOENT, "the catalog has no image service by interface %s", cloud->interface);
	json_array_foreach(endpoints, i, endpoint) {
		if (!cloud->region_name && strcmp(region_of(endpoint), region_of(first))) {
			vh_err_refuse(err, EINVAL, "the catalog has the image service in several regions");
			return vh_err_hint(err, "region_name (OS_REGION_NAME): %s", all ? all : "");
		}
		if (cloud->region_name && !strcmp(region_of(endpoint), cloud->region_name)) {
			*ret = endpoint;
			return 0;
		}
	}
	if (cloud->region_name) {
		vh_err_refuse(err, ENOENT, "the catalog has no image service in region %s", cloud->region_name);
		return vh_err_hint(err, "it has these: %s", all ? all : "");
	}
	*ret = first;
	return 0;
}

int vh_keystone_image_url(const json_t *token, const struct vh_cloud *cloud, char **ret, struct vh_err *err)
{
	vh_autojson endpoints = image_endpoints(token, cloud->interface);
	const char *url = cloud->image_endpoint_override;
	const json_t *endpoint = NULL;
	int r;

	if (!endpoints)
		return vh_err_nomem(err);
	if (!url) {
		if ((r = choose(endpoints, cloud, &endpoint, err)) < 0)
			return r;
		url = member(endpoint, "url");
		if (vh_cloud_check_url(url, err) < 0)
			return vh_err_within(err, "the catalog's URL of the image service");
	}
	*ret = vh_cloud_base_url(url);
	return *ret ? 0 : vh_err_nomem(err);
}

int vh_keystone_project(const json_t *token, const char **ret, struct vh_err *err)
{
	const char *id = member(json_object_get(token, "project"), "id");

	if (!*id) {
		vh_err_refuse(err, EINVAL, "the token is not for a project, to which an image would belong");
		return vh_err_hint(err, "project_name or project_id (OS_PROJECT_NAME)");
	}
	*ret = id;
	return 0;
}
