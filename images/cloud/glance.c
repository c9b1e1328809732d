// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "images/cloud/glance.h"
#include "lib/json.h"
#include "lib/strv.h"

/* How long an image that is all there may be "saving" or "importing" yet. */
enum { SETTLE_S = 600, REMOVE_TRIES = 5 };

void vh_glance_close(struct vh_glance *g)
{
	vh_keystone_token_clear(&g->token);
	free(g->url);
	free(g->project);
	*g = (struct vh_glance){ 0 };
}

int vh_glance_open(struct vh_glance *ret, struct vh_http *http, const struct vh_cloud *cloud, struct vh_err *err)
{
	vh_autoglance g = { .http = http, .cloud = cloud };
	const char *project = NULL;
	int r = vh_keystone_login(http, cloud, &g.token, err);

	if (r < 0 || (r = vh_keystone_project(g.token.doc, &project, err)) < 0 ||
	    (r = vh_keystone_image_url(g.token.doc, cloud, &g.url, err)) < 0)
		return r;
	g.project = strdup(project);
	if (!g.project)
		return vh_err_nomem(err);
	*ret = g;
	g = (struct vh_glance){ 0 };
	return 0;
}

/* A token that ran out on the way is renewed once. */
static int call(struct vh_glance *g, struct vh_http_request *request, struct vh_http_answer *ret, struct vh_err *err)
{
	vh_autotoken token = { 0 };
	int r;

	request->token = g->token.id;
	r = vh_http_do(g->http, request, ret, err);
	if (r < 0 || ret->code != 401 || g->cloud->method == VH_CLOUD_TOKEN)
		return r;
	vh_http_answer_clear(ret);
	if ((r = vh_keystone_login(g->http, g->cloud, &token, err)) < 0)
		return r;
	vh_keystone_token_clear(&g->token);
	g->token = token;
	token = (struct vh_keystone_token){ 0 };
	request->token = g->token.id;
	return vh_http_do(g->http, request, ret, err);
}

/* A call whose answer is a JSON object. */
static int call_json(struct vh_glance *g, struct vh_http_request *request, long code, json_t **ret, struct vh_err *err)
{
	vh_autoanswer answer = { 0 };
	int r = call(g, request, &answer, err);

	if (r < 0)
		return r;
	return answer.code == code ? vh_http_json(request, &answer, ret, err) : vh_http_refusal(request, &answer, err);
}

/* Names are host names: nothing in them has to be escaped. A name has few images; what would not fit
 * into one answer is refused rather than overlooked. */
int vh_glance_find(struct vh_glance *g, const char *name, json_t **ret, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/v2/images?name=%s&limit=1000", g->url, name);
	struct vh_http_request request = { .method = "GET", .url = url };
	vh_autojson doc = NULL;
	int r = url ? call_json(g, &request, 200, &doc, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	json_t *images = json_object_get(doc, "images");
	if (!json_is_array(images))
		return vh_err_set(err, EPROTO, "%s: lists no images (is it Glance v2?)", url);
	if (json_object_get(doc, "next"))
		return vh_err_refuse(err, E2BIG, "%s: has more than %zu images of that name", url, json_array_size(images));
	*ret = json_incref(images);
	return 0;
}

int vh_glance_create(struct vh_glance *g, const struct vh_glance_item *item, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/v2/images", g->url), *body = NULL;
	vh_autojson doc = json_copy(item->body);
	vh_autojson made = NULL;

	if (url && doc && json_object_set_new(doc, "id", json_string(item->id)) == 0)
		body = json_dumps(doc, JSON_COMPACT);
	if (!body)
		return vh_err_nomem(err);
	struct vh_http_request request = { .method = "POST", .url = url, .body = body };
	int r = call_json(g, &request, 201, &made, err);
	if (r < 0)
		return r;
	const char *id = json_string_value(json_object_get(made, "id"));
	return id && !strcmp(id, item->id) ? 0 : vh_err_set(err, EPROTO, "%s: made another image than was asked for", url);
}

int vh_glance_send(struct vh_glance *g, const struct vh_glance_item *item, void (*sent)(void *arg, uint64_t bytes),
		   void *arg, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/v2/images/%s/file", g->url, item->id);
	vh_autoclose int fd = open(item->path, O_RDONLY | O_CLOEXEC);
	struct vh_http_request request = { .method = "PUT", .url = url, .fd = fd, .length = item->size, .sent = sent, .arg = arg };
	vh_autoanswer answer = { 0 };
	int r;

	if (!url)
		return vh_err_nomem(err);
	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", item->path, strerror(errno));
	if ((r = call(g, &request, &answer, err)) < 0)
		return r;
	return answer.code == 204 ? 0 : vh_http_refusal(&request, &answer, err);
}

static int get_image(struct vh_glance *g, const char *id, json_t **ret, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/v2/images/%s", g->url, id);
	struct vh_http_request request = { .method = "GET", .url = url };
	return url ? call_json(g, &request, 200, ret, err) : vh_err_nomem(err);
}

static bool settles(const json_t *image)
{
	const char *status = json_string_value(json_object_get(image, "status"));
	return status && (!strcmp(status, "saving") || !strcmp(status, "importing"));
}

int vh_glance_verify(struct vh_glance *g, const struct vh_glance_item *item, struct vh_err *err)
{
	const struct timespec pause = { .tv_sec = 1 };

	for (int s = 0; ; s++) {
		vh_autojson image = NULL;
		int r = get_image(g, item->id, &image, err);
		if (r < 0)
			return r;
		if (!settles(image) || s >= SETTLE_S)
			return vh_glance_check(item, image, err);
		nanosleep(&pause, NULL);
	}
}

/* Glance may still be busy with the file whose connection broke, and fails then. */
static int remove_once(struct vh_glance *g, struct vh_http_request *request, bool last, struct vh_err *err)
{
	vh_autoanswer answer = { 0 };
	int r = call(g, request, &answer, err);

	if (r < 0 || answer.code == 204 || answer.code == 404)
		return r;
	return answer.code >= 500 && !last ? -EAGAIN : vh_http_refusal(request, &answer, err);
}

int vh_glance_remove(struct vh_glance *g, const char *id, struct vh_err *err)
{
	vh_autofree char *url = vh_strf("%s/v2/images/%s", g->url, id);
	struct vh_http_request request = { .method = "DELETE", .url = url };
	const struct timespec pause = { .tv_sec = 1 };
	int r = url ? -EAGAIN : vh_err_nomem(err);

	for (int left = REMOVE_TRIES - 1; r == -EAGAIN; left--) {
		r = remove_once(g, &request, left == 0, err);
		if (r == -EAGAIN)
			nanosleep(&pause, NULL);
	}
	return r;
}
