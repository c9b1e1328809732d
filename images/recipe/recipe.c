// SPDX-License-Identifier: Apache-2.0
/* The table of keys, and a recipe as JSON. */
#include <stddef.h>
#include <string.h>
#include "images/cache/cache.h"
#include "images/recipe/recipe.h"
#include "images/recipe/check.h"
#include "images/recipe/names.h"
#include "lib/strv.h"
#include "lib/values.h"

#define OF(type, member) offsetof(struct vh_recipe_##type, member)

static const struct vh_key repository_keys[] = {
	{ "name", VH_KEY_STR, OF(repository, name), .required = true, .check = vh_hostname_check,
	  .help = "What its key is called in the image." },
	{ "url", VH_KEY_STR, OF(repository, url), .required = true, .check = vh_check_url,
	  .help = "Its address." },
	{ "suite", VH_KEY_STR, OF(repository, suite), .required = true, .check = vh_check_word,
	  .help = "Its suite; with a slash at its end: a flat archive, which has no components." },
	{ "components", VH_KEY_STRV, OF(repository, components), .check = vh_check_word,
	  .help = "Its components." },
	{ "key", VH_KEY_STR, OF(repository, key), .required = true,
	  .help = "File of the OpenPGP key that signs it, below the recipe's directory." },
	{ .name = NULL },
};

static const struct vh_key user_keys[] = {
	{ "name", VH_KEY_STR, OF(user, name), .required = true, .check = vh_check_listed_user,
	  .help = "Login. For root, and the one that the key user names, only keys and groups are taken." },
	{ "uid", VH_KEY_UINT, OF(user, uid), .max = 59999,
	  .help = "User and group number; left out or 0: the next free one from 1001." },
	{ "shell", VH_KEY_STR, OF(user, shell), .dflt = "/bin/bash", .check = vh_check_path, .help = "Login shell." },
	{ "groups", VH_KEY_STRV, OF(user, groups), .check = vh_check_listed_user,
	  .help = "Further groups; they must be there." },
	{ "keys", VH_KEY_STRV, OF(user, keys), .check = vh_check_key,
	  .help = "OpenSSH public keys that may log in. There are no passwords." },
	{ .name = NULL },
};

static const struct vh_key file_keys[] = {
	{ "path", VH_KEY_STR, OF(file, path), .required = true, .check = vh_check_path,
	  .help = "Where it is put. A later file of the same path takes its place." },
	{ "content", VH_KEY_STR, OF(file, content), .help = "What stands in it." },
	{ "source", VH_KEY_STR, OF(file, source),
	  .help = "Or the file to copy, relative to the recipe that says so, below the built recipe's directory." },
	{ "mode", VH_KEY_STR, OF(file, mode), .dflt = "0644", .check = vh_check_mode, .help = "Its mode, octal." },
	{ "owner", VH_KEY_STR, OF(file, owner), .dflt = "root", .check = vh_check_owner,
	  .help = "USER or USER:GROUP, names of the image or numbers." },
	{ .name = NULL },
};

#define AT(member) offsetof(struct vh_recipe, member)

const struct vh_key vh_recipe_keys[] = {
	{ "include", VH_KEY_STRV, AT(include), .max = 16,
	  .help = "Recipes that this one is laid over, in order: files relative to this one, or names of shipped recipes." },
	{ "replace", VH_KEY_STRV, AT(replace),
	  .help = "Keys whose lists this recipe does not add to but begins anew." },
	{ "name", VH_KEY_STR, AT(name), .required = true, .check = vh_hostname_check,
	  .help = "The image's name in the store. That of an included recipe does not count." },
	{ "suite", VH_KEY_ENUM, AT(suite), .dflt = "host", .choices = vh_suite_names,
	  .help = "Release of Debian or Ubuntu; host: that of the building machine (bookworm where that is no Debian)." },
	{ "mirror", VH_KEY_STR, AT(mirror), .check = vh_check_url,
	  .help = "Archive to take the suite from, instead of the distribution's own; updates then come from repositories." },
	{ "mirror_key", VH_KEY_STR, AT(mirror_key),
	  .help = "File of the OpenPGP key that signs that archive, below the recipe's directory; otherwise it is the distribution's, as this host has it." },
	{ "components", VH_KEY_STRV, AT(components), .check = vh_check_word,
	  .help = "Components of the suite, such as contrib and non-free; main (of Ubuntu main and universe) where none is given." },
	{ "repositories", VH_KEY_LIST, AT(repositories), .keys = repository_keys, .max = 16,
	  .item_size = sizeof(struct vh_recipe_repository), .help = "Further archives, with their keys." },
	{ "kernel", VH_KEY_STR, AT(kernel), .dflt = "cloud", .check = vh_check_kernel,
	  .help = "cloud (for virtual machines), generic, rt (Debian's PREEMPT_RT), or the kernel's package." },
	{ "mpi", VH_KEY_ENUM, AT(mpi), .dflt = "none", .choices = vh_mpi_names,
	  .help = "The MPI to install." },
	{ "rdma", VH_KEY_BOOL, AT(rdma), .dflt = "false",
	  .help = "Install the RDMA userland: rdma-core, ibverbs-providers, ibverbs-utils." },
	{ "ucx", VH_KEY_BOOL, AT(ucx), .dflt = "false",
	  .help = "Install UCX with its tools: ucx-utils." },
	{ "packages", VH_KEY_STRV, AT(packages), .check = vh_check_suite_package,
	  .help = "Packages beyond those that every image needs; recommended packages do not follow. "
		  "SUITE:NAME is for that suite alone." },
	{ "backports", VH_KEY_STRV, AT(backports), .check = vh_check_suite_package,
	  .help = "Of these and the kernel, the packages to take from Debian's backports." },
	{ "without", VH_KEY_STRV, AT(without), .check = vh_check_suite_package,
	  .help = "Packages left out although others depend on them: an empty stand-in takes their place. "
		  "What needs them must be excluded too. packages overrules it." },
	{ "exclude", VH_KEY_STRV, AT(exclude), .check = vh_check_pattern,
	  .help = "Paths, as patterns, that packages must not install." },
	{ "size", VH_KEY_SIZE, AT(size), .dflt = "4G", .min = 512ULL << 20, .max = 2ULL << 40,
	  .help = "Size of the root disk in bytes; the file is sparse." },
	{ "user", VH_KEY_STR, AT(user), .dflt = "hpc", .check = vh_check_user,
	  .help = "Login of the cluster's users (uid 1000)." },
	{ "users", VH_KEY_LIST, AT(users), .keys = user_keys, .item_size = sizeof(struct vh_recipe_user), .max = 1000,
	  .help = "Further logins." },
	{ "files", VH_KEY_LIST, AT(files), .keys = file_keys, .item_size = sizeof(struct vh_recipe_file), .max = 1000,
	  .help = "Files to put, after all packages; units among them." },
	{ "enable", VH_KEY_STRV, AT(enable), .check = vh_check_unit,
	  .help = "Units to start at boot, as their [Install] section says." },
	{ "mask", VH_KEY_STRV, AT(mask), .check = vh_check_unit,
	  .help = "Units that must never start. enable overrules it." },
	{ "modules", VH_KEY_STRV, AT(modules), .check = vh_check_module,
	  .help = "Kernel modules to load at boot." },
	{ "blacklist", VH_KEY_STRV, AT(blacklist), .check = vh_check_module,
	  .help = "Kernel modules that devices must not bring in. modules overrules it." },
	{ "sysctl", VH_KEY_STRMAP, AT(sysctl),
	  .help = "Kernel settings written at boot." },
	{ "sysfs", VH_KEY_STRMAP, AT(sysfs),
	  .help = "Values written at boot to files below /sys." },
	{ "limits", VH_KEY_STRMAP, AT(limits),
	  .help = "Resource limits of every login, hard and soft: as, core, data, fsize, memlock, stack "
		  "(KiB), nofile, nproc, rtprio; or unlimited." },
	{ "mitigations", VH_KEY_ENUM, AT(mitigations), .dflt = "auto", .choices = vh_mitigations_names,
	  .help = "off: the kernel does without those against speculation attacks. For nodes where nobody needs them." },
	{ "cmdline", VH_KEY_STRV, AT(cmdline), .check = vh_check_cmdline,
	  .help = "Kernel parameters beyond those that find root disk and console. Those that name CPUs are the VM's." },
	{ "formats", VH_KEY_STRV, AT(formats), .check = vh_check_format,
	  .help = "Ways to boot beyond kernel and initrd beside a root disk: uefi (a disk that firmware boots), "
		  "squashfs (a read-only root under a writable overlay in memory)." },
	{ "cloud_init", VH_KEY_BOOL, AT(cloud_init), .dflt = "false",
	  .help = "Install cloud-init and leave NoCloud and ConfigDrive seeds to it; without, a small program of "
		  "vhpc reads them." },
	{ "console_login", VH_KEY_BOOL, AT(console_login), .dflt = "false",
	  .help = "Log root in on the serial console without a password." },
	{ .name = NULL },
};

void vh_recipe_empty(struct vh_recipe *r, const struct vh_key *key)
{
	struct vh_recipe_file *files = r->files.items;
	struct vh_recipe_repository *repositories = r->repositories.items;

	for (size_t i = 0; key->offset == AT(files) && i < r->files.n; i++)
		free(files[i].data);
	for (size_t i = 0; key->offset == AT(repositories) && i < r->repositories.n; i++)
		free(repositories[i].key_data);
	if (key->offset == AT(mirror_key)) {
		free(r->mirror_key_data);
		r->mirror_key_data = NULL;
	}
	vh_doc_empty(key, r);
}

void vh_recipe_clear(struct vh_recipe *r)
{
	for (const struct vh_key *key = vh_recipe_keys; key->name; key++)
		vh_recipe_empty(r, key);
	*r = (struct vh_recipe){ 0 };
}

/* The hash stands for the bytes: they may be long. */
static int put_hash(json_t *item, const char *key, const char *data, size_t len)
{
	char hex[VH_DIGEST_HEX];

	SHA256_Data((const uint8_t *)data, len, hex);
	json_object_del(item, "content");
	return json_object_set_new(item, key, json_string(hex));
}

json_t *vh_recipe_json(const struct vh_recipe *r)
{
	const struct vh_recipe_file *files = r->files.items;
	const struct vh_recipe_repository *repositories = r->repositories.items;
	json_t *doc = vh_doc_json(vh_recipe_keys, r);
	int e = doc ? 0 : -1;

	json_object_del(doc, "include");
	json_object_del(doc, "replace");
	for (size_t i = 0; e == 0 && i < r->files.n; i++)
		e = put_hash(json_array_get(json_object_get(doc, "files"), i), "sha256", files[i].data, files[i].len);
	for (size_t i = 0; e == 0 && i < r->repositories.n; i++)
		e = put_hash(json_array_get(json_object_get(doc, "repositories"), i), "key_sha256",
			     repositories[i].key_data, repositories[i].key_len);
	if (e == 0 && r->mirror_key_data)
		e = put_hash(doc, "mirror_key_sha256", r->mirror_key_data, r->mirror_key_len);
	if (e == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

bool vh_recipe_format(const struct vh_recipe *r, const char *format)
{
	return vh_strv_has(r->formats, format);
}
