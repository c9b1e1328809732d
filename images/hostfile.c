// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "images/hostfile.h"

enum { FILE_MAX = 64 << 20 };

int vh_host_file(const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vh_err_set(err, EINVAL, "%s: is no regular file", path);
	if (st.st_size > FILE_MAX)
		return vh_err_set(err, EFBIG, "%s: is larger than 64 MiB", path);
	vh_autofree char *data = malloc((size_t)st.st_size + 1);
	if (!data)
		return vh_err_nomem(err);
	while (len < (size_t)st.st_size && (n = read(fd, data + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	data[len] = 0;
	*ret = vh_steal(&data);
	*ret_len = len;
	return 0;
}
