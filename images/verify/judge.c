// SPDX-License-Identifier: Apache-2.0
/* The script that a machine is asked by, and what its answers come to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "images/verify/verify.h"
#include "lib/answer.h"
#include "lib/strv.h"

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

char *vh_verify_script(const json_t *image)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fputs(script_head, f);
	fprintf(f, "epoch=%lld\n", (long long)json_integer_value(json_object_get(image, "epoch")));
	for (const struct vh_subject *const *s = vh_subjects; *s; s++)
		for (const struct vh_subject_key *k = (*s)->keys; k->name; k++)
			if (k->ask)
				k->ask(f, vh_judge_recipe(image, k->name));
	fputs("say end ''\n", f);
	return fclose(f) == 0 ? text : NULL;
}

/* More than a guest can mean: bytes of any memory, microseconds of thirty years. */
static const double most = 1e15;

/* What the guest says of it, in that unit; -1: nothing that it can mean. */
static double seconds(const char *text, const char *what, double unit)
{
	vh_autofree char *s = vh_answer(text, what);
	char *end;
	double v = s ? strtod(s, &end) : -1;
	return s && *s && !*end && v >= 0 && v <= most ? v * unit : -1;
}

static int judge_checks(const struct vh_judge *j)
{
	int r = vh_judge_equal(j, "failed units", "failed", "");

	if (r == 0)
		r = vh_judge_equal(j, "dpkg --audit", "audit", "");
	for (const struct vh_subject *const *s = vh_subjects; *s; s++)
		for (const struct vh_subject_key *k = (*s)->keys; r == 0 && k->name; k++)
			r = k->judge ? k->judge(j, k->name, vh_judge_recipe(j->image, k->name)) : 0;
	return r;
}

int vh_verify_judge(const json_t *image, const char *text, struct vh_verify *ret, struct vh_err *err)
{
	double init = seconds(text, "init", 1), systemd = seconds(text, "systemd", 1e-6), sshd = seconds(text, "sshd", 1e-6);
	double memory = seconds(text, "memory", 1);
	vh_autofree char *end = vh_answer(text, "end");

	if (!end)
		return vh_err_set(err, EBADMSG, "the guest did not answer to the end");
	ret->uptime = seconds(text, "uptime", 1);
	ret->memory_used = memory > 0 ? (uint64_t)memory : 0;
	ret->phases = (struct vh_verify_phases){ .firmware = -1, .kernel = init, .mpi = -1,
		.initrd = init >= 0 && systemd >= init ? systemd - init : -1,
		.userspace = systemd >= 0 && sshd >= systemd ? sshd - systemd : -1 };
	return judge_checks(&(struct vh_judge){ .image = image, .text = text, .overlay = ret->boot == VH_BOOT_SQUASHFS,
			    .object = vh_boot_names[ret->boot], .findings = &ret->findings, .err = err });
}

bool vh_verify_holds(const struct vh_verify *v)
{
	return v->findings.count[VH_WRONG] == 0;
}

static json_t *phase(double s)
{
	return s >= 0 ? json_real(s) : json_null();
}

json_t *vh_verify_json(const struct vh_verify *v)
{
	const struct vh_verify_phases *p = &v->phases;
	return json_pack("{s:s, s:s, s:I, s:{s:o, s:o, s:o, s:o, s:o}, s:O?}", "boot", vh_boot_names[v->boot], "accel", v->accel,
			 "memory_used", (json_int_t)v->memory_used, "phases", "firmware", phase(p->firmware),
			 "kernel", phase(p->kernel), "initrd", phase(p->initrd), "userspace", phase(p->userspace),
			 "mpi", phase(p->mpi), "findings", v->findings.rows);
}

void vh_verify_clear(struct vh_verify *v)
{
	vh_findings_clear(&v->findings);
	*v = (struct vh_verify){ 0 };
}
