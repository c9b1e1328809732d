// SPDX-License-Identifier: Apache-2.0
#include "vmm/vm/floating.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/files.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "lib/xml.h"
#include "vmm/host/host.h"
#include "vmm/virt/private.h"

enum { LOCK_MS = 60000 };

/* --- who has which CPU */

struct leases { struct vh_lease *v; size_t n; };

static void leases_clear(struct leases *l)
{
	vh_lease_free(l->v, l->n);
}

static bool is_anothers(unsigned cpu, const struct vh_lease *leases, size_t n, const char *holder)
{
	for (size_t i = 0; i < n; i++)
		if (strtoul(leases[i].key, NULL, 10) == cpu && strcmp(leases[i].holder, holder))
			return true;
	return false;
}

char *vh_floating_left(const char *cpus, const struct vh_lease *leases, size_t n, const char *holder)
{
	vh_autofree unsigned *all = NULL;
	size_t n_all = 0, left = 0;

	if (vh_cpulist_parse(cpus, &all, &n_all) < 0)
		return strdup(cpus);
	for (size_t i = 0; i < n_all; i++)
		if (!is_anothers(all[i], leases, n, holder))
			all[left++] = all[i];
	return vh_cpu_list(all, left);
}

/* --- a VM's threads, as its XML has them */

enum thread { VCPU, EMULATOR, IOTHREAD };
static const struct { const char *element, *id, *what; } threads[] = {
	[VCPU] = { "vcpupin", "vcpu", "vCPU" },
	[EMULATOR] = { "emulatorpin", NULL, "QEMU's own threads" },
	[IOTHREAD] = { "iothreadpin", "iothread", "I/O thread" },
};

static unsigned id_of(xmlNodePtr pin, enum thread t)
{
	vh_autoxmlstr id = threads[t].id ? xmlGetNoNsProp(pin, BAD_CAST threads[t].id) : NULL;

	return id ? (unsigned)strtoul((const char *)id, NULL, 10) : 0;
}

static xmlNodePtr first_pin(xmlDocPtr doc, enum thread t)
{
	return vh_xml_child(vh_xml_child(xmlDocGetRootElement(doc), NULL, "cputune"), NULL, threads[t].element);
}

/* Whether the thread is pinned to just these CPUs now. */
static bool is_pinned(xmlDocPtr live, enum thread t, unsigned id, const char *cpus)
{
	xmlNodePtr pin = first_pin(live, t);

	while (pin && id_of(pin, t) != id)
		pin = vh_xml_next(pin, NULL, threads[t].element);
	vh_autoxmlstr now = pin ? xmlGetNoNsProp(pin, BAD_CAST "cpuset") : NULL;
	vh_autofree char *same = now ? vh_floating_left((const char *)now, NULL, 0, "") : NULL;

	return same && !strcmp(same, cpus);
}

/* Without cgroups libvirt pins of QEMU's own threads the main one alone. Those that end meanwhile
 * need no CPU. */
static int pin_others(const char *name, const unsigned char *map, int len, struct vh_err *err)
{
	vh_autoroot root = NULL;
	vh_autostrv pids = NULL;
	struct vh_thread *all = NULL;
	const char *pid;
	size_t n = 0;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	vh_root_list(root, &pids, "proc");
	pid = vh_qemu_process(root, pids, name);
	r = pid ? vh_process_threads(root, pid, &all, &n) : 0;
	/* It has ended. */
	if (r < 0)
		return r == -ENOMEM ? vh_err_nomem(err) : 0;
	for (size_t i = 0; i < n; i++)
		if (all[i].kind == VH_THREAD_OTHER)
			sched_setaffinity(all[i].tid, (size_t)len, (const cpu_set_t *)map);
	vh_threads_free(all, n);
	return 0;
}

static int pin_thread(virDomainPtr domain, enum thread t, unsigned id, const char *cpus, struct vh_err *err)
{
	vh_autofree unsigned *v = NULL;
	vh_autofree unsigned char *map = NULL;
	size_t n = 0;
	int r = vh_cpulist_parse(cpus, &v, &n), len;

	if (r < 0 || !n)
		return vh_err_set(err, EINVAL, "VM %s: no CPUs: '%s'", virDomainGetName(domain), cpus);
	len = (int)VIR_CPU_MAPLEN(v[n - 1] + 1);
	map = calloc(1, (size_t)len);
	if (!map)
		return vh_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		VIR_USE_CPU(map, v[i]);
	switch (t) {
	case VCPU: r = virDomainPinVcpuFlags(domain, id, map, len, VIR_DOMAIN_AFFECT_LIVE); break;
	case EMULATOR:
		r = virDomainPinEmulator(domain, map, len, VIR_DOMAIN_AFFECT_LIVE);
		if (r == 0)
			return pin_others(virDomainGetName(domain), map, len, err);
		break;
	case IOTHREAD: r = virDomainPinIOThread(domain, id, map, len, VIR_DOMAIN_AFFECT_LIVE); break;
	}
	return r < 0 ? vh_virt_err(err, "VM %s: pin %s %u", virDomainGetName(domain), threads[t].what, id) : 0;
}

/* --- one VM */

struct vm {
	virDomainPtr domain;
	char *holder;
	const char *newcomer;		/* holder whose start is asked for; NULL: threads are pinned */
	xmlDocPtr defined, live;	/* live NULL: only whether a CPU is left is asked */
};

static void vm_clear(struct vm *vm)
{
	free(vm->holder);
	vh_xml_docp(&vm->defined);
	vh_xml_docp(&vm->live);
}

static int no_cpu(const struct vm *vm, const char *what, const char *cpus, struct vh_err *err)
{
	vh_err_refuse(err, ENOSPC, "VM %s: no CPU is left for %s, to be run on %s: others have them alone",
		      virDomainGetName(vm->domain), what, cpus);
	return vh_err_hint(err, "stop one of them, or plan with --reserve so that CPUs are left for shared VMs");
}

/* Whether it lacks CPUs already, so that no newcomer takes them. */
static bool lacked(const struct vm *vm, const char *cpus, const struct leases *leases)
{
	vh_autofree struct vh_lease *before = calloc(leases->n + 1, sizeof(*before));
	vh_autofree char *left = NULL;
	size_t n = 0;

	for (size_t i = 0; before && i < leases->n; i++)
		if (strcmp(leases->v[i].holder, vm->newcomer))
			before[n++] = leases->v[i];
	left = before ? vh_floating_left(cpus, before, n, vm->holder) : NULL;
	return strcmp(vm->holder, vm->newcomer) && left && !*left;
}

static int settle_thread(const struct vm *vm, enum thread t, xmlNodePtr pin, const struct leases *leases,
			 struct vh_err *err)
{
	vh_autoxmlstr cpus = xmlGetNoNsProp(pin, BAD_CAST "cpuset");
	vh_autofree char *left = cpus ? vh_floating_left((const char *)cpus, leases->v, leases->n, vm->holder) : NULL;
	unsigned id = id_of(pin, t);

	if (!left)
		return vh_err_nomem(err);
	/* One that was started past vhpc stays where it is. */
	if (!*left && (vm->live || lacked(vm, (const char *)cpus, leases)))
		return 0;
	if (!*left)
		return no_cpu(vm, threads[t].what, (const char *)cpus, err);
	return !vm->live || is_pinned(vm->live, t, id, left) ? 0 : pin_thread(vm->domain, t, id, left, err);
}

static int settle_vm(const struct vm *vm, const struct leases *leases, struct vh_err *err)
{
	int r = 0;

	for (enum thread t = VCPU; r == 0 && t <= IOTHREAD; t++)
		for (xmlNodePtr pin = first_pin(vm->defined, t); r == 0 && pin;
		     pin = vh_xml_next(pin, NULL, threads[t].element))
			r = settle_thread(vm, t, pin, leases, err);
	return r;
}

static int read_xml(virDomainPtr domain, unsigned flags, xmlDocPtr *ret, struct vh_err *err)
{
	vh_autofree char *xml = virDomainGetXMLDesc(domain, flags);

	return xml ? vh_xml_parse("domain", xml, strlen(xml), ret, err)
		   : vh_virt_err(err, "VM %s", virDomainGetName(domain));
}

/* Others' VMs are left as they are. */
static int visit(virDomainPtr domain, const struct leases *leases, const char *newcomer, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_cleanup(vm_clear) struct vm vm = { .domain = domain, .newcomer = newcomer };
	int r = vh_virt_lease(domain, &lease, err);

	if (r < 0)
		return r == -ENODATA && !err->num ? 0 : r;
	vm.holder = vh_steal(&lease.holder);
	r = read_xml(domain, VIR_DOMAIN_XML_INACTIVE, &vm.defined, err);
	if (r == 0 && !newcomer)
		r = read_xml(domain, 0, &vm.live, err);
	return r < 0 ? r : settle_vm(&vm, leases, err);
}

/* --- all of them */

static int visit_running(struct vh_virt *v, const struct leases *leases, const char *newcomer, struct vh_err *err)
{
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(v->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE), r = 0;

	if (n < 0)
		return vh_virt_err(err, "%s: list", v->uri);
	for (int i = 0; i < n; i++) {
		r = r < 0 ? r : visit(domains[i], leases, newcomer, err);
		/* It ended meanwhile. */
		if (r < 0 && virDomainIsActive(domains[i]) != 1) {
			vh_err_clear(err);
			r = 0;
		}
		virDomainFree(domains[i]);
	}
	free(domains);
	return r;
}

int vh_floating_check(struct vh_virt *v, const struct vh_lease *leases, size_t n, const char *name, struct vh_err *err)
{
	const struct leases all = { (struct vh_lease *)leases, n };
	vh_autofree char *newcomer = vh_strf("vm/%s", name);
	vh_autodomain domain = NULL;
	int r = newcomer ? vh_virt_find_ours(v, name, &domain, err) : vh_err_nomem(err);

	if (r == 0)
		r = visit(domain, &all, newcomer, err);
	return r < 0 ? r : visit_running(v, &all, newcomer, err);
}

/* A lock of its own: libvirt answers for a VM only once it has started, and that waits for the
 * hook, which writes to the store. */
int vh_floating_settle(struct vh_virt *v, const char *state, struct vh_err *err)
{
	vh_cleanup(leases_clear) struct leases leases = { 0 };
	vh_autostore store = NULL;
	vh_autoclose int lock = -1;
	int r = vh_lock(state, "floating", LOCK_MS, &lock, err);

	if (r == 0)
		r = vh_store_open(&store, state, VH_STORE_READ, err);
	if (r == 0)
		r = vh_lease_list(store, "cpu", NULL, &leases.v, &leases.n, err);
	return r < 0 ? r : visit_running(v, &leases, NULL, err);
}
