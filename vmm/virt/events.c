// SPDX-License-Identifier: Apache-2.0
/* Domains that end: how they did, and that somebody is woken. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

#include "vmm/virt/private.h"

enum { KEEPALIVE_S = 10, KEEPALIVES = 3 };

/* --- how one ended */

static enum vh_virt_end end_of(int state, int reason)
{
	if (state == VIR_DOMAIN_CRASHED)
		return VH_VIRT_FAILED;
	if (state != VIR_DOMAIN_SHUTOFF)
		return VH_VIRT_RUNS;
	switch (reason) {
	case VIR_DOMAIN_SHUTOFF_CRASHED:
	case VIR_DOMAIN_SHUTOFF_FAILED:
	case VIR_DOMAIN_SHUTOFF_DAEMON:
		return VH_VIRT_FAILED;
	case VIR_DOMAIN_SHUTOFF_UNKNOWN:
		return VH_VIRT_UNKNOWN;
	case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
		return VH_VIRT_SHUT_DOWN;
	default:
		return VH_VIRT_DESTROYED;
	}
}

int vh_virt_ended(struct vh_virt *v, const char *name, enum vh_virt_end *ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int state, reason, r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (domain && virDomainGetState(domain, &state, &reason, 0) < 0)
		return vh_virt_err(err, "VM %s: state", name);
	*ret = domain ? end_of(state, reason) : VH_VIRT_MISSING;
	return 0;
}

/* --- that somebody is woken */

static void *run_events(void *arg)
{
	(void)arg;
	while (virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

int vh_virt_events_begin(struct vh_err *err)
{
	pthread_t thread;

	if (virEventRegisterDefaultImpl() < 0)
		return vh_virt_err(err, "events");
	if (pthread_create(&thread, NULL, run_events, NULL) != 0)
		return vh_err_nomem(err);
	pthread_detach(thread);
	return 0;
}

static void wake(int fd)
{
	const uint64_t one = 1;

	/* Full, it has been woken. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *arg)
{
	static const bool wakes[] = {
		[VIR_DOMAIN_EVENT_STOPPED] = true, [VIR_DOMAIN_EVENT_CRASHED] = true, [VIR_DOMAIN_EVENT_STARTED] = true,
		[VIR_DOMAIN_EVENT_SUSPENDED] = true, [VIR_DOMAIN_EVENT_RESUMED] = true,
	};

	(void)conn;
	(void)domain;
	(void)detail;
	if ((size_t)event < vh_array_len(wakes) && wakes[event])
		wake((int)(intptr_t)arg);
	return 0;
}

static void on_close(virConnectPtr conn, int reason, void *arg)
{
	(void)conn;
	(void)reason;
	wake((int)(intptr_t)arg);
}

int vh_virt_listen(struct vh_virt *v, int fd, struct vh_err *err)
{
	void *arg = (void *)(intptr_t)fd;
	/* The kind of event says what type the function really has: void (*)(void) lets compilers know so. */
	virConnectDomainEventGenericCallback lifecycle = VIR_DOMAIN_EVENT_CALLBACK((void (*)(void))on_lifecycle);

	if (virConnectSetKeepAlive(v->conn, KEEPALIVE_S, KEEPALIVES) < 0 || virConnectRegisterCloseCallback(v->conn, on_close, arg, NULL) < 0)
		return vh_virt_err(err, "%s: events", v->uri);
	v->listener = virConnectDomainEventRegisterAny(v->conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, arg, NULL);
	if (v->listener < 0) {
		vh_virt_err(err, "%s: events", v->uri);
		virConnectUnregisterCloseCallback(v->conn, on_close);
		return -err->num;
	}
	return 0;
}

void vh_virt_deafen(struct vh_virt *v)
{
	virConnectDomainEventDeregisterAny(v->conn, v->listener);
	virConnectUnregisterCloseCallback(v->conn, on_close);
}

bool vh_virt_is_alive(const struct vh_virt *v)
{
	return virConnectIsAlive(v->conn) == 1;
}
