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

static enum data_is is_by_now(const struct data_seen *packed, double until)
{
	vh_cleanup(source_clear) struct source now = { 0 };
	vh_autoerr lost = VH_ERR_NONE;
	int r = data_look(packed->volume, until, &now, &lost);

	if (r < 0)
		return r == -ETIME ? DATA_LONG : DATA_LOST;
	return strcmp(now.digest, packed->source.digest) ? DATA_CHANGED : DATA_PACKED;
}

/* all: those too that are not packed. */
static int find_one(const struct volume *v, const char *dir, bool all, struct data *ret, struct vh_err *err)
{
	struct data_seen *seen = &ret->v[ret->n];
	vh_autofree char *disk = data_disk(dir, v);
	int r;

	*seen = (struct data_seen){ .volume = v, .is = DATA_PACKED };
	r = disk ? data_packed(disk, &seen->source, err) : vh_err_nomem(err);
	if (r == -ENOENT && !all)
		return 0;
	if (r == -ENOENT) {
		seen->is = DATA_NEW;
		r = data_look(v, 0, &seen->source, err);
	}
	ret->n += r == 0;
	return r;
}

static int find(const struct vh_doc_list *volumes, const char *dir, bool all, struct data *ret, struct vh_err *err)
{
	const struct volume *v = volumes->items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < volumes->n; i++)
		if (v[i].kind == VOLUME_DATA)
			r = find_one(&v[i], dir, all, ret, err);
	return r;
}

static void judge(struct data *d, double until)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].is == DATA_PACKED)
			d->v[i].is = is_by_now(&d->v[i], until);
}

int data_expect(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err)
{
	return find(volumes, dir, true, ret, err);
}

int data_see(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err)
{
	int r = find(volumes, dir, true, ret, err);

	if (r == 0)
		judge(ret, 0);
	return r;
}

int data_glance(const struct vh_doc_list *volumes, const char *dir, double until, struct data *ret, struct vh_err *err)
{
	int r = find(volumes, dir, false, ret, err);

	if (r == 0)
		judge(ret, until);
	return r;
}
