// SPDX-License-Identifier: Apache-2.0
#include "vmm/virt/virt.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <libxml/uri.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/cli.h"
#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/strv.h"
#include "lib/xml/xml.h"
#include "vmm/virt/daemon.h"
#include "vmm/virt/daemon_dir.h"
#include "vmm/virt/private.h"

enum { OPEN_S = 30 };

static void drop_error(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static void init_once(void)
{
	virInitialize();
	virSetErrorFunc(NULL, drop_error);
}

/* Of a hook's failure libvirt tells the whole command; ours speaks for itself. */
static const char *plain_message(void)
{
	const char *said = virGetLastErrorMessage();
	const char *ours = strstr(said, "vhpc hook: ");

	return ours ? ours + strlen("vhpc hook: ") : said;
}

/* What passes by itself is told from what does not: another works on the domain, or QEMU was too busy. */
static int number(void)
{
	switch (virGetLastErrorCode()) {
	case VIR_ERR_OPERATION_TIMEOUT:
		return EAGAIN;
	case VIR_ERR_RESOURCE_BUSY:
		return EBUSY;
	default:
		return EIO;
	}
}

int vh_virt_err(struct vh_err *err, const char *fmt, ...)
{
	const char *said = plain_message();
	int len = (int)strcspn(said, "\n");
	vh_autofree char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = vh_vstrf(fmt, ap);
	va_end(ap);
	/* A hook's refusal means that nothing was started. */
	if (virGetLastErrorCode() == VIR_ERR_HOOK_SCRIPT_FAILED || virGetLastErrorCode() == VIR_ERR_AUTH_FAILED)
		return vh_err_refuse(err, EPERM, "%s: %.*s", what ? what : "libvirt", len, said);
	return vh_err_set(err, number(), "%s: %.*s", what ? what : "libvirt", len, said);
}

int vh_virt_domain_err(struct vh_err *err, virDomainPtr domain, const char *what)
{
	vh_virt_err(err, "%s", what);
	return vh_err_within(err, "VM %s", virDomainGetName(domain));
}

/* Opening has no deadline of its own, so it runs in a thread, which is left behind, with
 * what it works on, when the daemon does not answer. */
struct opening {
	char *uri;
	virConnectPtr conn;
	struct vh_err err;
};

static void *open_thread(void *arg)
{
	struct opening *o = arg;

	o->conn = virConnectOpen(o->uri);
	if (!o->conn)
		vh_virt_err(&o->err, "%s", o->uri);
	return NULL;
}

static int open_uri(const char *uri, virConnectPtr *ret, struct vh_err *err)
{
	struct opening *o = calloc(1, sizeof(*o));
	struct timespec until;
	pthread_t thread;
	int r = 0;

	if (!o)
		return vh_err_nomem(err);
	o->uri = strdup(uri);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += OPEN_S;
	if (!o->uri || pthread_create(&thread, NULL, open_thread, o) != 0) {
		free(o->uri);
		free(o);
		return vh_err_nomem(err);
	}
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
		pthread_detach(thread);
		return vh_err_set(err, ETIMEDOUT, "%s: no answer within %d s", uri, OPEN_S);
	}
	if (o->conn)
		*ret = o->conn;
	else
		vh_err_move(err, &o->err), r = -err->num;
	free(o->uri);
	free(o);
	return r;
}

/* As long as somebody holds this shared, nobody ends the private daemon. */
static int hold_private(struct vh_virt *v, int how, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/in-use", v->private_dir);

	if (!path)
		return vh_err_nomem(err);
	v->in_use = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (v->in_use < 0 && errno == EROFS)
		v->in_use = open(path, O_RDONLY | O_CLOEXEC);
	if (v->in_use < 0 && errno == EACCES)
		return vh_err_refuse(err, EACCES, "%s: %s", path, strerror(errno));
	if (v->in_use < 0 || flock(v->in_use, how) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int private_uri(const char *socket, char **ret, struct vh_err *err)
{
	vh_autoxmlstr escaped = xmlURIEscapeStr(BAD_CAST socket, BAD_CAST "/");
	char *uri = escaped ? vh_strf("qemu+unix:///system?socket=%s", (char *)escaped) : NULL;

	if (!uri)
		return vh_err_nomem(err);
	*ret = uri;
	return 0;
}

static bool is_read_only(const char *state)
{
	return access(state, W_OK) < 0 && errno == EROFS;
}

/* 0: the daemon runs, or was started; -ENOTCONN: it does not run. */
static int find_private(const char *state, const char *socket, bool start, struct vh_err *err)
{
	bool same_net;
	pid_t pid;
	int r = vh_daemon_peer(socket, &pid, &same_net);

	if (r == -EACCES)
		return vh_err_refuse(err, EACCES, "%s: %s", socket, strerror(EACCES));
	if (r < 0)
		return start || (vh_daemon_has_domains(state) && !is_read_only(state)) ? vh_daemon_start(state, err) : -ENOTCONN;
	if (!same_net)
		return vh_err_refuse(err, EXDEV, "the private libvirt daemon of %s runs in another network "
				     "namespace, from where it does not see this one's interfaces", state);
	return 0;
}

/* The state directory as an absolute path, be it there yet or not. */
static int absolute_state(const char *state, char **ret, struct vh_err *err)
{
	vh_autofree char *cwd = NULL;

	*ret = realpath(state, NULL);
	if (!*ret && state[0] != '/')
		cwd = getcwd(NULL, 0);
	if (!*ret)
		*ret = cwd ? vh_strf("%s/%s", cwd, state) : strdup(state);
	return *ret ? 0 : vh_err_nomem(err);
}

/* All that can be refused is, before anything is made. */
static int make_private_dir(const char *state, const char *dir, struct vh_err *err)
{
	int r = vh_need_rights("start a private libvirt daemon", err);

	if (r == 0)
		r = vh_daemon_check(state, err);
	if (r == 0)
		r = vh_mkdirs(state, 0711, err);
	return r < 0 ? r : vh_mkdirs(dir, 0711, err);
}

static int open_private(struct vh_virt *v, const char *given, bool start, struct vh_err *err)
{
	vh_autofree char *socket = NULL, *state = NULL;
	int r = absolute_state(given, &state, err);

	if (r == 0)
		r = vh_daemon_socket(state, &socket, err);
	if (r < 0)
		return r;
	v->private_dir = vh_strf("%s/libvirt", state);
	if (!v->private_dir)
		return vh_err_nomem(err);
	if (start)
		r = make_private_dir(state, v->private_dir, err);
	else if (access(v->private_dir, F_OK) < 0)
		return -ENOTCONN;
	if (r == 0 && !is_read_only(state))
		r = vh_home_enter(state, err);
	if (r == 0)
		r = hold_private(v, LOCK_SH, err);
	if (r == 0)
		r = find_private(state, socket, start, err);
	return r < 0 ? r : private_uri(socket, &v->uri, err);
}

/* The first use of QEMU has libvirt probe it for a second or more. Done here, a define
 * takes milliseconds, and one that a killed client left under way is soon over. */
static void warm_up(virConnectPtr conn)
{
	free(virConnectGetDomainCapabilities(conn, NULL, "x86_64", "q35", NULL, 0));
}

static bool is_gone(const char *private_dir)
{
	vh_autofree char *socket = vh_strf("%s/run/libvirt-sock", private_dir);
	bool same_net;
	pid_t pid;

	return socket && vh_daemon_peer(socket, &pid, &same_net) < 0;
}

static int open_once(struct vh_virt **ret, const char *connect, const char *state, bool start,
		     struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = calloc(1, sizeof(*v));
	pid_t pid;
	int r = 0;

	if (!v)
		return vh_err_nomem(err);
	v->in_use = -1;
	/* The daemon of a copy would take the original's VMs for its own, find that they do not answer, and end them. */
	r = vh_home_check(state, err);
	if (r < 0)
		return r;
	if (connect && strcmp(connect, "private"))
		v->uri = strdup(connect);
	else if (!connect && vh_daemon_system(&pid) == 0)
		v->uri = strdup("qemu:///system");
	else
		r = open_private(v, state, start, err);
	if (r < 0)
		return r;
	if (!v->uri)
		return vh_err_nomem(err);
	r = open_uri(v->uri, &v->conn, err);
	if (r < 0)
		return v->private_dir && is_gone(v->private_dir) ? -ECONNRESET : r;
	if (start)
		warm_up(v->conn);
	r = vh_virt_settle_home(v, state, err);
	if (r == 0)
		*ret = vh_steal(&v);
	return r;
}

int vh_virt_open(struct vh_virt **ret, const char *connect, const char *state, bool start,
		 struct vh_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int r;

	pthread_once(&once, init_once);
	r = open_once(ret, connect, state, start, err);
	/* It was just about to end when we found it. */
	if (r == -ECONNRESET) {
		vh_err_clear(err);
		r = open_once(ret, connect, state, start, err);
	}
	return r == -ECONNRESET ? -err->num : r;
}

void vh_virt_close(struct vh_virt *v)
{
	if (!v)
		return;
	if (v->conn)
		virConnectClose(v->conn);
	vh_close_fd(&v->in_use);
	free(v->private_dir);
	free(v->uri);
	free(v);
}

const char *vh_virt_uri(const struct vh_virt *v)
{
	return v->uri;
}

int vh_virt_version(struct vh_virt *v, char *buf, size_t len, struct vh_err *err)
{
	unsigned long lib, qemu;

	if (virConnectGetLibVersion(v->conn, &lib) < 0 || virConnectGetVersion(v->conn, &qemu) < 0)
		return vh_virt_err(err, "%s: version", v->uri);
	snprintf(buf, len, "libvirt %lu.%lu.%lu, QEMU %lu.%lu.%lu", lib / 1000000, lib / 1000 % 1000,
		 lib % 1000, qemu / 1000000, qemu / 1000 % 1000, qemu % 1000);
	return 0;
}

/* How many domains the daemon has, running and defined. */
static int count_domains(const char *socket, int *ret, struct vh_err *err)
{
	vh_autofree char *uri = NULL;
	virConnectPtr conn;
	int r = private_uri(socket, &uri, err), active, defined;

	if (r == 0)
		r = open_uri(uri, &conn, err);
	if (r < 0)
		return r;
	active = virConnectNumOfDomains(conn);
	defined = virConnectNumOfDefinedDomains(conn);
	if (active < 0 || defined < 0)
		r = vh_virt_err(err, "%s: counting domains", uri);
	virConnectClose(conn);
	if (r == 0)
		*ret = active + defined;
	return r;
}

static int end_unused(const char *state, struct vh_err *err)
{
	vh_autofree char *socket = NULL;
	bool same_net;
	pid_t pid;
	int n = 0, r = vh_daemon_socket(state, &socket, err);

	if (r < 0)
		return r;
	/* Its virtlogd may have outlived it. */
	if (vh_daemon_peer(socket, &pid, &same_net) < 0)
		return vh_daemon_has_domains(state) ? 0 : vh_daemon_end(state, err);
	r = count_domains(socket, &n, err);
	return r < 0 || n > 0 ? r : vh_daemon_end(state, err);
}

bool vh_virt_is_asleep(const char *state)
{
	vh_autofree char *socket = NULL;
	vh_autoerr none = VH_ERR_NONE;
	bool same_net;
	pid_t pid;

	return vh_daemon_has_domains(state) && vh_daemon_socket(state, &socket, &none) == 0 &&
	       vh_daemon_peer(socket, &pid, &same_net) < 0;
}

int vh_virt_stop_private(const char *state, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = calloc(1, sizeof(*v));
	vh_autofree char *abs = realpath(state, NULL);
	int r;

	if (!v)
		return vh_err_nomem(err);
	v->in_use = -1;
	if (!abs)
		return 0;
	r = vh_home_check(abs, err);
	if (r < 0)
		return r;
	v->private_dir = vh_strf("%s/libvirt", abs);
	if (!v->private_dir)
		return vh_err_nomem(err);
	if (access(v->private_dir, F_OK) < 0)
		return 0;
	r = hold_private(v, LOCK_EX | LOCK_NB, err);
	if (r == -EWOULDBLOCK) {
		vh_err_clear(err);
		return 0;
	}
	return r < 0 ? r : end_unused(abs, err);
}

bool vh_virt_any_user(const struct vh_virt *v)
{
	vh_autofree char *own = v->private_dir ? vh_strf("%s/lib/qemu", v->private_dir) : NULL;
	struct stat st;

	if (geteuid() || (v->private_dir && !own))
		return false;
	return stat(own ? own : "/var/lib/libvirt/qemu", &st) == 0 && st.st_mode & 0001;
}

const char *vh_virt_one_user(const struct vh_virt *v)
{
	return geteuid() || vh_virt_any_user(v) ? NULL
		: "QEMU runs as the user that all of libvirt's do: chmod o+x /var/lib/libvirt/qemu lets each have its own";
}
