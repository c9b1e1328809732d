// SPDX-License-Identifier: Apache-2.0
/* A program is one static const table of verbs; usage, completion and the check of
 * the man pages come from it. Options are parsed into a struct of the verb's own. */
#ifndef VH_CLI_H
#define VH_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

enum vh_opt_kind {
	VH_OPT_FLAG,	/* bool */
	VH_OPT_STR,	/* const char *, borrowed from argv */
	VH_OPT_MAYBE,	/* the same, with an argument behind '=' alone; "" without one */
	VH_OPT_UINT,	/* uint64_t, decimal */
	VH_OPT_SIZE,	/* uint64_t, bytes, as vh_size_parse reads it */
	VH_OPT_STRV,	/* char **, repeatable; freed by the caller of the verb */
};

struct vh_opt {
	const char *name;	/* long name, without "--" */
	char letter;		/* 0: none */
	enum vh_opt_kind kind;
	size_t offset;		/* into the verb's option struct */
	const char *arg;	/* the argument's name in help; NULL for a flag */
	const char *help;	/* one line, no full stop */
};

/* What every verb gets: the common options and its own. */
struct vh_cli {
	const char *prog;	/* "vhpc image" */
	const char *verb;	/* "" for a program of a single verb */
	bool json, quiet;
	const char *state;	/* --state, VHPC_STATE, /var/lib/vhpc or $XDG_STATE_HOME/vhpc */
	const char *cache;	/* --cache, VHPC_CACHE, /var/cache/vhpc or $XDG_CACHE_HOME/vhpc */
	const char *connect;	/* --connect, VHPC_CONNECT, or NULL */
	const char *root;	/* --root, VHPC_ROOT, or NULL: a captured host instead of this one */
	int argc;		/* what is left after the options */
	char **argv;
	void *opts;		/* the verb's struct, zeroed, then filled */
};

enum vh_verb_flags {
	VH_VERB_JSON = 1,	/* takes --json */
	VH_VERB_REST = 2,	/* options end at the first argument (a command line follows) */
	VH_VERB_HIDDEN = 4,	/* not in usage */
	VH_VERB_PASS = 8,	/* as REST, and options unknown to us begin the rest, unchanged */
};

struct vh_verb {
	const char *name;	/* "": the program has this one verb and no name for it */
	const char *args;	/* "FILE", "PF", "" */
	int min_args, max_args;	/* max_args -1: any number */
	const char *help;	/* one line, no full stop */
	unsigned flags;
	const struct vh_opt *opts;	/* ends with a NULL name; or NULL */
	size_t opts_size;	/* sizeof the verb's option struct */
	/* 0, -errno with err filled (the program prints it and exits with err->exit),
	 * or a positive exit code after having said why. */
	int (*run)(struct vh_cli *cli, struct vh_err *err);
};

struct vh_prog {
	const char *name;	/* "vhpc image", as the user types it */
	const char *summary;	/* one line */
	const struct vh_verb *verbs;	/* ends with a NULL name */
};

/* The whole of main: parses, runs the verb, prints the error; returns the exit code.
 * Every program takes --help, --version, --quiet, --state, --cache, --connect, --root. */
int vh_main(const struct vh_prog *prog, int argc, char **argv);

/* Refuses (exit 3, with the name of what lacks) unless this process may change the
 * host: root, or CAP_NET_ADMIN and CAP_SYS_ADMIN. Call it before the first effect. */
int vh_need_rights(const char *what, struct vh_err *err);

#endif
