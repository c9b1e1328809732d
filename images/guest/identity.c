// SPDX-License-Identifier: Apache-2.0
/* Gives a booting node its identity (docs/formats/identity.md) before udev, the network
 * and sshd come up. Runs as often as one likes: a file that is right is left alone.
 * usage: identity [FILE [ROOT]]; without a credential there is nothing to do. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "images/guest/identity_parse.h"

#define CREDENTIAL "/run/credentials/@system/vhpc.identity"

enum { CLUSTER_USER = 1000 };

/* Where a file goes, what it holds, whose it is. */
struct file {
	const char *path;	/* below the root, no leading slash */
	const char *text;
	size_t len;
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "vhpc-identity: %s: %s\n", what, why);
	return -1;
}

static char *read_all(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(VH_ID_TEXT_MAX + 2);
	size_t len = 0;
	ssize_t n = 0;
	while (text && len <= VH_ID_TEXT_MAX && (n = read(fd, text + len, VH_ID_TEXT_MAX + 1 - len)) > 0)
		len += (size_t)n;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		text = NULL;
	}
	errno = saved;
	*ret_len = len;
	return text;
}

static bool same(int root, const struct file *f)
{
	struct stat st;
	int fd = openat(root, f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *have = malloc(f->len + 1);
	bool ok = fd >= 0 && have && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		  (st.st_mode & 07777) == f->mode && st.st_uid == f->uid && st.st_gid == f->gid &&
		  (size_t)st.st_size == f->len && read(fd, have, f->len + 1) == (ssize_t)f->len &&
		  !memcmp(have, f->text, f->len);
	free(have);
	if (fd >= 0)
		close(fd);
	return ok;
}

static int fill(int fd, const struct file *f)
{
	size_t done = 0;
	while (done < f->len) {
		ssize_t n = write(fd, f->text + done, f->len - done);
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return fchmod(fd, f->mode);
}

/* By a temporary name and a rename; no fsync, for every boot writes what is not right. */
static int put(int root, const struct file *f)
{
	char tmp[256];
	if (same(root, f))
		return 0;
	snprintf(tmp, sizeof tmp, "%s.new", f->path);
	unlinkat(root, tmp, 0);
	int fd = openat(root, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain(f->path, strerror(errno));
	bool own = geteuid() != 0 || fchown(fd, f->uid, f->gid) == 0;
	int r = own ? fill(fd, f) : -1;
	if (close(fd) < 0 || r < 0 || renameat(root, tmp, root, f->path) < 0) {
		complain(f->path, strerror(errno));
		unlinkat(root, tmp, 0);
		return -1;
	}
	return 0;
}

static int put_text(int root, const char *path, mode_t mode, const char *text)
{
	return put(root, &(struct file){ path, text, strlen(text), mode, 0, 0 });
}

static int directory(int root, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdirat(root, path, mode) < 0 && errno != EEXIST)
		return complain(path, strerror(errno));
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && fchmod(fd, mode) == 0 && (geteuid() != 0 || fchown(fd, uid, gid) == 0);
	if (!ok)
		complain(path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}

static int apply_names(int root, const struct vh_identity *id, bool live)
{
	char *text = NULL;
	size_t len = 0;
	char line[80];

	snprintf(line, sizeof line, "%s\n", id->hostname);
	if (put_text(root, "etc/hostname", 0644, line) < 0)
		return -1;
	if (live && sethostname(id->hostname, strlen(id->hostname)) < 0)
		return complain("sethostname", strerror(errno));
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return complain("etc/hosts", strerror(errno));
	fputs("127.0.0.1 localhost\n::1 localhost\n", f);
	bool listed = false;
	for (size_t i = 0; i < id->n_hosts; i++) {
		fprintf(f, "%s %s\n", id->hosts[i].address, id->hosts[i].name);
		listed |= !strcmp(id->hosts[i].name, id->hostname);
	}
	if (!listed)
		fprintf(f, "127.0.1.1 %s\n", id->hostname);
	fclose(f);
	int r = text ? put_text(root, "etc/hosts", 0644, text) : -1;
	free(text);
	return r;
}

/* The name by MAC before udev sees the card; a fixed address, and nothing to wait for. */
static int apply_nic(int root, const struct vh_id_nic *nic, unsigned mtu)
{
	char path[96], text[640], size[32] = "", way[48] = "";

	if (mtu)
		snprintf(size, sizeof size, "MTUBytes=%u\n", mtu);
	if (*nic->gateway)
		snprintf(way, sizeof way, "Gateway=%s\n", nic->gateway);
	snprintf(path, sizeof path, "etc/systemd/network/10-vhpc-%s.link", nic->name);
	snprintf(text, sizeof text, "[Match]\nMACAddress=%s\n\n[Link]\nName=%s\n%s", nic->mac,
		 nic->name, size);
	if (put_text(root, path, 0644, text) < 0)
		return -1;
	snprintf(path, sizeof path, "etc/systemd/network/10-vhpc-%s.network", nic->name);
	snprintf(text, sizeof text,
		 "[Match]\nMACAddress=%s\n\n[Link]\n%s\n[Network]\nAddress=%s/%u\n%sDHCP=no\n"
		 "LinkLocalAddressing=no\nIPv6AcceptRA=no\nLLMNR=no\nMulticastDNS=no\n"
		 "ConfigureWithoutCarrier=yes\n", nic->mac, size, nic->address, nic->prefix, way);
	return put_text(root, path, 0644, text);
}

static int apply_nics(int root, const struct vh_identity *id)
{
	if (directory(root, "etc/systemd/network", 0755, 0, 0) < 0)
		return -1;
	for (size_t i = 0; i < id->n_nics; i++)
		if (apply_nic(root, &id->nics[i], id->mtu) < 0)
			return -1;
	return 0;
}

static int apply_hostkey(int root, const struct vh_identity *id)
{
	const struct file key = { "etc/ssh/ssh_host_ed25519_key", id->hostkey, id->hostkey_len, 0600, 0, 0 };
	char *line = NULL;

	if (id->hostkey && put(root, &key) < 0)
		return -1;
	if (!id->hostkey_pub)
		return 0;
	if (asprintf(&line, "%s\n", id->hostkey_pub) < 0)
		return complain("host key", "out of memory");
	int r = put_text(root, "etc/ssh/ssh_host_ed25519_key.pub", 0644, line);
	free(line);
	return r;
}

static int authorize(int root, const struct passwd *user, const char *keys)
{
	char dir[128], path[160];
	const char *home = user->pw_dir + strspn(user->pw_dir, "/");

	if (!*home || strlen(home) > 100 || strstr(home, ".."))
		return complain(user->pw_name, "has no usable home directory");
	snprintf(dir, sizeof dir, "%s/.ssh", home);
	snprintf(path, sizeof path, "%s/authorized_keys", dir);
	if (directory(root, dir, 0700, user->pw_uid, user->pw_gid) < 0)
		return -1;
	return put(root, &(struct file){ path, keys, strlen(keys), 0600, user->pw_uid, user->pw_gid });
}

/* root and the cluster's user, by uid, as the image's own passwd names them. */
static int apply_keys(int root, const struct vh_identity *id)
{
	char *keys = NULL;
	size_t len = 0;
	int r = 0, fd = openat(root, "etc/passwd", O_RDONLY | O_CLOEXEC);
	FILE *passwd = fd < 0 ? NULL : fdopen(fd, "r"), *f = open_memstream(&keys, &len);

	if (!passwd || !f)
		return complain("etc/passwd", strerror(errno));
	for (size_t i = 0; i < id->n_authorized; i++)
		fprintf(f, "%s\n", id->authorized[i]);
	fclose(f);
	for (struct passwd *user; r == 0 && keys && (user = fgetpwent(passwd));)
		if (user->pw_uid == 0 || user->pw_uid == CLUSTER_USER)
			r = authorize(root, user, keys);
	fclose(passwd);
	free(keys);
	return r;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : CREDENTIAL, *root_path = argc > 2 ? argv[2] : "/";
	struct vh_identity id;
	char why[128];
	size_t len;

	char *text = read_all(path, &len);
	if (!text && errno == ENOENT && argc == 1)
		return 0;
	if (!text)
		return complain(path, strerror(errno)) ? 1 : 0;
	if (vh_identity_parse(text, len, &id, why, sizeof why) < 0)
		return complain("identity refused", why) ? 1 : 0;
	explicit_bzero(text, len);
	free(text);
	int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return complain(root_path, strerror(errno)) ? 1 : 0;
	umask(0022);
	int r = apply_names(root, &id, argc < 3);
	if (r == 0)
		r = apply_nics(root, &id);
	if (r == 0)
		r = apply_hostkey(root, &id);
	if (r == 0)
		r = apply_keys(root, &id);
	vh_identity_clear(&id);
	return r == 0 ? 0 : 1;
}
