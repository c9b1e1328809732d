// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"

#define SCHEMA "vhpc.cluster.saved/1"

int saved_new(struct saved *ret)
{
	ret->manifest = calloc(1, sizeof(*ret->manifest));
	return ret->manifest ? 0 : -ENOMEM;
}

void saved_clear(struct saved *s)
{
	if (s->manifest)
		manifest_clear(s->manifest);
	free(s->manifest);
	json_decref(s->plan);
	json_decref(s->steps);
	json_decref(s->data);
	*s = (struct saved){ 0 };
}

/* "NAME": "DIGEST" of each. */
static json_t *digests(const struct data *data)
{
	vh_autojson all = json_object();

	for (size_t i = 0; i < data->n; i++)
		if (json_object_set_new(all, data->v[i].volume->name, json_string(data->v[i].source.digest)) < 0)
			return NULL;
	return vh_steal(&all);
}

int saved_write(const char *path, const struct manifest *m, const struct cluster *c, bool exists, const struct sights *sights,
		const struct data *data, struct vh_err *err)
{
	vh_autojson doc = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "schema", SCHEMA, "version", VHPC_VERSION, "exists", exists,
				    "manifest", vh_doc_json(manifest_keys, m), "plan", cluster_to_json(c),
				    "steps", changes_rows(c, sights, false), "data", digests(data));
	vh_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;

	return text ? vh_write_file(path, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

static int check_head(const char *name, const json_t *doc, struct vh_err *err)
{
	const char *schema = json_string_value(json_object_get(doc, "schema"));
	const char *version = json_string_value(json_object_get(doc, "version"));

	if (!schema || strcmp(schema, SCHEMA))
		return vh_err_refuse(err, EINVAL, "%s: no plan that vhpc cluster plan --out wrote (schema %s)", name, SCHEMA);
	if (version && !strcmp(version, VHPC_VERSION))
		return 0;
	vh_err_refuse(err, ESTALE, "%s: a plan of vhpc %.40s, this is %s", name, version ? version : "of no version", VHPC_VERSION);
	return vh_err_hint(err, "plan anew");
}

int saved_from_json(const char *name, const json_t *doc, struct saved *ret, struct vh_err *err)
{
	autosaved s = { 0 };
	int r = check_head(name, doc, err);

	if (r == 0 && saved_new(&s) < 0)
		r = vh_err_nomem(err);
	if (r < 0)
		return r;
	s.exists = json_is_true(json_object_get(doc, "exists"));
	s.plan = json_incref(json_object_get(doc, "plan"));
	s.steps = json_incref(json_object_get(doc, "steps"));
	s.data = json_incref(json_object_get(doc, "data"));
	r = vh_doc_from_json(manifest_keys, json_object_get(doc, "manifest"), s.manifest, err);
	if (r == 0)
		r = manifest_check(s.manifest, err);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !json_is_object(s.plan) || !json_is_array(s.steps) || !json_is_object(s.data)) {
		vh_err_refuse(err, EBADMSG, "%s: the plan is damaged", name);
		return vh_err_hint(err, "plan anew");
	}
	*ret = s;
	s = (struct saved){ 0 };
	return 0;
}

int saved_load(const char *path, struct saved *ret, struct vh_err *err)
{
	json_error_t why;
	vh_autojson doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);

	/* Without a line it could not be opened, which is said with its name. */
	if (!doc && why.line < 0)
		return vh_err_refuse(err, ENOENT, "%s", why.text);
	if (!doc)
		return vh_err_refuse(err, EINVAL, "%s:%d:%d: %s", path, why.line, why.column, why.text);
	return saved_from_json(path, doc, ret, err);
}

static int moved(const struct cluster *c, const char *what, struct vh_err *err)
{
	vh_err_refuse(err, ESTALE, "cluster %s: no longer as when the plan was saved: %s", c->name, what);
	return vh_err_hint(err, "plan anew, and look at it");
}

int saved_fits(const struct saved *s, const struct cluster *c, bool exists, struct vh_err *err)
{
	vh_autojson now = s->plan ? cluster_to_json(c) : NULL;
	const char *key;
	json_t *value;

	if (!s->plan)
		return 0;
	if (!now)
		return vh_err_nomem(err);
	if (exists != s->exists)
		return moved(c, exists ? "it is there now" : "it is gone", err);
	json_object_foreach(now, key, value)
		if (!json_equal(value, json_object_get(s->plan, key)))
			return moved(c, key, err);
	return json_object_size(now) == json_object_size(s->plan) ? 0 : moved(c, "its plan", err);
}

int saved_fits_data(const struct saved *s, const struct cluster *c, const struct data *data, struct vh_err *err)
{
	for (size_t i = 0; s->data && i < data->n; i++) {
		const struct data_seen *now = &data->v[i];
		const char *was = json_string_value(json_object_get(s->data, now->volume->name));
		vh_autofree char *what = vh_strf("volume %s, of %s", now->volume->name, now->volume->from);

		if (!was || strcmp(was, now->source.digest))
			return what ? moved(c, what, err) : vh_err_nomem(err);
	}
	return 0;
}

int saved_fits_sights(const struct saved *s, const struct cluster *c, const struct sights *sights, struct vh_err *err)
{
	vh_autojson now = changes_rows(c, sights, false);
	json_t *row;
	size_t i;

	if (!now)
		return vh_err_nomem(err);
	json_array_foreach(now, i, row)
		if (!json_equal(row, json_array_get(s->steps, i)))
			return moved(c, json_string_value(json_object_get(row, "object")), err);
	return 0;
}
