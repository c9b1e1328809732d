// SPDX-License-Identifier: Apache-2.0
#include "lib/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/strv.h"

char *vh_plain(char *text)
{
	for (unsigned char *p = (unsigned char *)text; p && *p; p++)
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
		else if (iscntrl(*p))
			*p = isspace(*p) ? ' ' : '?';
	return text;
}

/* Whatever failed for want of it: what helps is the same. A check's refusal knows better. */
static const char *hint_of(int num)
{
	return num == ENOSPC ? "the file system is full (df tells): make room there, then run it again"
	     : num == EDQUOT ? "the quota there is used up (quota tells): make room, then run it again"
	     : num == EROFS  ? "the file system is read-only there: mount it for writing, or choose another place (--state)" : NULL;
}

static __attribute__((format(printf, 4, 0))) int set(struct vh_err *err, int num, enum vh_exit code, const char *fmt, va_list ap)
{
	char *text = NULL;

	text = vh_vstrf(fmt, ap);
	vh_err_clear(err);
	err->num = num;
	err->exit = code;
	err->text = vh_plain(text);
	if (code == VH_EXIT_FAILED && hint_of(num))
		err->hint = strdup(hint_of(num));
	return -num;
}

int vh_err_set(struct vh_err *err, int num, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, num, VH_EXIT_FAILED, fmt, ap);
	va_end(ap);
	return -num;
}

int vh_err_refuse(struct vh_err *err, int num, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, num, VH_EXIT_REFUSED, fmt, ap);
	va_end(ap);
	return -num;
}

int vh_err_usage(struct vh_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, EINVAL, VH_EXIT_USAGE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int vh_err_hint(struct vh_err *err, const char *fmt, ...)
{
	char *hint;
	va_list ap;

	va_start(ap, fmt);
	hint = vh_vstrf(fmt, ap);
	va_end(ap);
	free(err->hint);
	err->hint = vh_plain(hint);
	return -err->num;
}

int vh_err_within(struct vh_err *err, const char *fmt, ...)
{
	vh_autofree char *context = NULL;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	context = vh_vstrf(fmt, ap);
	va_end(ap);
	if (context && asprintf(&text, "%s: %s", context, err->text ? err->text : strerror(err->num)) >= 0) {
		free(err->text);
		err->text = vh_plain(text);
	}
	return -err->num;
}

int vh_err_as(struct vh_err *err, enum vh_exit code)
{
	err->exit = code;
	return -err->num;
}

int vh_err_nomem(struct vh_err *err)
{
	return vh_err_set(err, ENOMEM, "out of memory");
}

void vh_err_clear(struct vh_err *err)
{
	free(err->text);
	free(err->hint);
	*err = (struct vh_err)VH_ERR_NONE;
}

void vh_err_move(struct vh_err *dst, struct vh_err *src)
{
	vh_err_clear(dst);
	*dst = *src;
	*src = (struct vh_err)VH_ERR_NONE;
}

void vh_err_print(FILE *f, const char *prog, const struct vh_err *err)
{
	const char *text = err->text ? err->text : strerror(err->num);

	if (err->hint)
		fprintf(f, "%s: %s (hint: %s)\n", prog, text, err->hint);
	else
		fprintf(f, "%s: %s\n", prog, text);
}
