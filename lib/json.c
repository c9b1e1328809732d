// SPDX-License-Identifier: Apache-2.0
#include "lib/json.h"

#include <errno.h>
#include <string.h>

json_t *vh_json_text(const char *text)
{
	json_t *j = text ? json_string(text) : json_null();
	vh_autofree char *ascii = j ? NULL : strdup(text);

	for (char *p = ascii; p && *p; p++)
		if (*p & 0x80)
			*p = '?';
	return j || !ascii ? j : json_string(ascii);
}

int vh_json_print(const char *schema, json_t *doc, struct vh_err *err)
{
	vh_autojson stolen = doc;
	vh_autojson whole = json_pack("{s:s}", "schema", schema);
	vh_autofree char *text = NULL;

	if (!whole || !stolen || json_object_update(whole, stolen) < 0)
		return vh_err_nomem(err);
	text = json_dumps(whole, JSON_INDENT(2));
	if (!text)
		return vh_err_nomem(err);
	if (puts(text) < 0)
		return vh_err_set(err, EIO, "cannot write to standard output");
	return 0;
}
