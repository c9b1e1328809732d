// SPDX-License-Identifier: Apache-2.0
/* Plans that are kept, what apply finds to do, and how that is told. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/simulate/simulate.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/route.h"
#include "tools/cluster/compare/compare.h"

static const char manifest_text[] = "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\n";
static const char record[] =
	"{\"name\": \"two\", \"image\": {\"name\": \"mpi\", \"digest\": \"0123\", \"suite\": \"bookworm\", "
	"\"cmdline\": \"root=/dev/vda\", \"user\": \"hpc\"}, \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, "
	"\"vcpus\": 1, \"memory\": 536870912, \"cpu_policy\": \"shared\", \"cidr\": \"10.119.0.0/24\", "
	"\"bridge\": \"vb0\", \"accel\": \"kvm\", \"accel_why\": \"/dev/kvm works\", \"nodes\": []}";

struct fixture { char *dir, *path; struct manifest m; struct cluster c; struct sights sights; };

static void fixture_clear(struct fixture *f)
{
	free(f->dir);
	free(f->path);
	manifest_clear(&f->m);
	cluster_clear(&f->c);
	sights_clear(&f->sights);
}
#define autofixture vh_cleanup(fixture_clear) struct fixture

static void load(struct fixture *f)
{
	vh_autojson doc = json_loads(record, 0, NULL);
	vh_autoerr err = VH_ERR_NONE;

	*f = (struct fixture){ .dir = unit_tmpdir() };
	f->path = vh_strf("%s/plan", f->dir);
	ck_assert_int_eq(manifest_parse("m", manifest_text, strlen(manifest_text), &f->m, &err), 0);
	ck_assert_msg(cluster_from_json(doc, "/s", &f->c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(sights_new(&f->c, &f->sights), 0);
}

START_TEST(saved_plan_fits_what_it_was_made_of)
{
	autofixture f;
	autosaved s = { 0 };
	const struct data none = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;

	load(&f);
	ck_assert_msg(saved_write(f.path, &f.m, &f.c, false, &f.sights, &none, &err) == 0, "%s", err.text);
	ck_assert_msg(saved_load(f.path, &s, &err) == 0, "%s", err.text);
	ck_assert_str_eq(s.manifest->name, "two");
	ck_assert_int_eq(saved_fits(&s, &f.c, false, &err), 0);
	ck_assert_int_eq(saved_fits_sights(&s, &f.c, &f.sights, &err), 0);

	ck_assert_int_eq(saved_fits(&s, &f.c, true, &err), -ESTALE);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	f.c.accel = CLUSTER_TCG;
	ck_assert_int_eq(saved_fits(&s, &f.c, false, &err), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.text, "accel"));
	f.sights.v[0].look.is = LOOK_SAME;
	ck_assert_int_eq(saved_fits_sights(&s, &f.c, &f.sights, &err), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.text, "/s/clusters/two"));
}
END_TEST

START_TEST(a_saved_plan_fits_the_data_that_it_was_made_of)
{
	autofixture f;
	autosaved s = { 0 };
	const struct volume v = { .name = (char *)"genomes", .from = (char *)"/srv/genomes", .kind = VOLUME_DATA };
	struct data data = { .v = { { .volume = &v, .source = { .digest = (char *)"ab" } } }, .n = 1 };
	const struct data none = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;

	load(&f);
	ck_assert_int_eq(saved_write(f.path, &f.m, &f.c, false, &f.sights, &data, &err), 0);
	ck_assert_msg(saved_load(f.path, &s, &err) == 0, "%s", err.text);
	ck_assert_int_eq(saved_fits_data(&s, &f.c, &data, &err), 0);
	ck_assert_int_eq(saved_fits_data(&s, &f.c, &none, &err), 0);
	data.v[0].source.digest = (char *)"cd";
	ck_assert_int_eq(saved_fits_data(&s, &f.c, &data, &err), -ESTALE);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_str_eq(err.text, "cluster two: no longer as when the plan was saved: volume genomes, of /srv/genomes");
	ck_assert_ptr_nonnull(err.hint);
	/* It was not looked at then. */
	json_object_clear(s.data);
	ck_assert_int_eq(saved_fits_data(&s, &f.c, &data, &err), -ESTALE);
	ck_assert_int_eq(saved_fits_data(&(struct saved){ 0 }, &f.c, &data, &err), 0);
}
END_TEST

START_TEST(a_manifest_alone_fits_always)
{
	autofixture f;
	const struct saved none = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	load(&f);
	ck_assert_int_eq(saved_fits(&none, &f.c, false, &err), 0);
	ck_assert_int_eq(saved_fits(&none, &f.c, true, &err), 0);
}
END_TEST

START_TEST(what_is_no_such_plan_is_refused)
{
	static const struct { const char *key, *value; } damage[] = {
		{ "schema", "\"vhpc.cluster.saved/2\"" }, { "schema", "1" }, { "version", "\"0.0.1\"" }, { "version", "null" },
		{ "manifest", "{}" }, { "manifest", "{\"name\": \"../x\"}" }, { "plan", "[]" }, { "steps", "null" },
		{ "data", "[]" },
	};
	autofixture f;
	vh_autojson doc = NULL;
	const struct data none = { .n = 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct saved s;

	load(&f);
	ck_assert_int_lt(saved_load(f.path, &s, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_int_eq(saved_write(f.path, &f.m, &f.c, false, &f.sights, &none, &err), 0);
	doc = json_load_file(f.path, 0, NULL);
	for (size_t i = 0; i < vh_array_len(damage); i++) {
		vh_autojson bad = json_copy(doc);

		json_object_set_new(bad, damage[i].key, json_loads(damage[i].value, JSON_DECODE_ANY, NULL));
		ck_assert_msg(saved_from_json("p", bad, &s, &err) < 0, "%s: %s", damage[i].key, damage[i].value);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(err.text, "p: ", 3), "%s", err.text);
	}
}
END_TEST

START_TEST(changes_are_what_is_not_as_planned)
{
	autofixture f;
	vh_autojson all = NULL;
	vh_autojson changed = NULL;

	load(&f);
	ck_assert_uint_eq(changes_count(&f.sights), f.sights.n);
	for (size_t i = 0; i < f.sights.n; i++)
		f.sights.v[i].look = (struct look){ .is = i % 2 ? LOOK_SAME : LOOK_NOTHING };
	ck_assert_uint_eq(changes_count(&f.sights), 0);
	f.sights.v[1].look = (struct look){ LOOK_OTHER, "is down", "a restart" };
	all = changes_rows(&f.c, &f.sights, false);
	changed = changes_rows(&f.c, &f.sights, true);
	ck_assert_uint_eq(json_array_size(all), f.sights.n);
	ck_assert_uint_eq(json_array_size(changed), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(changed, 0), "change")), "change");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(changed, 0), "costs")), "a restart");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(all, 0), "change")), "none");
}
END_TEST

static int told[2];

static void count(void *arg, const struct step_event *event)
{
	ck_assert_ptr_eq(arg, told);
	ck_assert_ptr_nonnull(event->object);
	told[event->state != STEP_BEGINS]++;
	if (event->state == STEP_FAILED)
		ck_assert_ptr_nonnull(event->err->text);
}

/* Its first step fails: the image is not at hand. */
START_TEST(a_walk_tells_of_its_steps)
{
	autofixture f;
	struct context ctx;
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	unsigned changed;

	load(&f);
	ctx = (struct context){ .cluster = &f.c, .tell = count, .tell_arg = told };
	ck_assert_int_eq(vh_store_open(&store, f.dir, VH_STORE_WRITE, &err), 0);
	ck_assert_int_eq(steps_apply(&ctx, store, &changed, &err), -ESTALE);
	ck_assert_uint_eq(changed, 0);
	ck_assert_int_eq(told[0], 1);
	ck_assert_int_eq(told[1], 1);
}
END_TEST

static struct sim_world world;

/* Of the steps, with three nodes on two hosts; as late as the steps say. */
static void make_route(const struct node *only, struct route *ret)
{
	static struct node nodes[3] = { { .host = 0 }, { .host = 1 }, { .host = 0 } };
	const struct cluster c = { .nodes = nodes, .n_nodes = 3, .n_hosts = 2 };
	const struct context ctx = { .cluster = &c, .only = only ? &nodes[1] : NULL };

	ck_assert_int_eq(route_make(&ctx, false, ret), 0);
	for (size_t i = 0; i < ret->batch.n_tasks; i++)
		ret->tasks[i].settle_ms = cluster_steps[ret->places[i].step]->late_ms;
}

START_TEST(a_walk_killed_anywhere_is_finished_or_undone)
{
	vh_cleanup(route_clear) struct route r = { 0 };
	size_t n;

	make_route(NULL, &r);
	n = sim_kill_everywhere(&world, &r.batch);
	ck_assert_msg(n >= 4 * 6 * r.batch.n_tasks, "%zu kills; %s", n, world.why);
}
END_TEST

/* New nodes but the head, where any may be lost; none of who is there, nor of an undo. */
START_TEST(nodes_that_can_be_spared_are_groups_of_the_route)
{
	struct cluster_pool pool = { .wanted = { .role = POOL_COMPUTE } };
	struct node nodes[3] = { { .is_unproven = true }, { .is_unproven = true }, { .host = 0 } };
	const struct cluster c = { .pools = &pool, .n_pools = 1, .nodes = nodes, .n_nodes = 3, .n_hosts = 1 };
	char *lost[3] = { NULL };
	const struct context ctx = { .cluster = &c, .least = 2, .lost = lost }, all = { .cluster = &c, .least = 2 };
	const struct { const struct context *ctx; bool undo; size_t spare; } walks[] = { { &ctx, false, 1 }, { &ctx, true, 1 }, { &all, false, 0 } };

	for (size_t i = 0; i < vh_array_len(walks); i++) {
		vh_cleanup(route_clear) struct route r = { 0 };
		const bool any = walks[i].ctx->lost && !walks[i].undo;

		ck_assert_int_eq(route_make(walks[i].ctx, walks[i].undo, &r), 0);
		ck_assert_uint_eq(r.batch.spare, walks[i].spare);
		for (size_t k = 0; k < r.batch.n_tasks; k++)
			ck_assert_uint_eq(r.tasks[k].group, any && r.places[k].at.node == &nodes[1] ? 2 : 0);
	}
}
END_TEST

static bool leads_to(const struct route *r, size_t first, size_t then)
{
	for (size_t i = 0; i < r->batch.n_edges; i++)
		if (r->edges[i].first == first && (r->edges[i].then == then || leads_to(r, r->edges[i].then, then)))
			return true;
	return false;
}

/* Whether each place of the one that is of the same node and host leads to those of the other, and to no others. */
static void check_leads(const struct route *r, const struct step *a, const struct step *b)
{
	for (size_t i = 0; i < r->batch.n_tasks; i++)
		for (size_t k = 0; k < r->batch.n_tasks; k++) {
			const struct spot *x = &r->places[i].at, *y = &r->places[k].at;
			const bool once = a->scope == ONCE_A_CLUSTER || b->scope == ONCE_A_CLUSTER;
			const bool together = once || (x->node && y->node ? x->node == y->node : x->host == y->host);

			if (cluster_steps[r->places[i].step] == a && cluster_steps[r->places[k].step] == b)
				ck_assert_msg(leads_to(r, i, k) == together, "%s %zu, %s %zu", a->what, i, b->what, k);
		}
}

START_TEST(steps_wait_for_what_they_need)
{
	vh_cleanup(route_clear) struct route r = { 0 };

	make_route(NULL, &r);
	ck_assert_uint_eq(r.batch.n_tasks, 2 + 3 * 2 + 5 * 3);
	ck_assert_uint_eq(r.batch.n_hosts, 2);
	check_leads(&r, &step_files, &step_region);
	check_leads(&r, &step_isolate, &step_bridge);
	check_leads(&r, &step_bridge, &step_tap);
	check_leads(&r, &step_region, &step_domain);
	check_leads(&r, &step_disk, &step_domain);
	check_leads(&r, &step_tap, &step_domain);
	check_leads(&r, &step_domain, &step_ready);
	check_leads(&r, &step_ready, &step_publish);
}
END_TEST

/* Imported nodes have no disks and taps, and their files go after them. */
START_TEST(imported_nodes_have_files_first)
{
	static struct node nodes[2] = { { .domain = (char *)"a" }, { .domain = (char *)"b" } };
	const struct cluster c = { .nodes = nodes, .n_nodes = 2, .n_hosts = 1 };
	const struct context ctx = { .cluster = &c };

	for (int undo = 0; undo < 2; undo++) {
		vh_cleanup(route_clear) struct route r = { 0 };

		ck_assert_int_eq(route_make(&ctx, undo, &r), 0);
		ck_assert_uint_eq(r.batch.n_tasks, 1 + 2 * 2);
		check_leads(&r, &step_files, &step_domain);
		check_leads(&r, &step_domain, &step_start);
	}
}
END_TEST

/* Two nodes stay and one leaves: it is only undone, with the others or alone. */
START_TEST(nodes_that_leave_are_only_undone)
{
	static struct node nodes[3];
	const struct cluster c = { .nodes = nodes, .n_nodes = 2, .n_leaving = 1, .n_hosts = 1 };
	const struct { bool leaving, undo; size_t tasks; } walks[] = {
		{ false, false, 2 + 3 + 5 * 2 }, { false, true, 2 + 3 + 5 * 3 }, { true, true, 5 }, { true, false, 0 },
	};

	for (size_t i = 0; i < vh_array_len(walks); i++) {
		const struct context ctx = { .cluster = &c, .leaving = walks[i].leaving };
		vh_cleanup(route_clear) struct route r = { 0 };

		ck_assert_int_eq(route_make(&ctx, walks[i].undo, &r), 0);
		ck_assert_uint_eq(r.batch.n_tasks, walks[i].tasks);
		ck_assert_int_eq(r.batch.undo, walks[i].undo);
		for (size_t k = 0; walks[i].leaving && k < r.batch.n_tasks; k++)
			ck_assert_ptr_eq(r.places[k].at.node, &nodes[2]);
	}
}
END_TEST

/* Who leaves runs no jobs any more before any node is told, and all is told before launchers are. */
START_TEST(slurm_is_told_between_nodes_and_launchers)
{
	static struct node nodes[4];
	struct cluster c = { .nodes = nodes, .n_nodes = 3, .n_leaving = 1, .n_hosts = 1, .slurm = true };
	const struct context ctx = { .cluster = &c }, one = { .cluster = &c, .only = &nodes[1] };
	vh_cleanup(route_clear) struct route r = { 0 }, alone = { 0 }, still = { 0 };

	ck_assert_int_eq(route_make(&ctx, false, &r), 0);
	ck_assert_uint_eq(r.batch.n_tasks, 2 + 2 + 3 + 5 * 3);
	check_leads(&r, &step_start, &step_vacate);
	check_leads(&r, &step_vacate, &step_ready);
	check_leads(&r, &step_ready, &step_slurm);
	check_leads(&r, &step_slurm, &step_publish);
	/* One node alone changes nothing of that; and where none leaves there is nothing to drain. */
	ck_assert_int_eq(route_make(&one, false, &alone), 0);
	ck_assert_uint_eq(alone.batch.n_tasks, 1 + 3 + 5);
	c.n_leaving = 0;
	ck_assert_int_eq(route_make(&ctx, false, &still), 0);
	ck_assert_uint_eq(still.batch.n_tasks, 2 + 1 + 3 + 5 * 3);
}
END_TEST

START_TEST(one_node_alone_has_what_it_needs)
{
	vh_cleanup(route_clear) struct route r = { 0 };

	make_route(&(struct node){ .host = 1 }, &r);
	ck_assert_uint_eq(r.batch.n_tasks, 1 + 3 * 2 + 5);
	for (size_t i = 0; i < r.batch.n_tasks; i++) {
		ck_assert(r.places[i].at.node == NULL || r.places[i].at.host == 1);
		ck_assert_ptr_ne(cluster_steps[r.places[i].step], &step_publish);
	}
}
END_TEST

/* The one finding there is, of that member; "" where there is another number of them. */
static const char *only(const struct vh_findings *f, const char *key)
{
	return json_array_size(f->rows) == 1 ? vh_finding_text(json_array_get(f->rows, 0), key) : "";
}

START_TEST(causes_name_what_apply_mends)
{
	autofixture f;
	vh_autofindings found = VH_FINDINGS_NONE;

	load(&f);
	for (size_t i = 0; i < f.sights.n; i++)
		f.sights.v[i].look = (struct look){ .is = LOOK_SAME };
	causes_of_sights(&f.c, &f.sights, &found);
	ck_assert_uint_eq(json_array_size(found.rows), 0);
	f.sights.v[0].look = (struct look){ LOOK_MISSING, "is gone", "a restart" };
	causes_of_sights(&f.c, &f.sights, &found);
	ck_assert_str_eq(only(&found, "object"), "/s/clusters/two");
	ck_assert_str_eq(only(&found, "found"), "is gone");
	ck_assert_str_eq(only(&found, "mend"), "apply mends it; it costs a restart");
	ck_assert_uint_eq(found.stops, 1);
}
END_TEST

START_TEST(missing_nodes_are_told_and_borne)
{
	autofixture f;
	vh_autofindings found = VH_FINDINGS_NONE;

	load(&f);
	causes_of_missing(&f.c, &found);
	ck_assert_uint_eq(json_array_size(found.rows), 0);
	ck_assert_int_eq(missing_add(&f.c.missing, &(struct missing){ .name = "two-2", .why = "two-2: the VM is gone" }), 0);
	causes_of_missing(&f.c, &found);
	ck_assert_str_eq(only(&found, "object"), "two-2");
	ck_assert_str_eq(only(&found, "found"), "is missing: two-2: the VM is gone");
	ck_assert_str_eq(only(&found, "mend"), "apply tries it again");
	ck_assert_uint_eq(found.stops, 0);
}
END_TEST

START_TEST(another_manifest_and_another_image_are_told_and_borne)
{
	static const char *const files[] = { "kernel", "initrd", "root.ext4", "image.json" };
	autofixture f;
	vh_autofree char *dir = NULL, *text = NULL;
	vh_autojson image = json_load_file("tests/fixtures/image.json", 0, NULL);
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autofindings again = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;

	load(&f);
	causes_of_images(&f.c, f.dir, &found);
	ck_assert_uint_eq(json_array_size(found.rows), 0);
	causes_of_manifest(&f.c, &f.m, &found);
	ck_assert_str_eq(only(&found, "check"), "manifest");
	ck_assert_uint_eq(found.stops, 0);

	dir = vh_strf("%s/images/mpi", f.dir);
	text = json_dumps(image, 0);
	ck_assert_int_eq(vh_mkdirs(dir, 0700, &err), 0);
	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_autofree char *path = vh_strf("%s/%s", dir, files[i]);

		ck_assert_int_eq(vh_write_file(path, text, strlen(text), 0600, &err), 0);
	}
	causes_of_images(&f.c, f.dir, &again);
	ck_assert_str_eq(only(&again, "object"), "mpi");
	ck_assert_str_eq(only(&again, "found"), "nodes run 0123");
	ck_assert_uint_eq(again.stops, 0);
}
END_TEST

START_TEST(changed_data_is_told_and_borne)
{
	autofixture f;
	struct volume v = { .name = (char *)"genomes", .mount = (char *)"/data", .kind = VOLUME_DATA };
	struct cluster c = { .name = (char *)"two", .volumes = { .items = &v, .n = 1 } };
	vh_autofree char *above = NULL, *from = NULL, *disk = NULL;
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autofindings again = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	load(&f);
	above = vh_strf("%s/..", f.dir);
	from = vh_strf("%s/genomes", f.dir);
	disk = data_disk(f.dir, &v);
	c.volumes_dir = f.dir;
	v.from = from;
	ck_assert(chmod(above, 0711) == 0 && chmod(f.dir, 0711) == 0);
	free(unit_file(f.dir, "genomes/a", "ACGT"));
	causes_of_data(&c, &found);
	ck_assert_msg(data_make(&v, disk, NULL, &made, &err) == 0, "%s", err.text);
	causes_of_data(&c, &found);
	ck_assert_uint_eq(json_array_size(found.rows), 0);
	free(unit_file(f.dir, "genomes/a", "ACGTACGT"));
	causes_of_data(&c, &found);
	ck_assert_str_eq(only(&found, "object"), "genomes");
	ck_assert_str_eq(only(&found, "check"), "data");
	ck_assert_ptr_nonnull(strstr(only(&found, "found"), "/genomes has changed since it was packed"));
	ck_assert_uint_eq(found.stops, 0);
	ck_assert_int_eq(vh_remove_tree(from, &err), 0);
	causes_of_data(&c, &again);
	ck_assert_ptr_nonnull(strstr(only(&again, "found"), "/genomes can be read no more"));
}
END_TEST

START_TEST(nodes_that_are_not_there_rest_already)
{
	autofixture f;
	struct node nodes[2] = { { .name = (char *)"two-1" }, { .name = (char *)"two-2" } };
	struct vh_virt *none = NULL;
	struct cluster c;
	struct context ctx = { .cluster = &c, .virts = &none, .only = &nodes[1] };
	vh_autofree char *json = NULL;
	vh_autoerr err = VH_ERR_NONE;
	unsigned changed = 7;

	load(&f);
	c = (struct cluster){ .name = (char *)"two", .dir = f.dir, .nodes = nodes, .n_nodes = 2 };
	json = vh_strf("%s/cluster.json", f.dir);
	ck_assert_int_eq(vh_write_file(json, "{}", 2, 0600, &err), 0);
	ck_assert_int_eq(nodes_stop(&ctx, 0, false, &changed, &err), 0);
	ck_assert_uint_eq(changed, 0);
	ck_assert_int_eq(access(json, F_OK), 0);
	ck_assert_int_lt(nodes_check_on(&ctx, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "two-2"));

	/* All of them: the cluster cannot be used. */
	vh_err_clear(&err);
	ctx.only = NULL;
	ck_assert_int_eq(nodes_stop(&ctx, 0, false, &changed, &err), 0);
	ck_assert_int_lt(access(json, F_OK), 0);
}
END_TEST

UNIT_SUITE(tools_saved, missing_nodes_are_told_and_borne, nodes_that_can_be_spared_are_groups_of_the_route, saved_plan_fits_what_it_was_made_of, a_saved_plan_fits_the_data_that_it_was_made_of, a_manifest_alone_fits_always, what_is_no_such_plan_is_refused,
	   changes_are_what_is_not_as_planned, a_walk_tells_of_its_steps,
	   a_walk_killed_anywhere_is_finished_or_undone, steps_wait_for_what_they_need, imported_nodes_have_files_first, one_node_alone_has_what_it_needs, nodes_that_leave_are_only_undone,
	   slurm_is_told_between_nodes_and_launchers,
	   causes_name_what_apply_mends, another_manifest_and_another_image_are_told_and_borne, changed_data_is_told_and_borne, nodes_that_are_not_there_rest_already)
