// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include "images/packages/installed.h"
#include "lib/strv.h"
#include "lib/values.h"

struct text { const char *s; size_t len; };
struct stanza { struct text name, version, arch; bool installed; };

static bool field(const char *line, size_t len, const char *key, struct text *ret)
{
	size_t n = strlen(key);
	if (len <= n || strncmp(line, key, n))
		return false;
	*ret = (struct text){ line + n, len - n };
	return true;
}

static void flush(json_t *out, struct stanza *s)
{
	if (s->installed && s->name.s && s->version.s)
		json_array_append_new(out, json_pack("{s:s%, s:s%, s:s%}", "name", s->name.s, s->name.len,
						     "version", s->version.s, s->version.len, "architecture",
						     s->arch.s ? s->arch.s : "all", s->arch.s ? s->arch.len : (size_t)3));
	*s = (struct stanza){ 0 };
}

json_t *vh_packages_json(const char *status)
{
	json_t *out = json_array();
	struct stanza s = { 0 };

	while (out && *status) {
		size_t len = strcspn(status, "\n");
		struct text v;
		if (len == 0)
			flush(out, &s);
		else if (field(status, len, "Status: ", &v))
			s.installed = v.len == 20 && !strncmp(v.s, "install ok installed", v.len);
		else if (!field(status, len, "Package: ", &s.name) && !field(status, len, "Version: ", &s.version))
			field(status, len, "Architecture: ", &s.arch);
		status += len + (status[len] == '\n');
	}
	if (out)
		flush(out, &s);
	return out;
}

/* dpkg's list of the files of a package; its name has the architecture where several can be there. */
static char *read_list(const struct vh_tree *tree, const char *name, const char *arch)
{
	vh_autofree char *plain = vh_strf("var/lib/dpkg/info/%s.list", name);
	vh_autofree char *multi = vh_strf("var/lib/dpkg/info/%s:%s.list", name, arch);
	vh_autoerr none = VH_ERR_NONE;
	char *text;
	size_t len;

	if (!plain || !multi)
		return NULL;
	if (vh_tree_read(tree, vh_tree_find(tree, plain) ? plain : multi, &text, &len, &none) < 0)
		return NULL;
	return text;
}

static uint64_t measure(const struct vh_tree *tree, char *list)
{
	uint64_t sum = 0;

	for (char *save, *l = list ? strtok_r(list, "\n", &save) : NULL; l; l = strtok_r(NULL, "\n", &save)) {
		const struct vh_node *node = vh_tree_find_link(tree, l);
		if (node && S_ISREG(node->mode))
			sum += node->size;
	}
	return sum;
}

int vh_packages_measure(json_t *packages, const struct vh_tree *tree, const struct vh_pins *pins,
			struct vh_err *err)
{
	json_t *p;
	size_t i;

	json_array_foreach(packages, i, p) {
		const char *name = json_string_value(json_object_get(p, "name"));
		const char *arch = json_string_value(json_object_get(p, "architecture"));
		vh_autofree char *list = read_list(tree, name, arch);
		const struct vh_pin *pin = vh_pins_find(pins, name);

		if (json_object_set_new(p, "size", json_integer((json_int_t)measure(tree, list))) < 0 ||
		    (pin && json_object_set_new(p, "sha256", json_string(pin->sha256)) < 0))
			return vh_err_nomem(err);
	}
	return 0;
}

char *vh_packages_upstream(const json_t *packages, const char *name)
{
	size_t i;
	json_t *p;

	json_array_foreach(packages, i, p) {
		const char *v = json_string_value(json_object_get(p, "version"));
		if (v && !strcmp(name, json_string_value(json_object_get(p, "name"))))
			return vh_version_upstream(v);
	}
	return NULL;
}
