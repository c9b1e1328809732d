// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>

#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/cli/show.h"
#include "vmm/virt/virt.h"

/* Without a record nothing of the cluster can be there but its daemon and a half-made directory. */
static int nothing_there(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s/clusters/%s.part", cli->state, name);
	int r = part ? record_lost(cli->state, name, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_remove_tree(part, err);
	/* A daemon that a killed run started serves nobody. */
	if (r == 0)
		r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s->progress), "not there: nothing to remove");
	return 0;
}

static int dry_run(const struct vh_cli *cli, const char *name, struct vh_err *err)
{
	autosession s = { .lock = -1 };
	struct context ctx;
	int r = session_look(cli, name, &s, err);

	if (r == -ENOENT) {
		vh_err_clear(err);
		return dry_run_show(cli, NULL, s.store, err);
	}
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	return dry_run_show(cli, &ctx, s.store, err);
}

int verb_destroy(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *name = NULL;
	autosession s = { .lock = -1 };
	const struct destroy_opts *o = cli->opts;
	struct context ctx;
	int r = cluster_name(cli->argv[0], &name, err);

	if (r == 0 && o->dry_run)
		return dry_run(cli, name, err);
	if (r == 0 && cli->json)
		r = vh_err_usage(err, "--json: what was removed is not told; --dry-run tells what would be");
	if (r == 0)
		r = session_open(cli, name, &s, err);
	if (r < 0)
		return r;
	r = record_load(s.store, cli->state, name, &s.cluster, err);
	if (r == -ENOENT)
		return nothing_there(cli, name, &s, err);
	if (r == 0)
		r = vh_virt_open(&s.virt, cli->connect, cli->state, true, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, &s, 0);
	r = session_undo(&ctx, s.store, err);
	if (r < 0) {
		vh_err_as(err, VH_EXIT_PARTIAL);
		return err->hint ? r : vh_err_hint(err, "destroy again once the cause is gone");
	}
	vh_virt_close(vh_steal(&s.virt));
	r = vh_virt_stop_private(cli->state, err);
	if (r < 0)
		return r;
	vh_progress_end(vh_steal(&s.progress), "removed; nothing of it is left on this host");
	return 0;
}
