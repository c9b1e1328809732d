// SPDX-License-Identifier: Apache-2.0
#include "netctl/netlink.h"

#include <errno.h>
#include <netlink/errno.h>
#include <stdarg.h>

#include "lib/strv.h"

int vh_nl_open(struct nl_sock **ret, struct vh_err *err)
{
	vh_autonl sock = nl_socket_alloc();
	int r;

	if (!sock)
		return vh_err_nomem(err);
	r = nl_connect(sock, NETLINK_ROUTE);
	if (r < 0)
		return vh_nl_fail(err, r, "rtnetlink");
	*ret = vh_steal(&sock);
	return 0;
}

static int to_errno(int nle)
{
	switch (nle < 0 ? -nle : nle) {
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_EXIST:
		return EEXIST;
	case NLE_BUSY:
		return EBUSY;
	case NLE_INVAL:
		return EINVAL;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return ENODEV;
	case NLE_OPNOTSUPP:
		return EOPNOTSUPP;
	default:
		return EIO;
	}
}

int vh_nl_fail(struct vh_err *err, int nle, const char *fmt, ...)
{
	vh_autofree char *what = NULL;
	int num = to_errno(nle);
	va_list ap;

	va_start(ap, fmt);
	what = vh_vstrf(fmt, ap);
	va_end(ap);
	if (!what)
		return vh_err_nomem(err);
	if (num != EPERM)
		return vh_err_set(err, num, "%s: %s", what, nl_geterror(nle));
	vh_err_refuse(err, num, "%s: the kernel does not permit it", what);
	return vh_err_hint(err, "run as root, or with CAP_NET_ADMIN");
}
