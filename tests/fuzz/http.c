// SPDX-License-Identifier: Apache-2.0
/* What Keystone and Glance answer: a code's digits, the head's lines, an empty line, the body. */
#include "images/cloud/glance_plan.h"
#include "images/cloud/http.h"
#include "images/cloud/keystone.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

static const struct vh_http_request request = { .method = "POST", .url = "http://cloud/v3/auth/tokens" };

static void read_head(struct vh_http_answer *a, const char **at, const char *end)
{
	const char *line = *at, *next;

	while (line < end && *line != '\n') {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : end;
		FUZZ_ASSERT(vh_http_header(a, line, (size_t)(next - line)) == 0);
		line = next < end ? next + 1 : end;
	}
	*at = line < end ? line + 1 : end;
}

static void log_in(struct vh_http_answer *a)
{
	const struct vh_cloud cloud = { .interface = "public" };
	vh_autotoken token = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *url = NULL;
	const char *project = NULL;

	if (vh_keystone_read(&request, a, &token, &err) < 0) {
		FUZZ_ASSERT(err.text && !token.id && !strchr(err.text, '\n'));
		return;
	}
	FUZZ_ASSERT(!strpbrk(token.id, " \r\n"));
	FUZZ_ASSERT(vh_keystone_image_url(token.doc, &cloud, &url, &err) < 0 || vh_cloud_check_url(url, &err) == 0);
	FUZZ_ASSERT(vh_keystone_project(token.doc, &project, &err) < 0 || project);
}

static void list(const struct vh_http_answer *a)
{
	struct vh_glance_item item = { .size = 1, .sha256 = "00", .sha512 = "00", .id = "01234567-89ab-4def-8123-456789abcdef" };
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson doc = NULL;

	item.name = strdup("mpi");
	item.body = json_pack("{s:s, s:s}", "name", "mpi", "visibility", "private");
	if (vh_http_json(&request, a, &doc, &err) == 0) {
		FUZZ_ASSERT(vh_glance_judge(&item, json_object_get(doc, "images"), "project", true, &err) == 0 || err.text);
		FUZZ_ASSERT(vh_glance_check(&item, doc, &err) == 0 || err.text);
	}
	vh_glance_item_clear(&item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	vh_autoanswer a = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	for (; at < end && *at >= '0' && *at <= '9' && a.code < 1000; at++)
		a.code = a.code * 10 + *at - '0';
	read_head(&a, &at, end);
	a.len = (size_t)(end - at);
	a.body = calloc(1, a.len + 1);
	memcpy(a.body, at, a.len);
	FUZZ_ASSERT(vh_http_refusal(&request, &a, &err) < 0 && err.text && !strchr(err.text, '\n') && !strchr(err.text, 0x1b));
	list(&a);
	log_in(&a);
	return 0;
}
