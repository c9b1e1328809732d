// SPDX-License-Identifier: Apache-2.0
#include "lib/show/progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/err.h"

struct vh_progress {
	pthread_mutex_t lock;
	char *title;
	bool quiet, terminal;
	char said[256];
	double begun;		/* by vh_now */
};

struct vh_progress *vh_progress_start(const char *title, bool quiet)
{
	struct vh_progress *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->title = strdup(title);
	if (!p->title) {
		free(p);
		return NULL;
	}
	p->quiet = quiet;
	p->terminal = isatty(STDERR_FILENO);
	pthread_mutex_init(&p->lock, NULL);
	p->begun = vh_now();
	return p;
}

/* Elsewhere than on a terminal a stage that only repeats is not printed again. */
static __attribute__((format(printf, 3, 0))) void say(struct vh_progress *p, bool stays, const char *fmt, va_list ap)
{
	char text[256];

	if (!p || p->quiet)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	vh_plain(text);
	pthread_mutex_lock(&p->lock);
	if (p->terminal)
		fprintf(stderr, "\r\033[K%s: %s (%.1f s)%s", p->title, text, vh_now() - p->begun, stays ? "\n" : "");
	else if (stays || strcmp(text, p->said))
		fprintf(stderr, "%s: [%6.1f s] %s\n", p->title, vh_now() - p->begun, text);
	strcpy(p->said, text);
	fflush(stderr);
	pthread_mutex_unlock(&p->lock);
}

void vh_progress_step(struct vh_progress *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(p, false, fmt, ap);
	va_end(ap);
}

void vh_progress_note(struct vh_progress *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(p, true, fmt, ap);
	va_end(ap);
}

void vh_progress_end(struct vh_progress *p, const char *fmt, ...)
{
	va_list ap;

	if (!p)
		return;
	if (fmt) {
		va_start(ap, fmt);
		say(p, true, fmt, ap);
		va_end(ap);
	} else if (p->terminal && !p->quiet && *p->said) {
		fputs("\r\033[K", stderr);
	}
	pthread_mutex_destroy(&p->lock);
	free(p->title);
	free(p);
}
