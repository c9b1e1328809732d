// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/console/console.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/strv.h"

enum { TAIL = 32768, LAST = 2047 };

/* The end of what it said, a string; how much that is. Whatever cannot be shown or would end the string is a space. */
static size_t read_tail(const char *dir, const char *node, char *buf, size_t size)
{
	vh_autofree char *path = vh_strf("%s/%s/console.log", dir, node);
	vh_autoclose int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t got = 0;

	if (fd >= 0 && lseek(fd, -(off_t)(size - 1), SEEK_END) < 0)
		lseek(fd, 0, SEEK_SET);
	if (fd >= 0)
		got = read(fd, buf, size - 1);
	if (got < 0)
		got = 0;
	for (ssize_t i = 0; i < got; i++)
		if (iscntrl((unsigned char)buf[i]) && buf[i] != '\n')
			buf[i] = ' ';
	buf[got] = 0;
	return (size_t)got;
}

void console_last_words(const char *dir, const char *node, char *buf, size_t len)
{
	char tail[LAST + 1];
	size_t got = read_tail(dir, node, tail, sizeof(tail));
	char *start;

	*buf = 0;
	while (got > 0 && isspace((unsigned char)tail[got - 1]))
		got--;
	if (got == 0)
		return;
	tail[got] = 0;
	start = strrchr(tail, '\n');
	start = start ? start + 1 : tail;
	snprintf(buf, len, "; its console ended with: %.120s", start + strspn(start, " "));
}

bool console_hangs(const char *dir, const char *node)
{
	/* Linux, kernel/rcu/tree_stall.h and kernel/watchdog.c. */
	static const char *const words[] = { "detected stalls on CPUs", "self-detected stall on CPU", "kthread starved for",
					     "soft lockup - CPU#" };
	char tail[TAIL + 1];

	read_tail(dir, node, tail, sizeof(tail));
	for (size_t i = 0; i < vh_array_len(words); i++)
		if (strstr(tail, words[i]))
			return true;
	return false;
}
