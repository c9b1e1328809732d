// SPDX-License-Identifier: Apache-2.0
/* libvirt's hook: the domain on standard input, what happens to it in the arguments.
 * It runs inside the daemon, which waits for it, so it never calls libvirt and never
 * waits long. Its standard output stays empty: for migrate and restore that means
 * "unchanged". */
#include "tools/hooks/hooks.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/store/store.h"
#include "lib/sysroot.h"
#include "vmm/domain/domain.h"
#include "vmm/vm/vm.h"

enum { XML_MAX = 1 << 20, READ_S = 10 };

/* The private daemon's configuration says whose it is; a system daemon's says nothing. */
static const char state_link[] = "/etc/libvirt/vhpc.state";
static const char default_state[] = "/var/lib/vhpc";

/* Standard input to its end, which must come soon. */
static int read_domain(char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autofree char *text = malloc(XML_MAX + 1);
	double until = vh_now() + READ_S;
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return vh_err_nomem(err);
	while (n > 0) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		double left = until - vh_now();

		if (left <= 0 || poll(&in, 1, (int)(1000 * left) + 1) <= 0)
			return vh_err_set(err, ETIMEDOUT, "standard input: no whole domain within %d s", READ_S);
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
static int pass_over(void)
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

static int take_leases(struct vh_cli *cli, const struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autostore store = NULL;
	vh_autoroot root = NULL;
	char state[PATH_MAX];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_store_open(&store, find_state(cli, state), VH_STORE_WRITE, err);
	if (r == 0)
		r = vh_store_begin(store, err);
	if (r < 0)
		return r;
	return vh_store_settle(store, vh_domain_lease_take(store, root, lease, err), err);
}

static int drop_leases(struct vh_cli *cli, const struct vh_domain_lease *lease, struct vh_err *err)
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
	return r < 0 ? vh_err_as(err, VH_EXIT_FAILED) : 0;
}

int hook_qemu(struct vh_cli *cli, struct vh_err *err)
{
	const char *name = cli->argv[0], *op = cli->argv[1], *subop = cli->argv[2];

	if (!strcmp(op, "prepare") && !strcmp(subop, "begin"))
		return serve(cli, name, take_leases, err);
	if (!strcmp(op, "release") && !strcmp(subop, "end"))
		return serve(cli, name, drop_leases, err);
	return pass_over();
}

/* A failing reconnect would kill the running guest, so nothing at all is looked at then. */
static bool is_reconnect(int argc, char **argv, int op)
{
	return argc > op && !strcmp(argv[op], "reconnect");
}

/* .../qemu.d/vhpc NAME OP SUBOP EXTRA is "qemu -- NAME OP SUBOP EXTRA". */
static int run_as_qemu(const struct vh_prog *prog, int argc, char **argv)
{
	vh_autofree char **args = calloc((size_t)argc + 3, sizeof(*args));

	if (!args)
		return VH_EXIT_FAILED;
	args[0] = argv[0];
	args[1] = (char *)"qemu";
	args[2] = (char *)"--";
	for (int i = 1; i < argc; i++)
		args[i + 2] = argv[i];
	return vh_main(prog, argc + 2, args);
}

bool hook_called_by_libvirt(const struct vh_prog *prog, int argc, char **argv, int *ret_exit)
{
	bool by_name = argc > 0 && strstr(argv[0], "/qemu.d/");

	if (by_name && !is_reconnect(argc, argv, 2))
		*ret_exit = run_as_qemu(prog, argc, argv);
	else if (by_name || (argc > 1 && !strcmp(argv[1], "qemu") && is_reconnect(argc, argv, 3)))
		*ret_exit = pass_over();
	else
		return false;
	return true;
}
