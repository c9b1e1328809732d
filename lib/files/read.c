// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/files/read.h"

enum { FILE_MAX = 64 << 20 };

static int read_fd(int fd, const char *shown, char **ret, size_t *ret_len, struct vh_err *err)
{
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", shown, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vh_err_set(err, EINVAL, "%s: is no regular file", shown);
	if (st.st_size > FILE_MAX)
		return vh_err_set(err, EFBIG, "%s: is larger than 64 MiB", shown);
	vh_autofree char *data = malloc((size_t)st.st_size + 1);
	if (!data)
		return vh_err_nomem(err);
	while (len < (size_t)st.st_size && (n = read(fd, data + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return vh_err_set(err, errno, "%s: %s", shown, strerror(errno));
	data[len] = 0;
	*ret = vh_steal(&data);
	*ret_len = len;
	return 0;
}

int vh_host_file(const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return read_fd(fd, path, ret, ret_len, err);
}

int vh_host_file_below(int dir, const char *path, const char *shown, char **ret, size_t *ret_len,
		       struct vh_err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	vh_autoclose int fd = -1;

	/* A rename anywhere meanwhile, and the kernel is not sure of a "..". */
	do
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	return fd < 0 && errno == EXDEV ? -EXDEV : read_fd(fd, shown, ret, ret_len, err);
}
