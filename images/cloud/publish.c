// SPDX-License-Identifier: Apache-2.0
/* From an image in the store to images of Glance, all or none. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "images/cache/cache.h"
#include "images/cloud/glance.h"
#include "images/cloud/cloud.h"
#include "images/disk/disk.h"
#include "images/store/store.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

struct run {
	const struct vh_cloud_publish *p;
	struct vh_image *image;
	json_t *doc;			/* image.json */
	struct vh_workdir work;
	struct vh_cloud cloud;
	struct vh_http *http;
	struct vh_glance glance;
	struct vh_glance_item items[VH_GLANCE_ITEMS];
	size_t n;			/* of items */
	bool made[VH_GLANCE_ITEMS];	/* by this run, and to be removed if it fails */
	int lock;
};

static void run_clear(struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		vh_glance_item_clear(&run->items[i]);
	vh_glance_close(&run->glance);
	vh_http_close(run->http);
	vh_cloud_clear(&run->cloud);
	vh_workdir_remove(&run->work);
	json_decref(run->doc);
	vh_image_free(run->image);
	vh_close_fd(&run->lock);
}

/* --- what goes there */

/* A random UUID (RFC 9562, version 4): the image's id is known, and can be removed, before it is made. */
static int make_id(char id[VH_UUID_LEN], struct vh_err *err)
{
	unsigned char b[16];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		return vh_err_set(err, EIO, "getrandom: gives no random bytes");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(id, VH_UUID_LEN, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
		 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return 0;
}

/* Takes name, path and body over. */
static int add_item(struct run *run, char *name, char *path, json_t *body, struct vh_err *err)
{
	struct vh_glance_item *item = &run->items[run->n++];
	struct stat st;

	*item = (struct vh_glance_item){ .name = name, .path = path, .body = body };
	if (!name || !path || !body)
		return vh_err_nomem(err);
	if (make_id(item->id, err) < 0)
		return -err->num;
	if (stat(path, &st) < 0 || !SHA256_File(path, item->sha256) || !SHA512_File(path, item->sha512))
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	item->size = (uint64_t)st.st_size;
	return 0;
}

static int add_file(struct run *run, const char *role, const char *format, const char *path, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("%s-%s", run->image->name, role);
	json_t *body = name ? vh_glance_body(name, format, run->p->visibility, run->doc) : NULL;

	return add_item(run, vh_steal(&name), strdup(path), body, err);
}

static int add_disk(struct run *run, enum vh_boot boot, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/disk.qcow2", run->work.path);
	vh_autojson properties = vh_sbom_glance(run->doc, boot == VH_BOOT_UEFI ? vh_disk_overhead : 0);
	int r;

	if (!path || !properties)
		return vh_err_nomem(err);
	vh_progress_step(run->p->progress, "compressing the disk");
	if ((r = vh_image_write_disk(run->image, boot, "qcow2", path, run->p->stop, err)) < 0)
		return r;
	return add_item(run, strdup(run->image->name), vh_steal(&path),
			vh_glance_disk_body(run->image->name, run->p->visibility, properties), err);
}

static int add_items(struct run *run, enum vh_boot boot, struct vh_err *err)
{
	int r = 0;

	if (boot == VH_BOOT_DIRECT) {
		r = add_file(run, "kernel", "aki", run->image->kernel, err);
		if (r == 0)
			r = add_file(run, "initrd", "ari", run->image->initrd, err);
	}
	return r < 0 ? r : add_disk(run, boot, err);
}

static int choose_boot(const struct run *run, enum vh_boot *ret, struct vh_err *err)
{
	enum vh_boot boot = run->p->boot;

	if (boot == VH_BOOTS)
		boot = run->image->cmdline[VH_BOOT_UEFI] ? VH_BOOT_UEFI : VH_BOOT_DIRECT;
	if (boot == VH_BOOT_SQUASHFS) {
		vh_err_refuse(err, EOPNOTSUPP, "image %s: a cloud's machines boot by uefi or direct, not by squashfs", run->image->name);
		return vh_err_hint(err, "vhpc image publish %s DIR has root.squashfs", run->image->name);
	}
	*ret = boot;
	return vh_image_check_boot(run->image, boot, err);
}

/* --- what is to be done there */

static int judge(struct run *run, struct vh_glance_item *item, struct vh_err *err)
{
	vh_autojson found = NULL;
	int r = vh_glance_find(&run->glance, item->name, &found, err);

	return r < 0 ? r : vh_glance_judge(item, found, run->glance.project, run->p->replace, err);
}

static int plan(struct run *run, struct vh_err *err)
{
	struct vh_glance_item *disk = &run->items[run->n - 1];
	int r = 0;

	for (size_t i = 0; r == 0 && i + 1 < run->n; i++)
		r = judge(run, &run->items[i], err);
	if (r == 0 && run->n > 1 && vh_glance_link(disk, run->items[0].id, run->items[1].id) < 0)
		r = vh_err_nomem(err);
	return r < 0 ? r : judge(run, disk, err);
}

static json_t *rows(const struct run *run)
{
	json_t *list = json_array();

	for (size_t i = 0; i < run->n; i++)
		if (json_array_append_new(list, vh_glance_row(&run->items[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

/* --- doing it */

struct sending { struct vh_progress *progress; const struct vh_glance_item *item; unsigned said; };

static void tell_sent(void *arg, uint64_t bytes)
{
	struct sending *s = arg;
	unsigned part = s->item->size ? (unsigned)(bytes * 20 / s->item->size) : 20;
	char sent[16], size[16];

	if (part == s->said)
		return;
	s->said = part;
	vh_progress_step(s->progress, "sending %s: %s of %s", s->item->name, vh_size_format(sent, sizeof sent, bytes),
			 vh_size_format(size, sizeof size, s->item->size));
}

static int send_item(struct run *run, size_t i, struct vh_err *err)
{
	const struct vh_glance_item *item = &run->items[i];
	struct sending s = { .progress = run->p->progress, .item = item };
	int r;

	vh_progress_step(run->p->progress, "sending %s", item->name);
	r = vh_glance_create(&run->glance, item, err);
	/* Where the answer was lost, it may be there. */
	run->made[i] = r != -EREMOTEIO;
	if (r < 0 || (r = vh_glance_send(&run->glance, item, tell_sent, &s, err)) < 0)
		return r;
	vh_progress_step(run->p->progress, "comparing %s with what was sent", item->name);
	return vh_glance_verify(&run->glance, item, err);
}

static int remove_all(struct run *run, const json_t *ids, struct vh_err *err)
{
	json_t *id;
	size_t i;

	json_array_foreach(ids, i, id) {
		int r = vh_glance_remove(&run->glance, json_string_value(id), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The first error stays; what could not be removed is told with it. */
static int take_back(struct run *run, struct vh_err *err)
{
	vh_http_ignore_stop(run->http);
	for (size_t i = run->n; i-- > 0;) {
		vh_autoerr left = VH_ERR_NONE;
		if (!run->made[i])
			continue;
		vh_progress_step(run->p->progress, "removing what was begun of %s", run->items[i].name);
		if (vh_glance_remove(&run->glance, run->items[i].id, &left) == 0)
			continue;
		vh_autofree char *first = err->text ? strdup(err->text) : NULL;
		vh_err_set(err, err->num, "%s; and %s may be left there half-made: %s", first ? first : "", run->items[i].id, left.text);
		vh_err_hint(err, "publish it again, or openstack image delete %s", run->items[i].id);
		vh_err_as(err, VH_EXIT_PARTIAL);
	}
	return -err->num;
}

/* Only now, when the new ones are there, the old give way; the disk first, which names the others. */
static int remove_replaced(struct run *run, struct vh_err *err)
{
	const struct vh_glance_item *disk = &run->items[run->n - 1];

	for (size_t i = run->n; i-- > 0;)
		if (remove_all(run, run->items[i].others, err) < 0) {
			vh_err_within(err, "image %s: is there as %s, but what it replaces stays", disk->name, disk->id);
			vh_err_hint(err, "publish it again with --replace to try once more");
			return vh_err_as(err, VH_EXIT_PARTIAL);
		}
	return 0;
}

static int act(struct run *run, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->n; i++)
		r = remove_all(run, run->items[i].leftovers, err);
	for (size_t i = 0; r == 0 && i < run->n; i++)
		if (!run->items[i].there)
			r = send_item(run, i, err);
	return r < 0 ? take_back(run, err) : remove_replaced(run, err);
}

/* --- the whole */

/* Two runs at once would make two images of the name. */
static int lock(struct run *run, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("publish-%.48s", run->p->name);
	int r = name ? vh_lock(run->p->state, name, 0, &run->lock, err) : vh_err_nomem(err);

	return r < 0 ? vh_err_within(err, "image %s: is being published", run->p->name) : 0;
}

static int log_in(struct run *run, struct vh_err *err)
{
	const struct vh_cloud_publish *p = run->p;
	int r = vh_cloud_find(p->cloud, environ, &run->cloud, err);
	struct vh_http_settings settings = { .cacert = run->cloud.cacert, .cert = run->cloud.cert, .key = run->cloud.key,
					     .stall_s = p->stall_s, .stop = p->stop };

	if (r < 0 || (r = vh_http_open(&run->http, &settings, err)) < 0)
		return r;
	vh_progress_step(p->progress, "logging in to %s", p->cloud);
	r = vh_glance_open(&run->glance, run->http, &run->cloud, err);
	return r < 0 ? vh_err_within(err, "cloud %s", p->cloud) : 0;
}

static int prepare(struct run *run, struct vh_err *err)
{
	const struct vh_cloud_publish *p = run->p;
	enum vh_boot boot = p->boot;
	int r = vh_image_find(p->store, p->name, &run->image, err);

	if (r < 0 || (r = choose_boot(run, &boot, err)) < 0 || (r = vh_image_json(p->store, p->name, &run->doc, err)) < 0 ||
	    (r = lock(run, err)) < 0 || (r = log_in(run, err)) < 0 ||
	    (r = vh_workdir_make(&run->work, p->state, "publish", err)) < 0 || (r = add_items(run, boot, err)) < 0)
		return r;
	r = plan(run, err);
	return r < 0 ? vh_err_within(err, "cloud %s", p->cloud) : 0;
}

int vh_image_publish_cloud(const struct vh_cloud_publish *p, json_t **ret, struct vh_err *err)
{
	vh_cleanup(run_clear) struct run run = { .p = p, .work = VH_WORKDIR_NONE, .lock = -1 };
	int r = prepare(&run, err);

	if (r == 0 && !p->dry_run)
		r = act(&run, err);
	if (r < 0)
		return r;
	*ret = rows(&run);
	return *ret ? 0 : vh_err_nomem(err);
}
