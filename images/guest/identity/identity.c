// SPDX-License-Identifier: Apache-2.0
/* Gives a booting node its identity (docs/formats/identity.md) before udev, the network
 * and sshd come up: from the credential, else from a NoCloud or ConfigDrive seed, which
 * counts once for each instance id. Runs as often as one likes: a file that is right is left
 * alone. Where no host key came with it, one is made. --no-seed: cloud-init reads seeds.
 * usage: identity [--no-seed|FILE|SEED-DIRECTORY [ROOT]] */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "images/guest/files.h"
#include "images/guest/identity_parse.h"
#include "images/guest/guest.h"
#include "images/guest/identity/home.h"
#include "images/guest/seed_find.h"
#include "images/guest/slurm.h"
#include "images/guest/identity/told.h"
#include "images/guest/identity/users.h"

#define INSTANCE "var/lib/vhpc/instance-id"
#define EXPORTS "etc/exports.d/vhpc.exports"
#define HOST_KEY "etc/ssh/ssh_host_ed25519_key"

static int apply_names(int root, const struct vh_identity *id, bool live)
{
	char *text = NULL;
	size_t len = 0;
	char line[80];

	snprintf(line, sizeof line, "%s\n", id->hostname);
	if (vh_guest_text(root, "etc/hostname", 0644, line) < 0)
		return -1;
	if (live && sethostname(id->hostname, strlen(id->hostname)) < 0)
		return vh_guest_complain("sethostname", strerror(errno));
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return vh_guest_complain("etc/hosts", strerror(errno));
	fputs("127.0.0.1 localhost\n::1 localhost\n", f);
	bool listed = false;
	for (size_t i = 0; i < id->n_hosts; i++) {
		fprintf(f, "%s %s\n", id->hosts[i].address, id->hosts[i].name);
		listed |= !strcmp(id->hosts[i].name, id->hostname);
	}
	if (!listed)
		fprintf(f, "127.0.1.1 %s\n", id->hostname);
	fclose(f);
	int r = text ? vh_guest_text(root, "etc/hosts", 0644, text) : -1;
	free(text);
	return r;
}

/* The name by MAC before udev sees the card; a fixed address, and nothing to wait for. */
static int apply_nic(int root, const struct vh_id_nic *nic, unsigned mtu)
{
	char path[96], text[640], size[32] = "", way[48] = "", match[48], address[40] = "";

	if (mtu)
		snprintf(size, sizeof size, "MTUBytes=%u\n", mtu);
	if (*nic->gateway)
		snprintf(way, sizeof way, "Gateway=%s\n", nic->gateway);
	snprintf(match, sizeof match, *nic->mac ? "MACAddress=%s" : "Name=%s", *nic->mac ? nic->mac : nic->name);
	if (*nic->address)
		snprintf(address, sizeof address, "Address=%s/%u\n", nic->address, nic->prefix);
	snprintf(path, sizeof path, "etc/systemd/network/10-vhpc-%s.link", nic->name);
	snprintf(text, sizeof text, "[Match]\n%s\n\n[Link]\nName=%s\n%s", match, nic->name, size);
	if (*nic->mac && vh_guest_text(root, path, 0644, text) < 0)
		return -1;
	snprintf(path, sizeof path, "etc/systemd/network/10-vhpc-%s.network", nic->name);
	snprintf(text, sizeof text,
		 "[Match]\n%s\n\n[Link]\n%s\n[Network]\n%s%sDHCP=%s\n"
		 "LinkLocalAddressing=no\nIPv6AcceptRA=no\nLLMNR=no\nMulticastDNS=no\n"
		 "ConfigureWithoutCarrier=yes\n", match, size, address, way, *nic->address ? "no" : "ipv4");
	return vh_guest_text(root, path, 0644, text);
}

static int apply_nics(int root, const struct vh_identity *id)
{
	if (vh_guest_directory(root, "etc/systemd/network", 0755, 0, 0) < 0)
		return -1;
	for (size_t i = 0; i < id->n_nics; i++)
		if (apply_nic(root, &id->nics[i], id->mtu) < 0)
			return -1;
	if (!id->dhcp)
		return 0;
	return vh_guest_text(root, "etc/systemd/network/90-vhpc-dhcp.network", 0644,
			"[Match]\nType=ether\n\n[Network]\nDHCP=ipv4\nLLMNR=no\nMulticastDNS=no\n");
}

static int apply_dns(int root, const struct vh_identity *id)
{
	char text[VH_ID_DNS_MAX * 32] = "";

	for (size_t i = 0; i < id->n_dns; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "nameserver %s\n", id->dns[i]);
	return id->n_dns ? vh_guest_text(root, "etc/resolv.conf", 0644, text) : 0;
}

/* systemd's generator sees them from the next boot on; vhpc-mounts.service does at this one. */
static int apply_mounts(int root, const struct vh_identity *id)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = id->n_mounts ? open_memstream(&text, &len) : NULL;

	for (size_t i = 0; f && i < id->n_mounts; i++)
		fprintf(f, "%s %s %s %s,X-mount.mkdir 0 0\n", id->mounts[i].source, id->mounts[i].target, id->mounts[i].type,
			id->mounts[i].options);
	if (f)
		fclose(f);
	int r = text ? vh_guest_text(root, "etc/fstab", 0644, text) : 0;
	free(text);
	return r;
}

/* The recipe's nfs-server starts where the file is. Root of another node is nobody here, and its users who they are. */
static int apply_exports(int root, const struct vh_identity *id)
{
	char text[VH_ID_EXPORTS_MAX * 256] = "";

	for (size_t i = 0; i < id->n_exports; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s %s/%u(rw,sync,root_squash,no_subtree_check)\n",
			 id->exports[i].target, id->exports[i].network, id->exports[i].prefix);
	if (!id->n_exports)
		return unlinkat(root, EXPORTS, 0) == 0 || errno == ENOENT ? 0 : vh_guest_complain(EXPORTS, strerror(errno));
	return vh_guest_directory(root, "etc/exports.d", 0755, 0, 0) < 0 ? -1 : vh_guest_text(root, EXPORTS, 0644, text);
}

static int apply_hostkey(int root, const struct vh_identity *id)
{
	const struct vh_guest_file key = { "etc/ssh/ssh_host_ed25519_key", id->hostkey, id->hostkey_len, 0600, 0, 0 };
	char *line = NULL;

	if (id->hostkey && vh_guest_put(root, &key) < 0)
		return -1;
	if (!id->hostkey_pub)
		return 0;
	if (asprintf(&line, "%s\n", id->hostkey_pub) < 0)
		return vh_guest_complain("host key", "out of memory");
	int r = vh_guest_text(root, "etc/ssh/ssh_host_ed25519_key.pub", 0644, line);
	free(line);
	return r;
}

/* A machine that nobody gave a host key makes its own, once. */
static int make_hostkey(const char *root)
{
	char path[256];
	char *const argv[] = { (char *)"ssh-keygen", (char *)"-q", (char *)"-t", (char *)"ed25519", (char *)"-N", (char *)"",
			       (char *)"-C", (char *)"", (char *)"-f", path, NULL };
	pid_t pid;
	int status;

	snprintf(path, sizeof path, "%s/" HOST_KEY, !strcmp(root, "/") ? "" : root);
	if (access(path, F_OK) == 0)
		return 0;
	char *slash = strrchr(path, '/');
	*slash = 0;
	if (access(path, F_OK) < 0)
		return 0;	/* no sshd */
	*slash = '/';
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		return vh_guest_complain("ssh-keygen", "cannot be started");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return vh_guest_complain(path, "cannot be made");
	return 0;
}

/* The key by which the user reaches the other nodes; nobody else has it, root neither. */
static int put_userkey(int root, const struct passwd *user, const char *dir, const struct vh_identity *id)
{
	char path[144], pub[160], *line = NULL;
	const struct vh_guest_file key = { path, id->userkey, id->userkey_len, 0600, user->pw_uid, user->pw_gid };

	snprintf(path, sizeof path, "%s/id_ed25519", dir);
	snprintf(pub, sizeof pub, "%s.pub", path);
	if (asprintf(&line, "%s\n", id->userkey_pub) < 0)
		return vh_guest_complain("key", "out of memory");
	int r = vh_guest_put(root, &key);
	if (r == 0)
		r = vh_guest_put(root, &(struct vh_guest_file){ pub, line, strlen(line), 0644, user->pw_uid, user->pw_gid });
	free(line);
	return r;
}

/* The image has one, which a file system on /home hides. */
static int make_home(int root, const struct passwd *user)
{
	struct vh_id_user main_user = { .uid = user->pw_uid };

	if (strlen(user->pw_name) >= sizeof main_user.name || strncmp(user->pw_dir, "/home/", 6) || strcmp(user->pw_dir + 6, user->pw_name))
		return 0;
	snprintf(main_user.name, sizeof main_user.name, "%s", user->pw_name);
	return vh_home_make(root, &main_user);
}

static int authorize(int root, const struct passwd *user, const struct vh_identity *id)
{
	const bool main_user = user->pw_uid == VH_USER_MAIN && id->userkey && id->userkey_pub;
	char dir[128], path[160], *keys = NULL;
	size_t len = 0;
	const char *home = user->pw_dir + strspn(user->pw_dir, "/");

	if (!*home || strlen(home) > 100 || strstr(home, ".."))
		return vh_guest_complain(user->pw_name, "has no usable home directory");
	snprintf(dir, sizeof dir, "%s/.ssh", home);
	snprintf(path, sizeof path, "%s/authorized_keys", dir);
	if (vh_guest_directory(root, dir, 0700, user->pw_uid, user->pw_gid) < 0)
		return -1;
	FILE *f = open_memstream(&keys, &len);
	if (!f)
		return vh_guest_complain(path, "out of memory");
	for (size_t i = 0; i < id->n_authorized; i++)
		fprintf(f, "%s\n", id->authorized[i]);
	if (main_user)
		fprintf(f, "%s\n", id->userkey_pub);
	int r = fclose(f) ? vh_guest_complain(path, "out of memory") :
		vh_guest_put(root, &(struct vh_guest_file){ path, keys, len, 0600, user->pw_uid, user->pw_gid });
	free(keys);
	return r == 0 && main_user ? put_userkey(root, user, dir, id) : r;
}

/* root and the cluster's user, by uid, as the image's own passwd names them. Homes of another node's are made there. */
static int apply_keys(int root, const struct vh_identity *id)
{
	int r = 0, fd = openat(root, "etc/passwd", O_RDONLY | O_CLOEXEC);
	FILE *passwd = fd < 0 ? NULL : fdopen(fd, "r");

	if (!passwd)
		return vh_guest_complain("etc/passwd", strerror(errno));
	for (struct passwd *user; r == 0 && (user = fgetpwent(passwd));) {
		bool main_user = user->pw_uid == VH_USER_MAIN && !vh_home_is_remote(root);
		if (main_user)
			r = make_home(root, user);
		if (r == 0 && (user->pw_uid == 0 || main_user))
			r = authorize(root, user, id);
	}
	fclose(passwd);
	return r;
}

static const char *address_of(const struct vh_identity *id, const char *name)
{
	for (size_t i = 0; i < id->n_hosts; i++)
		if (!strcmp(id->hosts[i].name, name))
			return id->hosts[i].address;
	return NULL;
}

/* The cluster's record, for launchers, and the host keys of its nodes. */
static int apply_cluster(int root, const struct vh_identity *id)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = id->n_known ? open_memstream(&text, &len) : NULL;

	for (size_t i = 0; f && i < id->n_known; i++) {
		const char *address = address_of(id, id->known[i].name);
		fprintf(f, "%s%s%s %s\n", id->known[i].name, address ? "," : "", address ? address : "", id->known[i].key);
	}
	if (f)
		fclose(f);
	int r = text ? vh_guest_text(root, "etc/ssh/ssh_known_hosts", 0644, text) : 0;
	free(text);
	if (r < 0 || !id->cluster)
		return r;
	return vh_guest_directory(root, "etc/vhpc", 0755, 0, 0) < 0 ? -1 : vh_guest_text(root, "etc/vhpc/cluster.json", 0644, id->cluster);
}

static int apply(int root, const struct vh_identity *id, bool live)
{
	if (apply_names(root, id, live) < 0 || apply_nics(root, id) < 0 || apply_dns(root, id) < 0 ||
	    apply_mounts(root, id) < 0 || apply_exports(root, id) < 0 || apply_hostkey(root, id) < 0 || apply_cluster(root, id) < 0)
		return -1;
	int keys = apply_keys(root, id), slurm = vh_slurm_apply(root, &id->slurm);
	return vh_users_apply(root, id, live) < 0 || slurm < 0 ? -1 : keys;
}

/* Of another instance: this disk was that machine's, whose host key is not ours. */
static int begin_instance(int root, const struct vh_identity *id, bool *ret_known)
{
	char line[160];
	const struct vh_guest_file mark = { INSTANCE, line, (size_t)snprintf(line, sizeof line, "%s\n", id->instance), 0644, 0, 0 };
	struct stat st;

	*ret_known = vh_guest_has(root, &mark);
	if (*ret_known || fstatat(root, INSTANCE, &st, 0) < 0)
		return 0;
	unlinkat(root, HOST_KEY, 0);
	unlinkat(root, HOST_KEY ".pub", 0);
	return 0;
}

static int end_instance(int root, const struct vh_identity *id)
{
	char line[160];

	snprintf(line, sizeof line, "%s\n", id->instance);
	return vh_guest_directory(root, "var/lib/vhpc", 0755, 0, 0) < 0 ? -1 : vh_guest_text(root, INSTANCE, 0644, line);
}

/* told: while it runs. */
static int use_text(const char *text, size_t len, int root, bool live, bool told)
{
	struct vh_identity id;
	char why[128];
	bool known = false;
	int r = 0;

	if (vh_identity_parse(text, len, &id, why, sizeof why) < 0)
		return vh_guest_complain("identity refused", why);
	if (told)
		r = vh_told_keep(root, text, len);
	if (r == 0 && *id.instance)
		r = begin_instance(root, &id, &known);
	if (r == 0 && !known)
		r = apply(root, &id, live);
	if (r == 0 && *id.instance && !known)
		r = end_instance(root, &id);
	vh_identity_clear(&id);
	return r;
}

static int use_seed(const char *dir, int root, bool live)
{
	struct vh_seed_files files = { 0 };
	struct vh_seed seed = { 0 };
	char *text = NULL, *skipped = NULL, why[256] = "";
	int r = dir ? vh_seed_read(dir, &files, &seed, why, sizeof why) : vh_seed_find(&files, &seed, why, sizeof why);

	if (r == 1)
		r = vh_seed_text(&seed, &text, &skipped, why, sizeof why);
	vh_seed_files_clear(&files);
	if (skipped)
		vh_guest_complain("left out of the seed", skipped);
	free(skipped);
	if (r < 0)
		return vh_guest_complain("seed refused", why);
	if (text) {
		r = use_text(text, strlen(text), root, live, false);
		explicit_bzero(text, strlen(text));
	}
	free(text);
	return r;
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int use_file(const char *path, int root, bool live)
{
	size_t len;
	char *text = vh_guest_read(AT_FDCWD, path, VH_ID_TEXT_MAX, &len);

	if (!text)
		return vh_guest_complain(path, strerror(errno));
	int r = use_text(text, len, root, live, true);
	explicit_bzero(text, len);
	free(text);
	return r;
}

/* Or what has been told since, while it ran. */
static int use_credential(int root, bool live)
{
	size_t len, told_len = 0;
	char *text = vh_guest_read(root, VH_CREDENTIAL, VH_ID_TEXT_MAX, &len);

	if (!text)
		return vh_guest_complain(VH_CREDENTIAL, strerror(errno));
	char *told = vh_told_since(root, text, len, &told_len);
	int r = told ? use_text(told, told_len, root, live, false) : use_text(text, len, root, live, false);
	explicit_bzero(text, len);
	free(text);
	if (told)
		explicit_bzero(told, told_len);
	free(told);
	return r;
}

/* What was given, else the credential, else a seed. */
static int use(const char *given, int root, bool live)
{
	bool seeds = !given || strcmp(given, "--no-seed");

	if (given && seeds)
		return is_directory(given) ? use_seed(given, root, live) : use_file(given, root, live);
	if (faccessat(root, VH_CREDENTIAL, F_OK, 0) == 0)
		return use_credential(root, live);
	return seeds ? use_seed(NULL, root, live) : 0;
}

int main(int argc, char **argv)
{
	const char *root_path = argc > 2 ? argv[2] : "/";
	int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (root < 0)
		return vh_guest_complain(root_path, strerror(errno)) ? 1 : 0;
	umask(0022);
	r = use(argc > 1 ? argv[1] : NULL, root, argc < 3);
	/* Also where the identity was refused: the console is not the only way in then. */
	if (make_hostkey(root_path) < 0)
		r = -1;
	return r == 0 ? 0 : 1;
}
