// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/node/cloud_init.h"
#include "images/node/mpi.h"
#include "images/node/node.h"
#include "lib/json.h"
#include "lib/read.h"
#include "images/packages/packages.h"
#include "images/node/units.h"
#include "images/node/logins.h"
#include "lib/strv.h"

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
	/* What the identity put into fstab at this boot, after the generator had read it. */
	{ "usr/lib/systemd/system/vhpc-mounts.service", 0644,
	  "[Unit]\n"
	  "Description=File systems of this node\n"
	  "ConditionFileNotEmpty=/etc/fstab\n"
	  "After=vhpc-identity.service network.target\n"
	  "\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "ExecStart=/bin/mount -a\n", VH_SUITE_HOST },
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
	  "MaxStartups 512:30:1024\n"
	  "MaxSessions 1024\n"
	  "LoginGraceTime 60\n", VH_SUITE_HOST },
	/* OpenSSH 9.8 locks out who connects often without logging in, as one who waits for a boot does. */
	{ "etc/ssh/sshd_config.d/01-vhpc.conf", 0644, "PerSourcePenalties no\n", VH_SUITE_TRIXIE },
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

const char *const vh_guest_programs[] = { "check", "identity", "ivshm", "power", NULL };

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

static int put_component(struct vh_tree *tree, int mpi, const char *guest, struct vh_err *err)
{
	vh_autofree char *status = NULL, *release = NULL;
	size_t len;
	bool put;
	int r = vh_tree_read(tree, "var/lib/dpkg/status", &status, &len, err);

	if (r < 0 || mpi != VH_MPI_OPENMPI)
		return r;
	vh_autojson packages = vh_packages_json(status);
	release = packages ? vh_packages_upstream(packages, vh_mpi_package(mpi)) : NULL;
	return release ? vh_component_put(tree, guest, release, &put, err) : vh_err_nomem(err);
}

/* One line for each item, in a file of its own. */
static int put_lines(struct vh_tree *tree, const char *path, const char *before, char *const *items,
		     struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (; items && *items; items++)
		fprintf(f, "%s%s\n", before, *items);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	return vh_tree_text(tree, path, 0644, text, err);
}

/* systemd-tmpfiles writes them; '-' in its line: where the kernel lacks one, that is no failure. */
static int put_sysfs(struct vh_tree *tree, char *const *values, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (; values && *values; values++)
		fprintf(f, "w- /sys/%.*s - - - - %s\n", (int)strcspn(*values, "="), *values, strchr(*values, '=') + 1);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	return vh_tree_text(tree, "etc/tmpfiles.d/vhpc.conf", 0644, text, err);
}

/* KiB in limits.conf, bytes in a unit, for these. */
static bool in_kib(const char *name)
{
	static const char *const names[] = { "as", "core", "data", "fsize", "memlock", "stack" };
	for (size_t i = 0; i < vh_array_len(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void print_limit(FILE *login, FILE *unit, const char *name, const char *value)
{
	bool unlimited = !strcmp(value, "unlimited");
	fprintf(login, "* - %s %s\nroot - %s %s\n", name, value, name, value);
	fputs("Limit", unit);
	for (; *name; name++)
		fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, unit);
	fprintf(unit, "=%s", unlimited ? "infinity" : value);
}

/* For console logins through PAM, and for sshd, which does without. */
static int put_limits(struct vh_tree *tree, char *const *limits, struct vh_err *err)
{
	vh_autofree char *login = NULL, *unit = NULL;
	size_t login_len, unit_len;
	FILE *l = open_memstream(&login, &login_len), *u = open_memstream(&unit, &unit_len);

	if (!l || !u)
		return vh_err_nomem(err);
	fputs("[Service]\n", u);
	for (; limits && *limits; limits++) {
		vh_autofree char *name = strndup(*limits, strcspn(*limits, "="));
		if (!name)
			continue;
		print_limit(l, u, name, *limits + strlen(name) + 1);
		fputs(in_kib(name) && strcmp(*limits + strlen(name) + 1, "unlimited") ? "K\n" : "\n", u);
	}
	fclose(l);
	fclose(u);
	if (!login || !unit)
		return vh_err_nomem(err);
	int r = vh_tree_text(tree, "etc/security/limits.d/vhpc.conf", 0644, login, err);
	return r < 0 ? r : vh_tree_text(tree, "etc/systemd/system/ssh.service.d/vhpc.conf", 0644, unit, err);
}

static int put_file(struct vh_tree *tree, const struct vh_recipe_file *f, struct vh_err *err)
{
	const char *path = f->path + 1;
	uid_t uid;
	gid_t gid;
	int r = vh_users_owner(tree, f->owner, &uid, &gid, err);

	if (r == 0)
		r = vh_tree_put(tree, path, (mode_t)strtoul(f->mode, NULL, 8), f->data, f->len, err);
	if (r < 0)
		return vh_err_within(err, "files: %s", f->path);
	struct vh_node *node = vh_tree_find_link(tree, path);
	node->uid = uid;
	node->gid = gid;
	return 0;
}

static int put_recipe_files(struct vh_tree *tree, const struct vh_recipe *r, struct vh_err *err)
{
	const struct vh_recipe_file *f = r->files.items;
	int e = 0;

	for (size_t i = 0; e == 0 && i < r->files.n; i++)
		e = put_file(tree, &f[i], err);
	return e;
}

static int put_apt_key(struct vh_tree *tree, const char *name, const char *data, size_t len, struct vh_err *err)
{
	vh_autofree char *path = vh_sources_key(name, data);
	return path ? vh_tree_put(tree, path + 1, 0644, data, len, err) : vh_err_nomem(err);
}

static int put_apt(struct vh_tree *tree, const struct vh_recipe *r, const char *sources, struct vh_err *err)
{
	const struct vh_recipe_repository *p = r->repositories.items;
	int e = vh_tree_text(tree, "etc/apt/sources.list", 0644, sources, err);

	if (e == 0 && r->mirror_key_data)
		e = put_apt_key(tree, VH_MIRROR_KEY, r->mirror_key_data, r->mirror_key_len, err);
	for (size_t i = 0; e == 0 && i < r->repositories.n; i++)
		e = put_apt_key(tree, p[i].name, p[i].key_data, p[i].key_len, err);
	return e;
}

static int put_console_login(struct vh_tree *tree, struct vh_err *err)
{
	return vh_tree_text(tree, "etc/systemd/system/serial-getty@ttyS0.service.d/vhpc.conf", 0644,
			   "[Service]\nExecStart=\n"
			   "ExecStart=-/sbin/agetty --autologin root --keep-baud 115200,57600,38400,9600 - $TERM\n",
			   err);
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

/* The essential packages came before dpkg knew what to leave out. */
static int prune(struct vh_tree *tree, char *const *exclude, struct vh_err *err)
{
	static const char *const always[] = { VH_EXCLUDE, NULL };
	int r = vh_tree_prune(tree, (char *const *)always, VH_KEEP, err);
	return r == 0 && exclude ? vh_tree_prune(tree, exclude, VH_KEEP, err) : r;
}

static int put_settings(struct vh_tree *tree, const struct vh_recipe *r, struct vh_err *err)
{
	int e = put_lines(tree, "etc/sysctl.d/60-vhpc.conf", "", r->sysctl, err);
	if (e == 0)
		e = put_sysfs(tree, r->sysfs, err);
	if (e == 0)
		e = put_limits(tree, r->limits, err);
	if (e == 0)
		e = put_lines(tree, "etc/modprobe.d/vhpc.conf", "blacklist ", r->blacklist, err);
	if (e == 0)
		e = put_lines(tree, "etc/modules-load.d/vhpc.conf", "", r->modules, err);
	return e == 0 && r->console_login ? put_console_login(tree, err) : e;
}

int vh_furnish(struct vh_tree *tree, const struct vh_recipe *r, const char *guest, const char *sources,
	       struct vh_err *err)
{
	int e = prune(tree, r->exclude, err);
	if (e == 0)
		e = put_files(tree, r->suite, err);
	if (e == 0)
		e = put_apt(tree, r, sources, err);
	for (const char *const *p = vh_guest_programs; e == 0 && *p; p++)
		e = put_program(tree, guest, *p, err);
	if (e == 0)
		e = put_component(tree, r->mpi, guest, err);
	if (e == 0)
		e = vh_users_put(tree, r, err);
	if (e == 0)
		e = put_settings(tree, r, err);
	if (e == 0 && r->cloud_init)
		e = vh_cloud_init_put(tree, r->user, err);
	/* The recipe has the last word. */
	if (e == 0)
		e = put_recipe_files(tree, r, err);
	if (e == 0)
		e = vh_units_mask(tree, r->mask, err);
	if (e == 0)
		e = vh_units_enable(tree, r->enable, err);
	return e < 0 ? e : put_list(tree, err);
}
