// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/snapshot/kept.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

static const char prefix[] = "snapshot-", suffix[] = ".json";

static char *path_of(const struct snapshot_disks *disks, const char *name)
{
	return vh_strf("%s/%s%s%s", disks->dir, prefix, name, suffix);
}

static json_t *to_json(const struct snapshot_disks *disks)
{
	const time_t now = time(NULL);
	vh_autojson all = json_array();
	struct tm tm;
	char created[32];

	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	for (size_t i = 0; i < disks->n; i++)
		json_array_append_new(all, json_pack("{s:s, s:s, s:s*}", "node", disks->v[i].node, "uuid", disks->v[i].uuid,
						     "volume", disks->v[i].volume));
	return json_array_size(all) == disks->n ? json_pack("{s:s, s:O}", "created", created, "disks", all) : NULL;
}

int kept_save(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_autofree char *path = path_of(disks, name), *text = NULL;
	vh_autojson doc = to_json(disks);

	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return path && text ? vh_write_file(path, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

static bool is_whole(json_t *doc)
{
	const char *created, *node, *uuid;
	json_t *all, *disk;
	size_t i;

	if (json_unpack(doc, "{s:s, s:o}", "created", &created, "disks", &all) < 0 || !json_is_array(all))
		return false;
	json_array_foreach(all, i, disk)
		if (json_unpack(disk, "{s:s, s:s}", "node", &node, "uuid", &uuid) < 0)
			return false;
	return true;
}

int kept_load(const struct snapshot_disks *disks, const char *name, json_t **ret, struct vh_err *err)
{
	vh_autofree char *path = path_of(disks, name);
	vh_autojson doc = NULL;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return -ENOENT;
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (!doc || !is_whole(doc))
		return vh_err_set(err, EBADMSG, "%s: is damaged, or cannot be read", path);
	*ret = vh_steal(&doc);
	return 0;
}

int kept_remove(const struct snapshot_disks *disks, const char *name, struct vh_err *err)
{
	vh_autofree char *path = path_of(disks, name);

	return path ? vh_remove_tree(path, err) : vh_err_nomem(err);
}

/* The name in that of a file; malloc'd. NULL: it is another file. */
static char *name_in(const char *file)
{
	const size_t n = strlen(file), head = sizeof(prefix) - 1, tail = sizeof(suffix) - 1;
	vh_autofree char *name = NULL;

	if (n <= head + tail || strncmp(file, prefix, head) || strcmp(file + n - tail, suffix))
		return NULL;
	name = strndup(file + head, n - head - tail);
	return name && vh_is_hostname(name) ? vh_steal(&name) : NULL;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int snapshots_names(const char *dir, char ***ret, struct vh_err *err)
{
	vh_cleanup(close_dir) DIR *d = opendir(dir);
	vh_autostrv names = NULL;
	const struct dirent *e;

	if (!d && errno != ENOENT)
		return vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	while (d && (e = readdir(d))) {
		vh_autofree char *name = name_in(e->d_name);

		if (name && vh_strv_push(&names, name) < 0)
			return vh_err_nomem(err);
	}
	if (names)
		vh_strv_sort(names);
	*ret = vh_steal(&names);
	return 0;
}

/* --- beside the disks that there are */

static const char *text_of(const json_t *disk, const char *key)
{
	const char *text = json_string_value(json_object_get(disk, key));

	return text ? text : "";
}

static bool is_of(const json_t *kept, const struct snapshot_disk *disk)
{
	return !strcmp(text_of(kept, "node"), disk->node) && !strcmp(text_of(kept, "volume"), disk->volume ? disk->volume : "");
}

static const struct snapshot_disk *find(const struct snapshot_disks *disks, const json_t *kept)
{
	for (size_t i = 0; i < disks->n; i++)
		if (is_of(kept, &disks->v[i]))
			return &disks->v[i];
	return NULL;
}

static bool is_kept(const json_t *all, const struct snapshot_disk *disk)
{
	const json_t *kept;
	size_t i;

	json_array_foreach(all, i, kept)
		if (is_of(kept, disk))
			return true;
	return false;
}

char *kept_differs(const struct snapshot_disks *disks, const json_t *kept)
{
	const json_t *all = json_object_get(kept, "disks"), *of;
	size_t i;

	json_array_foreach(all, i, of) {
		const struct snapshot_disk *disk = find(disks, of);

		if (!disk)
			return vh_strf("node %s, or a disk of it, has left since", text_of(of, "node"));
		if (strcmp(disk->uuid, text_of(of, "uuid")))
			return vh_strf("node %s was made anew since", disk->node);
	}
	for (i = 0; i < disks->n; i++)
		if (!is_kept(all, &disks->v[i]))
			return vh_strf("node %s, or a disk of it, has come since", disks->v[i].node);
	return NULL;
}

size_t kept_nodes(const json_t *kept)
{
	const json_t *disk;
	size_t i, n = 0;

	/* Each has one root disk. */
	json_array_foreach(json_object_get(kept, "disks"), i, disk)
		n += !json_object_get(disk, "volume");
	return n;
}
