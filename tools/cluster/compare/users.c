// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/compare/compare.h"

#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/ssh/ssh.h"

static json_t *names_of(char *const *names)
{
	json_t *all = json_array();

	for (; names && *names; names++)
		json_array_append_new(all, json_string(*names));
	return all;
}

int users_change(const struct cluster *c, json_t **ret, struct vh_err *err)
{
	vh_cleanup(users_diff_clear) struct users_diff d = { 0 };
	int r = identities_diff(c, &d, err);

	*ret = NULL;
	if (r < 0 || !users_differ(&d))
		return r;
	*ret = json_pack("{s:o, s:o, s:o}", "come", names_of(d.come), "change", names_of(d.change), "go", names_of(d.go));
	return *ret ? 0 : vh_err_nomem(err);
}

char *users_change_text(const json_t *change)
{
	static const struct { const char *key, *one, *more; } how[] = {
		{ "come", "comes", "come" }, { "change", "changes", "change" }, { "go", "goes", "go" },
	};
	char *all = strdup("");

	for (size_t i = 0; all && i < vh_array_len(how); i++) {
		const json_t *names = json_object_get(change, how[i].key), *name;
		size_t k;

		json_array_foreach(names, k, name) {
			const bool last = k + 1 == json_array_size(names);
			char *more = vh_strf("%s%s%s%s%s", all, *all ? ", " : "", json_string_value(name), last ? " " : "",
					     !last ? "" : k ? how[i].more : how[i].one);

			free(all);
			all = more;
		}
	}
	return all;
}
