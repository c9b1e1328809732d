// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "images/verify/keys.h"
#include "lib/json.h"
#include "lib/strv.h"

enum { BLOCK = 4096 };		/* of every root file system */

/* Each answer is a line "@WHAT VALUE". */
static const char script_head[] =
	"say() { printf '@%s %s\\n' \"$1\" \"$2\"; }\n"
	"say uptime \"$(cut -d' ' -f1 /proc/uptime)\"\n"
	"say memory \"$(awk '{ v[$1] = $2 } END { print (v[\"MemTotal:\"] - v[\"MemFree:\"] - v[\"Buffers:\"] - v[\"Cached:\"]"
	" + v[\"Shmem:\"] - v[\"SReclaimable:\"]) * 1024 }' /proc/meminfo)\"\n"
	"say init \"$(dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run .* as init process.*/\\1/p' | head -n 1)\"\n"
	"say systemd \"$(systemctl show -p UserspaceTimestampMonotonic --value)\"\n"
	"say sshd \"$(systemctl show -p ActiveEnterTimestampMonotonic --value ssh.service)\"\n"
	/* Units that start after sshd are a part of the boot. */
	"for i in $(seq 150); do state=$(systemctl is-system-running); case $state in initializing|starting) sleep 0.5 ;; *) break ;; esac; done\n"
	"say failed \"$(case $state in initializing|starting) echo \"the boot did not end: \" ;; esac;"
	" systemctl --failed --no-legend --plain | cut -d' ' -f1 | tr '\\n' ' ')\"\n"
	"say kernel \"$(uname -r)\"\n"
	"say cmdline \"$(cat /proc/cmdline)\"\n"
	"say user \"$(getent passwd 1000 | cut -d: -f1)\"\n"
	"say mpi \"$(mpirun --version 2>&1 | head -n 2 | tr '\\n' ' ')\"\n"
	"say audit \"$(dpkg --audit 2>&1 | head -n 1)\"\n"
	/* All blocks, as the superblock counts them: statfs leaves out its tables. */
	"say root \"$(dd if=\"$(findmnt -n -o SOURCE /)\" bs=4 skip=257 count=1 2>/dev/null | od -A n -t u4)\"\n"
	"say modules \" $(cut -d' ' -f1 /proc/modules | tr '\\n' ' ')\"\n"
	"sed 's/^/@limit /' /proc/self/limits\n"
	"ctl() { for f in $3; do say \"$1 $2\" \"$(cat \"$f\" 2>&1 | tr '\\t\\n' '  ')\"; done; }\n";

static int judge_kernel(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)value;
	return vh_judge_equal(j, key, "kernel", vh_verify_text(json_object_get(j->image, "kernel"), "version"));
}

static int judge_user(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)value;
	return vh_judge_equal(j, key, "user", vh_verify_text(j->image, "user"));
}

/* Open MPI names the components that it could load, and says why it could not. */
static void ask_mpi(FILE *f, const json_t *value)
{
	if (json_string_value(value) && !strcmp(json_string_value(value), "openmpi"))
		fputs("say transport \"$(ompi_info --parsable 2>&1 | grep -e mca:btl:ivshm -e mca_btl_ivshm | tail -n 1)\"\n", f);
}

static int judge_transport(const struct vh_judge *j, const char *name)
{
	vh_autofree char *found = vh_answer(j->text, "transport"), *check = vh_strf("btl %s", name);
	vh_autofree char *wanted = vh_strf("mca:btl:%s", name);

	return check && wanted ? vh_verify_add(j->to, check, wanted, found, found && !strncmp(found, wanted, strlen(wanted)), j->err) :
	       vh_err_nomem(j->err);
}

static int judge_mpi(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *mpi = json_object_get(j->image, "mpi");
	const char *version = vh_verify_text(mpi, "version"), *transport = vh_verify_text(mpi, "transport");
	vh_autofree char *found = vh_answer(j->text, "mpi");
	int r = *version ? vh_verify_add(j->to, key, version, found, found && strstr(found, version), j->err) : 0;

	(void)value;
	return r == 0 && *transport ? judge_transport(j, transport) : r;
}

/* It was given a larger disk than its own; an overlay in memory has none. */
static int judge_root(const struct vh_judge *j, const char *key, const json_t *value)
{
	vh_autofree char *found = vh_answer(j->text, "root");
	unsigned long long size = found ? strtoull(found, NULL, 10) * BLOCK : 0;
	json_int_t built = json_integer_value(json_object_get(json_object_get(j->image, "root"), "size"));
	vh_autofree char *wanted = vh_strf("more than %lld", (long long)built), *is = vh_strf("%llu", size);

	(void)key;
	(void)value;
	if (j->to->boot == VH_BOOT_SQUASHFS)
		return 0;
	return wanted && is ? vh_verify_add(j->to, "root grown", wanted, is, size > (unsigned long long)built, j->err) :
	       vh_err_nomem(j->err);
}

const struct vh_verify_key vh_verify_keys[] = {
	/* How the recipe was written, what the store calls it, and the ways by which it is booted here. */
	{ "include", NULL, NULL },
	{ "replace", NULL, NULL },
	{ "name", NULL, NULL },
	{ "formats", NULL, NULL },
	{ "suite", vh_ask_suite, vh_judge_suite },
	{ "kernel", NULL, judge_kernel },
	{ "user", NULL, judge_user },
	{ "mpi", ask_mpi, judge_mpi },
	{ "size", NULL, judge_root },
	{ "packages", vh_ask_packages, vh_judge_packages },
	{ "rdma", NULL, vh_judge_set },
	{ "ucx", NULL, vh_judge_set },
	{ "backports", NULL, vh_judge_backports },
	{ "without", NULL, vh_judge_without },
	{ "exclude", vh_ask_exclude, vh_judge_exclude },
	{ "components", NULL, vh_judge_components },
	{ "mirror", NULL, vh_judge_mirror },
	{ "mirror_key", NULL, NULL },			/* with mirror */
	{ "repositories", vh_ask_repositories, vh_judge_repositories },
	{ "cmdline", NULL, vh_judge_cmdline },
	{ "mitigations", NULL, vh_judge_mitigations },
	{ "sysctl", vh_ask_sysctl, vh_judge_values },
	{ "sysfs", vh_ask_sysfs, vh_judge_values },
	{ "limits", NULL, vh_judge_limits },
	{ "mask", vh_ask_mask, vh_judge_mask },
	{ "enable", vh_ask_enable, vh_judge_enable },
	{ "modules", vh_ask_modules, vh_judge_modules },
	{ "blacklist", NULL, vh_judge_blacklist },
	{ "files", vh_ask_files, vh_judge_files },
	{ "users", vh_ask_users, vh_judge_users },
	{ "cloud_init", vh_ask_cloud_init, vh_judge_cloud_init },
	{ "console_login", vh_ask_console, vh_judge_console },
	{ NULL, NULL, NULL },
};

char *vh_verify_script(const json_t *image)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs(script_head, f);
	fprintf(f, "epoch=%lld\n", (long long)json_integer_value(json_object_get(image, "epoch")));
	for (const struct vh_verify_key *k = vh_verify_keys; k->key; k++)
		if (k->ask)
			k->ask(f, vh_verify_recipe(image, k->key));
	fputs("say end ''\n", f);
	return fclose(f) == 0 ? text : NULL;
}

static double seconds(const char *text, const char *what, double unit)
{
	vh_autofree char *s = vh_answer(text, what);
	char *end;
	double v = s ? strtod(s, &end) : -1;
	return s && *s && !*end && v >= 0 ? v * unit : -1;
}

int vh_verify_add(struct vh_verify *v, const char *check, const char *wanted, const char *found, bool holds,
		  struct vh_err *err)
{
	json_t *row = json_pack("{s:s, s:o, s:o, s:b}", "check", check, "wanted", vh_json_text(wanted), "found",
				vh_json_text(found), "holds", holds);
	return row && json_array_append_new(v->checks, row) == 0 ? 0 : vh_err_nomem(err);
}

static int judge_checks(const struct vh_judge *j)
{
	int r = vh_judge_equal(j, "failed units", "failed", "");

	if (r == 0)
		r = vh_judge_equal(j, "dpkg --audit", "audit", "");
	for (const struct vh_verify_key *k = vh_verify_keys; r == 0 && k->key; k++)
		if (k->judge)
			r = k->judge(j, k->key, vh_verify_recipe(j->image, k->key));
	return r;
}

int vh_verify_judge(const json_t *image, const char *text, struct vh_verify *ret, struct vh_err *err)
{
	double init = seconds(text, "init", 1), systemd = seconds(text, "systemd", 1e-6), sshd = seconds(text, "sshd", 1e-6);
	double memory = seconds(text, "memory", 1);
	vh_autofree char *end = vh_answer(text, "end");

	if (!end)
		return vh_err_set(err, EBADMSG, "the guest did not answer to the end");
	ret->checks = json_array();
	ret->uptime = seconds(text, "uptime", 1);
	ret->memory_used = memory > 0 ? (uint64_t)memory : 0;
	ret->phases = (struct vh_verify_phases){ .firmware = -1, .kernel = init, .mpi = -1,
		.initrd = init >= 0 && systemd >= init ? systemd - init : -1,
		.userspace = systemd >= 0 && sshd >= systemd ? sshd - systemd : -1 };
	return judge_checks(&(struct vh_judge){ image, text, ret, err });
}

bool vh_verify_holds(const struct vh_verify *v)
{
	const json_t *row;
	size_t i;
	json_array_foreach(v->checks, i, row)
		if (!json_is_true(json_object_get(row, "holds")))
			return false;
	return true;
}

static json_t *phase(double s)
{
	return s >= 0 ? json_real(s) : json_null();
}

json_t *vh_verify_json(const struct vh_verify *v)
{
	const struct vh_verify_phases *p = &v->phases;
	return json_pack("{s:s, s:s, s:I, s:{s:o, s:o, s:o, s:o, s:o}, s:O}", "boot", vh_boot_names[v->boot], "accel", v->accel,
			 "memory_used", (json_int_t)v->memory_used, "phases", "firmware", phase(p->firmware),
			 "kernel", phase(p->kernel), "initrd", phase(p->initrd), "userspace", phase(p->userspace),
			 "mpi", phase(p->mpi), "checks", v->checks);
}

void vh_verify_clear(struct vh_verify *v)
{
	json_decref(v->checks);
	*v = (struct vh_verify){ 0 };
}
