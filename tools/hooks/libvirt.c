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

#include "lib/store/store.h"
#include "lib/sysroot.h"
#include "vmm/domain/domain.h"
#include "vmm/vm/vm.h"

/* Bytes of a domain of ours at most, and how long its writer may be silent. */
enum { XML_FIRST = 64 << 10, XML_MAX = 64 << 20, SILENT_S = 10 };

/* The private daemon's configuration says whose it is; a system daemon's says nothing. */
static const char state_link[] = "/etc/libvirt/vhpc.state";
static const char default_state[] = "/var/lib/vhpc";

struct domain_text {
	char *xml;
	size_t len;
	bool ours;	/* our namespace occurs in it: it may carry a lease */
	bool whole;	/* false: it was longer than there was room for, and xml is some end of it */
};

static void domain_text_clear(struct domain_text *t)
{
	free(t->xml);
}

static bool is_ours(const struct domain_text *t)
{
	return memmem(t->xml, t->len, VH_DOMAIN_NS, strlen(VH_DOMAIN_NS));
}

/* Room for more: what is another's and endless needs no more than its end. */
static void make_room(struct domain_text *t, size_t *size)
{
	const size_t kept = strlen(VH_DOMAIN_NS) - 1;
	char *grown;

	if (t->len < *size)
		return;
	grown = *size < XML_MAX ? realloc(t->xml, 2 * *size) : NULL;
	if (grown) {
		t->xml = grown;
		*size *= 2;
		return;
	}
	t->ours |= is_ours(t);
	t->whole = false;
	memmove(t->xml, t->xml + t->len - kept, kept);
	t->len = kept;
}

static int read_some(struct domain_text *t, size_t size, ssize_t *ret, struct vh_err *err)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&in, 1, 1000 * SILENT_S) == 0)
		return vh_err_set(err, ETIMEDOUT, "standard input: nothing for %d s", SILENT_S);
	*ret = read(STDIN_FILENO, t->xml + t->len, size - t->len);
	if (*ret < 0)
		return vh_err_set(err, errno, "standard input: %s", strerror(errno));
	t->len += (size_t)*ret;
	return 0;
}

/* Standard input to its end. On a busy host that may take its time, so only silence ends it before. */
static int read_domain(struct domain_text *t, struct vh_err *err)
{
	size_t size = XML_FIRST;
	ssize_t n = 1;
	int r = 0;

	*t = (struct domain_text){ .xml = malloc(size), .whole = true };
	if (!t->xml)
		return vh_err_nomem(err);
	while (r == 0 && n > 0) {
		make_room(t, &size);
		r = read_some(t, size, &n, err);
	}
	t->ours |= is_ours(t);
	return r;
}

/* For calls that change nothing: libvirt has the domain written to us all the same. */
static int pass_over(void)
{
	vh_cleanup(domain_text_clear) struct domain_text ignored = { 0 };
	vh_autoerr none = VH_ERR_NONE;

	read_domain(&ignored, &none);
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

/* libvirt, which gives the leases back whatever becomes of the start, if nobody kills it; 0: another calls,
 * and may end before QEMU is there. */
static pid_t calling_libvirt(const struct vh_root *root)
{
	vh_autofree char *name = NULL;
	pid_t parent = getppid();

	if (vh_root_read(root, &name, "proc/%d/comm", (int)parent) < 0)
		return 0;
	return !strcmp(name, "libvirtd") || !strcmp(name, "virtqemud") ? parent : 0;
}

typedef int lease_act(struct vh_store *store, const struct vh_root *root, const struct vh_domain_lease *lease,
		      struct vh_err *err);

static int take_leases(struct vh_store *store, const struct vh_root *root, const struct vh_domain_lease *lease,
		       struct vh_err *err)
{
	pid_t libvirt = calling_libvirt(root);
	int r = vh_domain_lease_take(store, root, lease, err);

	return r < 0 || !libvirt ? r : vh_domain_lease_keep(store, root, lease, libvirt, err);
}

/* QEMU is there. */
static int keep_leases(struct vh_store *store, const struct vh_root *root, const struct vh_domain_lease *lease,
		       struct vh_err *err)
{
	return vh_domain_lease_keep(store, root, lease, 0, err);
}

static int drop_leases(struct vh_store *store, const struct vh_root *root, const struct vh_domain_lease *lease,
		       struct vh_err *err)
{
	(void)root;
	return vh_domain_lease_drop(store, lease->holder, err);
}

/* What is not there was renamed while libvirt ran: none is to be made in its old place. */
static int check_state(const char *state, struct vh_err *err)
{
	if (access(state, F_OK) == 0)
		return 0;
	vh_err_set(err, errno, "state directory %s: %s", state, strerror(errno));
	return vh_err_hint(err, "where it has another name now: vhpc vm list --state NAME tells libvirt");
}

/* In one transaction. */
static int act_in_store(struct vh_cli *cli, const struct vh_domain_lease *lease, lease_act *act, struct vh_err *err)
{
	vh_autostore store = NULL;
	vh_autoroot root = NULL;
	char buf[PATH_MAX];
	const char *state = find_state(cli, buf);
	int r = vh_root_open(&root, NULL, err);

	if (r == 0 && state == buf)
		r = check_state(state, err);
	if (r == 0)
		r = vh_store_open(&store, state, VH_STORE_WRITE, err);
	if (r == 0)
		r = vh_store_begin(store, err);
	return r < 0 ? r : vh_store_settle(store, act(store, root, lease, err), err);
}

static int act_on(struct vh_cli *cli, const char *name, const struct domain_text *t, lease_act *act, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	int r = t->whole ? vh_domain_lease_parse(t->xml, t->len, &lease, err)
			 : vh_err_set(err, EFBIG, "standard input: longer than there is room for");

	if (r == -ENODATA && !err->num)
		return 0;
	if (r == 0 && strcmp(lease.holder + strlen("vm/"), name))
		r = vh_err_set(err, EINVAL, "the domain on standard input is not %s", name);
	return r < 0 ? r : act_in_store(cli, &lease, act, err);
}

/* 0 also for domains that carry no lease: nothing of another's is looked at but whether our namespace
 * is in it, so that neither its size nor what is odd in it, neither a text that breaks off nor our
 * store keeps it from starting. */
static int serve(struct vh_cli *cli, const char *name, lease_act *act, struct vh_err *err)
{
	vh_cleanup(domain_text_clear) struct domain_text t = { 0 };
	int r = read_domain(&t, err);

	if (!t.ours)
		return 0;
	if (r == 0)
		r = act_on(cli, name, &t, act, err);
	/* For libvirt there is only one kind of failure. */
	return r < 0 ? vh_err_as(err, VH_EXIT_FAILED) : 0;
}

/* A failure would end the VM, which has all that it needs. */
static int serve_started(struct vh_cli *cli, const char *name)
{
	vh_autoerr none = VH_ERR_NONE;

	serve(cli, name, keep_leases, &none);
	return 0;
}

int hook_qemu(struct vh_cli *cli, struct vh_err *err)
{
	const char *name = cli->argv[0], *op = cli->argv[1], *subop = cli->argv[2];

	if (!strcmp(op, "prepare") && !strcmp(subop, "begin"))
		return serve(cli, name, take_leases, err);
	if (!strcmp(op, "started") && !strcmp(subop, "begin"))
		return serve_started(cli, name);
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
