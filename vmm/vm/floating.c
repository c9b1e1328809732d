// SPDX-License-Identifier: Apache-2.0
#include "vmm/vm/floating.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/virt/virt.h"

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

static const struct { const char *element, *id, *what; } threads[] = {
	[VH_VIRT_VCPU] = { "vcpupin", "vcpu", "vCPU" },
	[VH_VIRT_EMULATOR] = { "emulatorpin", NULL, "QEMU's own threads" },
	[VH_VIRT_IOTHREAD] = { "iothreadpin", "iothread", "I/O thread" },
};

static unsigned id_of(xmlNodePtr pin, enum vh_virt_thread t)
{
	vh_autoxmlstr id = threads[t].id ? xmlGetNoNsProp(pin, BAD_CAST threads[t].id) : NULL;

	return id ? (unsigned)strtoul((const char *)id, NULL, 10) : 0;
}

static xmlNodePtr first_pin(xmlDocPtr doc, enum vh_virt_thread t)
{
	return vh_xml_child(vh_xml_child(xmlDocGetRootElement(doc), NULL, "cputune"), NULL, threads[t].element);
}

/* Whether the thread is pinned to just these CPUs now. */
static bool is_pinned(xmlDocPtr live, enum vh_virt_thread t, unsigned id, const char *cpus)
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
static int pin_others(const char *name, const char *uuid, const unsigned *cpus, size_t n_cpus, struct vh_err *err)
{
	size_t len = CPU_ALLOC_SIZE(cpus[n_cpus - 1] + 1), n = 0;
	vh_autofree cpu_set_t *set = calloc(1, len);
	vh_autoroot root = NULL;
	vh_autostrv pids = NULL;
	struct vh_thread *all = NULL;
	const char *pid;
	int r = set ? vh_root_open(&root, NULL, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n_cpus; i++)
		CPU_SET_S(cpus[i], len, set);
	vh_root_list(root, &pids, "proc");
	pid = vh_qemu_process(root, pids, name, uuid);
	r = pid ? vh_process_threads(root, pid, &all, &n) : 0;
	/* It has ended. */
	if (r < 0)
		return r == -ENOMEM ? vh_err_nomem(err) : 0;
	for (size_t i = 0; i < n; i++)
		if (all[i].kind == VH_THREAD_OTHER)
			sched_setaffinity(all[i].tid, len, set);
	vh_threads_free(all, n);
	return 0;
}

static int pin_thread(struct vh_virt *v, const char *name, const char *uuid, enum vh_virt_thread t, unsigned id,
		      const char *list, struct vh_err *err)
{
	vh_autofree unsigned *cpus = NULL;
	size_t n = 0;
	int r = vh_cpulist_parse(list, &cpus, &n);

	if (r < 0 || !n)
		return vh_err_set(err, EINVAL, "VM %s: no CPUs: '%s'", name, list);
	r = vh_virt_pin(v, name, t, id, cpus, n, err);
	return r < 0 || t != VH_VIRT_EMULATOR ? r : pin_others(name, uuid, cpus, n, err);
}

/* --- one VM */

struct vm {
	struct vh_virt *virt;
	const char *name;
	char *holder, *uuid;
	const char *newcomer;		/* holder whose start is asked for; NULL: threads are pinned */
	xmlDocPtr defined, live;	/* live NULL: only whether a CPU is left is asked */
};

static void vm_clear(struct vm *vm)
{
	free(vm->holder);
	free(vm->uuid);
	vh_xml_docp(&vm->defined);
	vh_xml_docp(&vm->live);
}

static int no_cpu(const struct vm *vm, const char *what, const char *cpus, struct vh_err *err)
{
	vh_err_refuse(err, ENOSPC, "VM %s: no CPU is left for %s, to be run on %s: others have them alone",
		      vm->name, what, cpus);
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

static int settle_thread(const struct vm *vm, enum vh_virt_thread t, xmlNodePtr pin, const struct leases *leases,
			 struct vh_err *err)
{
	vh_autoxmlstr cpus = xmlGetNoNsProp(pin, BAD_CAST "cpuset");
	vh_autofree char *left = cpus ? vh_floating_left((const char *)cpus, leases->v, leases->n, vm->holder) : NULL;
	unsigned id = id_of(pin, t);

	if (!left)
		return vh_err_nomem(err);
	/* A VM that was started without vhpc stays where it is. */
	if (!*left && (vm->live || lacked(vm, (const char *)cpus, leases)))
		return 0;
	if (!*left)
		return no_cpu(vm, threads[t].what, (const char *)cpus, err);
	return !vm->live || is_pinned(vm->live, t, id, left) ? 0 : pin_thread(vm->virt, vm->name, vm->uuid, t, id, left, err);
}

static int settle_vm(const struct vm *vm, const struct leases *leases, struct vh_err *err)
{
	int r = 0;

	for (enum vh_virt_thread t = VH_VIRT_VCPU; r == 0 && t <= VH_VIRT_IOTHREAD; t++)
		for (xmlNodePtr pin = first_pin(vm->defined, t); r == 0 && pin;
		     pin = vh_xml_next(pin, NULL, threads[t].element))
			r = settle_thread(vm, t, pin, leases, err);
	return r;
}

static int read_live(struct vm *vm, struct vh_err *err)
{
	vh_autofree char *xml = NULL;
	int r = vh_virt_any_xml(vm->virt, vm->name, false, &xml, err);

	return r < 0 || !xml ? r : vh_xml_parse("domain", xml, strlen(xml), &vm->live, err);
}

/* Others' VMs are left as they are, and one that is gone needs nothing. */
static int visit(struct vh_virt *v, const char *name, const struct leases *leases, const char *newcomer,
		 struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_cleanup(vm_clear) struct vm vm = { .virt = v, .name = name, .newcomer = newcomer };
	vh_autofree char *xml = NULL;
	int r = vh_virt_any_xml(v, name, true, &xml, err);

	if (r < 0 || !xml)
		return r;
	r = vh_domain_lease_parse(xml, strlen(xml), &lease, err);
	if (r < 0)
		return r == -ENODATA && !err->num ? 0 : r;
	vm.holder = vh_steal(&lease.holder);
	vm.uuid = vh_steal(&lease.uuid);
	r = vh_xml_parse("domain", xml, strlen(xml), &vm.defined, err);
	if (r == 0 && !newcomer)
		r = read_live(&vm, err);
	return r < 0 || (!newcomer && !vm.live) ? r : settle_vm(&vm, leases, err);
}

/* --- all of them */

static int visit_unless_ended(struct vh_virt *v, const char *name, const struct leases *leases, const char *newcomer,
			      struct vh_err *err)
{
	int r = visit(v, name, leases, newcomer, err);

	if (r == 0 || vh_virt_is_running(v, name))
		return r;
	vh_err_clear(err);
	return 0;
}

static int visit_running(struct vh_virt *v, const struct leases *leases, const char *newcomer, struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = vh_virt_running(v, &names, err);

	for (char **name = names; r == 0 && name && *name; name++)
		r = visit_unless_ended(v, *name, leases, newcomer, err);
	return r;
}

static bool has_own(const struct leases *leases, const char *holder)
{
	bool has = false;

	for (size_t i = 0; i < leases->n; i++)
		has |= !strcmp(leases->v[i].holder, holder);
	return has;
}

/* One without CPUs of its own takes none from others. */
int vh_floating_check(struct vh_virt *v, const struct vh_lease *leases, size_t n, const char *name, struct vh_err *err)
{
	const struct leases all = { (struct vh_lease *)leases, n };
	vh_autofree char *newcomer = vh_strf("vm/%s", name);
	int r = newcomer ? visit(v, name, &all, newcomer, err) : vh_err_nomem(err);

	return r < 0 || !has_own(&all, newcomer) ? r : visit_running(v, &all, newcomer, err);
}

/* A lock of its own: libvirt answers for a VM only once it has started, and that waits for the
 * hook, which writes to the store. name: the one VM that is to be settled; NULL: all. */
static int settle(struct vh_virt *v, const char *state, const char *name, struct vh_err *err)
{
	vh_cleanup(leases_clear) struct leases leases = { 0 };
	vh_autostore store = NULL;
	vh_autoclose int lock = -1;
	int r = vh_lock(state, "floating", LOCK_MS, &lock, err);

	if (r == 0)
		r = vh_store_open(&store, state, VH_STORE_READ, err);
	if (r == 0)
		r = vh_lease_list(store, "cpu", NULL, &leases.v, &leases.n, err);
	if (r < 0)
		return r;
	/* Where nobody has CPUs alone, one that starts runs where its definition says. */
	if (name)
		return leases.n ? visit_unless_ended(v, name, &leases, NULL, err) : 0;
	return visit_running(v, &leases, NULL, err);
}

int vh_floating_settle(struct vh_virt *v, const char *state, struct vh_err *err)
{
	return settle(v, state, NULL, err);
}

/* Who takes CPUs later settles all that run, and that VM runs. */
static int anybody_has_cpus(struct vh_store *store, bool *ret, struct vh_err *err)
{
	vh_cleanup(leases_clear) struct leases leases = { 0 };
	int r = vh_lease_list(store, "cpu", NULL, &leases.v, &leases.n, err);

	*ret = leases.n;
	return r;
}

int vh_floating_settle_new(struct vh_virt *v, const char *state, struct vh_store *store, const char *name, bool own,
			   struct vh_err *err)
{
	bool has = true;
	int r = own || !store ? 0 : anybody_has_cpus(store, &has, err);

	if (r < 0 || !has)
		return r;
	return settle(v, state, own ? NULL : name, err);
}
