// SPDX-License-Identifier: Apache-2.0
/* Laid under a program by LD_PRELOAD: one of its allocations fails. From the environment:
 *   FAULT_PROGRAM	only in programs whose name begins so
 *   FAULT_COUNT	a file of 8 bytes that counts the allocations of all of them
 *   FAULT_AT		the one that fails, counted from 1; nothing fails without it
 * An allocation counts when our code asks for it, itself or by what of libc returns memory, or a library that is
 * known to bear a failure. Others end the program themselves: GLib, and with it libvirt, aborts. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static _Atomic uint64_t *count;
static uint64_t at;

__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAULT_PROGRAM"), *file = getenv("FAULT_COUNT"), *number = getenv("FAULT_AT");
	void *map;
	int fd;

	if (!program || !file || strncmp(program_invocation_short_name, program, strlen(program)))
		return;
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	at = number ? strtoull(number, NULL, 10) : 0;
	count = map == MAP_FAILED ? NULL : map;
}

/* Is the caller's code one that must bear it? The program itself has no name. */
static bool bears(void *caller)
{
	static const char *const libs[] = { "libjansson", "libsqlite3", "libyaml", "libnl-", "libmd.", "libarchive" };
	struct dl_find_object found;
	const char *name;

	if (_dl_find_object(caller, &found) < 0)
		return false;
	name = found.dlfo_link_map->l_name;
	if (!*name)
		return true;
	name = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	for (size_t i = 0; i < sizeof(libs) / sizeof(*libs); i++)
		if (!strncmp(name, libs[i], strlen(libs[i])))
			return true;
	return false;
}

static bool fails(void *caller)
{
	if (!count || !bears(caller) || atomic_fetch_add(count, 1) + 1 != at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

char *strdup(const char *s)
{
	const size_t size = strlen(s) + 1;
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

char *strndup(const char *s, size_t n)
{
	const size_t len = strnlen(s, n);
	char *copy = fails(__builtin_return_address(0)) ? NULL : __libc_malloc(len + 1);

	if (copy) {
		memcpy(copy, s, len);
		copy[len] = 0;
	}
	return copy;
}

__attribute__((format(printf, 3, 0))) int __vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap);

/* What a fortified program calls. */
int __vasprintf_chk(char **ret, int flag, const char *fmt, va_list ap)
{
	(void)flag;
	return fails(__builtin_return_address(0)) ? -1 : vasprintf(ret, fmt, ap);
}
