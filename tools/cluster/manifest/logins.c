// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/logins.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>

#include "images/guest/guest.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/ssh_key.h"
#include "lib/strv.h"
#include "lib/values.h"

/* An identity (VH_ID_TEXT_MAX) has room for these beside a thousand nodes of ordinary names. */
enum { KEY_BYTES_MAX = 256 << 10 };

/* What every image has of Debian's, users and groups: a user has a group of his name. The image's further ones are
 * asked of it. */
static const char *const system_names[] = {
	"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data", "backup",
	"list", "irc", "nobody", "nogroup", "adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape",
	"sudo", "audio", "dip", "operator", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "users", "input",
	"kvm", "render", "sshd", "messagebus", "systemd-network", "systemd-resolve", "systemd-timesync", "systemd-journal",
};

static int check_name(const char *s, struct vh_err *err)
{
	if (!vh_is_login(s)) {
		vh_err_refuse(err, EINVAL, "'%.80s' is no login", s);
		return vh_err_hint(err, "lower-case letters, digits, _ and -, at most 32, not first a digit or -");
	}
	for (size_t i = 0; i < vh_array_len(system_names); i++)
		if (!strcmp(s, system_names[i]))
			return vh_err_refuse(err, EEXIST, "'%s' is a user or group of every image", s);
	return 0;
}

static int check_group(const char *s, struct vh_err *err)
{
	return strcmp(s, "root") ? vh_login_check(s, err) : vh_err_refuse(err, EINVAL, "root is nobody's further group");
}

static int check_uid(const char *s, struct vh_err *err)
{
	uint64_t uid;
	int r = vh_uint_parse(s, UINT64_MAX, &uid, err);

	if (r < 0 || vh_user_id_is_free(uid))
		return r;
	vh_err_refuse(err, ERANGE, "%.20s is the system's, or the image's own user's", s);
	return vh_err_hint(err, "from 1001 to 59999, or from 65536 to 2147483647");
}

static bool is_path(const char *s)
{
	return *s && !strpbrk(s, " \t\n") && strncmp(s, "ssh-", 4) && strncmp(s, "ecdsa-", 6);
}

static int check_key(const char *s, struct vh_err *err)
{
	if (vh_is_ssh_key(s) || is_path(s))
		return 0;
	vh_err_refuse(err, EINVAL, "'%.40s' is neither an OpenSSH public key nor a file of them", s);
	return vh_err_hint(err, "a line as ssh-keygen writes it to a .pub file, without options: ssh-ed25519 AAAA... name");
}

#define AT(member) .offset = offsetof(struct login, member)
const struct vh_key login_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, AT(name), .required = true, .unique = true, .check = check_name,
	  .help = "Login, and the name of his own group; none that the image has." },
	{ .name = "uid", .type = VH_KEY_UINT, AT(uid), .required = true, .unique = true, .check = check_uid,
	  .help = "His number and his group's, from 1001 to 59999 or from 65536 to 2147483647." },
	{ .name = "groups", .type = VH_KEY_STRV, AT(groups), .max = VH_USER_GROUPS_MAX, .check = check_group,
	  .help = "Further groups; those that the image lacks are made, with one number on all nodes." },
	{ .name = "keys", .type = VH_KEY_STRV, AT(keys), .max = VH_USER_KEYS_MAX, .check = check_key,
	  .help = "OpenSSH public keys that let him in, or files of such lines, by their paths from the manifest's directory." },
	{ .name = NULL },
};
#undef AT

_Static_assert((int)LOGINS_MAX <= (int)VH_USERS_MAX && (int)IDENTITY_MAX <= (int)VH_ID_TEXT_MAX, "nodes take as many");
static const struct vh_key list_keys[] = { LOGINS_KEY(0), { .name = NULL } };

int logins_copy(const struct vh_doc_list *logins, struct vh_doc_list *ret, struct vh_err *err)
{
	vh_autojson all = vh_doc_json(list_keys, logins);

	return all ? vh_doc_from_json(list_keys, all, ret, err) : vh_err_nomem(err);
}

void logins_clear(struct vh_doc_list *logins)
{
	vh_doc_free(list_keys, logins);
}

static const struct login *find(const struct vh_doc_list *logins, const char *name)
{
	const struct login *l = logins->items;

	for (size_t i = 0; i < logins->n; i++)
		if (!strcmp(l[i].name, name))
			return &l[i];
	return NULL;
}

/* One of a that b has not, or has otherwise. */
static const char *lacks(const struct vh_doc_list *a, const struct vh_doc_list *b)
{
	const struct login *l = a->items;

	for (size_t i = 0; i < a->n; i++) {
		const struct login *other = find(b, l[i].name);
		vh_autojson x = vh_doc_json(login_keys, &l[i]);
		vh_autojson y = other ? vh_doc_json(login_keys, other) : NULL;

		if (!json_equal(x, y))
			return l[i].name;
	}
	return NULL;
}

const char *logins_differ(const struct vh_doc_list *a, const struct vh_doc_list *b)
{
	const char *name = lacks(a, b);

	return name ? name : lacks(b, a);
}

/* Nodes make so many groups that are nobody's own. */
static int check_groups(const struct vh_doc_list *logins, struct vh_err *err)
{
	const struct login *l = logins->items;
	vh_autostrv names = NULL;

	for (size_t i = 0; i < logins->n; i++)
		for (char **g = l[i].groups; g && *g; g++)
			if (!find(logins, *g) && !vh_strv_has(names, *g) && vh_strv_push(&names, *g) < 0)
				return vh_err_nomem(err);
	if (vh_strv_len(names) <= VH_ID_GROUPS_MAX)
		return 0;
	return vh_err_refuse(err, E2BIG, "users: %zu further groups together, at most %d are taken", vh_strv_len(names), VH_ID_GROUPS_MAX);
}

int logins_check(const struct vh_doc_list *logins, struct vh_err *err)
{
	const struct login *l = logins->items;

	if (logins->n > LOGINS_MAX)
		return vh_err_refuse(err, E2BIG, "%zu users, at most %d are taken", logins->n, LOGINS_MAX);
	for (size_t i = 0; i < logins->n; i++) {
		bool fine = vh_user_id_is_free(l[i].uid) && vh_strv_len(l[i].keys) <= VH_USER_KEYS_MAX &&
			    vh_strv_len(l[i].groups) <= VH_USER_GROUPS_MAX;

		for (size_t k = 0; k < i; k++)
			fine &= l[k].uid != l[i].uid && strcmp(l[k].name, l[i].name);
		for (char **k = l[i].keys; fine && k && *k; k++)
			fine = vh_is_ssh_key(*k);
		for (char **g = l[i].groups; fine && g && *g; g++)
			fine = check_group(*g, err) == 0;
		if (!fine)
			return vh_err_refuse(err, EINVAL, "user %s: is not as a manifest has users", l[i].name);
	}
	return check_groups(logins, err);
}

static int add_line(const char *path, unsigned number, const char *line, char ***keys, struct vh_err *err)
{
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return 0;
	if (!vh_is_ssh_key(line)) {
		vh_err_refuse(err, EINVAL, "%s:%u: not an OpenSSH public key", path, number);
		return vh_err_hint(err, "a line as ssh-keygen writes it to a .pub file, without options");
	}
	if (vh_strv_len(*keys) == VH_USER_KEYS_MAX)
		return vh_err_refuse(err, E2BIG, "%s:%u: more than %d keys of one user", path, number, VH_USER_KEYS_MAX);
	return vh_strv_push(keys, line) < 0 ? vh_err_nomem(err) : 0;
}

static int add_file(const char *dir, const char *name, char ***keys, struct vh_err *err)
{
	vh_autofree char *path = *name == '/' ? strdup(name) : vh_strf("%s/%s", dir, name), *text = NULL;
	unsigned number = 0;
	char *at, *line;
	size_t len;
	int r = path ? vh_host_file(path, &text, &len, err) : vh_err_nomem(err);

	if (r < 0)
		return r == -ENOMEM ? r : vh_err_as(err, VH_EXIT_REFUSED);
	if (len > KEY_BYTES_MAX)
		return vh_err_refuse(err, EFBIG, "%s: is %zu KiB, keys of at most %d are taken", path, len >> 10, KEY_BYTES_MAX >> 10);
	for (at = text; r == 0 && (line = strsep(&at, "\n"));) {
		line[strcspn(line, "\r")] = 0;
		r = add_line(path, ++number, line, keys, err);
	}
	return r;
}

static int settle(struct login *login, const char *dir, struct vh_err *err)
{
	vh_autostrv keys = NULL;
	int r = 0;

	for (char **k = login->keys; r == 0 && k && *k; k++)
		r = vh_is_ssh_key(*k) ? add_line(dir, 0, *k, &keys, err) : add_file(dir, *k, &keys, err);
	if (r < 0)
		return vh_err_within(err, "users: %s", login->name);
	vh_strv_free(login->keys);
	login->keys = vh_steal(&keys);
	return 0;
}

int logins_settle(struct vh_doc_list *logins, const char *path, struct vh_err *err)
{
	struct login *l = logins->items;
	vh_autofree char *copy = strdup(path);
	const char *dir = copy ? dirname(copy) : NULL;
	size_t bytes = 0;
	int r = dir ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && bytes <= KEY_BYTES_MAX && i < logins->n; i++) {
		r = settle(&l[i], dir, err);
		for (char **k = r == 0 ? l[i].keys : NULL; k && *k; k++)
			bytes += strlen(*k);
	}
	if (r == 0 && bytes > KEY_BYTES_MAX)
		r = vh_err_refuse(err, E2BIG, "users: their keys are %zu KiB together, at most %d are taken", bytes >> 10, KEY_BYTES_MAX >> 10);
	if (r == 0)
		r = check_groups(logins, err);
	return r < 0 && r != -ENOMEM ? vh_err_within(err, "%s", path) : r;
}
