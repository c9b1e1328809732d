// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/ssh/ssh.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"

static enum lines kind_of(const char *line, size_t len)
{
	static const struct { const char *word; enum lines kind; } words[] = {
		{ "hostname", LINES_OWN }, { "nic", LINES_OWN }, { "hostkey", LINES_OWN }, { "hostkey.pub", LINES_OWN },
		{ "mount", LINES_OWN }, { "export", LINES_OWN },
		{ "group", LINES_USERS }, { "user", LINES_USERS }, { "user.authorized", LINES_USERS },
		{ "user.key", LINES_KEYS }, { "user.key.pub", LINES_KEYS }, { "#", LINES_STAMP },
		{ "slurm", LINES_SLURM }, { "slurm.key", LINES_SLURM }, { "slurm.file", LINES_SLURM },
		{ "host", LINES_NODES }, { "known", LINES_NODES }, { "cluster", LINES_NODES },
	};
	const size_t word = strcspn(line, " \n") < len ? strcspn(line, " \n") : len;

	for (size_t i = 0; i < vh_array_len(words); i++)
		if (strlen(words[i].word) == word && !memcmp(line, words[i].word, word))
			return words[i].kind;
	return LINES_KEPT;
}

char *lines_of(const char *text, enum lines kind)
{
	char *all = malloc(strlen(text) + 1), *end = all;

	for (const char *line = text; all && *line; ) {
		const size_t len = strcspn(line, "\n") + (strchr(line, '\n') != NULL);

		if (kind_of(line, len) == kind)
			end = mempcpy(end, line, len);
		line += len;
	}
	if (all)
		*end = '\0';
	return all;
}

bool lines_tell_nodes(const char *text)
{
	return !strncmp(text, "cluster ", 8) || strstr(text, "\ncluster ");
}
