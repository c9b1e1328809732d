// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <stdio.h>

#include "lib/files/home.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/cli/decide.h"
#include "tools/cluster/cli/show.h"
#include "tools/cluster/cli/verbs/apply.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

/* As Terraform has it: something to do. */
enum { EXIT_CHANGES = 2 };

static int open_virt(const struct vh_cli *cli, struct session *s, struct vh_err *err)
{
	int r = vh_virt_open(&s->virt, cli->connect, cli->state, false, err);

	return r == -ENOTCONN && !err->num ? 0 : r;
}

/* A captured host is planned on as if nothing were there. */
static int look_at_new(const struct vh_cli *cli, struct session *s, struct sights *ret, struct vh_err *err)
{
	int r = cli->root ? 0 : decide_bridge(&s->cluster, err);

	if (r == 0 && !cli->root)
		r = decide_volumes(&s->cluster, err);
	if (r == 0 && !cli->root)
		r = open_virt(cli, s, err);
	if (r == 0 && s->virt)
		r = decide_names(s, err);
	if (r == 0 && s->virt)
		r = decide_daemon(s, err);
	if (r < 0)
		return r;
	return sights_new(&s->cluster, ret) < 0 ? vh_err_nomem(err) : 0;
}

static int look_at_existing(const struct vh_cli *cli, struct session *s, struct sights *ret, struct vh_err *err)
{
	struct context ctx;
	int r = cli->root ? vh_err_refuse(err, EROFS, "cluster %s: exists; what is there of it is not seen on a captured host (--root)",
					  s->cluster.name)
			  : open_virt(cli, s, err);

	if (r == 0 && s->virt)
		r = decide_names(s, err);
	if (r == 0 && s->virt)
		r = decide_daemon(s, err);
	if (r == 0)
		r = decide_volumes(&s->cluster, err);
	if (r < 0)
		return r;
	ctx = session_context(cli, s, 0);
	return sights_look(&ctx, false, ret, err);
}

int plan_wanted(const struct vh_cli *cli, const struct saved *want, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	vh_cleanup(sights_clear) struct sights sights = { 0 };
	autosession s = { .lock = -1 };
	autodata data = { .n = 0 };
	bool exists;
	/* What apply would refuse. */
	int r = vh_home_check(cli->state, err);

	if (r == 0 && !cli->root)
		r = vh_lives_sweep_state(cli->state, err);
	if (r == 0)
		r = vh_store_open(&s.store, cli->state, VH_STORE_READ, err);
	if (r == 0)
		r = decide_plan(cli, want, &s, &exists, err);
	if (r == 0)
		r = exists ? look_at_existing(cli, &s, &sights, err) : look_at_new(cli, &s, &sights, err);
	if (r == 0 && !cli->root)
		r = data_see(&s.cluster.volumes, s.cluster.volumes_dir, &data, err);
	if (r == 0 && o->out)
		r = saved_write(o->out, want->manifest, &s.cluster, exists, &sights, &data, err);
	if (r == 0 && o->out && !cli->quiet)
		fprintf(stderr, "%s: saved: apply --plan %s does exactly this\n", cli->prog, o->out);
	if (r == 0)
		r = plan_show(cli, &s.cluster, exists, &sights, &data, err);
	return r < 0 ? r : o->detailed && changes_count(&sights) ? EXIT_CHANGES : 0;
}

int verb_plan(struct vh_cli *cli, struct vh_err *err)
{
	autosaved want = { 0 };
	int r = saved_new(&want) < 0 ? vh_err_nomem(err) : manifest_load(cli->argv[0], want.manifest, err);

	return r < 0 ? r : plan_wanted(cli, &want, err);
}
