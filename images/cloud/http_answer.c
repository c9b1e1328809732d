// SPDX-License-Identifier: Apache-2.0
/* What a service's answers say. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "images/cloud/http.h"
#include "lib/json.h"
#include "lib/strv.h"

enum { SHOWN = 300 };

/* Keystone has {"error": {"message"}}, Glance {"message"}, both maybe with HTML in it. */
static const char *json_message(const json_t *doc)
{
	const json_t *error = json_object_get(doc, "error");
	const char *inner = json_string_value(json_object_get(error, "message"));
	return inner ? inner : json_string_value(json_object_get(doc, "message"));
}

/* What of HTML is for people: no tags, no head. In place. */
static void strip_tags(char *text)
{
	char *head = strcasestr(text, "</head>"), *to = text;
	bool tag = false;

	for (const char *from = head ? head : text; *from; from++) {
		if (*from == '<')
			tag = true;
		if (!tag)
			*to++ = *from;
		if (*from == '>' && tag) {
			tag = false;
			*to++ = ' ';
		}
	}
	*to = 0;
}

/* Blanks become one; none is left at the ends. In place. */
static void squeeze(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	while (to > text && to[-1] == ' ')
		to--;
	*to = 0;
}

static void shorten(char *text)
{
	size_t n = SHOWN;

	if (strlen(text) <= n)
		return;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	strcpy(text + n - 3, "...");
}

static int take_value(const char *line, size_t len, const char *name, char **ret)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
		return 0;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (len > n && (unsigned char)line[len - 1] <= ' ')
		len--;
	free(*ret);
	*ret = strndup(line + n, len - n);
	return *ret ? 0 : -ENOMEM;
}

int vh_http_header(struct vh_http_answer *answer, const char *line, size_t len)
{
	int r = take_value(line, len, "X-Subject-Token", &answer->subject_token);

	return r < 0 ? r : take_value(line, len, "Location", &answer->location);
}

char *vh_http_message(const char *body, size_t len)
{
	vh_autojson doc = body ? json_loadb(body, len, 0, NULL) : NULL;
	const char *said = doc ? json_message(doc) : body;
	vh_autofree char *text = said ? strdup(said) : NULL;

	if (!text)
		return NULL;
	strip_tags(text);
	squeeze(text);
	shorten(text);
	return *vh_plain(text) ? vh_steal(&text) : NULL;
}

static const char *hint_of(long code)
{
	switch (code) {
	case 401:
		return "the cloud knows these credentials not, or not any more";
	case 403:
		return "the project's role may not do that, or its quota is used up";
	case 404:
		return "is the URL that of the service? clouds.yaml's auth_url and image_endpoint_override, or the catalog, have it";
	case 409:
		return "it is in use, or an image of that id is there already";
	case 413:
		return "Glance's limit (image_size_cap) or the project's quota is smaller than the image";
	default:
		return NULL;
	}
}

int vh_http_refusal(const struct vh_http_request *request, const struct vh_http_answer *answer, struct vh_err *err)
{
	vh_autofree char *said = vh_http_message(answer->body, answer->len);
	const char *hint = hint_of(answer->code);

	if (answer->code >= 300 && answer->code < 400) {
		vh_autofree char *to = strdup(answer->location ? answer->location : "elsewhere");
		vh_err_set(err, EREMOTEIO, "%s %s: %ld, points to %.200s", request->method, request->url, answer->code,
			   to ? vh_plain(to) : "elsewhere");
		return vh_err_hint(err, "no redirection is followed with a token; name the right URL");
	}
	vh_err_set(err, EREMOTEIO, "%s %s: %ld%s%s", request->method, request->url, answer->code, said ? ": " : "", said ? said : "");
	return hint ? vh_err_hint(err, "%s", hint) : -err->num;
}

int vh_http_json(const struct vh_http_request *request, const struct vh_http_answer *answer, json_t **ret,
		 struct vh_err *err)
{
	json_t *doc = answer->body ? json_loadb(answer->body, answer->len, 0, NULL) : NULL;

	if (!json_is_object(doc)) {
		json_decref(doc);
		return vh_err_set(err, EPROTO, "%s %s: the answer is no JSON object", request->method, request->url);
	}
	*ret = doc;
	return 0;
}
