// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "images/recipe.h"
#include "lib/strv.h"
#include "lib/values.h"

static const char *const suites[] = { "host", "bookworm", "trixie", NULL };
static const char *const mpis[] = { "none", "openmpi", "mpich", NULL };
static const char *const mpi_packages[] = { NULL, "openmpi-bin", "mpich" };

/* Without these an image does not boot, get its identity or let anybody in. */
static const char *const base_packages[] = {
	"iproute2", "kmod", "login", "openssh-server", "procps", "systemd-sysv", "udev",
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int check_chars(const char *what, const char *value, const char *first, const char *rest,
		       struct vh_err *err)
{
	size_t n = strlen(value);
	if (n == 0 || n > 200 || !strchr(first, value[0]) || strspn(value, rest) != n)
		return vh_err_refuse(err, EINVAL, "'%s' is not %s", value, what);
	return 0;
}

static int check_package(const char *value, struct vh_err *err)
{
	return check_chars("a package name", value, LOWER DIGIT, LOWER DIGIT "+-.", err);
}

static int check_unit(const char *value, struct vh_err *err)
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
static int check_path(const char *value, struct vh_err *err)
{
	int r = check_chars("an absolute path or pattern", value, "/", LOWER UPPER DIGIT "/+-._*@:", err);
	if (r == 0 && strstr(value, ".."))
		r = vh_err_refuse(err, EINVAL, "'%s' is not an absolute path or pattern", value);
	return r;
}

static int check_module(const char *value, struct vh_err *err)
{
	return check_chars("a kernel module's name", value, LOWER DIGIT, LOWER UPPER DIGIT "_-", err);
}

static int check_cmdline(const char *value, struct vh_err *err)
{
	int r = check_chars("a kernel parameter", value, LOWER UPPER DIGIT,
			    LOWER UPPER DIGIT "_-.,:/=+@%^&!*", err);
	if (r == 0 && (!strncmp(value, "root=", 5) || !strncmp(value, "init=", 5)))
		r = vh_err_refuse(err, EINVAL, "'%s': root= and init= are the builder's", value);
	return r;
}

static int check_format(const char *value, struct vh_err *err)
{
	if (!strcmp(value, "uefi") || !strcmp(value, "squashfs"))
		return 0;
	return vh_err_refuse(err, EINVAL, "'%s' is neither uefi nor squashfs", value);
}

static int check_user(const char *value, struct vh_err *err)
{
	int r = check_chars("a user name", value, LOWER "_", LOWER DIGIT "_-", err);
	if (r == 0 && (strlen(value) > 31 || !strcmp(value, "root")))
		r = vh_err_refuse(err, EINVAL, "'%s' is not a user name other than root", value);
	return r;
}

static int check_sysctl(const char *name, const char *value, struct vh_err *err)
{
	int r = check_chars("a sysctl name", name, LOWER, LOWER UPPER DIGIT "._-/*", err);
	if (r == 0 && (!*value || strpbrk(value, "\n\r")))
		r = vh_err_refuse(err, EINVAL, "'%s' has no usable value", name);
	return r;
}

static int check_limit(const char *name, const char *value, struct vh_err *err)
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

#define AT(member) offsetof(struct vh_recipe, member)

const struct vh_key vh_recipe_keys[] = {
	{ "name", VH_KEY_STR, AT(name), .required = true, .check = vh_hostname_check,
	  .help = "The image's name in the store." },
	{ "suite", VH_KEY_ENUM, AT(suite), .dflt = "host", .choices = suites,
	  .help = "Debian's release; host: that of the building machine (bookworm where that is no Debian), "
		  "so that mpirun there and the MPI in the image match." },
	{ "kernel", VH_KEY_STR, AT(kernel), .dflt = "linux-image-cloud-amd64", .check = check_package,
	  .help = "The kernel's package." },
	{ "mpi", VH_KEY_ENUM, AT(mpi), .dflt = "none", .choices = mpis,
	  .help = "The MPI to install." },
	{ "packages", VH_KEY_STRV, AT(packages), .check = check_package,
	  .help = "Packages beyond those that every image needs; recommended packages do not follow." },
	{ "without", VH_KEY_STRV, AT(without), .check = check_package,
	  .help = "Packages left out although others depend on them: an empty stand-in takes their place. "
		  "What needs them must be excluded too." },
	{ "exclude", VH_KEY_STRV, AT(exclude), .check = check_path,
	  .help = "Paths, as patterns, that packages must not install." },
	{ "size", VH_KEY_SIZE, AT(size), .dflt = "4G", .min = 512ULL << 20, .max = 2ULL << 40,
	  .help = "Size of the root disk in bytes; the file is sparse." },
	{ "user", VH_KEY_STR, AT(user), .dflt = "hpc", .check = check_user,
	  .help = "Login of the cluster's users (uid 1000)." },
	{ "sysctl", VH_KEY_STRMAP, AT(sysctl),
	  .help = "Kernel settings written at boot." },
	{ "limits", VH_KEY_STRMAP, AT(limits),
	  .help = "Resource limits of every login, hard and soft: as, core, data, fsize, memlock, stack "
		  "(KiB), nofile, nproc, rtprio; or unlimited." },
	{ "mask", VH_KEY_STRV, AT(mask), .check = check_unit,
	  .help = "Units that must never start." },
	{ "blacklist", VH_KEY_STRV, AT(blacklist), .check = check_module,
	  .help = "Kernel modules that devices must not bring in." },
	{ "cmdline", VH_KEY_STRV, AT(cmdline), .check = check_cmdline,
	  .help = "Kernel parameters beyond those that find root disk and console." },
	{ "formats", VH_KEY_STRV, AT(formats), .check = check_format,
	  .help = "Ways to boot beyond kernel and initrd beside a root disk: uefi (a disk that firmware boots), "
		  "squashfs (a read-only root under a writable overlay in memory)." },
	{ "cloud_init", VH_KEY_BOOL, AT(cloud_init), .dflt = "false",
	  .help = "Install cloud-init and leave NoCloud and ConfigDrive seeds to it; without, a small program of "
		  "vhpc reads them." },
	{ "console_login", VH_KEY_BOOL, AT(console_login), .dflt = "false",
	  .help = "Log root in on the serial console without a password." },
	{ .name = NULL },
};

const char *vh_suite_name(int suite) { return suites[suite]; }
const char *vh_mpi_name(int mpi) { return mpis[mpi]; }
const char *vh_mpi_package(int mpi) { return mpi_packages[mpi]; }

/* VERSION_CODENAME of os-release; a host that is neither suite builds the older one. */
static int host_suite(const struct vh_root *host)
{
	vh_autofree char *text = NULL;
	int suite = VH_SUITE_BOOKWORM;
	if (!host || vh_root_read(host, &text, "etc/os-release") < 0)
		return suite;
	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		for (int i = VH_SUITE_BOOKWORM; suites[i]; i++)
			if (!strncmp(l, "VERSION_CODENAME=", 17) && !strcmp(l + 17, suites[i]))
				suite = i;
	return suite;
}

static int check_map(char *const *map, const char *key,
		     int (*check)(const char *, const char *, struct vh_err *), struct vh_err *err)
{
	for (; map && *map; map++) {
		size_t n = strcspn(*map, "=");
		vh_autofree char *name = strndup(*map, n);
		if (!name)
			return vh_err_nomem(err);
		if (check(name, *map + n + ((*map)[n] == '='), err) < 0)
			return vh_err_within(err, "%s", key);
	}
	return 0;
}

static int complete(struct vh_recipe *r, const char *file, const struct vh_root *host,
		    struct vh_err *err)
{
	if (r->suite == VH_SUITE_HOST)
		r->suite = host_suite(host);
	if (check_map(r->sysctl, "sysctl", check_sysctl, err) < 0 ||
	    check_map(r->limits, "limits", check_limit, err) < 0) {
		vh_recipe_clear(r);
		return vh_err_within(err, "%s", file);
	}
	return 0;
}

int vh_recipe_load(const char *path, const struct vh_root *host, struct vh_recipe *ret,
		   struct vh_err *err)
{
	struct vh_recipe r = { 0 };
	int e = vh_doc_load(path, vh_recipe_keys, &r, err);
	if (e == 0)
		e = complete(&r, path, host, err);
	if (e == 0)
		*ret = r;
	return e;
}

int vh_recipe_parse(const char *name, const char *text, size_t len, const struct vh_root *host,
		    struct vh_recipe *ret, struct vh_err *err)
{
	struct vh_recipe r = { 0 };
	int e = vh_doc_parse(name, text, len, vh_recipe_keys, &r, err);
	if (e == 0)
		e = complete(&r, name, host, err);
	if (e == 0)
		*ret = r;
	return e;
}

void vh_recipe_clear(struct vh_recipe *r)
{
	vh_doc_free(vh_recipe_keys, r);
	*r = (struct vh_recipe){ 0 };
}

static json_t *json_strv(char *const *v)
{
	json_t *a = json_array();
	for (; v && *v; v++)
		json_array_append_new(a, json_string(*v));
	return a;
}

json_t *vh_recipe_json(const struct vh_recipe *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
			 "name", r->name, "suite", suites[r->suite], "kernel", r->kernel,
			 "mpi", mpis[r->mpi], "packages", json_strv(r->packages),
			 "without", json_strv(r->without), "exclude", json_strv(r->exclude),
			 "size", (json_int_t)r->size, "user", r->user, "sysctl", json_strv(r->sysctl),
			 "limits", json_strv(r->limits), "mask", json_strv(r->mask),
			 "blacklist", json_strv(r->blacklist),
			 "cmdline", json_strv(r->cmdline), "formats", json_strv(r->formats),
			 "cloud_init", r->cloud_init, "console_login", r->console_login);
}

bool vh_recipe_format(const struct vh_recipe *r, const char *format)
{
	return vh_strv_has(r->formats, format);
}

static int push_new(char ***v, const char *s)
{
	return vh_strv_has(*v, s) ? 0 : vh_strv_push(v, s);
}

char **vh_recipe_packages(const struct vh_recipe *r)
{
	vh_autostrv v = NULL;
	int e = push_new(&v, r->kernel);

	for (size_t i = 0; e == 0 && i < vh_array_len(base_packages); i++)
		e = push_new(&v, base_packages[i]);
	if (e == 0 && mpi_packages[r->mpi])
		e = push_new(&v, mpi_packages[r->mpi]);
	if (e == 0 && r->cloud_init)
		e = push_new(&v, "cloud-init");
	if (e == 0 && vh_recipe_format(r, "uefi"))
		e = push_new(&v, "systemd-boot-efi");
	for (char **p = r->packages; e == 0 && p && *p; p++)
		e = push_new(&v, *p);
	if (e < 0)
		return NULL;
	vh_strv_sort(v);
	return vh_steal(&v);
}
