// SPDX-License-Identifier: Apache-2.0
/* Properties of flavors and images, and refusing them as Nova does. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/strv.h"
#include "vmm/want/nova.h"

const char *vh_property_lookup(char *const *map, const char *key)
{
	size_t len = strlen(key);

	for (; map && *map; map++)
		if (!strncmp(*map, key, len) && (*map)[len] == '=')
			return *map + len + 1;
	return NULL;
}

struct vh_property vh_property_get(const struct vh_want_text *t, const char *name)
{
	vh_autofree char *f = vh_strf("hw:%s", name), *i = vh_strf("hw_%s", name);

	return (struct vh_property){ name, f ? vh_property_lookup(t->flavor, f) : NULL,
				     i ? vh_property_lookup(t->image, i) : NULL };
}

int vh_nova_refuse(struct vh_err *err, const char *nova, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = vh_vstrf(fmt, args);
	va_end(args);
	if (!text)
		return vh_err_nomem(err);
	vh_err_refuse(err, EINVAL, "%s", text);
	return vh_err_hint(err, "Nova's %s", nova);
}

int vh_nova_conflict(struct vh_err *err, const char *nova, const struct vh_property *p)
{
	return vh_nova_refuse(err, nova, "image property hw_%s=%.40s: the flavor, which wins, says %s%.40s", p->name,
			      p->image, p->flavor ? "" : "nothing", p->flavor ? p->flavor : "");
}
