// SPDX-License-Identifier: Apache-2.0
/* libvirt's calls for a domain, and nothing else. */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "lib/clock.h"
#include "lib/parallel.h"
#include "lib/strv.h"
#include "tests/bench/cluster/cluster.h"

enum { AT_ONCE = 16 };

static void closep(virConnectPtr *conn)
{
	if (*conn)
		virConnectClose(*conn);
}
#define autoconn vh_cleanup(closep) virConnectPtr

static int failed(const char *what, struct vh_err *err)
{
	return vh_err_set(err, EIO, "%s: %s", what, virGetLastErrorMessage());
}

struct domains {
	virConnectPtr conn;
	char *const *xml;
	virDomainPtr *v;
	int failures;
};

/* As vhpc has libvirt check what it defines. */
static void bring_up(void *arg, size_t i)
{
	struct domains *d = arg;

	d->v[i] = virDomainDefineXMLFlags(d->conn, d->xml[i], VIR_DOMAIN_DEFINE_VALIDATE);
	if (!d->v[i] || virDomainCreate(d->v[i]) < 0)
		__atomic_add_fetch(&d->failures, 1, __ATOMIC_RELAXED);
}

static void take_down(void *arg, size_t i)
{
	struct domains *d = arg;

	if (!d->v[i] || virDomainDestroy(d->v[i]) < 0 || virDomainUndefine(d->v[i]) < 0)
		__atomic_add_fetch(&d->failures, 1, __ATOMIC_RELAXED);
	if (d->v[i])
		virDomainFree(d->v[i]);
}

int plain_run(const char *uri, char *const *xml, struct took *ret, struct vh_err *err)
{
	const size_t n = vh_strv_len(xml);
	autoconn conn = virConnectOpen(uri);
	vh_autofree virDomainPtr *v = calloc(n + 1, sizeof(*v));
	struct domains d = { .conn = conn, .xml = xml, .v = v };
	double begun = vh_now(), up;

	if (!conn)
		return failed(uri, err);
	if (!v)
		return vh_err_nomem(err);
	begun = vh_now();
	vh_parallel(n, AT_ONCE, bring_up, &d);
	up = vh_now();
	vh_parallel(n, AT_ONCE, take_down, &d);
	*ret = (struct took){ up - begun, vh_now() - up };
	return d.failures ? vh_err_set(err, EIO, "%d of libvirt's calls failed", d.failures) : 0;
}

static int take_one(virConnectPtr conn, const char *name, char ***ret, struct vh_err *err)
{
	virDomainPtr domain = virDomainLookupByName(conn, name);
	vh_autofree char *xml = domain ? virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE) : NULL;
	int r = xml && virDomainDestroy(domain) == 0 && virDomainUndefine(domain) == 0 ? 0 : failed(name, err);

	if (domain)
		virDomainFree(domain);
	return r < 0 ? r : vh_strv_push(ret, xml) < 0 ? vh_err_nomem(err) : 0;
}

int plain_take(const char *uri, char *const *names, char ***ret, struct vh_err *err)
{
	autoconn conn = virConnectOpen(uri);
	int r = conn ? 0 : failed(uri, err);

	for (; r == 0 && names && *names; names++)
		r = take_one(conn, *names, ret, err);
	return r;
}
