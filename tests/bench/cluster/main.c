// SPDX-License-Identifier: Apache-2.0
/* usage: cluster-steps plan|vhpc|plain STATE NODES [URI [HOST]]
 *
 * A cluster of an image "halt" of that many nodes. plan: seconds to plan it, with its text, on the host of that file.
 * vhpc: it is applied and removed by the steps of vhpc cluster, but no guest is waited for; plain: by libvirt's calls
 * alone, all that the domains need being there. Prints NODES, the seconds from the first that is done with a domain to the
 * last, up and down; then, but for plain, the same with all else, and the most memory, in KB, that this process had. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "images/images.h"
#include "lib/clock.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/bench/cluster/cluster.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/steps.h"
#include "vmm/hosts/hosts.h"
#include "vmm/virt/virt.h"

struct bench {
	const char *state, *uri, *host;
	unsigned nodes;
	struct vh_image *image;
	struct vh_store *store;
	struct vh_virt *virt;
	struct cluster cluster;
	double first, last;	/* of what was done with domains; first 0: nothing yet */
};

static void clear(struct bench *b)
{
	cluster_clear(&b->cluster);
	vh_virt_close(b->virt);
	vh_store_close(b->store);
	vh_image_free(b->image);
}

/* More nodes than a manifest may say are planned as well. */
static int make_manifest(unsigned nodes, struct manifest *ret, struct vh_err *err)
{
	static const char text[] = "name: bench\nimage: halt\nnodes: 1\nvcpus: 1\nmemory: 256M\ncpu_policy: shared\n"
				   "network:\n  cidr: 10.64.0.0/16\n";
	int r = manifest_parse("bench", text, strlen(text), ret, err);

	ret->pool.count = nodes;
	return r;
}

static int make_plan(struct bench *b, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_hosts_query q = { .connect = b->uri, .state = b->state };
	int r = make_manifest(b->nodes, &m, err);

	if (r == 0)
		r = cluster_plan(&m, &b->image, &q, b->host, b->store, &b->cluster, err);
	vh_strv_free(q.notes);
	return r;
}

static int open_all(struct bench *b, struct vh_err *err)
{
	vh_autofree char *images = vh_image_store(NULL, b->state);
	int r = images ? vh_image_find(images, "halt", &b->image, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_store_open(&b->store, b->state, VH_STORE_WRITE, err);
	return r < 0 || !b->uri ? r : vh_virt_open(&b->virt, b->uri, b->state, true, err);
}

static void print(const struct bench *b, struct took nodes, struct took all)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	printf("%u %.4f %.4f %.4f %.4f %ld\n", b->nodes, nodes.up, nodes.down, all.up, all.down, use.ru_maxrss);
}

/* --- plan */

static int run_plan(struct bench *b, struct vh_err *err)
{
	const double begun = vh_now();
	json_t *doc = NULL;
	char *text = NULL;
	int r = make_plan(b, err);

	if (r == 0) {
		doc = cluster_to_json(&b->cluster);
		text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;
		r = text ? 0 : vh_err_nomem(err);
		print(b, (struct took){ 0 }, (struct took){ vh_now() - begun, 0 });
	}
	free(text);
	json_decref(doc);
	return r;
}

/* --- vhpc */

static void mark(void *arg, const struct step_event *event)
{
	struct bench *b = arg;

	if (event->step != &step_domain && event->step != &step_start)
		return;
	b->last = vh_now();
	if (!b->first)
		b->first = b->last;
}

static int give_uuids(struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		if (vh_root_read(root, &c->nodes[i].uuid, "proc/sys/kernel/random/uuid") < 0)
			r = vh_err_set(err, EIO, "no random UUID to be had");
	return r;
}

static int record(struct bench *b, struct vh_err *err)
{
	int r = vh_store_begin(b->store, err);

	if (r < 0)
		return r;
	r = make_plan(b, err);
	if (r == 0)
		r = give_uuids(&b->cluster, err);
	if (r == 0 && vh_virt_any_user(b->virt))
		r = cluster_take_user(b->store, &b->cluster, err);
	if (r == 0)
		r = record_create(b->store, &b->cluster, err);
	return vh_store_settle(b->store, r, err);
}

static struct context context_of(struct bench *b)
{
	return (struct context){ .cluster = &b->cluster, .images = &b->image, .virts = &b->virt, .state = b->state,
				 .tell = mark, .tell_arg = b };
}

static int bring_up(struct bench *b, double *ret_nodes, double *ret_all, struct vh_err *err)
{
	const struct context ctx = context_of(b);
	const double begun = vh_now();
	unsigned changed;
	int r = record(b, err);

	b->first = 0;
	if (r == 0)
		r = steps_apply(&ctx, b->store, &changed, err);
	*ret_all = vh_now() - begun;
	*ret_nodes = b->last - b->first;
	return r;
}

static int take_down(struct bench *b, double *ret_nodes, double *ret_all, struct vh_err *err)
{
	const struct context ctx = context_of(b);
	const double begun = vh_now();
	int r;

	b->first = 0;
	r = steps_undo(&ctx, b->store, err);
	*ret_nodes = b->last - b->first;
	if (r == 0)
		r = record_remove(b->store, &b->cluster, err);
	*ret_all = vh_now() - begun;
	return r;
}

static int run_vhpc(struct bench *b, struct vh_err *err)
{
	struct took nodes, all;
	int r = bring_up(b, &nodes.up, &all.up, err);

	if (r == 0)
		r = take_down(b, &nodes.down, &all.down, err);
	if (r == 0)
		print(b, nodes, all);
	return r;
}

/* --- plain */

static int names_of(const struct cluster *c, char ***ret, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = vh_strv_push(ret, c->nodes[i].name);
	return r < 0 ? vh_err_nomem(err) : 0;
}

static int run_plain(struct bench *b, struct vh_err *err)
{
	const char *uri = vh_virt_uri(b->virt);
	struct took took = { 0 };
	vh_autostrv xml = NULL;
	vh_autostrv names = NULL;
	double seconds;
	int r = bring_up(b, &seconds, &seconds, err);

	if (r == 0)
		r = names_of(&b->cluster, &names, err);
	if (r == 0)
		r = plain_take(uri, names, &xml, err);
	if (r == 0)
		r = plain_run(uri, xml, &took, err);
	if (r == 0)
		r = take_down(b, &seconds, &seconds, err);
	if (r == 0)
		print(b, took, (struct took){ 0 });
	return r;
}

/* --- */

static const struct { const char *what; int (*run)(struct bench *b, struct vh_err *err); } verbs[] = {
	{ "plan", run_plan }, { "vhpc", run_vhpc }, { "plain", run_plain },
};

int main(int argc, char **argv)
{
	vh_cleanup(clear) struct bench b = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	int r = -EINVAL;

	if (argc < 4 || argc > 6) {
		fputs("usage: cluster-steps plan|vhpc|plain STATE NODES [URI [HOST]]\n", stderr);
		return VH_EXIT_USAGE;
	}
	b.state = argv[2];
	b.nodes = (unsigned)strtoul(argv[3], NULL, 10);
	b.uri = argc > 4 && *argv[4] ? argv[4] : NULL;
	b.host = argc > 5 ? argv[5] : NULL;
	steps_settle(b.uri && !strncmp(b.uri, "test", 4));
	for (size_t i = 0; i < vh_array_len(verbs); i++)
		if (!strcmp(argv[1], verbs[i].what) && (r = open_all(&b, &err)) == 0)
			r = verbs[i].run(&b, &err);
	if (r < 0)
		vh_err_print(stderr, "cluster-steps", &err);
	return r < 0 ? VH_EXIT_FAILED : VH_EXIT_DONE;
}
