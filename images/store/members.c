// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "images/store/members.h"
#include "images/store/store.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define HEX DIGIT "abcdef"
#define VERSION LOWER UPPER DIGIT ".+-:~"
#define CMDLINE LOWER UPPER DIGIT "_-.,:/=+@%^&!* "

enum kind { TEXT, NUMBER, MAP, LIST, ANY };

/* What is within a tree of any members: a recipe. */
enum { DEEPEST = 6, LONGEST = 16384, KEY_LONGEST = 256, PACKAGES_MOST = 20000 };

/* A row a member. */
struct member {
	const char *name;
	enum kind kind;
	bool needed;
	int64_t min, max;		/* bytes of a text, items of a list, the number itself */
	const char *first, *chars;	/* of a text: what it may begin with (NULL: any of them), and hold (NULL: what a
					   terminal shows) */
	bool (*is)(const char *text);	/* of a text, besides; or NULL */
	const struct member *members;	/* of a map, or of each item of a list */
};

static bool is_schema(const char *text) { return !strcmp(text, VH_IMAGE_SCHEMA); }
static bool is_uuid(const char *text)
{
	return strspn(text, HEX) == 8 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}
static bool is_user(const char *text) { return vh_is_login(text) && strcmp(text, "root"); }
static bool is_mpi(const char *text) { return !strcmp(text, "none") || !strcmp(text, "openmpi") || !strcmp(text, "mpich"); }
static bool is_ext4(const char *text) { return !strcmp(text, "ext4"); }

static const struct member kernel[] = {
	{ "package", TEXT, true, 1, 200, LOWER DIGIT, LOWER DIGIT "+-.", .is = NULL },
	{ "version", TEXT, true, 1, 200, LOWER UPPER DIGIT, VERSION "_", .is = NULL },
	{ .name = NULL },
};
static const struct member way[] = { { "cmdline", TEXT, true, 1, 2047, .chars = CMDLINE, .is = NULL }, { .name = NULL } };
static const struct member boot[] = {
	{ "uefi", MAP, .members = way }, { "squashfs", MAP, .members = way }, { .name = NULL },
};
static const struct member mpi[] = {
	{ "name", TEXT, true, 1, 16, .chars = LOWER, .is = is_mpi },
	{ "version", TEXT, true, 0, 64, DIGIT, LOWER UPPER DIGIT ".+-~", .is = NULL },
	{ "transport", TEXT, false, 1, 16, .chars = LOWER, .is = NULL },
	{ .name = NULL },
};
static const struct member root[] = {
	{ "type", TEXT, true, 1, 8, .chars = LOWER DIGIT, .is = is_ext4 },
	{ "uuid", TEXT, true, 36, 36, .chars = HEX "-", .is = is_uuid },
	{ "size", NUMBER, true, 1 << 20, 2LL << 40, .is = NULL },
	{ .name = NULL },
};
static const struct member package[] = {
	{ "name", TEXT, true, 1, 255, LOWER DIGIT, LOWER DIGIT "+-.", .is = NULL },
	{ "version", TEXT, true, 1, 255, LOWER UPPER DIGIT, VERSION, .is = NULL },
	{ "architecture", TEXT, true, 1, 64, LOWER DIGIT, LOWER DIGIT "-", .is = NULL },
	{ "size", NUMBER, false, 0, 2LL << 40, .is = NULL },
	{ "sha256", TEXT, false, 64, 64, .chars = HEX, .is = NULL },
	{ .name = NULL },
};
static const struct member image[] = {
	{ "schema", TEXT, true, 1, 32, .is = is_schema },
	{ "name", TEXT, true, 1, 63, .chars = LOWER DIGIT "-", .is = vh_is_hostname },
	{ "digest", TEXT, true, 64, 64, .chars = HEX, .is = NULL },
	{ "suite", TEXT, true, 1, 32, LOWER, LOWER DIGIT "-", .is = NULL },
	{ "kernel", MAP, true, .members = kernel },
	{ "cmdline", TEXT, true, 1, 2047, .chars = CMDLINE, .is = NULL },
	{ "boot", MAP, .members = boot },
	{ "user", TEXT, true, 1, 31, .chars = LOWER DIGIT "_-", .is = is_user },
	{ "mpi", MAP, true, .members = mpi },
	{ "root", MAP, true, .members = root },
	{ "epoch", NUMBER, false, 0, 1LL << 40, .is = NULL },
	{ "recipe", ANY, .is = NULL },
	{ "packages", LIST, false, 0, PACKAGES_MOST, .members = package },
	{ .name = NULL },
};

/* Where in the document: "packages.12.version". */
struct spot { const struct spot *above; const char *name; size_t index; };

static char *path_of(const struct spot *at)
{
	vh_autofree char *above = at->above ? path_of(at->above) : NULL;
	vh_autofree char *own = at->name ? vh_strf("%.80s", at->name) : vh_strf("%zu", at->index);

	if (!own || (at->above && !above))
		return NULL;
	return above ? vh_strf("%s.%s", above, own) : vh_steal(&own);
}

static int refuse(const struct spot *at, const char *why, struct vh_err *err)
{
	vh_autofree char *path = path_of(at);

	return path ? vh_err_refuse(err, EBADMSG, "member %s %s", vh_plain(path), why) : vh_err_nomem(err);
}

/* Nothing in it that a terminal obeys; UTF-8 it is already. */
static bool is_shown(const char *text)
{
	vh_autofree char *plain = strdup(text);

	return plain && !strcmp(vh_plain(plain), text);
}

static int check_text(const struct member *m, const json_t *v, const struct spot *at, struct vh_err *err)
{
	const char *text = json_string_value(v);
	size_t n = json_string_length(v);

	if (!text || strlen(text) != n)
		return refuse(at, "is no text", err);
	if (n < (size_t)m->min || n > (size_t)m->max)
		return refuse(at, "is too short or too long", err);
	if (m->chars ? strspn(text, m->chars) != n : !is_shown(text))
		return refuse(at, "holds characters that do not belong there", err);
	if ((m->first && n && !strchr(m->first, *text)) || (m->is && !m->is(text)))
		return refuse(at, "is none that an image can have", err);
	return 0;
}

static int check_number(const struct member *m, const json_t *v, const struct spot *at, struct vh_err *err)
{
	if (!json_is_integer(v) || json_integer_value(v) < m->min || json_integer_value(v) > m->max)
		return refuse(at, "is no number that can be there", err);
	return 0;
}

static int check_any(const json_t *v, unsigned depth, const struct spot *at, struct vh_err *err)
{
	const struct member text = { .max = LONGEST };
	const char *name;
	const json_t *item;
	size_t i;
	int r = 0;

	if (depth > DEEPEST)
		return refuse(at, "goes too deep", err);
	if (json_is_string(v))
		return check_text(&text, v, at, err);
	json_array_foreach(v, i, item)
		if ((r = check_any(item, depth + 1, &(struct spot){ at, NULL, i }, err)) < 0)
			return r;
	json_object_foreach((json_t *)v, name, item) {
		const struct spot below = { at, name, 0 };
		if (strlen(name) > KEY_LONGEST || !is_shown(name))
			return refuse(&below, "has a name that does not belong there", err);
		if ((r = check_any(item, depth + 1, &below, err)) < 0)
			return r;
	}
	return 0;
}

static int check_map(const struct member *members, const json_t *v, const struct spot *at, struct vh_err *err);

static int check_list(const struct member *m, const json_t *v, const struct spot *at, struct vh_err *err)
{
	const json_t *item;
	size_t i;
	int r = 0;

	if (!json_is_array(v) || json_array_size(v) > (size_t)m->max)
		return refuse(at, "is no list of that many", err);
	json_array_foreach(v, i, item)
		if ((r = check_map(m->members, item, &(struct spot){ at, NULL, i }, err)) < 0)
			return r;
	return 0;
}

static int check_member(const struct member *m, const json_t *v, const struct spot *at, struct vh_err *err)
{
	switch (m->kind) {
	case TEXT: return check_text(m, v, at, err);
	case NUMBER: return check_number(m, v, at, err);
	case MAP: return check_map(m->members, v, at, err);
	case LIST: return check_list(m, v, at, err);
	default: return json_is_object(v) ? check_any(v, 0, at, err) : refuse(at, "is no map", err);
	}
}

/* The members that are there are known ones, and those that must be there are. at NULL: the document. */
static int check_map(const struct member *members, const json_t *v, const struct spot *at, struct vh_err *err)
{
	const struct member *m;
	const char *name;
	const json_t *item;
	int r = 0;

	if (!json_is_object(v))
		return at ? refuse(at, "is no map", err) : vh_err_refuse(err, EBADMSG, "is no map");
	for (m = members; m->name; m++)
		if (m->needed && !json_object_get(v, m->name))
			return refuse(&(struct spot){ at, m->name, 0 }, "is missing", err);
	json_object_foreach((json_t *)v, name, item) {
		for (m = members; m->name && strcmp(m->name, name); m++)
			;
		const struct spot below = { at, name, 0 };
		r = m->name ? check_member(m, item, &below, err) : refuse(&below, "is unknown", err);
		if (r < 0)
			return r;
	}
	return 0;
}

int vh_members_parse(const char *shown, const char *text, size_t len, json_t **ret, struct vh_err *err)
{
	json_error_t bad;
	vh_autojson doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &bad);

	if (!doc)
		return vh_err_refuse(err, EBADMSG, "%s:%d: %s", shown, bad.line, bad.text);
	if (check_map(image, doc, NULL, err) < 0)
		return vh_err_within(err, "%s", shown);
	*ret = vh_steal(&doc);
	return 0;
}
