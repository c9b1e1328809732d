// SPDX-License-Identifier: Apache-2.0
/* Sets of data: what nodes have of them, or get, and whether what they are of is another by now. */
#include "tools/cluster/volume/volume.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

char *data_disk(const char *dir, const struct volume *v)
{
	return vh_strf("%s/%s.data", dir, v->name);
}

void data_clear(struct data *d)
{
	for (size_t i = 0; i < d->n; i++)
		source_clear(&d->v[i].source);
	d->n = 0;
}

static enum data_is is_by_now(const struct data_seen *packed)
{
	vh_cleanup(source_clear) struct source now = { 0 };
	vh_autoerr lost = VH_ERR_NONE;

	if (data_look(packed->volume, &now, &lost) < 0)
		return DATA_LOST;
	return strcmp(now.digest, packed->source.digest) ? DATA_CHANGED : DATA_PACKED;
}

static int expect(const char *dir, struct data_seen *seen, struct vh_err *err)
{
	vh_autofree char *disk = data_disk(dir, seen->volume);
	int r = disk ? data_packed(disk, &seen->source, err) : vh_err_nomem(err);

	seen->is = r == 0 ? DATA_PACKED : DATA_NEW;
	return r == -ENOENT ? data_look(seen->volume, &seen->source, err) : r;
}

int data_expect(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err)
{
	const struct volume *v = volumes->items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < volumes->n; i++) {
		if (v[i].kind != VOLUME_DATA)
			continue;
		ret->v[ret->n] = (struct data_seen){ .volume = &v[i] };
		r = expect(dir, &ret->v[ret->n++], err);
	}
	return r;
}

int data_see(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err)
{
	int r = data_expect(volumes, dir, ret, err);

	for (size_t i = 0; r == 0 && i < ret->n; i++)
		if (ret->v[i].is == DATA_PACKED)
			ret->v[i].is = is_by_now(&ret->v[i]);
	return r;
}
