// SPDX-License-Identifier: Apache-2.0
/* A rank under MPICH that asks its process manager, in its own words (PMI 1), to start a shell command elsewhere.
 * usage: pmi COMMAND [KEY=VALUE]... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char answer[4096];

static void ask(int fd, const char *text)
{
	size_t n = 0;

	if (write(fd, text, strlen(text)) < 0)
		exit(1);
	while (n < sizeof(answer) - 1 && read(fd, answer + n, 1) == 1 && answer[n] != '\n')
		n++;
	answer[n] = '\0';
	puts(answer);
}

int main(int argc, char **argv)
{
	const char *fd = getenv("PMI_FD");
	char text[4096];
	int n;

	if (!fd || argc < 2)
		return 2;
	ask(atoi(fd), "cmd=init pmi_version=1 pmi_subversion=1\n");
	n = snprintf(text, sizeof(text), "mcmd=spawn\nnprocs=1\nexecname=/bin/sh\ntotspawns=1\nspawnssofar=1\nargcnt=2\narg1=-c\narg2=%s\n"
		     "preput_num=0\ninfo_num=%d\n", argv[1], argc - 2);
	for (int i = 2; i < argc; i++) {
		const char *value = strchr(argv[i], '=');

		if (!value)
			return 2;
		n += snprintf(text + n, sizeof(text) - (size_t)n, "info_key_%d=%.*s\ninfo_val_%d=%s\n", i - 2, (int)(value - argv[i]), argv[i],
			      i - 2, value + 1);
	}
	snprintf(text + n, sizeof(text) - (size_t)n, "endcmd\n");
	ask(atoi(fd), text);
	ask(atoi(fd), "cmd=finalize\n");
	return 0;
}
