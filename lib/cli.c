// SPDX-License-Identifier: Apache-2.0
#include "lib/cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/strv.h"
#include "lib/values.h"

enum { MAX_OPTS = 48 };

struct common {
	bool help, version;
};

/* The options that every program has: offsets are into struct vh_cli or struct common. */
struct common_opt {
	struct vh_opt opt;
	bool in_common;
};

static const struct common_opt common_opts[] = {
	{ { "json", 0, VH_OPT_FLAG, offsetof(struct vh_cli, json), NULL, "print JSON" }, false },
	{ { "quiet", 'q', VH_OPT_FLAG, offsetof(struct vh_cli, quiet), NULL, "no progress and no notes" }, false },
	{ { "state", 0, VH_OPT_STR, offsetof(struct vh_cli, state), "DIR", "state directory" }, false },
	{ { "cache", 0, VH_OPT_STR, offsetof(struct vh_cli, cache), "DIR", "cache directory" }, false },
	{ { "connect", 0, VH_OPT_STR, offsetof(struct vh_cli, connect), "URI", "libvirt connection" }, false },
	{ { "root", 0, VH_OPT_STR, offsetof(struct vh_cli, root), "DIR", "a captured host instead of this one" }, false },
	{ { "help", 'h', VH_OPT_FLAG, offsetof(struct common, help), NULL, "this text" }, true },
	{ { "version", 'V', VH_OPT_FLAG, offsetof(struct common, version), NULL, "the version" }, true },
};

static bool single_verb(const struct vh_prog *prog)
{
	return !*prog->verbs[0].name;
}

static void print_opt(FILE *f, const struct vh_opt *o)
{
	vh_autofree char *left = vh_strf("%c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
					 o->letter ? ", " : "  ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");

	fprintf(f, "  %-26s  %s\n", left ? left : o->name, o->help);
}

static void print_opts(FILE *f, const struct vh_verb *verb)
{
	fputs("\nOptions:\n", f);
	for (const struct vh_opt *o = verb ? verb->opts : NULL; o && o->name; o++)
		print_opt(f, o);
	for (size_t i = 0; i < vh_array_len(common_opts); i++)
		if (i > 0 || (verb && verb->flags & VH_VERB_JSON))
			print_opt(f, &common_opts[i].opt);
}

static void print_verbs(FILE *f, const struct vh_prog *prog)
{
	size_t room = 0;

	for (const struct vh_verb *v = prog->verbs; v->name; v++) {
		size_t len = strlen(v->name) + 1 + strlen(v->args);

		room = len > room && !(v->flags & VH_VERB_HIDDEN) ? len : room;
	}
	for (const struct vh_verb *v = prog->verbs; v->name; v++)
		if (!(v->flags & VH_VERB_HIDDEN))
			fprintf(f, "  %s %-*s  %s\n", v->name, (int)(room - strlen(v->name) - 1), v->args, v->help);
}

static void print_help(FILE *f, const struct vh_prog *prog, const struct vh_verb *verb)
{
	if (verb) {
		const char *says = single_verb(prog) ? prog->summary : verb->help;

		fprintf(f, "Usage: %s%s%s [OPTIONS]%s%s\n\n%c%s.\n", prog->name, *verb->name ? " " : "", verb->name,
			*verb->args ? " " : "", verb->args, toupper((unsigned char)*says), says + 1);
		print_opts(f, verb);
		return;
	}
	fprintf(f, "Usage: %s VERB [OPTIONS] [ARGUMENTS]\n\n%s.\n\nVerbs:\n", prog->name, prog->summary);
	print_verbs(f, prog);
	print_opts(f, NULL);
	fprintf(f, "\n%s VERB --help tells a verb's own options.\n", prog->name);
}

static const struct vh_verb *find_verb(const struct vh_prog *prog, const char *name, struct vh_err *err)
{
	const char *names[64], *near;
	size_t n = 0;

	for (const struct vh_verb *v = prog->verbs; v->name; v++) {
		if (!strcmp(v->name, name))
			return v;
		if (n < vh_array_len(names) && !(v->flags & VH_VERB_HIDDEN))
			names[n++] = v->name;
	}
	vh_err_usage(err, "unknown verb '%s'", name);
	near = vh_nearest(name, names, n);
	if (near)
		vh_err_hint(err, "did you mean '%s'?", near);
	else
		vh_err_hint(err, "%s --help lists the verbs", prog->name);
	return NULL;
}

/* getopt_long takes any beginning of a long name, which a script then depends on:
 * here a name is a name. */
struct parser {
	const struct vh_opt *opt[MAX_OPTS];
	void *base[MAX_OPTS];
	size_t n;
	int argc;		/* words not read yet */
	char **argv;
	char **rest;		/* arguments, in argv's own room */
	int n_rest;
};

static void add_opt(struct parser *p, const struct vh_opt *o, void *base)
{
	if (p->n == MAX_OPTS)
		abort();	/* a table of ours is too long */
	p->opt[p->n] = o;
	p->base[p->n++] = base;
}

static int store_opt(const struct vh_opt *o, void *base, const char *arg, struct vh_err *err)
{
	void *at = (char *)base + o->offset;
	int r = 0;

	switch (o->kind) {
	case VH_OPT_FLAG:
		*(bool *)at = true;
		break;
	case VH_OPT_STR:
	case VH_OPT_MAYBE:
		*(const char **)at = arg;
		break;
	case VH_OPT_UINT:
		r = vh_uint_parse(arg, INT64_MAX, at, err);
		break;
	case VH_OPT_SIZE:
		r = vh_size_parse(arg, at, err);
		break;
	case VH_OPT_STRV:
		r = vh_strv_push(at, arg) < 0 ? vh_err_nomem(err) : 0;
		break;
	}
	if (r < 0) {
		err->exit = VH_EXIT_USAGE;
		vh_err_within(err, "--%s", o->name);
	}
	return r;
}

static int unknown_opt(const struct parser *p, const char *word, struct vh_err *err)
{
	vh_autofree char *name = strndup(word, strcspn(word, "="));
	const char *names[MAX_OPTS], *near = NULL;

	for (size_t i = 0; i < p->n; i++)
		names[i] = p->opt[i]->name;
	vh_err_usage(err, "unknown option '%s'", name ? name : word);
	if (name && !strncmp(name, "--", 2))
		near = vh_nearest(name + 2, names, p->n);
	return near ? vh_err_hint(err, "did you mean '--%s'?", near) : -EINVAL;
}

/* Stores option i; its argument is inline or the next word. */
static int take_opt(struct parser *p, size_t i, const char *word, const char *inline_arg, struct vh_err *err)
{
	const struct vh_opt *o = p->opt[i];

	if (o->kind == VH_OPT_FLAG && inline_arg)
		return vh_err_usage(err, "--%s takes no argument", o->name);
	if (o->kind == VH_OPT_MAYBE && !inline_arg)
		inline_arg = "";
	if (o->kind != VH_OPT_FLAG && !inline_arg) {
		if (p->argc == 0)
			return vh_err_usage(err, "%s: an argument (%s) is missing", word, o->arg);
		inline_arg = *p->argv++;
		p->argc--;
	}
	return store_opt(o, p->base[i], inline_arg, err);
}

static int parse_long(struct parser *p, const char *word, struct vh_err *err)
{
	size_t len = strcspn(word + 2, "=");

	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->opt[i]->name) == len && !strncmp(p->opt[i]->name, word + 2, len))
			return take_opt(p, i, word, word[2 + len] ? word + 2 + len + 1 : NULL, err);
	return unknown_opt(p, word, err);
}

/* "-q", "-qh", "-n4", "-n 4" */
static int parse_short(struct parser *p, const char *word, struct vh_err *err)
{
	for (const char *c = word + 1; *c; c++) {
		size_t i = 0;
		bool flag;
		int r;

		while (i < p->n && p->opt[i]->letter != *c)
			i++;
		if (i == p->n)
			return unknown_opt(p, word, err);
		flag = p->opt[i]->kind == VH_OPT_FLAG;
		r = take_opt(p, i, word, flag || !c[1] ? NULL : c + 1, err);
		if (r < 0 || !flag)
			return r;
	}
	return 0;
}

static bool known_opt(const struct parser *p, const char *word)
{
	bool is_long = !strncmp(word, "--", 2);
	size_t len = strcspn(word + 2, "=");

	for (size_t i = 0; i < p->n; i++)
		if (is_long ? strlen(p->opt[i]->name) == len && !strncmp(p->opt[i]->name, word + 2, len)
			    : p->opt[i]->letter == word[1] && !word[2])
			return true;
	return false;
}

/* Options and arguments may mix, but with in_order the first argument ends the options,
 * and with pass also the first option that is not ours. */
static int parse(struct parser *p, bool in_order, bool pass, struct vh_err *err)
{
	p->rest = p->argv;
	while (p->argc > 0) {
		char *word = *p->argv;
		int r = 0;

		if (pass && word[0] == '-' && word[1] && strcmp(word, "--") && !known_opt(p, word))
			break;
		p->argv++;
		p->argc--;
		if (!strcmp(word, "--"))
			in_order = true;
		else if (!strncmp(word, "--", 2))
			r = parse_long(p, word, err);
		else if (word[0] == '-' && word[1])
			r = parse_short(p, word, err);
		else
			p->rest[p->n_rest++] = word;
		if (r < 0)
			return r;
		if (in_order && (p->n_rest > 0 || !strcmp(word, "--")))
			break;
	}
	while (p->argc > 0) {
		p->rest[p->n_rest++] = *p->argv++;
		p->argc--;
	}
	return 0;
}

/* Where state or cache stands: option, variable, then root's place or the user's own. */
static int place(const char **dir, char **own, const char *variable, const char *root_place,
		 const char *xdg, const char *xdg_default, struct vh_err *err)
{
	const char *env = getenv(variable), *base = getenv(xdg), *home = getenv("HOME");

	if (*dir && **dir == '/')
		return 0;
	if (*dir && !**dir)
		return vh_err_usage(err, "--state and --cache: a directory has a name");
	if (*dir || (env && *env)) {
		const char *given = *dir ? *dir : env;
		vh_autofree char *cwd = *given == '/' ? strdup("") : getcwd(NULL, 0);

		*own = cwd ? vh_strf("%s%s%s", cwd, *given == '/' ? "" : "/", given) : NULL;
	} else if (geteuid() == 0) {
		*own = strdup(root_place);
	} else if (base && *base == '/') {
		*own = vh_strf("%s/vhpc", base);
	} else {
		*own = vh_strf("%s/%s/vhpc", home ? home : "", xdg_default);
	}
	if (!*own)
		return vh_err_nomem(err);
	*dir = *own;
	return 0;
}

static int check_count(const struct vh_verb *verb, const struct vh_cli *cli, struct vh_err *err)
{
	if (cli->argc < verb->min_args)
		return vh_err_usage(err, "%s%s%s is missing", verb->name, *verb->name ? ": " : "", verb->args);
	if (verb->max_args >= 0 && cli->argc > verb->max_args)
		return vh_err_usage(err, "%s%s'%s' is one argument too many", verb->name, *verb->name ? ": " : "",
				    cli->argv[verb->max_args]);
	return 0;
}

static void free_strvs(const struct vh_verb *verb, void *opts)
{
	for (const struct vh_opt *o = verb->opts; o && o->name; o++)
		if (o->kind == VH_OPT_STRV)
			vh_strv_free(*(char ***)((char *)opts + o->offset));
}

static int run_verb(struct vh_cli *cli, const struct vh_verb *verb, struct vh_err *err)
{
	vh_autofree char *state = NULL, *cache = NULL;
	const char *env = getenv("VHPC_CONNECT");
	int r;

	if (!cli->connect && env && *env)
		cli->connect = env;
	env = getenv("VHPC_ROOT");
	if (!cli->root && env && *env)
		cli->root = env;
	r = place(&cli->state, &state, "VHPC_STATE", "/var/lib/vhpc", "XDG_STATE_HOME", ".local/state", err);
	if (r == 0)
		r = place(&cli->cache, &cache, "VHPC_CACHE", "/var/cache/vhpc", "XDG_CACHE_HOME", ".cache", err);
	if (r == 0)
		r = check_count(verb, cli, err);
	return r < 0 ? r : verb->run(cli, err);
}

/* Parses what stands behind the verb and runs it: 0, -errno or an exit code. */
static int enter(const struct vh_prog *prog, const struct vh_verb *verb, int argc, char **argv, struct vh_err *err)
{
	struct vh_cli cli = { .prog = prog->name, .verb = verb ? verb->name : "" };
	vh_autofree void *opts = verb && verb->opts_size ? calloc(1, verb->opts_size) : NULL;
	struct common common = { 0 };
	struct parser p = { .argc = argc, .argv = argv };
	int r;

	if (verb && verb->opts_size && !opts)
		return vh_err_nomem(err);
	for (const struct vh_opt *o = verb ? verb->opts : NULL; o && o->name; o++)
		add_opt(&p, o, opts);
	for (size_t i = 0; i < vh_array_len(common_opts); i++)
		if (i > 0 || (verb && verb->flags & VH_VERB_JSON))
			add_opt(&p, &common_opts[i].opt, common_opts[i].in_common ? (void *)&common : (void *)&cli);
	r = parse(&p, !verb || verb->flags & (VH_VERB_REST | VH_VERB_PASS), verb && verb->flags & VH_VERB_PASS, err);
	cli.argc = p.n_rest;
	cli.argv = p.rest;
	cli.argv[cli.argc] = NULL;
	cli.opts = opts;
	if (r < 0)
		;
	else if (common.help)
		print_help(stdout, prog, verb);
	else if (common.version)
		printf("%s %s\n", prog->name, VHPC_VERSION);
	else if (verb)
		r = run_verb(&cli, verb, err);
	else
		r = vh_err_usage(err, "a verb is missing");
	if (verb)
		free_strvs(verb, opts);
	return r;
}

/* Where one is missing, the next file opened would take its number, and messages land in
 * it. What is written to these fails, and is told. */
static void fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			_exit(VH_EXIT_FAILED);
}

int vh_main(const struct vh_prog *prog, int argc, char **argv)
{
	const struct vh_verb *verb = single_verb(prog) ? prog->verbs : NULL;
	vh_autoerr err = VH_ERR_NONE;
	int skip = 1, r = 0;
	bool full;

	fill_standard_fds();
	/* A closed pipe is an error to report, not an end halfway through a change. */
	signal(SIGPIPE, SIG_IGN);
	/* Whatever the caller's: modes are what the program says, and never another's to write to. */
	umask(022);
	if (!verb && argc > 1 && argv[1][0] != '-') {
		verb = find_verb(prog, argv[1], &err);
		skip = 2;
		r = verb ? 0 : -EINVAL;
	}
	if (r == 0)
		r = enter(prog, verb, argc - skip, argv + skip, &err);
	if (r < 0) {
		fflush(stdout);
		if (!err.num)
			vh_err_set(&err, -r, "%s", strerror(-r));
		vh_err_print(stderr, prog->name, &err);
		if (err.exit == VH_EXIT_USAGE && !err.hint)
			fprintf(stderr, "%s --help tells more\n", prog->name);
		return err.exit ? (int)err.exit : VH_EXIT_FAILED;
	}
	full = fflush(stdout) != 0;
	if (full || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write to standard output: %s\n", prog->name,
			full ? strerror(errno) : "a part of it is lost");
		return VH_EXIT_FAILED;
	}
	return r;
}

int vh_need_rights(const char *what, struct vh_err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { 0 } };
	const uint32_t need = 1u << CAP_NET_ADMIN | 1u << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &head, caps) == 0 && (caps[0].effective & need) == need)
		return 0;
	vh_err_refuse(err, EPERM, "%s: needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN; this is uid %d", what, geteuid());
	return vh_err_hint(err, "run it with sudo");
}
