// SPDX-License-Identifier: Apache-2.0
/* libvirt's hook: the domain on standard input, what happens to it in the arguments.
 * It runs inside the daemon, which waits for it, so it never calls libvirt and never
 * waits long. Its standard output stays empty: for migrate and restore that means
 * "unchanged". */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "lib/cli.h"
#include "vmm/vmm.h"

enum { XML_MAX = 1 << 20, READ_MS = 10000 };

/* The private daemon's configuration says whose it is; a system daemon's says nothing. */
static const char state_link[] = "/etc/libvirt/vhpc.state";
static const char default_state[] = "/var/lib/vhpc";

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Standard input to its end, which must come soon. */
static int read_domain(char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autofree char *text = malloc(XML_MAX + 1);
	long until = now_ms() + READ_MS;
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return vh_err_nomem(err);
	while (n > 0) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		long left = until - now_ms();

		if (left <= 0 || poll(&in, 1, (int)left) <= 0)
			return vh_err_set(err, ETIMEDOUT, "standard input: no whole domain within %d s",
					  READ_MS / 1000);
		n = read(STDIN_FILENO, text + len, XML_MAX + 1 - len);
		if (n < 0)
			return vh_err_set(err, errno, "standard input: %s", strerror(errno));
		len += (size_t)n;
		if (len > XML_MAX)
			return vh_err_set(err, EFBIG, "standard input: more than 1 MiB");
	}
	*ret = vh_steal(&text);
	*ret_len = len;
	return 0;
}

/* For calls that change nothing: libvirt has the domain written to us all the same. */
static int pass(void)
{
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autofree char *xml = NULL;
	size_t len;

	read_domain(&xml, &len, &ignored);
	return 0;
}

static const char *find_state(const struct vh_cli *cli, char buf[PATH_MAX])
{
	ssize_t n = strcmp(cli->state, default_state) ? -1 : readlink(state_link, buf, PATH_MAX - 1);

	if (n <= 0 || buf[0] != '/')
		return cli->state;
	buf[n] = 0;
	return buf;
}

static int take(struct vh_cli *cli, const struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autostore store = NULL;
	vh_autoroot root = NULL;
	vh_autoerr undo = VH_ERR_NONE;
	char state[PATH_MAX];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_store_open(&store, find_state(cli, state), VH_STORE_WRITE, err);
	if (r == 0)
		r = vh_store_begin(store, err);
	if (r < 0)
		return r;
	r = vh_domain_lease_take(store, root, lease, err);
	if (r < 0) {
		vh_store_end(store, false, &undo);
		return r;
	}
	return vh_store_end(store, true, err);
}

static int drop(struct vh_cli *cli, const struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autostore store = NULL;
	char state[PATH_MAX];
	int r = vh_store_open(&store, find_state(cli, state), VH_STORE_WRITE, err);

	return r < 0 ? r : vh_domain_lease_drop(store, lease->holder, err);
}

typedef int lease_act(struct vh_cli *cli, const struct vh_domain_lease *lease, struct vh_err *err);

/* 0 also for domains that carry no lease. */
static int serve(struct vh_cli *cli, const char *name, lease_act *act, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *xml = NULL;
	size_t len = 0;
	int r = read_domain(&xml, &len, err);

	if (r == 0)
		r = vh_domain_lease_parse(xml, len, &lease, err);
	if (r == -ENODATA && !err->num)
		return 0;
	if (r == 0 && strcmp(lease.holder + strlen("vm/"), name))
		r = vh_err_set(err, EINVAL, "the domain on standard input is not %s", name);
	if (r == 0)
		r = act(cli, &lease, err);
	/* For libvirt there is only one kind of failure. */
	err->exit = r < 0 ? VH_EXIT_FAILED : VH_EXIT_DONE;
	return r;
}

static int qemu(struct vh_cli *cli, struct vh_err *err)
{
	const char *name = cli->argv[0], *op = cli->argv[1], *subop = cli->argv[2];

	if (!strcmp(op, "prepare") && !strcmp(subop, "begin"))
		return serve(cli, name, take, err);
	if (!strcmp(op, "release") && !strcmp(subop, "end"))
		return serve(cli, name, drop, err);
	return pass();
}

static const struct vh_verb verbs[] = {
	{ "qemu", "NAME OP SUBOP EXTRA", 4, 4,
	  "what libvirt's qemu driver calls; reads the domain's XML", VH_VERB_REST, NULL, 0, qemu },
	{ 0 },
};

/* libvirt calls .../qemu.d/vhpc NAME OP SUBOP EXTRA. A failing reconnect would kill the
 * running guest, so nothing at all is looked at then. */
static int called_by_libvirt(const struct vh_prog *prog, int argc, char **argv)
{
	vh_autofree char **args = calloc((size_t)argc + 3, sizeof(*args));

	if (argc > 2 && !strcmp(argv[2], "reconnect"))
		return pass();
	if (!args)
		return VH_EXIT_FAILED;
	args[0] = argv[0];
	args[1] = (char *)"qemu";
	args[2] = (char *)"--";
	for (int i = 1; i < argc; i++)
		args[i + 2] = argv[i];
	return vh_main(prog, argc + 2, args);
}

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc hook", "libvirt's hooks: a VM's leases follow its life", verbs };

	if (argc > 0 && strstr(argv[0], "/qemu.d/"))
		return called_by_libvirt(&prog, argc, argv);
	if (argc > 3 && !strcmp(argv[1], "qemu") && !strcmp(argv[3], "reconnect"))
		return pass();
	return vh_main(&prog, argc, argv);
}
