// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

static const struct vh_opt plan_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct apply_opts, store), "DIR", "image store" },
	{ "out", 0, VH_OPT_STR, offsetof(struct apply_opts, out), "FILE", "save the plan, for apply --plan" },
	{ "detailed-exitcode", 0, VH_OPT_FLAG, offsetof(struct apply_opts, detailed), NULL, "exit 2 when apply would change anything" },
	{ "host", 0, VH_OPT_STR, offsetof(struct apply_opts, host), "FILE",
	  "plan for another host: its hwloc XML, or what vhpc vm host --json printed there" },
	{ .name = NULL },
};
static const struct vh_opt apply_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct apply_opts, store), "DIR", "image store" },
	{ "plan", 0, VH_OPT_STR, offsetof(struct apply_opts, plan), "FILE", "apply exactly this plan, which plan --out saved" },
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct apply_opts, timeout), "SECONDS", "how long a node may take to answer (300)" },
	{ "keep", 0, VH_OPT_FLAG, offsetof(struct apply_opts, keep), NULL, "on failure leave what was made, to look at it" },
	{ .name = NULL },
};
static const struct vh_opt scale_opts[] = {
	{ "dry-run", 0, VH_OPT_FLAG, offsetof(struct apply_opts, dry_run), NULL, "show what would change, and what that costs; change nothing" },
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct apply_opts, timeout), "SECONDS", "how long a node may take to answer (300)" },
	{ .name = NULL },
};
static const struct vh_opt status_opts[] = {
	{ "watch", 0, VH_OPT_MAYBE, offsetof(struct status_opts, watch), NULL,
	  "again whenever a node starts or ends, and every 5 seconds (--watch=N: N)" },
	{ .name = NULL },
};
static const struct vh_opt ssh_opts[] = {
	{ "user", 'l', VH_OPT_STR, offsetof(struct ssh_opts, user), "NAME", "log in as root or another user of the image" },
	{ .name = NULL },
};

static const struct vh_opt start_opts[] = {
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct life_opts, timeout), "SECONDS", "how long a node may take to answer (300)" },
	{ .name = NULL },
};
static const struct vh_opt stop_opts[] = {
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct life_opts, timeout), "SECONDS", "how long a node has to shut down (60)" },
	{ "force", 0, VH_OPT_FLAG, offsetof(struct life_opts, force), NULL, "cut the power at once" },
	{ .name = NULL },
};
static const struct vh_opt replace_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct replace_opts, store), "DIR", "image store" },
	{ "at-once", 0, VH_OPT_UINT, offsetof(struct replace_opts, at_once), "N", "how many at a time (1)" },
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct replace_opts, timeout), "SECONDS", "how long a node may take to be free of jobs, and to answer (300)" },
	{ "dry-run", 0, VH_OPT_FLAG, offsetof(struct replace_opts, dry_run), NULL, "say which would be replaced, and replace none" },
	{ .name = NULL },
};
static const struct vh_opt watch_opts[] = {
	{ "timeout", 0, VH_OPT_UINT, offsetof(struct watch_opts, timeout), "SECONDS", "how long a node may take to answer (300)" },
	{ "once", 0, VH_OPT_FLAG, offsetof(struct watch_opts, once), NULL, "look once, and end when what is off runs again" },
	{ .name = NULL },
};
static const struct vh_opt snapshot_opts[] = {
	{ "remove", 0, VH_OPT_FLAG, offsetof(struct snapshot_opts, remove), NULL, "remove it; the nodes stay as they are" },
	{ .name = NULL },
};
static const struct vh_opt revert_opts[] = {
	{ "dry-run", 0, VH_OPT_FLAG, offsetof(struct revert_opts, dry_run), NULL, "say what would be lost, and change nothing" },
	{ .name = NULL },
};
static const struct vh_opt import_opts[] = {
	{ "dry-run", 0, VH_OPT_FLAG, offsetof(struct import_opts, dry_run), NULL, "compare, and change nothing" },
	{ .name = NULL },
};
static const struct vh_opt destroy_opts[] = {
	{ "dry-run", 0, VH_OPT_FLAG, offsetof(struct destroy_opts, dry_run), NULL, "say what would be removed, and remove nothing" },
	{ .name = NULL },
};

static const struct vh_verb verbs[] = {
	{ "plan", "FILE", 1, 1, "show what apply would change, and what that costs", VH_VERB_JSON, plan_opts, sizeof(struct apply_opts), verb_plan },
	{ "apply", "[FILE]", 0, 1, "bring the cluster of a manifest up, or to its state", VH_VERB_JSON, apply_opts, sizeof(struct apply_opts), verb_apply },
	{ "scale", "FILE|NAME [GROUP=]N...", 2, -1, "give a cluster another number of nodes", VH_VERB_JSON, scale_opts, sizeof(struct apply_opts), verb_scale },
	{ "status", "FILE|NAME", 1, 1, "show each node as it is, and why; exit 4 unless all are up", VH_VERB_JSON, status_opts, sizeof(struct status_opts), verb_status },
	{ "list", "", 0, 0, "list the clusters of this host", VH_VERB_JSON, NULL, 0, verb_list },
	{ "leases", "", 0, 0, "list what clusters and VMs hold of this host", VH_VERB_JSON, NULL, 0, verb_leases },
	{ "ssh", "FILE|NAME [NODE] [COMMAND...]", 1, -1, "log in to a node, or run a command there", VH_VERB_REST, ssh_opts, sizeof(struct ssh_opts), verb_ssh },
	{ "cp", "FILE|NAME SOURCE... TARGET", 3, -1, "copy files and directories to nodes and back", 0, ssh_opts, sizeof(struct ssh_opts), verb_cp },
	{ "schema", "", 0, 0, "print a JSON Schema of manifests, for editors", 0, NULL, 0, verb_schema },
	{ "start", "FILE|NAME [NODE]", 1, 2, "start nodes that are off, all or one", 0, start_opts, sizeof(struct life_opts), verb_start },
	{ "stop", "FILE|NAME [NODE]", 1, 2, "shut nodes down, all or one; their leases go back", 0, stop_opts, sizeof(struct life_opts), verb_stop },
	{ "suspend", "FILE|NAME [NODE]", 1, 2, "halt nodes, all or one, with all that they hold", 0, NULL, 0, verb_suspend },
	{ "resume", "FILE|NAME [NODE]", 1, 2, "let halted nodes go on, all or one", 0, start_opts, sizeof(struct life_opts), verb_resume },
	{ "snapshot", "FILE|NAME [SNAPSHOT]", 1, 2, "take a snapshot of all disks while the nodes are off; list those there are", VH_VERB_JSON, snapshot_opts, sizeof(struct snapshot_opts), verb_snapshot },
	{ "revert", "FILE|NAME SNAPSHOT", 2, 2, "bring all disks back to a snapshot; what was written since is lost", VH_VERB_JSON, revert_opts, sizeof(struct revert_opts), verb_revert },
	{ "replace", "FILE|NAME [NODE...]", 1, -1, "make nodes anew from the newest build of their image, one after the other", VH_VERB_JSON, replace_opts, sizeof(struct replace_opts), verb_replace },
	{ "watch", "[NAME...]", 0, -1, "start nodes again that end by themselves, as their manifests say", VH_VERB_JSON, watch_opts, sizeof(struct watch_opts), verb_watch },
	{ "import", "FILE NODE DOMAIN", 3, 3, "take a domain that is there in as a node; its disk stays its own", VH_VERB_JSON, import_opts, sizeof(struct import_opts), verb_import },
	{ "destroy", "FILE|NAME", 1, 1, "remove the cluster and all that was made for it", VH_VERB_JSON, destroy_opts, sizeof(struct destroy_opts), verb_destroy },
	{ "recover", "", 0, 0, "tell a lost store what runs and is there; make a moved directory its own", 0, NULL, 0, verb_recover },
	{ .name = NULL },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc cluster", "Virtual clusters: plan, apply, show and destroy", verbs };

	return vh_main(&prog, argc, argv);
}
