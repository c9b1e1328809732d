// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cluster.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"

enum { LOCK_MS = 5000, READY_S = 300 };

struct apply_opts { char *store; uint64_t timeout; bool keep; };
struct ssh_opts { char *user; };

static const struct vh_opt plan_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct apply_opts, store), "DIR", "image store" },
	{ .name = NULL },
};
static const struct vh_opt apply_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct apply_opts, store), "DIR", "image store" },
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct apply_opts, timeout), "SECONDS", "how long a node may take to answer (300)" },
	{ "keep", 0, VH_OPT_FLAG, offsetof(struct apply_opts, keep), NULL, "on failure leave what was made, to look at it" },
	{ .name = NULL },
};
static const struct vh_opt ssh_opts[] = {
	{ "user", 'l', VH_OPT_STR, offsetof(struct ssh_opts, user), "NAME", "log in as root or another user of the image" },
	{ .name = NULL },
};

/* A cluster as a verb works on it: its plan and what reaches it. */
struct session {
	struct plan plan;
	struct vh_store *store;
	struct vh_virt *virt;
	struct vh_image *image;
	struct vh_progress *progress;
	int lock;
};

static void session_clear(struct session *s)
{
	vh_progress_end(s->progress, NULL);
	vh_virt_close(s->virt);
	vh_store_close(s->store);
	vh_image_free(s->image);
	plan_clear(&s->plan);
	vh_close_fd(&s->lock);
}
#define autosession vh_cleanup(session_clear) struct session

static int lock_cluster(const struct vh_cli *cli, const char *name, int *ret_fd, struct vh_err *err)
{
	vh_autofree char *lock = vh_strf("cluster-%s", name);

	return lock ? vh_lock(cli->state, lock, LOCK_MS, ret_fd, err) : vh_err_nomem(err);
}

/* The image that a cluster boots; one that exists keeps what it was made with. */
static int find_image(const struct vh_cli *cli, const char *store, const char *name, struct vh_image **ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_image_store(store, cli->state);

	return dir ? vh_image_find(dir, name, ret, err) : vh_err_nomem(err);
}

/* The plan that is recorded and fits the manifest, or a new one; *ret_exists says which. */
static int find_or_make_plan(const struct vh_cli *cli, const struct manifest *m, struct session *s, bool *ret_exists, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	int r = record_load(s->store, cli->state, m->name, &s->plan, err);

	*ret_exists = r == 0;
	if (r == 0)
		return plan_matches(&s->plan, m, err);
	if (r != -ENOENT)
		return r;
	r = find_image(cli, o->store, m->image, &s->image, err);
	return r < 0 ? r : plan_make(m, s->image, cli, s->store, &s->plan, err);
}

static int verb_plan(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	autosession s = { .lock = -1 };
	bool exists;
	int r = manifest_load(cli->argv[0], &m, err);

	if (r == 0)
		r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);
	if (r == 0)
		r = find_or_make_plan(cli, &m, &s, &exists, err);
	return r < 0 ? r : plan_show(cli, &s.plan, exists, err);
}

/* --- apply */

/* Domains are other people's too: a name that is taken is refused before anything is made. */
static int check_names(struct session *s, struct vh_err *err)
{
	for (size_t i = 0; i < s->plan.n_nodes; i++) {
		const char *state = NULL;
		int r = vh_virt_state(s->virt, s->plan.nodes[i].name, &state, err);

		if (r < 0)
			return r;
		if (state) {
			vh_err_refuse(err, EEXIST, "cluster %s: a domain named %s exists already (%s) and is not of this cluster",
				      s->plan.name, s->plan.nodes[i].name, vh_virt_uri(s->virt));
			return vh_err_hint(err, "give the cluster another name");
		}
	}
	return 0;
}

static int give_uuids(struct plan *p, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < p->n_nodes; i++) {
		r = vh_root_read(root, &p->nodes[i].uuid, "proc/sys/kernel/random/uuid");
		if (r < 0)
			vh_err_set(err, -r, "no random UUID to be had: %s", strerror(-r));
	}
	return r;
}

/* Plan, leases and record are one transaction, so that two clusters never choose the same. */
static int plan_and_record(const struct vh_cli *cli, const struct manifest *m, struct session *s, bool *ret_exists, struct vh_err *err)
{
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	r = find_or_make_plan(cli, m, s, ret_exists, err);
	if (r == 0 && !*ret_exists)
		r = check_names(s, err);
	if (r == 0 && !*ret_exists)
		r = give_uuids(&s->plan, err);
	if (r == 0 && !*ret_exists)
		r = record_create(s->store, &s->plan, err);
	if (r < 0) {
		vh_autoerr rollback = VH_ERR_NONE;

		vh_store_end(s->store, false, &rollback);
		return r;
	}
	return vh_store_end(s->store, true, err);
}

static struct context context_of(const struct vh_cli *cli, const struct session *s, uint64_t ready_s)
{
	return (struct context){ .plan = &s->plan, .image = s->image, .virt = s->virt, .cli = cli,
				 .progress = s->progress, .ready_ms = (int)(1000 * (ready_s ? ready_s : READY_S)) };
}

static int undo_all(const struct context *c, struct vh_store *store, struct vh_err *err)
{
	int r = steps_undo(c, store, err);

	return r < 0 ? r : record_remove(store, c->plan, err);
}

/* What failed is said; then a new cluster is taken away again, an old one left to be finished. */
static int apply_failed(const struct context *c, struct session *s, bool undo, struct vh_err *err)
{
	vh_autoerr undo_err = VH_ERR_NONE;

	if (!undo) {
		err->exit = VH_EXIT_PARTIAL;
		return -err->num;
	}
	vh_progress_note(s->progress, "%s; undoing what was done", err->text);
	if (undo_all(c, s->store, &undo_err) < 0) {
		vh_err_print(stderr, c->cli->prog, &undo_err);
		err->exit = VH_EXIT_PARTIAL;
		return vh_err_hint(err, "vhpc cluster destroy %s takes the rest away", c->plan->name);
	}
	vh_virt_close(vh_steal(&s->virt));
	vh_virt_stop_private(c->cli->state, &undo_err);
	return -err->num;
}

static char interrupted_text[256];

static void interrupted(int sig)
{
	(void)sig;
	if (write(STDERR_FILENO, interrupted_text, strlen(interrupted_text)) < 0)
		_exit(VH_EXIT_FAILED);
	_exit(VH_EXIT_PARTIAL);
}

/* Nothing is lost by ending at any point: the journal is written ahead of every step. */
static void tell_when_interrupted(const char *name)
{
	const struct sigaction act = { .sa_handler = interrupted };

	snprintf(interrupted_text, sizeof(interrupted_text),
		 "\nvhpc cluster: interrupted (hint: apply again to finish it, or vhpc cluster destroy %s to remove it)\n", name);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

static int open_for_change(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autofree char *title = vh_strf("cluster %s", name);
	int r = title ? vh_need_rights(title, err) : vh_err_nomem(err);

	if (r == 0 && cli->root)
		r = vh_err_refuse(err, EROFS, "%s: a captured host (--root) can be planned on, not changed", title);
	if (r == 0)
		r = lock_cluster(cli, name, &s->lock, err);
	if (r == 0)
		r = vh_store_open(&s->store, cli->state, VH_STORE_WRITE, err);
	if (r == 0)
		s->progress = vh_progress_start(title, cli->quiet);
	return r;
}

static int apply_steps(const struct vh_cli *cli, struct session *s, bool exists, unsigned *ret_changed, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	const struct context c = context_of(cli, s, o->timeout);
	int r;

	if (!s->plan.kvm)
		vh_progress_note(s->progress, "no KVM: %s; TCG emulates the CPUs, so figures are not those of hardware", s->plan.accel_why);
	r = steps_apply(&c, s->store, ret_changed, err);
	return r < 0 ? apply_failed(&c, s, !exists && !o->keep, err) : 0;
}

static int verb_apply(struct vh_cli *cli, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	autosession s = { .lock = -1 };
	unsigned changed = 0;
	bool exists;
	int r = manifest_load(cli->argv[0], &m, err);

	if (r == 0)
		r = open_for_change(cli, m.name, &s, err);
	/* All that can be refused is refused before the daemon starts or anything is recorded. */
	if (r == 0)
		r = find_or_make_plan(cli, &m, &s, &exists, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	tell_when_interrupted(m.name);
	plan_clear(&s.plan);
	vh_image_free(vh_steal(&s.image));
	r = plan_and_record(cli, &m, &s, &exists, err);
	if (r == 0 && !s.image)
		r = find_image(cli, o->store, s.plan.image, &s.image, err);
	if (r == 0)
		r = apply_steps(cli, &s, exists, &changed, err);
	if (r < 0)
		return r;
	if (changed)
		vh_progress_end(vh_steal(&s.progress), "%zu nodes answer over ssh", s.plan.n_nodes);
	else
		vh_progress_end(vh_steal(&s.progress), "nothing to do: %zu nodes answer over ssh", s.plan.n_nodes);
	return 0;
}

/* --- the other verbs */

static int load_session(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	int r = vh_store_open(&s->store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = record_load(s->store, cli->state, name, &s->plan, err);
	if (r == -ENOENT) {
		vh_err_refuse(err, ENOENT, "cluster %s: not applied on this host", name);
		return vh_err_hint(err, "vhpc cluster list shows those that are");
	}
	return r;
}

static int verb_status(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	struct context c;
	int code = 0, r = cluster_name(cli->argv[0], &name, err);

	if (r == 0)
		r = load_session(cli, name, &s, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, false, err);
	if (r == -ENOTCONN)
		r = 0;
	if (r < 0)
		return r;
	c = context_of(cli, &s, 0);
	r = status_show(cli, &c, &code, err);
	return r < 0 ? r : code;
}

static int verb_list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "CLUSTER", "name", VH_COL_TEXT },	{ "IMAGE", "image.name", VH_COL_TEXT },
		{ "NODES", "count", VH_COL_RIGHT },	{ "VCPUS", "vcpus", VH_COL_RIGHT },
		{ "MEMORY", "memory", VH_COL_SIZE },	{ "CPU POLICY", "cpu_policy", VH_COL_TEXT },
		{ "NETWORK", "cidr", VH_COL_TEXT },	{ NULL, NULL, VH_COL_TEXT },
	};
	autosession s = { .lock = -1 };
	vh_autojson all = NULL;
	json_t *rows, *doc;
	const char *name;
	int r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_record_list(s.store, "cluster", &all, err);
	if (r < 0)
		return r;
	rows = json_array();
	json_object_foreach(all, name, doc) {
		json_object_set_new(doc, "count", json_integer((json_int_t)json_array_size(json_object_get(doc, "nodes"))));
		json_array_append(rows, doc);
	}
	return vh_listing(cli, "vhpc.cluster.list/1", "clusters", cols, rows, err);
}

static int verb_leases(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "KIND", "kind", VH_COL_TEXT },	{ "KEY", "key", VH_COL_TEXT },
		{ "HOLDER", "holder", VH_COL_TEXT },	{ "SIZE", "size", VH_COL_SIZE },
		{ NULL, NULL, VH_COL_TEXT },
	};
	vh_autostore store = NULL;
	struct vh_lease *leases = NULL;
	json_t *rows;
	size_t n = 0;
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_lease_list(store, NULL, NULL, &leases, &n, err);
	if (r < 0)
		return r;
	rows = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_pack("{s:s, s:s, s:s}", "kind", leases[i].kind, "key", leases[i].key, "holder", leases[i].holder);

		if (leases[i].amount)
			json_object_set_new(row, "size", json_integer((json_int_t)leases[i].amount));
		json_array_append_new(rows, row);
	}
	vh_lease_free(leases, n);
	return vh_listing(cli, "vhpc.cluster.leases/1", "leases", cols, rows, err);
}

/* The node that the first argument names ("2" or its whole name), else the first one. */
static const struct node_plan *choose_node(const struct plan *p, int *argc, char ***argv)
{
	for (size_t i = 0; *argc > 0 && i < p->n_nodes; i++) {
		const char *name = p->nodes[i].name;

		if (!strcmp(**argv, name) || !strcmp(**argv, name + strlen(p->name) + 1)) {
			(*argc)--;
			(*argv)++;
			return &p->nodes[i];
		}
	}
	return &p->nodes[0];
}

static int verb_ssh(struct vh_cli *cli, struct vh_err *err)
{
	const struct ssh_opts *o = cli->opts;
	vh_autofree char *name = NULL, *config = NULL;
	vh_autostrv argv = NULL;
	autosession s = { .lock = -1 };
	const struct node_plan *node;
	int argc = cli->argc - 1, r = cluster_name(cli->argv[0], &name, err);
	char **rest = cli->argv + 1;

	if (r == 0)
		r = load_session(cli, name, &s, err);
	if (r < 0)
		return r;
	node = choose_node(&s.plan, &argc, &rest);
	if (argc > 0 && !strcmp(*rest, "--")) {
		argc--;
		rest++;
	}
	config = vh_strf("%s/ssh_config", s.plan.dir);
	r = config ? 0 : -ENOMEM;
	for (const char *const *w = (const char *const []){ "ssh", "-F", config, "-l", o->user ? o->user : s.plan.user, node->name, NULL };
	     r == 0 && *w; w++)
		r = vh_strv_push(&argv, *w);
	for (; r == 0 && argc > 0; argc--)
		r = vh_strv_push(&argv, *rest++);
	return r < 0 ? vh_err_nomem(err) : vh_spawn_exec(argv, err);
}

/* Without a record nothing of the cluster can be there but its daemon and a half-made directory. */
static int nothing_there(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s/clusters/%s.part", cli->state, name);
	int r = part ? vh_remove_tree(part, err) : vh_err_nomem(err);

	/* A daemon that a killed run started serves nobody. */
	if (r == 0)
		r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s->progress), "not there: nothing to remove");
	return 0;
}

static int verb_destroy(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	struct context c;
	int r = cluster_name(cli->argv[0], &name, err);

	if (r == 0)
		r = open_for_change(cli, name, &s, err);
	if (r < 0)
		return r;
	r = record_load(s.store, cli->state, name, &s.plan, err);
	if (r == -ENOENT)
		return nothing_there(cli, name, &s, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	c = context_of(cli, &s, 0);
	r = undo_all(&c, s.store, err);
	if (r < 0) {
		err->exit = VH_EXIT_PARTIAL;
		return err->hint ? r : vh_err_hint(err, "destroy again once the cause is gone");
	}
	vh_virt_close(vh_steal(&s.virt));
	r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s.progress), "removed; nothing of it is left on this host");
	return 0;
}

static const struct vh_verb verbs[] = {
	{ "plan", "FILE", 1, 1, "show what apply would do, and why it can", VH_VERB_JSON, plan_opts, sizeof(struct apply_opts), verb_plan },
	{ "apply", "FILE", 1, 1, "bring the cluster of a manifest up, or to its state", 0, apply_opts, sizeof(struct apply_opts), verb_apply },
	{ "status", "FILE|NAME", 1, 1, "show each node as it is; exit 4 unless all are up", VH_VERB_JSON, NULL, 0, verb_status },
	{ "list", "", 0, 0, "list the clusters of this host", VH_VERB_JSON, NULL, 0, verb_list },
	{ "leases", "", 0, 0, "list what clusters and VMs hold of this host", VH_VERB_JSON, NULL, 0, verb_leases },
	{ "ssh", "FILE|NAME [NODE] [COMMAND...]", 1, -1, "log in to a node, or run a command there", VH_VERB_REST, ssh_opts, sizeof(struct ssh_opts), verb_ssh },
	{ "destroy", "FILE|NAME", 1, 1, "remove the cluster and all that was made for it", 0, NULL, 0, verb_destroy },
	{ .name = NULL },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc cluster", "Virtual clusters: plan, apply, show and destroy", verbs };

	return vh_main(&prog, argc, argv);
}
