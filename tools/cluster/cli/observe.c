// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/observe.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/status.h"
#include "tools/cluster/cli/wake.h"

/* Written over what is there, so that it does not flicker; what finds no room is cut off. */
static void draw(char *text)
{
	struct winsize size = { 0 };
	const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1;

	fputs("\033[H\033[?7l", stdout);
	for (unsigned row = 1; text && (!known || row < size.ws_row); row++)
		printf("%s\033[K\n", strsep(&text, "\n"));
	fputs("\033[J\033[?7h", stdout);
}

static int print_observation(const char *name, const struct status *s, struct vh_err *err)
{
	const time_t now = time(NULL);
	vh_autofree char *text = NULL;
	char when[32] = "";
	struct tm tm;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	fprintf(f, "%s at %s\n\n", name, when);
	status_print(f, s);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	if (isatty(STDOUT_FILENO))
		draw(text);
	else
		puts(text);
	fflush(stdout);
	return 0;
}

/* Of the process by Ctrl-C, and by others who ask it to. */
static void end(int sig)
{
	(void)sig;
	_exit(VH_EXIT_DONE);
}

static void hold_end(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(how, &set, NULL);
}

static int look_again(const struct vh_cli *cli, const char *name, const struct manifest *given, struct vh_err *err)
{
	autostatus s = { 0 };
	int r = status_look(cli, name, given, &s, err);

	/* Ctrl-C cuts no observation in two. */
	hold_end(SIG_BLOCK);
	if (r == 0 && cli->json)
		events_say(json_pack("{s:s, s:I, s:O, s:O, s:O}", "schema", "vhpc.cluster.status/1", "time", (json_int_t)time(NULL),
				     "nodes", s.nodes, "findings", s.findings, "snapshots", s.snapshots));
	else if (r == 0)
		r = print_observation(name, &s, err);
	hold_end(SIG_UNBLOCK);
	return r;
}

int observe(const struct vh_cli *cli, const char *name, const struct manifest *given, unsigned seconds, struct vh_err *err)
{
	vh_cleanup(wake_clear) struct wake wake = WAKE_NONE;
	int r;

	/* The thread that serves events keeps them blocked. */
	hold_end(SIG_BLOCK);
	r = wake_begin(&wake, err);
	signal(SIGINT, end);
	signal(SIGTERM, end);
	hold_end(SIG_UNBLOCK);
	while (r == 0) {
		vh_autoerr none = VH_ERR_NONE;

		/* Where nobody wakes us, time does. */
		wake_listen(&wake, cli, false, &none);
		r = look_again(cli, name, given, err);
		if (r == 0)
			wake_wait(&wake, seconds);
	}
	return r;
}
