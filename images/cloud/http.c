// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include "images/cloud/http.h"
#include "lib/clock.h"
#include "lib/strv.h"

enum { ANSWER_MAX = 16 << 20, CONNECT_S = 20 };

struct vh_http {
	CURL *curl;
	struct vh_http_settings settings;
};

/* One request that is under way. */
struct transfer {
	const struct vh_http *http;
	const struct vh_http_request *request;
	struct vh_http_answer answer;
	char error[CURL_ERROR_SIZE];
	uint64_t read;			/* of the file */
	int64_t moved, moved_at;	/* bytes both ways; when that grew, in seconds */
	int64_t limit;			/* how long nothing may move now */
	int cause;			/* why we ended it: EINTR, ETIMEDOUT, EFBIG, or what reading said */
};

static int64_t seconds(void)
{
	return (int64_t)vh_now();
}

void vh_http_answer_clear(struct vh_http_answer *a)
{
	if (a->subject_token)
		explicit_bzero(a->subject_token, strlen(a->subject_token));
	free(a->subject_token);
	free(a->location);
	free(a->body);
	*a = (struct vh_http_answer){ 0 };
}

int vh_http_open(struct vh_http **ret, const struct vh_http_settings *settings, struct vh_err *err)
{
	struct vh_http *http = calloc(1, sizeof *http);

	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(http->curl = curl_easy_init())) {
		free(http);
		return vh_err_nomem(err);
	}
	http->settings = *settings;
	*ret = http;
	return 0;
}

void vh_http_close(struct vh_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

void vh_http_ignore_stop(struct vh_http *http)
{
	http->settings.stop = NULL;
}

/* --- what libcurl calls */

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (len > ANSWER_MAX - t->answer.len) {
		t->cause = EFBIG;
		return 0;
	}
	char *grown = realloc(t->answer.body, t->answer.len + len + 1);
	if (!grown) {
		t->cause = ENOMEM;
		return 0;
	}
	memcpy(grown + t->answer.len, data, len);
	t->answer.body = grown;
	t->answer.len += len;
	grown[t->answer.len] = 0;
	return len;
}

static size_t take_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;

	if (vh_http_header(&t->answer, line, len) < 0) {
		t->cause = ENOMEM;
		return 0;
	}
	return len;
}

static size_t give_file(char *buf, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	ssize_t got;

	do
		got = pread(t->request->fd, buf, size * n, (off_t)t->read);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		t->cause = errno;
		return CURL_READFUNC_ABORT;
	}
	t->read += (uint64_t)got;
	return (size_t)got;
}

/* A connection that was kept may turn out to be closed: libcurl begins again. */
static int rewind_file(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	t->read = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Called at least once a second, also where nothing moves. */
static int watch(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
	struct transfer *t = arg;
	const struct vh_http_settings *s = &t->http->settings;
	bool all_sent = t->request->fd && (uint64_t)sent >= t->request->length;
	int64_t now = seconds();

	(void)to_get;
	(void)to_send;
	if (got + sent != t->moved) {
		t->moved = got + sent;
		t->moved_at = now;
	}
	if (t->request->sent)
		t->request->sent(t->request->arg, (uint64_t)sent);
	t->limit = (int64_t)s->stall_s * (all_sent ? 10 : 1);
	if (s->stop && *s->stop)
		t->cause = EINTR;
	else if (now - t->moved_at > t->limit)
		t->cause = ETIMEDOUT;
	return t->cause != 0;
}

/* --- a request */

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	vh_autofree char *line = vh_strf("%s: %s", name, value);
	struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;

	if (line && !strcmp(name, "X-Auth-Token"))
		explicit_bzero(line, strlen(line));
	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static void free_headers(struct curl_slist **list)
{
	for (struct curl_slist *h = *list; h; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(*list);
}

static int make_headers(const struct vh_http_request *request, struct curl_slist **ret)
{
	const char *type = request->fd ? "application/octet-stream" : "application/json";
	int r = add_header(ret, "Accept", "application/json");

	if (r == 0 && (request->fd || request->body))
		r = add_header(ret, "Content-Type", type);
	return r == 0 && request->token ? add_header(ret, "X-Auth-Token", request->token) : r;
}

/* What is the same for every request: nobody else's server gets a token, and none hangs us. */
static bool set_limits(CURL *c, const struct vh_http_settings *s)
{
	return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "vhpc/" VHPC_VERSION) == CURLE_OK &&
	       (!s->cacert || curl_easy_setopt(c, CURLOPT_CAINFO, s->cacert) == CURLE_OK) &&
	       (!s->cert || curl_easy_setopt(c, CURLOPT_SSLCERT, s->cert) == CURLE_OK) &&
	       (!s->key || curl_easy_setopt(c, CURLOPT_SSLKEY, s->key) == CURLE_OK);
}

static bool set_request(CURL *c, struct transfer *t, struct curl_slist *headers)
{
	const struct vh_http_request *r = t->request;

	return curl_easy_setopt(c, CURLOPT_URL, r->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, watch) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_XFERINFODATA, t) == CURLE_OK &&
	       (!r->body || curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body) == CURLE_OK) &&
	       (!r->fd || (curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
			   curl_easy_setopt(c, CURLOPT_READFUNCTION, give_file) == CURLE_OK &&
			   curl_easy_setopt(c, CURLOPT_READDATA, t) == CURLE_OK &&
			   curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, rewind_file) == CURLE_OK &&
			   curl_easy_setopt(c, CURLOPT_SEEKDATA, t) == CURLE_OK &&
			   curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->length) == CURLE_OK)) &&
	       curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
}

static int say_why(const struct transfer *t, CURLcode code, struct vh_err *err)
{
	const struct vh_http_request *r = t->request;

	switch (t->cause) {
	case EINTR:
		return vh_err_set(err, EINTR, "%s: interrupted", r->url);
	case ETIMEDOUT:
		return vh_err_set(err, ETIMEDOUT, "%s %s: nothing moved for %lld s", r->method, r->url, (long long)t->limit);
	case EFBIG:
		return vh_err_set(err, EFBIG, "%s %s: the answer is longer than 16 MiB", r->method, r->url);
	case 0:
		break;
	default:
		return vh_err_set(err, t->cause, "%s %s: %s", r->method, r->url, strerror(t->cause));
	}
	vh_err_set(err, ECOMM, "%s %s: %s", r->method, r->url, *t->error ? t->error : curl_easy_strerror(code));
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return vh_err_hint(err, "cacert (OS_CACERT) names the authority that signed its certificate");
	return -err->num;
}

int vh_http_do(struct vh_http *http, const struct vh_http_request *request, struct vh_http_answer *ret,
	       struct vh_err *err)
{
	struct transfer t = { .http = http, .request = request, .moved_at = seconds() };
	vh_cleanup(free_headers) struct curl_slist *headers = NULL;
	CURLcode code;

	curl_easy_reset(http->curl);
	if (make_headers(request, &headers) < 0 || !set_limits(http->curl, &http->settings) ||
	    !set_request(http->curl, &t, headers))
		return vh_err_nomem(err);
	code = curl_easy_perform(http->curl);
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &t.answer.code);
	/* A service that refuses a file need not read it to its end. */
	if (code == CURLE_OK || (t.answer.code >= 300 && !t.cause)) {
		*ret = t.answer;
		return 0;
	}
	vh_http_answer_clear(&t.answer);
	return say_why(&t, code, err);
}
