// SPDX-License-Identifier: Apache-2.0
/* Jobs of users who left. */
#include "tools/cluster/slurm/slurm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/slurm/ask.h"

/* A line a job: its user's number, and its own; of an array what waits has one together. */
static const char question[] = "squeue -h -o '%U %A'";

static bool is_of(const char *line, const uint64_t *uids, size_t n, const char **ret_job)
{
	char *end;
	const unsigned long long uid = strtoull(line, &end, 10);
	bool is = false;

	if (end == line || *end != ' ' || !isdigit((unsigned char)end[1]))
		return false;
	for (size_t i = 0; i < n; i++)
		is |= uids[i] == uid;
	*ret_job = end + 1;
	return is;
}

char *slurm_jobs_said(const char *answer, const uint64_t *uids, size_t n)
{
	char *all = NULL;
	const char *job;
	size_t len;
	FILE *f = open_memstream(&all, &len);

	for (const char *line = answer; f && line && *line; line = line ? line + 1 : NULL) {
		if (is_of(line, uids, n, &job))
			fprintf(f, "%s%.*s", ftell(f) ? " " : "", (int)strspn(job, "0123456789"), job);
		line = strchr(line, '\n');
	}
	if (f && fclose(f) == 0)
		return all;
	free(all);
	return NULL;
}

int slurm_jobs_of(const struct slurm *s, const char *ssh_config, const uint64_t *uids, size_t n, char **ret, struct vh_err *err)
{
	autosaid said = { 0 };
	int r = n ? head_ask(s, ssh_config, question, &said, err) : 0;

	if (r == 0 && n && !said.well)
		r = vh_err_set(err, EIO, "%s: squeue says: %s", s->head, said.text);
	if (r < 0)
		return r;
	*ret = slurm_jobs_said(n ? said.text : "", uids, n);
	return *ret ? 0 : vh_err_nomem(err);
}

int slurm_cancel(const struct slurm *s, const char *ssh_config, const char *jobs, struct vh_err *err)
{
	return head_tell(s, ssh_config, vh_strf("scancel %s", jobs), err);
}
