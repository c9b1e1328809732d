// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "images/cloud/cloud.h"
#include "images/cloud/clouds.h"
#include "lib/files/read.h"
#include "lib/doc/doc.h"
#include "lib/strv.h"

#define TEXT(key) { .name = #key, .type = VH_KEY_STR, .offset = offsetof(struct vh_cloud, key) }

/* What a cloud has under "auth", and what it has beside that. */
static const struct vh_key auth_keys[] = {
	TEXT(auth_url), TEXT(username), TEXT(user_id), TEXT(password), TEXT(user_domain_name), TEXT(user_domain_id),
	TEXT(project_name), TEXT(project_id), TEXT(tenant_name), TEXT(tenant_id), TEXT(project_domain_name),
	TEXT(project_domain_id), TEXT(application_credential_id), TEXT(application_credential_name),
	TEXT(application_credential_secret), TEXT(token), { .name = NULL },
};
static const struct vh_key cloud_keys[] = {
	TEXT(auth_type), TEXT(region_name), TEXT(interface), TEXT(endpoint_type), TEXT(image_endpoint_override),
	TEXT(cacert), TEXT(cert), TEXT(key), TEXT(verify), TEXT(insecure), TEXT(profile), { .name = NULL },
};
/* Those of the environment that a cloud of a file takes: none of them can give one cloud's secret to another. */
static const struct vh_key where_keys[] = { TEXT(region_name), TEXT(interface), TEXT(cacert), { .name = NULL } };

static void forget(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
}

void vh_cloud_clear(struct vh_cloud *c)
{
	forget(c->password);
	forget(c->application_credential_secret);
	forget(c->token);
	vh_doc_free(auth_keys, c);
	vh_doc_free(cloud_keys, c);
}

static int pick_into(struct vh_cloud *cloud, const char *file, const struct vh_yaml *map, const struct vh_key *keys,
		     struct vh_err *err)
{
	vh_autocloud over = { 0 };
	uint64_t given;
	int r = vh_doc_pick(file, map, keys, &over, &given, err);

	/* An empty text is as good as none, as in the environment. */
	for (size_t i = 0; r == 0 && keys[i].name; i++)
		if (given & 1ULL << i && !**(char **)((char *)&over + keys[i].offset))
			given &= ~(1ULL << i);
	return r < 0 ? r : vh_doc_lay(keys, cloud, &over, given, err);
}

static int unknown(const char *name, const char *file, const struct vh_yaml *clouds, struct vh_err *err)
{
	vh_autostrv names = NULL;

	for (size_t i = 0; i < clouds->n; i += 2)
		if (vh_strv_push(&names, clouds->items[i]->text) < 0)
			return vh_err_nomem(err);
	const char *near = vh_nearest(name, (const char *const *)names, vh_strv_len(names));
	vh_err_refuse(err, ENOENT, "cloud %s: not in %s", name, file);
	return near ? vh_err_hint(err, "did you mean %s?", near) : -err->num;
}

/* The keys of one cloud of one file; of a file that only adds, the cloud may lack. */
static int read_cloud(struct vh_cloud *cloud, const char *name, const char *file, const char *text, size_t len,
		      bool adds, struct vh_err *err)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *doc = NULL;
	int r = vh_yaml_parse(file, text, len, &doc, err);

	if (r < 0)
		return r;
	const struct vh_yaml *clouds = vh_yaml_get(doc, "clouds");
	if (!clouds || clouds->type != VH_YAML_MAP)
		return adds && !clouds ? 0 : vh_err_refuse(err, EINVAL, "%s:%u:%u: has no map 'clouds'", file,
							   (clouds ? clouds : doc)->line, (clouds ? clouds : doc)->column);
	const struct vh_yaml *one = vh_yaml_get(clouds, name);
	if (!one)
		return adds ? 0 : unknown(name, file, clouds, err);
	const struct vh_yaml *auth = vh_yaml_get(one, "auth");
	r = pick_into(cloud, file, one, cloud_keys, err);
	if (r == 0 && auth && !auth->null)
		r = pick_into(cloud, file, auth, auth_keys, err);
	return r < 0 ? vh_err_within(err, "cloud %s", name) : 0;
}

int vh_cloud_parse(const char *name, const char *file, const char *text, size_t len, const char *secure_file,
		   const char *secure, size_t secure_len, struct vh_cloud *ret, struct vh_err *err)
{
	vh_autocloud cloud = { 0 };
	int r = read_cloud(&cloud, name, file, text, len, false, err);

	if (r == 0 && secure)
		r = read_cloud(&cloud, name, secure_file, secure, secure_len, true, err);
	if (r < 0)
		return r;
	*ret = cloud;
	cloud = (struct vh_cloud){ 0 };
	return 0;
}

/* --- variables and files */

static const char *variable(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=' && (*env)[n + 1])
			return *env + n + 1;
	return NULL;
}

/* OS_ and the key in capitals, as openstacksdk has it. */
static int take_variables(struct vh_cloud *cloud, char *const *env, const struct vh_key *keys, struct vh_err *err)
{
	for (const struct vh_key *key = keys; key->name; key++) {
		vh_autofree char *name = vh_strf("OS_%s", key->name);
		for (char *c = name; c && *c; c++)
			*c = (char)toupper((unsigned char)*c);
		const char *value = name ? variable(env, name) : NULL;
		char **at = (char **)((char *)cloud + key->offset), *copy = value ? strdup(value) : NULL;
		if (!name || (value && !copy))
			return vh_err_nomem(err);
		if (copy) {
			free(*at);
			*at = copy;
		}
	}
	return 0;
}

const char *vh_cloud_chosen(char *const *env)
{
	const char *name = variable(env, "OS_CLOUD");
	return name ? name : variable(env, "OS_AUTH_URL") ? VH_CLOUD_ENV : NULL;
}

static int config_dirs(char *const *env, char ***ret)
{
	const char *xdg = variable(env, "XDG_CONFIG_HOME"), *home = variable(env, "HOME");
	int r = vh_strv_push(ret, ".");

	if (r == 0 && xdg)
		r = vh_strv_pushf(ret, "%s/openstack", xdg);
	else if (r == 0 && home)
		r = vh_strv_pushf(ret, "%s/.config/openstack", home);
	return r < 0 ? r : vh_strv_push(ret, "/etc/openstack");
}

/* The first DIR/NAME.{yaml,yml,json} that is there; *ret stays NULL where none is. */
static int find_file(char *const *dirs, const char *name, char **ret)
{
	static const char *const suffixes[] = { "yaml", "yml", "json" };

	for (; dirs && *dirs; dirs++)
		for (size_t i = 0; i < vh_array_len(suffixes); i++) {
			vh_autofree char *path = vh_strf("%s/%s.%s", *dirs, name, suffixes[i]);
			if (!path)
				return -ENOMEM;
			if (access(path, F_OK) == 0) {
				*ret = vh_steal(&path);
				return 0;
			}
		}
	return 0;
}

static int find_files(char *const *env, char **ret_file, char **ret_secure, struct vh_err *err)
{
	const char *named = variable(env, "OS_CLIENT_CONFIG_FILE"), *secure = variable(env, "OS_CLIENT_SECURE_FILE");
	vh_autostrv dirs = NULL;
	char *beside[2] = { NULL };

	*ret_file = named ? strdup(named) : NULL;
	if ((named && !*ret_file) || config_dirs(env, &dirs) < 0 || (!named && find_file(dirs, "clouds", ret_file) < 0))
		return vh_err_nomem(err);
	if (!*ret_file) {
		vh_err_refuse(err, ENOENT, "clouds.yaml: not in %s, %s%s%s", dirs[0], dirs[1], dirs[2] ? " or " : "", dirs[2] ? dirs[2] : "");
		return vh_err_hint(err, "OS_CLIENT_CONFIG_FILE names another; --cloud " VH_CLOUD_ENV " takes the cloud of the OS_* variables");
	}
	const char *slash = strrchr(*ret_file, '/');
	vh_autofree char *dir = slash ? strndup(*ret_file, (size_t)(slash - *ret_file)) : strdup(".");
	beside[0] = dir;
	*ret_secure = secure ? strdup(secure) : NULL;
	return !dir || (secure && !*ret_secure) || (!secure && find_file(beside, "secure", ret_secure) < 0) ?
	       vh_err_nomem(err) : 0;
}

static void forget_text(char **text)
{
	forget(*text);
	free(*text);
}
#define autosecret vh_cleanup(forget_text) char *

static int read_files(const char *name, char *const *env, struct vh_cloud *ret, char **ret_file, struct vh_err *err)
{
	vh_autofree char *secure_file = NULL;
	autosecret text = NULL;
	autosecret secure = NULL;
	size_t len = 0, secure_len = 0;
	int r = find_files(env, ret_file, &secure_file, err);

	if (r == 0)
		r = vh_host_file(*ret_file, &text, &len, err);
	if (r == 0 && secure_file)
		r = vh_host_file(secure_file, &secure, &secure_len, err);
	if (r == 0)
		return vh_cloud_parse(name, *ret_file, text, len, secure_file, secure, secure_len, ret, err);
	return r == -ENOMEM ? r : vh_err_as(err, VH_EXIT_REFUSED);
}

int vh_cloud_find(const char *name, char *const *env, struct vh_cloud *ret, struct vh_err *err)
{
	bool variables = !strcmp(name, VH_CLOUD_ENV);
	vh_autofree char *file = NULL;
	vh_autocloud cloud = { 0 };
	int r = variables ? take_variables(&cloud, env, auth_keys, err) : read_files(name, env, &cloud, &file, err);

	if (r == 0)
		r = take_variables(&cloud, env, variables ? cloud_keys : where_keys, err);
	if (r == 0)
		r = vh_cloud_complete(&cloud, name, variables ? "the OS_* variables" : file, err);
	if (r < 0)
		return r;
	*ret = cloud;
	cloud = (struct vh_cloud){ 0 };
	return 0;
}
