// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "images/disk/modules.h"
#include "lib/strv.h"

/* Whether the file at path (up to its end, a colon or a newline) is the module: '-' and '_' are one. */
static bool is_module(const char *path, const char *module)
{
	size_t n = strcspn(path, ":\n"), m = strlen(module);
	while (n > 0 && memchr(path, '/', n)) {
		size_t skip = strcspn(path, "/") + 1;
		path += skip;
		n -= skip;
	}
	if (n < m + 3 || strncmp(path + m, ".ko", 3))
		return false;
	for (size_t i = 0; i < m; i++)
		if (path[i] != module[i] && !(strchr("-_", path[i]) && strchr("-_", module[i])))
			return false;
	return true;
}

static const char *find_module(const char *text, const char *module)
{
	for (const char *l = text; l && *l; l = strchr(l, '\n'), l += l != NULL)
		if (is_module(l, module))
			return l;
	return NULL;
}

static int push(char ***v, const char *path, size_t n, struct vh_err *err)
{
	vh_autofree char *file = strndup(path, n);
	if (!file)
		return vh_err_nomem(err);
	if (vh_strv_has(*v, file))
		return 0;
	return vh_strv_push(v, file) < 0 ? vh_err_nomem(err) : 0;
}

int vh_modules_need(const char *dep, const char *builtin, const char *module, char ***ret,
		    struct vh_err *err)
{
	const char *line = find_module(dep, module);
	int r = 0;

	if (!line)
		return find_module(builtin, module) ? 0 : -ENOENT;
	size_t name = strcspn(line, ":\n"), end = strcspn(line, "\n");
	/* What depmod lists last must be there first. */
	while (r == 0 && end > name) {
		size_t start = end;
		while (start > name && !strchr(" :", line[start - 1]))
			start--;
		if (start < end)
			r = push(ret, line + start, end - start, err);
		end = start ? start - 1 : 0;
	}
	return r < 0 ? r : push(ret, line, name, err);
}
