// SPDX-License-Identifier: Apache-2.0
#include "images/node/cloud_init.h"
#include "images/node/node.h"
#include "lib/strv.h"

static const struct { const char *path, *text; } files[] = {
	/* A credential still counts, and the host key of a machine that nobody gave one. Earlier than
	 * cloud-init, which makes another for each instance. */
	{ "etc/systemd/system/vhpc-identity.service.d/cloud-init.conf",
	  "[Unit]\n"
	  "Before=cloud-init-local.service cloud-init-main.service\n"
	  "\n"
	  "[Service]\n"
	  "ExecStart=\n"
	  "ExecStart=/usr/lib/vhpc/identity --no-seed\n" },
	/* Before 00-vhpc.conf: cloud-init locks passwords, and without PAM sshd takes that for the account. */
	{ "etc/ssh/sshd_config.d/00-cloud-init.conf", "UsePAM yes\n" },
};

/* Its defaults would make a user "debian", turn root away, and make keys that sshd here never shows. */
static int put_settings(struct vh_tree *tree, const char *user, struct vh_err *err)
{
	vh_autofree char *text = vh_strf("disable_root: false\n"
					 "manage_etc_hosts: localhost\n"
					 "ssh_genkeytypes: [ed25519]\n"
					 "growpart: {mode: \"off\"}\n"
					 "resize_rootfs: false\n"
					 "system_info:\n"
					 "  default_user: {name: \"%s\", lock_passwd: false}\n", user);
	return text ? vh_tree_text(tree, "etc/cloud/cloud.cfg.d/60-vhpc.cfg", 0644, text, err) : vh_err_nomem(err);
}

int vh_cloud_init_put(struct vh_tree *tree, const char *user, struct vh_err *err)
{
	int r = put_settings(tree, user, err);

	for (size_t i = 0; r == 0 && i < vh_array_len(files); i++)
		r = vh_tree_text(tree, files[i].path, 0644, files[i].text, err);
	return r;
}

static int put_cloud_init(const struct vh_furnish *to, struct vh_err *err)
{
	return to->recipe->cloud_init ? vh_cloud_init_put(to->tree, to->recipe->user, err) : 0;
}

/* It has the seeds, vhpc's own program leaves them, and CD-ROMs are there before it looks. */
static void ask_cloud_init(FILE *f, const json_t *value)
{
	if (json_is_true(value))
		fputs("say cloud-init \"$(systemctl is-enabled cloud-init-local.service 2>&1 | tail -n 1) "
		      "$(systemctl show -p ExecStart --value vhpc-identity.service | grep -o -e --no-seed) "
		      "$([ ! -e /sys/bus/scsi/drivers/sr ] || echo cd)\"\n", f);
}

static int judge_cloud_init(const struct vh_judge *j, const char *key, const json_t *value)
{
	return json_is_true(value) ? vh_judge_equal(j, key, "cloud-init", "enabled --no-seed cd") : 0;
}

static const struct vh_subject_key keys[] = {
	{ "cloud_init", ask_cloud_init, judge_cloud_init },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_cloud_init = { put_cloud_init, keys };
