// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster import, on the domain of libvirt's test driver: two vCPUs, 8 GiB, and it runs. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/store.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/cli/cli.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/private.h"
#include "vmm/vm/vm.h"

#define TEST_URI "test:///default"
#define TEST_UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define ASKS "cpu_policy: shared\nimage: none\nvcpus: 2\n"

struct fixture {
	char *dir, *manifest;
	struct vh_virt *virt;	/* as long as it is open the test driver remembers */
	bool dry_run;		/* of what is imported */
	struct vh_err err;
};

static void setup(struct fixture *f, const char *manifest)
{
	*f = (struct fixture){ .dir = unit_tmpdir() };
	f->manifest = unit_file(f->dir, "m.yaml", manifest);
	ck_assert_int_eq(vh_virt_open(&f->virt, TEST_URI, f->dir, false, &f->err), 0);
}

static void finish(struct fixture *f)
{
	vh_virt_close(f->virt);
	vh_err_clear(&f->err);
	free(f->manifest);
	free(f->dir);
}

/* What the verb returns; its words end with NULL. */
static int call(struct fixture *f, int (*verb)(struct vh_cli *cli, struct vh_err *err), ...)
{
	union { struct import_opts import; struct life_opts life; struct apply_opts apply; struct snapshot_opts snapshot; } opts = { .import = { .dry_run = f->dry_run } };
	struct vh_cli cli = { .prog = "vhpc cluster", .quiet = true, .state = f->dir, .connect = TEST_URI, .opts = &opts };
	char *words[8] = { NULL };
	unit_autooutput said = { 0 };
	va_list ap;
	int r;

	va_start(ap, verb);
	while ((words[cli.argc] = va_arg(ap, char *)))
		cli.argc++;
	va_end(ap);
	cli.argv = words;
	vh_err_clear(&f->err);
	unit_capture_begin(&said);
	r = verb(&cli, &f->err);
	unit_capture_end(&said);
	return r;
}

static size_t leases_of(const struct fixture *f, const char *holder)
{
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	ck_assert_int_eq(vh_store_open(&store, f->dir, VH_STORE_READ, &err), 0);
	ck_assert_int_eq(vh_lease_list(store, NULL, holder, &leases, &n, &err), 0);
	vh_lease_free(leases, n);
	return n;
}

static bool is_of(struct fixture *f, const char *owner)
{
	vh_autofree char *is = NULL;
	const char *state;

	ck_assert_int_eq(vh_virt_look(f->virt, "test", &state, &is, &f->err), 0);
	return owner ? is && !strcmp(is, owner) : !is;
}

static const char *state_of(struct fixture *f)
{
	const char *state = NULL;

	ck_assert_int_eq(vh_virt_state(f->virt, "test", &state, &f->err), 0);
	return state ? state : "gone";
}

/* Of a daemon that may be another machine's there is nothing to be taken back. */
START_TEST(nothing_is_mounted_for_another_daemon)
{
	struct fixture f;
	bool is = true;

	setup(&f, "");
	ck_assert_int_eq(vh_virt_mounted(f.virt, f.dir, &is, &f.err), 0);
	ck_assert(!is);
	ck_assert_int_eq(vh_virt_unmount(f.virt, f.dir, &f.err), 0);
	ck_assert_int_lt(vh_virt_can_mount(f.virt, &f.err), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, TEST_URI ": is no daemon of this machine's that could be given a file system",
			"qemu:///system and private are");
	ck_assert_int_lt(vh_virt_mount(f.virt, f.manifest, f.dir, &is, &f.err), 0);
	ck_assert(!is);
	finish(&f);
}
END_TEST

START_TEST(it_is_a_node_until_it_is_given_back)
{
	vh_autofree char *before = NULL, *after = NULL;
	char *left;
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(vh_virt_any_xml(f.virt, "test", true, &before, &f.err), 0);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert(is_of(&f, "cluster/old"));
	ck_assert_str_eq(state_of(&f), "running");
	ck_assert_uint_eq(leases_of(&f, "vm/test"), 1);
	ck_assert_uint_eq(leases_of(&f, "cluster/old"), 1);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "old-1", "test", NULL), 0);

	ck_assert_int_eq(call(&f, verb_stop, "old", NULL), 0);
	ck_assert_str_eq(state_of(&f), "shut off");
	ck_assert_uint_eq(leases_of(&f, "vm/test"), 0);
	ck_assert_int_eq(call(&f, verb_start, "old", NULL), 0);
	ck_assert_str_eq(state_of(&f), "running");
	ck_assert_uint_eq(leases_of(&f, "vm/test"), 1);
	ck_assert_int_eq(call(&f, verb_apply, f.manifest, NULL), 0);

	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert(is_of(&f, NULL));
	ck_assert_str_eq(state_of(&f), "running");
	ck_assert_uint_eq(leases_of(&f, NULL), 0);
	ck_assert_int_eq(vh_virt_any_xml(f.virt, "test", true, &after, &f.err), 0);
	/* libvirt leaves an element with nothing in it. */
	left = strstr(after, "  <metadata/>\n");
	if (left)
		memmove(left, left + strlen("  <metadata/>\n"), strlen(left + strlen("  <metadata/>\n")) + 1);
	ck_assert_str_eq(before, after);
	finish(&f);
}
END_TEST

START_TEST(one_that_is_off_stays_off)
{
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(call(&f, verb_stop, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert(is_of(&f, "cluster/old"));
	ck_assert_str_eq(state_of(&f), "shut off");
	ck_assert_uint_eq(leases_of(&f, "vm/test"), 0);
	ck_assert_int_eq(call(&f, verb_start, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

/* As after a run that was killed between record and mark. */
START_TEST(what_lacks_its_mark_gets_it)
{
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(vh_virt_release(f.virt, "test", TEST_UUID, "cluster/another", &f.err), 0);
		ck_assert(is_of(&f, "cluster/old"));
		ck_assert_int_eq(vh_virt_release(f.virt, "test", TEST_UUID, "cluster/old", &f.err), 0);
		ck_assert(is_of(&f, NULL));
		ck_assert_int_eq(i ? call(&f, verb_apply, f.manifest, NULL) : call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
		ck_assert(is_of(&f, "cluster/old"));
	}
	ck_assert_int_eq(vh_virt_release(f.virt, "test", TEST_UUID, "cluster/old", &f.err), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert_uint_eq(leases_of(&f, NULL), 0);
	finish(&f);
}
END_TEST

/* Even who takes it for one of ours does not remove it. */
START_TEST(the_mark_alone_keeps_it_from_being_removed)
{
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(vh_virt_remove(f.virt, "test", "cluster/old", &f.err), 0);
	ck_assert_str_eq(state_of(&f), "running");
	ck_assert(is_of(&f, NULL));
	finish(&f);
}
END_TEST

START_TEST(what_contradicts_is_refused_and_changes_nothing)
{
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 4G\nslurm: yes\n" ASKS);
	ck_assert_int_lt(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "domain test: 2 of these are not as the manifest asks for node old-1",
			"let the manifest say what the domain is, or virsh edit test");
	ck_assert(is_of(&f, NULL));
	ck_assert_uint_eq(leases_of(&f, NULL), 0);
	ck_assert_int_lt(call(&f, verb_import, f.manifest, "2", "test", NULL), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "cluster old: its manifest has no node old-2", NULL);
	ck_assert_int_lt(call(&f, verb_import, f.manifest, "1", "none", NULL), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "domain none: no such domain on " TEST_URI, NULL);
	finish(&f);
}
END_TEST

START_TEST(what_is_not_for_such_nodes_is_refused)
{
	static const struct { int (*verb)(struct vh_cli *cli, struct vh_err *err); const char *what; } verbs[] = {
		{ verb_scale, "scale" }, { verb_snapshot, "a snapshot" }, { verb_replace, "replace" }, { verb_ssh, "ssh" },
	};
	vh_autofree char *more = NULL;
	struct fixture f;

	setup(&f, "name: old\nnodes: 2\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "2", "test", NULL), 0);
	for (size_t i = 0; i < vh_array_len(verbs); i++) {
		vh_autofree char *said = vh_strf("cluster old: its nodes were imported, and %s is not for such nodes", verbs[i].what);

		ck_assert_int_lt(call(&f, verbs[i].verb, "old", i < 2 ? "2" : NULL, NULL), 0);
		unit_assert_err(&f.err, VH_EXIT_REFUSED, said, NULL);
	}
	/* One domain is one node. */
	ck_assert_int_lt(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(f.err.exit, VH_EXIT_REFUSED);
	more = unit_file(f.dir, "more.yaml", "name: old\nnodes: 3\nmemory: 8G\n" ASKS);
	ck_assert_int_lt(call(&f, verb_apply, more, NULL), 0);
	ck_assert_int_eq(f.err.exit, VH_EXIT_REFUSED);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

START_TEST(what_libvirt_says_is_told)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_cleanup(vh_virt_put) struct _virDomain *domain = NULL;
	const char *state;
	struct fixture f;
	bool started;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(vh_virt_take(f.virt, "test", &domain, &state, &lease, &f.err), 0);
	ck_assert_int_eq(vh_virt_stop(f.virt, "test", 0, true, &f.err), 0);
	ck_assert_int_lt(vh_virt_start_taken(domain, "paused", &started, &f.err), 0);
	ck_assert_ptr_nonnull(strstr(f.err.text, "VM test: resume: "));
	ck_assert_ptr_null(strstr(f.err.text, "no error"));
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

/* --- domains beside the driver's own */

#define MARK(HOLDER) "<metadata><l:lease xmlns:l='" VH_DOMAIN_NS "' holder='" HOLDER "' owner='cluster/old' foreign='yes'/></metadata>"

/* malloc'd; its UUID is of that number. */
static char *xml_of(const char *name, int number, const char *mark)
{
	return vh_strf("<domain type='test'><name>%s</name><uuid>11111111-2222-4333-8444-5555555555%02d</uuid>%s<memory unit='KiB'>8388608</memory>"
		       "<vcpu>2</vcpu><os><type>hvm</type></os></domain>", name, number, mark);
}

/* One that is off. */
static virDomainPtr define(const struct fixture *f, const char *name, int number, const char *mark)
{
	vh_autofree char *xml = xml_of(name, number, mark);
	virDomainPtr made = virDomainDefineXML(f->virt->conn, xml);

	ck_assert_ptr_nonnull(made);
	return made;
}

static bool has_mark(const struct fixture *f, const char *name)
{
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_virt_any_xml(f->virt, name, true, &xml, &err), 0);
	return strstr(xml, "holder=");
}

START_TEST(a_copy_of_a_node_is_nobodys)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *other = NULL;
	vh_autodomain copy = NULL;
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	other = unit_file(f.dir, "other.yaml", "name: other\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	copy = define(&f, "copy", 1, MARK("vm/test"));
	ck_assert_int_eq(virDomainCreate(copy), 0);
	ck_assert_int_lt(vh_virt_lease(f.virt, "copy", &lease, &f.err), 0);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "VM copy: is not one of vhpc's, and left alone", NULL);
	/* It keeps nobody from starting, and can be a node itself. */
	ck_assert_int_eq(call(&f, verb_stop, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_start, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_import, other, "1", "copy", NULL), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert(has_mark(&f, "copy"));
	ck_assert_int_eq(call(&f, verb_destroy, "other", NULL), 0);
	ck_assert(!has_mark(&f, "copy"));
	ck_assert_uint_eq(leases_of(&f, NULL), 0);
	finish(&f);
}
END_TEST

START_TEST(one_with_another_name_is_given_back)
{
	vh_autodomain before = NULL, after = NULL;
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	before = define(&f, "web1", 2, "");
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "web1", NULL), 0);
	ck_assert(has_mark(&f, "web1"));
	ck_assert_int_eq(virDomainUndefine(before), 0);
	after = define(&f, "web2", 2, MARK("vm/web1"));
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert(!has_mark(&f, "web2"));
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "web2", NULL), 0);
	/* With its new name it is whoever's it says. */
	ck_assert_int_eq(vh_virt_release(f.virt, "web1", "11111111-2222-4333-8444-555555555502", "cluster/another", &f.err), 0);
	ck_assert(has_mark(&f, "web2"));
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

/* Also where a run was killed between record and mark. */
START_TEST(one_domain_is_of_one_cluster)
{
	vh_autofree char *other = NULL;
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	other = unit_file(f.dir, "other.yaml", "name: other\nnodes: 1\nmemory: 8G\n" ASKS);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(vh_virt_release(f.virt, "test", TEST_UUID, "cluster/old", &f.err), 0);
	ck_assert_int_lt(call(&f, verb_import, other, "1", "test", NULL), 0);
	ck_assert_int_eq(f.err.num, EEXIST);
	unit_assert_err(&f.err, VH_EXIT_REFUSED, "domain test: is a node of cluster old already", NULL);
	ck_assert_uint_eq(leases_of(&f, "cluster/other"), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	ck_assert_int_eq(call(&f, verb_import, other, "1", "test", NULL), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "other", NULL), 0);
	finish(&f);
}
END_TEST

START_TEST(one_that_is_not_defined_is_refused_before_anything)
{
	vh_autofree char *xml = xml_of("passing", 3, "");
	vh_autodomain passing = NULL;
	struct fixture f;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	passing = virDomainCreateXML(f.virt->conn, xml, 0);
	ck_assert_ptr_nonnull(passing);
	for (int i = 0; i < 2; i++) {
		f.dry_run = i == 0;
		ck_assert_int_lt(call(&f, verb_import, f.manifest, "1", "passing", NULL), 0);
		unit_assert_err(&f.err, VH_EXIT_REFUSED, "VM passing: is gone when it ends, as it is not defined",
				"virsh dumpxml passing, and virsh define what it says");
		ck_assert_uint_eq(leases_of(&f, NULL), 0);
	}
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "test", NULL), 0);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

/* A start of one that ran when it was looked at. */
struct starting { struct fixture *f; struct vh_start how; struct vh_err err; int r; };

static void *start_it(void *arg)
{
	struct starting *s = arg;
	bool started = false;

	s->r = vh_vm_start(s->f->virt, s->f->dir, "gone", &s->how, &started, &s->err);
	return NULL;
}

START_TEST(one_that_is_gone_holds_nothing)
{
	vh_autodomain gone = NULL;
	vh_autostore store = NULL;
	const char *state = "running";
	struct fixture f;
	struct starting s = { .f = &f };
	pthread_t thread;

	setup(&f, "name: old\nnodes: 1\nmemory: 8G\n" ASKS);
	gone = define(&f, "gone", 4, "");
	ck_assert_int_eq(virDomainCreate(gone), 0);
	ck_assert_int_eq(call(&f, verb_import, f.manifest, "1", "gone", NULL), 0);
	/* It waits for the store to take its leases. */
	ck_assert_int_eq(vh_store_open(&store, f.dir, VH_STORE_WRITE, &f.err), 0);
	ck_assert_int_eq(vh_store_begin(store, &f.err), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, start_it, &s), 0);
	while (!__atomic_load_n(&s.how.was, __ATOMIC_ACQUIRE))
		usleep(1000);
	ck_assert_int_eq(virDomainDestroy(gone), 0);
	ck_assert_int_eq(virDomainUndefine(gone), 0);
	ck_assert_int_eq(vh_store_end(store, true, &f.err), 0);
	pthread_join(thread, NULL);
	ck_assert_msg(s.r == 0, "%s", s.err.text);
	ck_assert_uint_eq(leases_of(&f, "vm/gone"), 0);
	ck_assert_int_eq(vh_virt_state_taken(gone, &state, &f.err), 0);
	ck_assert_ptr_null(state);
	ck_assert_int_eq(call(&f, verb_destroy, "old", NULL), 0);
	finish(&f);
}
END_TEST

UNIT_SUITE(tools_import, nothing_is_mounted_for_another_daemon, a_copy_of_a_node_is_nobodys, one_with_another_name_is_given_back, one_domain_is_of_one_cluster,
	   one_that_is_not_defined_is_refused_before_anything, one_that_is_gone_holds_nothing, what_libvirt_says_is_told, it_is_a_node_until_it_is_given_back, one_that_is_off_stays_off, what_lacks_its_mark_gets_it,
	   the_mark_alone_keeps_it_from_being_removed, what_contradicts_is_refused_and_changes_nothing, what_is_not_for_such_nodes_is_refused)
