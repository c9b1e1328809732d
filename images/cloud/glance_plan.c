// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/cloud/glance_plan.h"
#include "lib/strv.h"

/* Marks what is ours. */
#define MARK "vhpc_digest"

void vh_glance_item_clear(struct vh_glance_item *item)
{
	free(item->name);
	free(item->path);
	json_decref(item->body);
	json_decref(item->leftovers);
	json_decref(item->others);
	*item = (struct vh_glance_item){ 0 };
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* --- what is sent */

json_t *vh_glance_body(const char *name, const char *format, const char *visibility, const json_t *image)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "disk_format", format, "container_format", format,
			 "visibility", visibility, MARK, text(image, "digest"));
}

json_t *vh_glance_disk_body(const char *name, const char *visibility, const json_t *properties)
{
	json_t *body = json_copy((json_t *)properties), *inner = json_object_get(body, "properties");

	/* In the API properties stand beside the rest. */
	if (!body || json_object_update(body, inner) < 0 || json_object_del(body, "properties") < 0 ||
	    json_object_set_new(body, "name", json_string(name)) < 0 ||
	    json_object_set_new(body, "visibility", json_string(visibility)) < 0) {
		json_decref(body);
		return NULL;
	}
	return body;
}

int vh_glance_link(struct vh_glance_item *disk, const char *kernel_id, const char *ramdisk_id)
{
	return json_object_set_new(disk->body, "kernel_id", json_string(kernel_id)) < 0 ||
	       json_object_set_new(disk->body, "ramdisk_id", json_string(ramdisk_id)) < 0 ? -ENOMEM : 0;
}

/* --- what is there */

/* Our hash by the algorithm that Glance is set to; NULL for one that we do not make. */
static const char *hash_of(const struct vh_glance_item *item, const char *algorithm)
{
	return !strcmp(algorithm, "sha512") ? item->sha512 : !strcmp(algorithm, "sha256") ? item->sha256 : NULL;
}

static bool same_bytes(const struct vh_glance_item *item, const json_t *image)
{
	const char *hash = hash_of(item, text(image, "os_hash_algo"));

	return hash && !strcmp(hash, text(image, "os_hash_value")) &&
	       json_integer_value(json_object_get(image, "size")) == (json_int_t)item->size;
}

/* A disk that names another kernel boots that one, whatever its own bytes. */
static bool same_links(const struct vh_glance_item *item, const json_t *image)
{
	static const char *const links[] = { "kernel_id", "ramdisk_id" };
	bool same = true;

	for (size_t i = 0; i < vh_array_len(links); i++)
		same = same && !strcmp(text(item->body, links[i]), text(image, links[i]));
	return same;
}

/* An image without bytes, made by us: its run was killed before it sent any. */
static bool is_leftover(const json_t *image)
{
	return !strcmp(text(image, "status"), "queued") && json_object_get(image, MARK);
}

static bool is_gone(const json_t *image)
{
	return !strcmp(text(image, "status"), "deleted") || !strcmp(text(image, "status"), "pending_delete");
}

static int judge_image(struct vh_glance_item *item, const json_t *image, struct vh_err *err)
{
	const char *id = text(image, "id");

	if (strlen(id) != VH_UUID_LEN - 1 || strspn(id, "0123456789abcdefABCDEF-") != VH_UUID_LEN - 1)
		return vh_err_set(err, EPROTO, "Glance lists an image %s whose id is no UUID", item->name);
	if (!item->there && !strcmp(text(image, "status"), "active") && same_bytes(item, image) && same_links(item, image)) {
		item->there = true;
		strcpy(item->id, id);
		return 0;
	}
	return json_array_append_new(is_leftover(image) ? item->leftovers : item->others, json_string(id)) < 0 ?
	       vh_err_nomem(err) : 0;
}

static int refuse_other(const struct vh_glance_item *item, const json_t *image, struct vh_err *err)
{
	vh_autofree char *state = strdup(text(image, "status"));

	vh_err_refuse(err, EEXIST, "image %s: the project has another of that name, %s (%s)", item->name, text(image, "id"),
		      state ? vh_plain(state) : "");
	return vh_err_hint(err, "--replace puts this one in its place; openstack image show %s tells what it is", text(image, "id"));
}

static int check_other(const struct vh_glance_item *item, const json_t *image, bool replace, struct vh_err *err)
{
	if (!replace)
		return item->there ? 0 : refuse_other(item, image, err);
	if (!json_is_true(json_object_get(image, "protected")))
		return 0;
	vh_err_refuse(err, EPERM, "image %s: %s, which has to give way, is protected", item->name, text(image, "id"));
	return vh_err_hint(err, "openstack image set --unprotected %s", text(image, "id"));
}

/* Those of the list that are in the way. */
static bool is_other(const struct vh_glance_item *item, const json_t *image)
{
	json_t *id;
	size_t i;

	json_array_foreach(item->others, i, id)
		if (!strcmp(json_string_value(id), text(image, "id")))
			return true;
	return false;
}

int vh_glance_judge(struct vh_glance_item *item, const json_t *found, const char *project, bool replace,
		    struct vh_err *err)
{
	json_t *image;
	size_t i;
	int r = 0;

	if (!(item->leftovers = json_array()) || !(item->others = json_array()))
		return vh_err_nomem(err);
	json_array_foreach(found, i, image)
		if (r == 0 && !strcmp(text(image, "owner"), project) && !strcmp(text(image, "name"), item->name) && !is_gone(image))
			r = judge_image(item, image, err);
	json_array_foreach(found, i, image)
		if (r == 0 && is_other(item, image))
			r = check_other(item, image, replace, err);
	if (!replace)
		json_array_clear(item->others);
	return r;
}

int vh_glance_check(const struct vh_glance_item *item, const json_t *image, struct vh_err *err)
{
	json_int_t size = json_integer_value(json_object_get(image, "size"));
	vh_autofree char *status = strdup(text(image, "status")), *algorithm = strdup(text(image, "os_hash_algo"));

	if (!status || !algorithm)
		return vh_err_nomem(err);
	if (strcmp(status, "active"))
		return vh_err_set(err, EIO, "image %s: Glance has it as '%.40s' instead of active", item->name, vh_plain(status));
	if (size != (json_int_t)item->size)
		return vh_err_set(err, EIO, "image %s: Glance has %lld bytes instead of %llu", item->name, (long long)size,
				  (unsigned long long)item->size);
	if (!hash_of(item, algorithm))
		return vh_err_set(err, EIO, "image %s: Glance tells no hash that can be compared (os_hash_algo '%.40s')", item->name,
				  vh_plain(algorithm));
	if (!same_bytes(item, image))
		return vh_err_set(err, EIO, "image %s: Glance has other bytes than were sent (their %s differ)", item->name, algorithm);
	return 0;
}

json_t *vh_glance_row(const struct vh_glance_item *item)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:O}", "image", item->name, "id", item->id, "action",
			 item->there ? "there" : "send", "size", (json_int_t)item->size, "sha512", item->sha512,
			 "replaces", item->others);
}
