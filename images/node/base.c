// SPDX-License-Identifier: Apache-2.0
/* What every node has, whatever its recipe says, and what it must not keep: host keys, logs, caches. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "images/cache/cache.h"
#include "images/node/logins.h"
#include "images/node/node.h"
#include "images/packages/packages.h"
#include "lib/answer.h"
#include "lib/files/read.h"
#include "lib/strv.h"

enum { BLOCK = 4096 };		/* of every root file system */

/* suite: only for that one; VH_SUITE_HOST: for all. */
struct file { const char *path; mode_t mode; const char *text; enum vh_suite suite; };
struct link { const char *path, *target; };

static const struct file files[] = {
	{ "usr/lib/systemd/system/vhpc-identity.service", 0644,
	  "[Unit]\n"
	  "Description=Identity of this node\n"
	  "DefaultDependencies=no\n"
	  "Before=systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service\n"
	  "Before=network-pre.target sysinit.target ssh.service\n"
	  "Wants=network-pre.target\n"
	  "\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "ExecStart=/usr/lib/vhpc/identity\n", VH_SUITE_HOST },
	/* What the identity put into fstab at this boot, after the generator had read it: disks have the names of their serial
	 * numbers once udev has seen them. Homes on what is mounted then are made by looking once more. What another node
	 * exports is there when that has come so far. */
	{ "usr/lib/systemd/system/vhpc-mounts.service", 0644,
	  "[Unit]\n"
	  "Description=File systems of this node\n"
	  "ConditionFileNotEmpty=/etc/fstab\n"
	  "After=vhpc-identity.service network.target\n"
	  "\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "TimeoutStartSec=3600\n"
	  "ExecStart=/bin/udevadm settle\n"
	  "ExecStart=/bin/mount -a -t nonfs4\n"
	  "ExecStart=/usr/lib/vhpc/identity\n"
	  "ExecStart=/bin/sh -c 'until mount -a -t nfs4; do sleep 1; done'\n", VH_SUITE_HOST },
	/* What an mpirun that is started in the node itself reads, of what the identity said. */
	{ "usr/lib/systemd/system/vhpc-mpi.service", 0644,
	  "[Unit]\n"
	  "Description=MPI's settings for this node's cluster\n"
	  "DefaultDependencies=no\n"
	  "ConditionPathExists=/etc/vhpc/cluster.json\n"
	  "After=vhpc-identity.service local-fs.target\n"
	  "Before=ssh.service\n"
	  "\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "ExecStart=/usr/lib/vhpc/mpirun-wrap --defaults\n", VH_SUITE_HOST },
	{ "usr/lib/systemd/system/vhpc-power.service", 0644,
	  "[Unit]\n"
	  "Description=Power button\n"
	  "\n"
	  "[Service]\n"
	  "ExecStart=/usr/lib/vhpc/power\n"
	  "Restart=on-failure\n", VH_SUITE_HOST },
	/* Debian's own waits for the network, which sshd need not: it listens on every address. */
	{ "etc/systemd/system/ssh.service", 0644,
	  "[Unit]\n"
	  "Description=OpenBSD Secure Shell server\n"
	  "Documentation=man:sshd(8) man:sshd_config(5)\n"
	  "After=vhpc-identity.service\n"
	  "\n"
	  "[Service]\n"
	  "Type=notify\n"
	  "ExecStart=/usr/sbin/sshd -D\n"
	  "ExecReload=/bin/kill -HUP $MAINPID\n"
	  "KillMode=process\n"
	  "Restart=on-failure\n"
	  "RestartPreventExitStatus=255\n"
	  "RuntimeDirectory=sshd\n"
	  "RuntimeDirectoryMode=0755\n"
	  "TasksMax=infinity\n"
	  "OOMPolicy=continue\n", VH_SUITE_HOST },
	/* Keys only; no PAM, name service or motd between a launcher and its ranks. */
	{ "etc/ssh/sshd_config.d/00-vhpc.conf", 0644,
	  "HostKey /etc/ssh/ssh_host_ed25519_key\n"
	  "AuthorizedKeysFile .ssh/authorized_keys /" VH_KEYS_DIR "/%u\n"
	  "UsePAM no\n"
	  "UseDNS no\n"
	  "PasswordAuthentication no\n"
	  "KbdInteractiveAuthentication no\n"
	  "PermitRootLogin prohibit-password\n"
	  "PrintMotd no\n"
	  "PrintLastLog no\n"
	  "X11Forwarding no\n"
	  "ClientAliveInterval 15\n"
	  "ClientAliveCountMax 4\n"
	  "MaxStartups 512:30:1024\n"
	  "MaxSessions 1024\n"
	  "LoginGraceTime 60\n", VH_SUITE_HOST },
	/* OpenSSH 9.8 locks out who connects often without logging in, as one who waits for a boot does. */
	{ "etc/ssh/sshd_config.d/01-vhpc.conf", 0644, "PerSourcePenalties no\n", VH_SUITE_TRIXIE },
	/* From node to node, as the identity's key and host keys allow it. */
	{ "etc/vhpc/ssh_config", 0644,
	  "Host *\n"
	  "  IdentityFile /etc/vhpc/keys/%u\n"
	  "  IdentityFile ~/.ssh/id_ed25519\n"
	  "  IdentitiesOnly yes\n"
	  "  UserKnownHostsFile /dev/null\n"
	  "  StrictHostKeyChecking yes\n"
	  "  PreferredAuthentications publickey\n"
	  "  BatchMode yes\n"
	  "  ConnectTimeout 30\n"
	  "  ServerAliveInterval 15\n"
	  "  LogLevel ERROR\n", VH_SUITE_HOST },
	{ "etc/systemd/journald.conf.d/vhpc.conf", 0644,
	  "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n", VH_SUITE_HOST },
	{ "etc/default/locale", 0644, "LANG=C.UTF-8\n", VH_SUITE_HOST },
	{ "etc/hostname", 0644, "localhost\n", VH_SUITE_HOST },
	{ "etc/hosts", 0644, "127.0.0.1 localhost\n::1 localhost\n", VH_SUITE_HOST },
	{ "etc/resolv.conf", 0644, "", VH_SUITE_HOST },
	{ "etc/fstab", 0644, "", VH_SUITE_HOST },
	/* Empty: made at the first boot, and that boot is no 'first boot' with presets. */
	{ "etc/machine-id", 0444, "", VH_SUITE_HOST },
	{ "var/lib/dpkg/info/" VH_GUEST_PACKAGE ".md5sums", 0644, "", VH_SUITE_HOST },
};

static const struct link links[] = {
	{ "etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target" },
	{ "etc/systemd/system/sysinit.target.wants/vhpc-identity.service",
	  "/usr/lib/systemd/system/vhpc-identity.service" },
	{ "etc/systemd/system/multi-user.target.wants/vhpc-mounts.service",
	  "/usr/lib/systemd/system/vhpc-mounts.service" },
	{ "etc/systemd/system/multi-user.target.wants/vhpc-power.service",
	  "/usr/lib/systemd/system/vhpc-power.service" },
	{ "etc/systemd/system/multi-user.target.wants/ssh.service", "/etc/systemd/system/ssh.service" },
	{ "etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
	  "/lib/systemd/system/systemd-networkd.service" },
	{ "etc/systemd/system/sockets.target.wants/systemd-networkd.socket",
	  "/lib/systemd/system/systemd-networkd.socket" },
};

/* What package scripts left behind that is secret, of the build, or made again. */
static const struct { const char *dir, *prefix; } leftovers[] = {
	{ "etc/munge", "munge.key" },
	{ "etc/ssh", "ssh_host_" },
	{ ".", "vmlinuz" }, { ".", "initrd.img" },
	{ "boot", "vmlinuz-" },
	{ "boot", "System.map-" },
	{ "etc", "passwd-" }, { "etc", "group-" }, { "etc", "shadow-" }, { "etc", "gshadow-" },
	{ "etc/apt/apt.conf.d", "99mmdebstrap" },
	{ "etc/dpkg/dpkg.cfg.d", "99mmdebstrap" },
	{ "var/log", "" }, { "var/log/apt", "" },
	{ "var/cache/apt", "" }, { "var/cache/ldconfig", "" },
	{ "var/cache/debconf", "" },
	{ "var/lib/apt/lists", "" },
	{ "var/lib/dpkg", "available" }, { "var/lib/dpkg", "status-old" },
	{ "var/lib/dpkg", "diversions-old" }, { "var/lib/dpkg", "statoverride-old" },
	{ "var/lib/systemd", "random-seed" },
};

const char *const vh_guest_programs[] = { "check", "head", "identity", "ivshm", "mpirun-wrap", "power", NULL };

void vh_furnish_digest(SHA256_CTX *s)
{
	for (size_t i = 0; i < vh_array_len(files); i++) {
		vh_digest_text(s, files[i].path);
		vh_digest_text(s, files[i].text);
	}
	for (size_t i = 0; i < vh_array_len(links); i++) {
		vh_digest_text(s, links[i].path);
		vh_digest_text(s, links[i].target);
	}
	for (size_t i = 0; i < vh_array_len(leftovers); i++) {
		vh_digest_text(s, leftovers[i].dir);
		vh_digest_text(s, leftovers[i].prefix);
	}
}

static int put_files(struct vh_tree *tree, int suite, struct vh_err *err)
{
	int r = 0;
	/* The kernel's own is mounted there, and without root nobody makes devices. */
	vh_tree_empty(tree, "dev");
	for (size_t i = 0; i < vh_array_len(leftovers); i++)
		vh_tree_clean(tree, leftovers[i].dir, leftovers[i].prefix);
	for (size_t i = 0; r == 0 && i < vh_array_len(files); i++)
		if (files[i].suite == VH_SUITE_HOST || (int)files[i].suite == suite)
			r = vh_tree_text(tree, files[i].path, files[i].mode, files[i].text, err);
	for (size_t i = 0; r == 0 && i < vh_array_len(links); i++)
		r = vh_tree_symlink(tree, links[i].target, links[i].path, err);
	return r;
}

static int put_program(struct vh_tree *tree, const char *guest, const char *name, struct vh_err *err)
{
	vh_autofree char *from = vh_strf("%s/%s", guest, name), *to = vh_strf("usr/lib/vhpc/%s", name);
	vh_autofree char *data = NULL;
	size_t len;

	if (!from || !to)
		return vh_err_nomem(err);
	int r = vh_host_file(from, &data, &len, err);
	return r < 0 ? r : vh_tree_put(tree, to, 0755, data, len, err);
}

/* dpkg -S and dpkg --audit know these files too. */
static int put_list(struct vh_tree *tree, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	fputs("/.\n/usr\n/usr/lib\n/usr/lib/vhpc\n", f);
	for (const char *const *p = vh_guest_programs; *p; p++)
		fprintf(f, "/usr/lib/vhpc/%s\n", *p);
	for (size_t i = 0; i < vh_array_len(files); i++)
		if (!strncmp(files[i].path, "usr/", 4))
			fprintf(f, "/%s\n", files[i].path);
	fclose(f);
	return text ? vh_tree_text(tree, "var/lib/dpkg/info/" VH_GUEST_PACKAGE ".list", 0644, text, err) :
	       vh_err_nomem(err);
}

static int put_base(const struct vh_furnish *to, struct vh_err *err)
{
	int r = put_files(to->tree, to->recipe->suite, err);

	for (const char *const *p = vh_guest_programs; r == 0 && *p; p++)
		r = put_program(to->tree, to->guest, *p, err);
	return r < 0 ? r : put_list(to->tree, err);
}

/* It was given a larger disk than its own. */
static int judge_root(const struct vh_judge *j, const char *key, const json_t *value)
{
	vh_autofree char *found = vh_answer(j->text, "root");
	unsigned long long size = found ? strtoull(found, NULL, 10) * BLOCK : 0;
	json_int_t built = json_integer_value(json_object_get(json_object_get(j->image, "root"), "size"));
	vh_autofree char *wanted = vh_strf("more than %lld", (long long)built), *is = vh_strf("%llu", size);

	(void)key;
	(void)value;
	if (j->overlay)
		return 0;
	return wanted && is ? vh_judge_add(j, "root grown", wanted, is, size > (unsigned long long)built) :
	       vh_err_nomem(j->err);
}

static const struct vh_subject_key keys[] = {
	{ "size", NULL, judge_root },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_base = { put_base, keys };
