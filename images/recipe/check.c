// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include "images/recipe/check.h"
#include "images/recipe/names.h"
#include "lib/strv.h"
#include "lib/values.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool has_chars(const char *value, const char *first, const char *rest)
{
	size_t n = strlen(value);
	return n > 0 && n <= 200 && strchr(first, value[0]) && strspn(value, rest) == n;
}

static int check_chars(const char *what, const char *value, const char *first, const char *rest,
		       struct vh_err *err)
{
	return has_chars(value, first, rest) ? 0 : vh_err_refuse(err, EINVAL, "'%.200s' is not %s", value, what);
}

int vh_check_package(const char *value, struct vh_err *err)
{
	return check_chars("a package name", value, LOWER DIGIT, LOWER DIGIT "+-.", err);
}

int vh_check_suite_package(const char *value, struct vh_err *err)
{
	int suite;
	return vh_check_package(value + vh_suite_prefix(value, &suite), err);
}

int vh_check_kernel(const char *value, struct vh_err *err)
{
	if (vh_check_package(value, err) == 0)
		return 0;
	vh_err_hint(err, "cloud, generic, rt, or the name of a package such as linux-image-amd64");
	return -err->num;
}

int vh_check_unit(const char *value, struct vh_err *err)
{
	static const char *const types[] = { ".service", ".timer", ".socket", ".target", ".path",
					     ".mount", ".automount" };
	const char *dot = strrchr(value, '.');
	int r = check_chars("a unit name", value, LOWER UPPER DIGIT, LOWER UPPER DIGIT "@_.:-", err);
	if (r < 0)
		return r;
	for (size_t i = 0; dot && i < vh_array_len(types); i++)
		if (!strcmp(dot, types[i]))
			return 0;
	return vh_err_refuse(err, EINVAL, "'%s' is not a unit name (such as apt-daily.timer)", value);
}

/* dpkg reads it as a pattern, so stars are allowed. */
int vh_check_pattern(const char *value, struct vh_err *err)
{
	int r = check_chars("an absolute path or pattern", value, "/", LOWER UPPER DIGIT "/+-._*@:", err);
	if (r == 0 && strstr(value, ".."))
		r = vh_err_refuse(err, EINVAL, "'%s' is not an absolute path or pattern", value);
	return r;
}

int vh_check_path(const char *value, struct vh_err *err)
{
	static const char *const hidden[] = { "/dev/", "/proc/", "/run/", "/sys/", "/tmp/" };
	static const char what[] = "the absolute path of a file";
	int r = check_chars(what, value, "/", LOWER UPPER DIGIT "/+-._@:", err);

	if (r == 0 && (strstr(value, "//") || strstr(value, "/./") || strstr(value, "/../") ||
		       strchr("/.", value[strlen(value) - 1])))
		return vh_err_refuse(err, EINVAL, "'%s' is not %s within the image", value, what);
	for (size_t i = 0; r == 0 && i < vh_array_len(hidden); i++)
		if (!strncmp(value, hidden[i], strlen(hidden[i])))
			return vh_err_refuse(err, EINVAL, "'%s': what is mounted at boot would hide it", value);
	return r;
}

int vh_check_mode(const char *value, struct vh_err *err)
{
	if (strlen(value) <= 5 && has_chars(value, "0", "01234567"))
		return 0;
	return vh_err_refuse(err, EINVAL, "'%.200s' is not a mode such as 0644 (octal)", value);
}

int vh_check_owner(const char *value, struct vh_err *err)
{
	const char *colon = strchr(value, ':');
	int r = check_chars("an owner (USER or USER:GROUP)", value, LOWER DIGIT "_", LOWER DIGIT "_-:", err);

	if (r == 0 && colon && (!colon[1] || strchr(colon + 1, ':')))
		r = vh_err_refuse(err, EINVAL, "'%s' is not an owner (USER or USER:GROUP)", value);
	return r;
}

int vh_check_module(const char *value, struct vh_err *err)
{
	return check_chars("a kernel module's name", value, LOWER DIGIT, LOWER UPPER DIGIT "_-", err);
}

/* Which CPUs a VM has, and which of them run ranks, its plan decides long after the image is made. */
static bool is_of_plan(const char *value)
{
	static const char *const params[] = { "nohz_full=", "rcu_nocbs=", "isolcpus=", "irqaffinity=" };

	for (size_t i = 0; i < vh_array_len(params); i++)
		if (!strncmp(value, params[i], strlen(params[i])))
			return true;
	return false;
}

int vh_check_cmdline(const char *value, struct vh_err *err)
{
	int r = check_chars("a kernel parameter", value, LOWER UPPER DIGIT,
			    LOWER UPPER DIGIT "_-.,:/=+@%^&!*", err);

	if (r < 0)
		return r;
	if (!strncmp(value, "root=", 5) || !strncmp(value, "init=", 5))
		return vh_err_refuse(err, EINVAL, "'%s': root= and init= are the builder's", value);
	if (is_of_plan(value)) {
		vh_err_refuse(err, EINVAL, "'%s': an image fits VMs of any CPUs", value);
		return vh_err_hint(err, "it is for the VM's own command line, with the CPUs that its plan gave it");
	}
	if (!strncmp(value, "mitigations=", 12)) {
		vh_err_refuse(err, EINVAL, "'%s': the recipe has a key for it", value);
		return vh_err_hint(err, "mitigations: off");
	}
	return 0;
}

int vh_check_format(const char *value, struct vh_err *err)
{
	if (!strcmp(value, "uefi") || !strcmp(value, "squashfs"))
		return 0;
	return vh_err_refuse(err, EINVAL, "'%s' is neither uefi nor squashfs", value);
}

int vh_check_listed_user(const char *value, struct vh_err *err)
{
	int r = check_chars("a user name", value, LOWER "_", LOWER DIGIT "_-", err);
	if (r == 0 && strlen(value) > 31)
		r = vh_err_refuse(err, EINVAL, "'%s' is longer than a user name may be", value);
	return r;
}

int vh_check_user(const char *value, struct vh_err *err)
{
	int r = vh_check_listed_user(value, err);
	if (r == 0 && !strcmp(value, "root"))
		r = vh_err_refuse(err, EINVAL, "'%s' is not a user name other than root", value);
	return r;
}

int vh_check_key(const char *value, struct vh_err *err)
{
	static const char *const types[] = { "ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-nistp256 ",
		"ecdsa-sha2-nistp384 ", "ecdsa-sha2-nistp521 ", "sk-ssh-ed25519@openssh.com ",
		"sk-ecdsa-sha2-nistp256@openssh.com " };
	static const char base64[] = LOWER UPPER DIGIT "+/=";

	for (size_t i = 0; i < vh_array_len(types); i++) {
		size_t n = strlen(types[i]), key = strncmp(value, types[i], n) ? 0 : strspn(value + n, base64);
		if (key >= 40 && strchr(" ", value[n + key]) && !strpbrk(value, "\n\r"))
			return 0;
	}
	vh_err_refuse(err, EINVAL, "'%.40s' is not an OpenSSH public key", value);
	return vh_err_hint(err, "a line as ssh-keygen writes it to a .pub file: ssh-ed25519 AAAA... name");
}

int vh_check_url(const char *value, struct vh_err *err)
{
	static const char *const schemes[] = { "http://", "https://", "file:///" };

	for (size_t i = 0; i < vh_array_len(schemes); i++)
		if (!strncmp(value, schemes[i], strlen(schemes[i])) && value[strlen(schemes[i])] &&
		    has_chars(value, LOWER, LOWER UPPER DIGIT ":/.-_~+%@"))
			return 0;
	return vh_err_refuse(err, EINVAL, "'%.200s' is not the address of an archive (http, https or file:///)", value);
}

int vh_check_word(const char *value, struct vh_err *err)
{
	int r = check_chars("a name of an archive", value, LOWER UPPER DIGIT "./", LOWER UPPER DIGIT "-_./", err);
	return r == 0 && strstr(value, "..") ? vh_err_refuse(err, EINVAL, "'%s' is not a name of an archive", value) : r;
}

static int check_value(const char *name, const char *value, struct vh_err *err)
{
	vh_autofree char *plain = strdup(value);

	if (!plain)
		return vh_err_nomem(err);
	if (!*value || strcmp(vh_plain(plain), value))
		return vh_err_refuse(err, EINVAL, "'%s' has no usable value", name);
	return 0;
}

int vh_check_sysctl(const char *name, const char *value, struct vh_err *err)
{
	int r = check_chars("a sysctl name", name, LOWER, LOWER UPPER DIGIT "._-/*", err);
	return r < 0 ? r : check_value(name, value, err);
}

int vh_check_sysfs(const char *name, const char *value, struct vh_err *err)
{
	int r = check_chars("a path below /sys", name, LOWER, LOWER UPPER DIGIT "._-/:*", err);

	if (r == 0 && strstr(name, ".."))
		r = vh_err_refuse(err, EINVAL, "'%s' is not a path below /sys", name);
	if (r == 0 && strpbrk(value, "%\\\""))
		r = vh_err_refuse(err, EINVAL, "'%s' has no usable value", name);
	return r < 0 ? r : check_value(name, value, err);
}

int vh_check_limit(const char *name, const char *value, struct vh_err *err)
{
	static const char *const known[] = { "as", "core", "data", "fsize", "memlock", "nofile",
					     "nproc", "rtprio", "stack" };
	uint64_t number;
	size_t i;
	for (i = 0; i < vh_array_len(known) && strcmp(known[i], name); i++)
		;
	if (i == vh_array_len(known)) {
		const char *near = vh_nearest(name, known, vh_array_len(known));
		int r = vh_err_refuse(err, EINVAL, "'%s' is no limit that can be set", name);
		return near ? vh_err_hint(err, "did you mean %s?", near) : r;
	}
	if (strcmp(value, "unlimited") && vh_uint_parse(value, INT64_MAX, &number, err) < 0)
		return vh_err_refuse(err, EINVAL, "'%s' is neither a number nor unlimited", value);
	return 0;
}
