// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/slurm/judge.h"

#include <stdio.h>
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/slurm/slurm.h"

const char nodes_question[] = "sinfo -h -N -o %N:%o:%T:%E", jobs_question[] = "squeue -h -o %i:%u -w";

/* A node that drains is its operator's doing; it answers all the same. */
static const char *const takes_part[] = {
	"idle", "mixed", "allocated", "completing", "planned", "reserved", "draining", "drained", "maint",
};

enum { NAMED = 4 };
static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

/* What follows "NAME:" in the line of that name; NULL: there is none. */
static const char *line_of(const char *answer, const char *name)
{
	const size_t len = strlen(name);

	while (strncmp(answer, name, len) || answer[len] != ':') {
		answer = strchr(answer, '\n');
		if (!answer)
			return NULL;
		answer++;
	}
	return answer + len + 1;
}

/* What follows the address in it, "STATE:REASON". */
static const char *state_of(const char *answer, const char *name)
{
	const char *line = line_of(answer, name);

	if (line)
		line += strcspn(line, ":\n");
	return line && *line == ':' ? line + 1 : line;
}

/* A star behind the state: the node does not respond. */
static bool is_there(const char *line)
{
	const size_t len = strspn(line, letters);

	for (size_t i = 0; i < vh_array_len(takes_part); i++)
		if (strlen(takes_part[i]) == len && !strncmp(line, takes_part[i], len))
			return line[len] != '*';
	return false;
}

/* "two-2 is down* (Not responding)" */
static char *say(const char *name, const char *line)
{
	char state[80] = "", reason[80] = "", *text;

	if (line)
		sscanf(line, "%79[^:\n]:%79[^\n]", state, reason);
	if (!*state)
		text = vh_strf("%s is unknown to it", name);
	else
		text = !*reason || !strcmp(reason, "none") ? vh_strf("%s is %s", name, state) : vh_strf("%s is %s (%s)", name, state, reason);
	return text ? vh_plain(text) : NULL;
}

/* Takes over all and more. */
static char *joined(char *all, const char *sep, char *more)
{
	vh_autofree char *a = all, *b = more;

	return a && b ? vh_strf("%s%s%s", a, *a ? sep : "", b) : NULL;
}

char *slurm_absent(const struct slurm *s, const char *answer)
{
	char *all = strdup("");
	size_t n = 0;

	for (size_t i = 0; i < s->n_nodes; i++) {
		const char *name = s->nodes[i].name, *line = state_of(answer, name);

		if (!s->nodes[i].missing && (!line || !is_there(line)) && n++ < NAMED)
			all = joined(all, ", ", say(name, line));
	}
	return n > NAMED ? joined(all, ", ", vh_strf("and %zu more", n - NAMED)) : all;
}

/* --- which of them */

static bool begins(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

static bool is_held(const char *line, const char *reason)
{
	const char *end = strchrnul(line, '\n'), *why = memchr(line, ':', (size_t)(end - line));

	return (begins(line, "drain") || begins(line, "down")) && why && begins(why + 1, reason) && why + 1 + strlen(reason) == end;
}

static bool is_so(const char *line, enum nodes_kind kind, const char *reason)
{
	const bool held = reason && is_held(line, reason);

	return kind == NODES_KNOWN || (kind == NODES_OPEN ? held || !begins(line, "drain") : held);
}

int nodes_said(const struct slurm *s, const char *answer, enum nodes_kind kind, const char *reason, char ***ret)
{
	vh_autostrv names = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_nodes; i++) {
		const char *line = s->nodes[i].missing ? NULL : state_of(answer, s->nodes[i].name);

		r = line && is_so(line, kind, reason) ? vh_strv_push(&names, s->nodes[i].name) : 0;
	}
	if (r == 0)
		*ret = vh_steal(&names);
	return r;
}

/* Whether the line is of one of them. */
static bool is_known(const struct slurm *s, const char *line)
{
	const size_t len = strcspn(line, ":\n");
	bool known = false;

	for (size_t i = 0; !known && i < s->n_nodes; i++)
		known = strlen(s->nodes[i].name) == len && !strncmp(s->nodes[i].name, line, len);
	return known;
}

/* By what it read of the node at its start. */
static bool is_nowhere(const char *line)
{
	return begins(line, SLURM_NOWHERE ":");
}

/* One that answered for a moment before it failed again is taken for up. */
static bool is_given_up(const char *line)
{
	const size_t at = strlen(SLURM_NOWHERE ":");

	return is_nowhere(line) && (begins(line + at, "down") || begins(line + at, "drain"));
}

bool nodes_differ(const struct slurm *s, const char *answer)
{
	bool differ = false;

	for (size_t i = 0; !differ && i < s->n_nodes; i++) {
		const char *line = line_of(answer, s->nodes[i].name);

		differ = !line || (s->nodes[i].missing ? !is_given_up(line) : is_nowhere(line));
	}
	for (const char *line = answer; !differ && *line; line += *line == '\n') {
		differ = *line != '\n' && !is_known(s, line);
		line = strchrnul(line, '\n');
	}
	return differ;
}

/* --- jobs */

static char *say_job(const char *line)
{
	char id[24] = "?", user[40] = "?", *text;

	sscanf(line, "%23[^:\n]:%39[^\n]", id, user);
	text = vh_strf("job %s of %s", id, user);
	return text ? vh_plain(text) : NULL;
}

char *jobs_said(const char *answer)
{
	char *all = strdup("");
	size_t n = 0;

	for (const char *line = answer; *line; line += *line == '\n') {
		if (*line != '\n' && n++ < NAMED)
			all = joined(all, ", ", say_job(line));
		line = strchrnul(line, '\n');
	}
	return n > NAMED ? joined(all, ", ", vh_strf("and %zu more", n - NAMED)) : all;
}
