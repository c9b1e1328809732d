// SPDX-License-Identifier: Apache-2.0
/* What is remembered of a node: a mark that somebody wants it off, and when it was started again. */
#include "tools/cluster/watch/watch.h"

#include <inttypes.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "lib/sysroot.h"

static char *mark_of(const char *dir)
{
	return vh_strf("%s/stopped", dir);
}

/* Of this boot; malloc'd. */
static int boot_id(char **ret, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0 && (r = vh_root_read(root, ret, "proc/sys/kernel/random/boot_id")) < 0)
		vh_err_set(err, -r, "boot_id: %s", strerror(-r));
	return r;
}

/* An empty mark lasts; another is of the boot that it names. */
bool watch_is_off(const char *dir)
{
	vh_autofree char *mark = mark_of(dir), *says = NULL, *boot = NULL;
	vh_autoerr none = VH_ERR_NONE;
	size_t len;

	if (!mark || vh_host_file(mark, &says, &len, &none) < 0)
		return false;
	return len == 0 || boot_id(&boot, &none) < 0 || !strcmp(says, boot);
}

int watch_mark(const char *dir, enum watch_mark mark, struct vh_err *err)
{
	vh_autofree char *path = mark_of(dir), *boot = NULL;
	int r = path ? 0 : vh_err_nomem(err);

	if (r < 0 || access(dir, F_OK) < 0)
		return r;
	if (mark == WATCH_WANTED)
		return access(path, F_OK) < 0 ? 0 : vh_remove_tree(path, err);
	if (mark == WATCH_OFF_NOW)
		r = boot_id(&boot, err);
	return r < 0 ? r : vh_write_file(path, boot ? boot : "", boot ? strlen(boot) : 0, 0600, err);
}

void watch_past_load(const char *dir, struct watch_past *ret)
{
	vh_autofree char *path = vh_strf("%s/restarts", dir), *text = NULL;
	vh_autoerr none = VH_ERR_NONE;
	size_t len;
	char *at, *end;

	*ret = (struct watch_past){ 0 };
	if (!path || vh_host_file(path, &text, &len, &none) < 0)
		return;
	for (at = text; ret->n < WATCH_PAST; at = end) {
		const long long t = strtoll(at, &end, 10);

		if (end == at)
			return;
		ret->at[ret->n++] = t;
	}
}

int watch_past_add(const char *dir, struct watch_past *past, int64_t now, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/restarts", dir);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (past->n == WATCH_PAST)
		memmove(past->at, past->at + 1, --past->n * sizeof(*past->at));
	past->at[past->n++] = now;
	for (size_t i = 0; f && i < past->n; i++)
		fprintf(f, "%" PRId64 "\n", past->at[i]);
	r = !f || fclose(f) || !path ? vh_err_nomem(err) : vh_write_file(path, text, len, 0600, err);
	free(text);
	return r;
}
