// SPDX-License-Identifier: Apache-2.0
/* Programs are started by argv, never through a shell. Thread-safe. */
#ifndef VH_SPAWN_H
#define VH_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/err.h"

struct vh_spawn {
	char *const *argv;	/* argv[0] is looked up in PATH */
	char *const *env;	/* NAME=VALUE added to (or replacing in) ours, or NULL */
	const char *cwd;	/* NULL: ours */
	const char *input;	/* written to its standard input; NULL: /dev/null */
	size_t input_len;
	int deadline_ms;	/* 0: none; past it the process group gets SIGTERM, then SIGKILL */
	const volatile sig_atomic_t *stop;	/* what a signal's handler sets: it ends as past its deadline; or NULL */
	bool inherit;		/* stdin, stdout, stderr are ours; nothing is captured */
	bool new_session;	/* setsid: outlives us, no signals from our terminal */
	bool confined;		/* it reads foreign data, and has no rights (lib/confine.h) but to its descriptors */
	uint64_t file_max;	/* of a confined one: bytes of the largest file that it writes; 0: any */
	uid_t uid;		/* of a confined one that root starts: whom it becomes, where it is to have that user's files; 0: nobody */
	gid_t gid;
	const int *keep;	/* descriptors that stay open in it, by their numbers; -1 ends them; NULL: none */
	int userns;		/* a user namespace that it becomes root of, in mounts of its own; 0: ours */
	const char *userns_cwd;	/* where its working directory is in those, whoever may not pass the way to it */
	int in_fd;		/* its standard input instead of input; 0: none */
	int out_fd, err_fd;	/* stdout and stderr go there instead of being captured; 0: capture */
	void (*on_line)(void *arg, const char *line);	/* each line of stdout and stderr as it comes */
	void *arg;
};

struct vh_output {
	int status;		/* exit status; 128 + N when killed by signal N */
	bool timed_out;
	char *out, *err;	/* NUL-terminated, each at most 16 MiB (the rest is dropped) */
	size_t out_len, err_len;
};

/* Runs to the end. 0 when it ran at all, whatever its status; -ENOENT with a hint
 * naming the program when it is not installed. */
int vh_spawn_run(const struct vh_spawn *spawn, struct vh_output *ret, struct vh_err *err);

/* Runs to the end and makes an error of a non-zero status or a deadline (-EINTR where it was stopped): the text
 * holds the program and the last line of its stderr. ret may be NULL. */
int vh_spawn_ok(const struct vh_spawn *spawn, struct vh_output *ret, struct vh_err *err);

/* Replaces this process. Returns only on failure. */
int vh_spawn_exec(char *const *argv, struct vh_err *err);

void vh_output_clear(struct vh_output *out);
#define vh_autooutput vh_cleanup(vh_output_clear) struct vh_output

#endif
