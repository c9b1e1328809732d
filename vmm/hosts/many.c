// SPDX-License-Identifier: Apache-2.0
/* The hosts to choose from: a directory of them, or a list that is asked over ssh. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/hostlist.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/hosts/load.h"
#include "vmm/hosts/remote.h"

enum { DEADLINE_S = 15, DEADLINE_MAX_S = 3600 };

void vh_plan_hosts_clear(struct vh_plan_hosts *h)
{
	for (size_t i = 0; i < h->n; i++)
		vh_plan_host_clear(&h->hosts[i]);
	free(h->hosts);
	json_decref(h->unreachable);
	*h = (struct vh_plan_hosts){ 0 };
}

static int make_room(struct vh_plan_hosts *h, struct vh_err *err)
{
	struct vh_plan_host *grown = realloc(h->hosts, (h->n + 1) * sizeof(*grown));

	if (!grown)
		return vh_err_nomem(err);
	h->hosts = grown;
	return 0;
}

static int add_host(struct vh_hosts_query *q, const char *where, struct vh_plan_hosts *h,
		    struct vh_err *err)
{
	int r = make_room(h, err);

	if (r == 0)
		r = vh_plan_host_load(q, where, &h->hosts[h->n], err);
	h->n += r == 0;
	return r;
}

static int list_dir(const char *dir, char ***ret, struct vh_err *err)
{
	vh_autostrv names = NULL;
	const struct dirent *e;
	DIR *d = opendir(dir);
	int r = 0;

	if (!d)
		return vh_err_refuse(err, errno, "%s: %s", dir, strerror(errno));
	while (r == 0 && (e = readdir(d)))
		if (e->d_name[0] != '.')
			r = vh_strv_push(&names, e->d_name);
	closedir(d);
	if (r < 0)
		return vh_err_nomem(err);
	if (!names)
		return vh_err_refuse(err, ENOENT, "%s: holds no host", dir);
	vh_strv_sort(names);
	*ret = vh_steal(&names);
	return 0;
}

static int add_dir(struct vh_hosts_query *q, const char *dir, struct vh_plan_hosts *h,
		   struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = list_dir(dir, &names, err);

	for (char **n = names; r == 0 && *n; n++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, *n);

		r = path ? add_host(q, path, h, err) : vh_err_nomem(err);
	}
	return r;
}

static int add_remote(const struct vh_hosts_query *q, const struct vh_remote *remote, struct vh_plan_hosts *h,
		      struct vh_err *err)
{
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	struct vh_host *host = NULL;
	int r = make_room(h, err);

	if (r == 0)
		r = vh_host_from_json(remote->name, remote->model, strlen(remote->model), &host, &taken, err);
	if (r == 0)
		r = vh_plan_host_finish(q, remote->name, host, &taken, &h->hosts[h->n], err);
	h->n += r == 0;
	return r;
}

/* What one host says wrongly, or not at all, does not keep the others from being used. */
static int add_remotes(struct vh_hosts_query *q, const struct vh_remote *remotes, size_t n,
		       struct vh_plan_hosts *h, struct vh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		vh_autoerr bad = VH_ERR_NONE;
		const struct vh_err *why = remotes[i].model ? &bad : &remotes[i].err;

		if (remotes[i].model && add_remote(q, &remotes[i], h, &bad) == 0)
			continue;
		if (why->exit == VH_EXIT_USAGE || why->num == ENOMEM) {
			vh_err_move(err, &bad);
			return -err->num;
		}
		json_array_append_new(h->unreachable, json_pack("{s:s, s:o}", "host", remotes[i].name, "why",
								vh_json_text(why->text)));
		if (vh_strv_pushf(&q->notes, "left out: %s%s%s", remotes[i].model ? "" : remotes[i].name,
				  remotes[i].model ? "" : ": ", why->text) < 0)
			return vh_err_nomem(err);
	}
	return h->n ? 0 : vh_err_refuse(err, EHOSTUNREACH, "none of %zu hosts tells of itself over ssh", n);
}

static int add_hostlist(struct vh_hosts_query *q, const char *list, const char *timeout,
			struct vh_plan_hosts *h, struct vh_err *err)
{
	vh_autostrv names = NULL;
	vh_autostrv once = NULL;
	struct vh_remote *remotes = NULL;
	uint64_t seconds = DEADLINE_S;
	size_t n = 0;
	int r = timeout ? vh_uint_parse(timeout, DEADLINE_MAX_S, &seconds, err) : 0;

	if (r < 0)
		return vh_err_as(err, VH_EXIT_USAGE), vh_err_within(err, "--timeout");
	r = vh_hostlist_parse(list, &names, err);
	if (r < 0)
		return vh_err_within(err, "--hosts, which is no directory");
	for (char **name = names; r == 0 && *name; name++)
		if (!once || !vh_strv_has(once, *name))
			r = vh_strv_push(&once, *name);
	if (r < 0 || !(h->unreachable = json_array()))
		return vh_err_nomem(err);
	r = vh_remote_hosts(once, (int)seconds * 1000, &remotes, &n, err);
	if (r == 0)
		r = add_remotes(q, remotes, n, h, err);
	vh_remote_free(remotes, n);
	return r;
}

int vh_plan_hosts_load(struct vh_hosts_query *q, const char *hosts, const char *timeout,
		       struct vh_plan_hosts *ret, struct vh_err *err)
{
	vh_cleanup(vh_plan_hosts_clear) struct vh_plan_hosts h = { 0 };
	struct stat st;
	bool dir = strchr(hosts, '/') || (stat(hosts, &st) == 0 && S_ISDIR(st.st_mode));
	int r = dir ? add_dir(q, hosts, &h, err) : add_hostlist(q, hosts, timeout, &h, err);

	if (r < 0)
		return r;
	*ret = h;
	h = (struct vh_plan_hosts){ 0 };
	return 0;
}
