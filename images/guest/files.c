// SPDX-License-Identifier: Apache-2.0
#include "images/guest/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int vh_guest_complain(const char *what, const char *why)
{
	fprintf(stderr, "vhpc-identity: %s: %s\n", what, why);
	return -1;
}

char *vh_guest_read(int dir, const char *path, size_t max, size_t *ret_len)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(max + 2);
	size_t len = 0;
	ssize_t n = 0;

	while (text && len <= max && (n = read(fd, text + len, max + 1 - len)) > 0)
		len += (size_t)n;
	int saved = errno;
	if (fd >= 0)
		close(fd);
	if (text && n >= 0)
		text[len] = 0;
	if (n < 0) {
		free(text);
		text = NULL;
	}
	errno = saved;
	*ret_len = len;
	return text;
}

void vh_guest_beside(char *buf, size_t len, const char *path)
{
	char host[65] = "";

	gethostname(host, sizeof host - 1);
	snprintf(buf, len, "%s.%s.new", path, host);
}

bool vh_guest_has(int root, const struct vh_guest_file *f)
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

static int fill(int fd, const struct vh_guest_file *f)
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
int vh_guest_put(int root, const struct vh_guest_file *f)
{
	char tmp[256];
	if (vh_guest_has(root, f))
		return 0;
	vh_guest_beside(tmp, sizeof tmp, f->path);
	unlinkat(root, tmp, 0);
	int fd = openat(root, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return vh_guest_complain(f->path, strerror(errno));
	bool own = geteuid() != 0 || fchown(fd, f->uid, f->gid) == 0;
	int r = own ? fill(fd, f) : -1;
	if (close(fd) < 0 || r < 0 || renameat(root, tmp, root, f->path) < 0) {
		vh_guest_complain(f->path, strerror(errno));
		unlinkat(root, tmp, 0);
		return -1;
	}
	return 0;
}

int vh_guest_text(int root, const char *path, mode_t mode, const char *text)
{
	return vh_guest_put(root, &(struct vh_guest_file){ path, text, strlen(text), mode, 0, 0 });
}

int vh_guest_directory(int root, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	if (mkdirat(root, path, mode) < 0 && errno != EEXIST)
		return vh_guest_complain(path, strerror(errno));
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = fd >= 0 && fchmod(fd, mode) == 0 && (geteuid() != 0 || fchown(fd, uid, gid) == 0);
	if (!ok)
		vh_guest_complain(path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok ? 0 : -1;
}
