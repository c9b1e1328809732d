// SPDX-License-Identifier: Apache-2.0
/* System calls that valgrind does not know it answers with ENOSYS. This syscall(),
 * which stands before libc's in a runner, makes those of ours past valgrind. */
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>

struct call { long n, a[6], ret; };

/* Runs on the processor itself, where not even errno is ours. */
static long past_valgrind(long tid, struct call *c)
{
	register long r10 __asm__("r10") = c->a[3];
	register long r8 __asm__("r8") = c->a[4];
	register long r9 __asm__("r9") = c->a[5];

	(void)tid;
	__asm__ volatile("syscall" : "=a"(c->ret)
			 : "a"(c->n), "D"(c->a[0]), "S"(c->a[1]), "d"(c->a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return 0;
}

static void make(struct call *c)
{
	if (RUNNING_ON_VALGRIND && (c->n == SYS_openat2 || c->n == SYS_pidfd_open))
		VALGRIND_NON_SIMD_CALL1(past_valgrind, c);
	else
		past_valgrind(0, c);
}

/* As libc's it takes six, however many there are: those beyond are any bytes of the caller's. */
__attribute__((no_sanitize_address)) long syscall(long n, ...)
{
	struct call c = { .n = n };
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		c.a[i] = va_arg(ap, long);
	va_end(ap);
	make(&c);
	if (c.ret >= 0 || c.ret < -4095)
		return c.ret;
	errno = (int)-c.ret;
	return -1;
}
#endif
