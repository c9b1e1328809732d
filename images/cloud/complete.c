// SPDX-License-Identifier: Apache-2.0
/* What follows from the settings of a cloud, and what they lack. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "images/cloud/clouds.h"
#include "lib/strv.h"

int vh_cloud_check_url(const char *url, struct vh_err *err)
{
	size_t scheme = !strncasecmp(url, "https://", 8) ? 8 : !strncasecmp(url, "http://", 7) ? 7 : 0;
	const char *host = url + scheme;
	size_t n = strcspn(host, "/?#");

	if (!scheme || n == 0)
		return vh_err_refuse(err, EINVAL, "is no URL of http:// or https:// with a host");
	/* What stands before an @ may be a password: the URL is not shown. */
	if (memchr(host, '@', n))
		return vh_err_refuse(err, EINVAL, "holds a user name or a password, which belong into keys of their own");
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return vh_err_refuse(err, EINVAL, "holds a character that no URL has");
	if (strpbrk(host, "?#"))
		return vh_err_refuse(err, EINVAL, "has a query or a fragment");
	return 0;
}

char *vh_cloud_base_url(const char *url)
{
	char *base = strdup(url), *slash;

	for (size_t n = base ? strlen(base) : 0; n > 0 && base[n - 1] == '/'; n--)
		base[n - 1] = 0;
	slash = base ? strrchr(base, '/') : NULL;
	if (slash && slash[1] == 'v' && slash[2] && strspn(slash + 2, "0123456789.") == strlen(slash + 2))
		*slash = 0;
	return base;
}

static int find_method(struct vh_cloud *c, struct vh_err *err)
{
	static const struct { const char *name; enum vh_cloud_method method; } types[] = {
		{ "password", VH_CLOUD_PASSWORD }, { "v3password", VH_CLOUD_PASSWORD }, { "token", VH_CLOUD_TOKEN },
		{ "v3token", VH_CLOUD_TOKEN }, { "v3applicationcredential", VH_CLOUD_APPLICATION_CREDENTIAL },
	};

	if (!c->auth_type) {
		c->method = c->application_credential_id || c->application_credential_name ? VH_CLOUD_APPLICATION_CREDENTIAL :
			    c->token ? VH_CLOUD_TOKEN : VH_CLOUD_PASSWORD;
		return 0;
	}
	for (size_t i = 0; i < vh_array_len(types); i++)
		if (!strcmp(c->auth_type, types[i].name)) {
			c->method = types[i].method;
			return 0;
		}
	vh_err_refuse(err, EINVAL, "auth_type %.40s: is not known here", c->auth_type);
	return vh_err_hint(err, "password, token or v3applicationcredential; openstack token issue gets a token for all others");
}

static int lacks(const char *key, struct vh_err *err)
{
	return vh_err_refuse(err, EINVAL, "%s: is missing", key);
}

/* Another project's, or nobody's in particular. */
static int check_scope(const struct vh_cloud *c, struct vh_err *err)
{
	if (c->project_id || c->project_name || c->method != VH_CLOUD_PASSWORD)
		return 0;
	lacks("project_name", err);
	return vh_err_hint(err, "an image belongs to a project: project_name or project_id (OS_PROJECT_NAME)");
}

static int check_identity(const struct vh_cloud *c, struct vh_err *err)
{
	switch (c->method) {
	case VH_CLOUD_PASSWORD:
		if (!c->username && !c->user_id)
			return lacks("username", err);
		if (c->password)
			return 0;
		lacks("password", err);
		return vh_err_hint(err, "secure.yaml beside clouds.yaml is a place for it");
	case VH_CLOUD_APPLICATION_CREDENTIAL:
		if (!c->application_credential_id && !c->application_credential_name)
			return lacks("application_credential_id", err);
		if (!c->application_credential_id && !c->username && !c->user_id)
			return lacks("username (an application credential's name is its user's)", err);
		return c->application_credential_secret ? 0 : lacks("application_credential_secret", err);
	case VH_CLOUD_TOKEN:
		return c->token ? 0 : lacks("token", err);
	}
	return -EINVAL;
}

static bool is_one_of(const char *text, const char *const *words)
{
	for (; text && *words; words++)
		if (!strcasecmp(text, *words))
			return true;
	return false;
}

/* Who asks for no verification would send a password to whoever answers. */
static int check_tls(const struct vh_cloud *c, struct vh_err *err)
{
	static const char *const no[] = { "false", "no", "off", "0", NULL }, *const yes[] = { "true", "yes", "on", "1", NULL };

	if (!is_one_of(c->verify, no) && !is_one_of(c->insecure, yes))
		return 0;
	vh_err_refuse(err, EINVAL, "%s: certificates are always verified here", c->insecure ? "insecure" : "verify: false");
	return vh_err_hint(err, "cacert (OS_CACERT) names the authority that signed the cloud's");
}

/* Keystone's v3 API, whatever version (or none) the URL ends in. */
static int complete_url(struct vh_cloud *c, struct vh_err *err)
{
	if (!c->auth_url) {
		lacks("auth_url", err);
		return c->profile ? vh_err_hint(err, "profiles of vendors are not read here: write the URL of profile %.40s into the cloud", c->profile)
				  : -err->num;
	}
	if (vh_cloud_check_url(c->auth_url, err) < 0)
		return vh_err_within(err, "auth_url");
	vh_autofree char *base = vh_cloud_base_url(c->auth_url);
	char *url = base ? vh_strf("%s/v3", base) : NULL;
	if (!url)
		return vh_err_nomem(err);
	free(c->auth_url);
	c->auth_url = url;
	return 0;
}

static int complete_interface(struct vh_cloud *c, struct vh_err *err)
{
	static const char *const known[] = { "public", "internal", "admin", NULL };
	char **from = c->interface ? &c->interface : &c->endpoint_type;
	char *text = *from ? vh_steal(from) : strdup("public");

	if (!text)
		return vh_err_nomem(err);
	free(c->interface);
	c->interface = text;
	/* "publicURL" is its older name. */
	size_t n = strlen(text);
	if (n > 3 && !strcmp(text + n - 3, "URL"))
		text[n - 3] = 0;
	return is_one_of(text, known) ? 0 : vh_err_refuse(err, EINVAL, "interface %.40s: is neither public nor internal nor admin", text);
}

/* Projects were called tenants; and a name belongs to a domain. */
static int complete_names(struct vh_cloud *c, struct vh_err *err)
{
	bool user = c->username && !c->user_domain_name && !c->user_domain_id;

	if (!c->project_name && c->tenant_name)
		c->project_name = vh_steal(&c->tenant_name);
	if (!c->project_id && c->tenant_id)
		c->project_id = vh_steal(&c->tenant_id);
	bool project = c->project_name && !c->project_domain_name && !c->project_domain_id;
	if (user)
		c->user_domain_id = strdup("default");
	if (project)
		c->project_domain_id = strdup("default");
	return (user && !c->user_domain_id) || (project && !c->project_domain_id) ? vh_err_nomem(err) : 0;
}

static int check_override(const struct vh_cloud *c, struct vh_err *err)
{
	if (!c->image_endpoint_override || vh_cloud_check_url(c->image_endpoint_override, err) == 0)
		return 0;
	return vh_err_within(err, "image_endpoint_override");
}

int vh_cloud_complete(struct vh_cloud *c, const char *name, const char *from, struct vh_err *err)
{
	int r = find_method(c, err);

	if (r < 0 || (r = complete_url(c, err)) < 0 || (r = complete_names(c, err)) < 0 ||
	    (r = complete_interface(c, err)) < 0 || (r = check_identity(c, err)) < 0 || (r = check_scope(c, err)) < 0 ||
	    (r = check_tls(c, err)) < 0 || (r = check_override(c, err)) < 0)
		return r == -ENOMEM ? r : vh_err_within(err, "cloud %s, in %s", name, from);
	return 0;
}
