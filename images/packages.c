// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <string.h>
#include "images/packages.h"

struct stanza { const char *name, *version; size_t name_len, version_len; bool installed; };

static bool field(const char *line, size_t len, const char *key, const char **ret, size_t *ret_len)
{
	size_t n = strlen(key);
	if (len <= n || strncmp(line, key, n))
		return false;
	*ret = line + n;
	*ret_len = len - n;
	return true;
}

static void flush(json_t *out, struct stanza *s)
{
	if (s->installed && s->name && s->version)
		json_array_append_new(out, json_pack("{s:s%, s:s%}", "name", s->name, s->name_len,
						     "version", s->version, s->version_len));
	*s = (struct stanza){ 0 };
}

json_t *vh_packages_json(const char *status)
{
	json_t *out = json_array();
	struct stanza s = { 0 };

	while (out && *status) {
		size_t len = strcspn(status, "\n"), n;
		const char *v;
		if (len == 0)
			flush(out, &s);
		else if (field(status, len, "Status: ", &v, &n))
			s.installed = n == 20 && !strncmp(v, "install ok installed", n);
		else if (!field(status, len, "Package: ", &s.name, &s.name_len))
			field(status, len, "Version: ", &s.version, &s.version_len);
		status += len + (status[len] == '\n');
	}
	if (out)
		flush(out, &s);
	return out;
}

char *vh_packages_upstream(const json_t *packages, const char *name)
{
	size_t i;
	json_t *p;

	json_array_foreach(packages, i, p) {
		const char *v = json_string_value(json_object_get(p, "version"));
		if (!v || strcmp(name, json_string_value(json_object_get(p, "name"))))
			continue;
		const char *colon = strchr(v, ':'), *dash = strrchr(v, '-');
		if (colon)
			v = colon + 1;
		return dash && dash > v ? strndup(v, (size_t)(dash - v)) : strdup(v);
	}
	return NULL;
}
