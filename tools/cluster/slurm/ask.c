// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/slurm/ask.h"

#include <errno.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/slurm.h"

enum { LOGIN_MS = 30000, TELL_MS = 120000 };

void said_clear(struct said *s)
{
	free(s->text);
	*s = (struct said){ 0 };
}

/* Tools of Slurm say every attempt. */
static const char *last_line(char *text)
{
	size_t len = strlen(text);
	char *end;

	while (len && text[len - 1] == '\n')
		text[--len] = 0;
	end = strrchr(text, '\n');
	return vh_plain(end ? end + 1 : text);
}

static int say(char *const *argv, int within_ms, struct said *ret, struct vh_err *err)
{
	vh_autooutput out = { 0 };
	int r = vh_spawn_run(&(struct vh_spawn){ .argv = argv, .deadline_ms = within_ms }, &out, err);
	char *text;

	if (r < 0)
		return r;
	text = out.status == 0 ? vh_steal(&out.out) : vh_strf("%.160s", last_line(out.err));
	if (!text)
		return vh_err_nomem(err);
	*ret = (struct said){ out.status == 0, text };
	return 0;
}

int head_ask(const struct slurm *s, const char *ssh_config, const char *command, struct said *ret, struct vh_err *err)
{
	char *const argv[] = { "ssh", "-F", (char *)ssh_config, (char *)s->head, (char *)command, NULL };

	return say(argv, LOGIN_MS, ret, err);
}

int head_tell(const struct slurm *s, const char *ssh_config, char *command, struct vh_err *err)
{
	vh_autofree char *own = command;
	char *const argv[] = { "ssh", "-F", (char *)ssh_config, "-l", "root", (char *)s->head, own, NULL };
	autosaid said = { 0 };
	int r = own ? say(argv, TELL_MS, &said, err) : vh_err_nomem(err);

	return r < 0 || said.well ? r : vh_err_set(err, EIO, "%s: %.*s says: %s", s->head, (int)strcspn(own, " "), own, said.text);
}
