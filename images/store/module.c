// SPDX-License-Identifier: Apache-2.0
/* Which modules an image's kernel has, by the lists in its root file system: foreign data, read without rights. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "images/images.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { ASK_MS = 60000 };

/* Whether a line of the list begins with the module's path: of one that is to be loaded, or of one that is built in. */
static bool lists(const char *list, const char *module)
{
	const size_t n = strlen(module);

	for (const char *at = list; (at = strstr(at, module)); at += n)
		if ((at == list || at[-1] == '\n') && !strncmp(at + n, ".ko", 3))
			return true;
	return false;
}

static int ask(const struct vh_image *image, int fd, const char *list, const char *module, bool *ret, struct vh_err *err)
{
	vh_autofree char *disk = vh_strf("/proc/self/fd/%d", fd), *question = vh_strf("cat /usr/lib/modules/%s/%s", image->kernel_version, list);
	char *const argv[] = { (char *)"debugfs", (char *)"-R", question, disk, NULL };
	vh_autooutput out = { 0 };
	int r = disk && question ? vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .confined = true, .keep = (const int[]){ fd, -1 },
								    .deadline_ms = ASK_MS }, &out, err)
				 : vh_err_nomem(err);

	if (r == 0)
		*ret = lists(out.out, module);
	return r;
}

int vh_image_has_module(const struct vh_image *image, const char *module, bool *ret, struct vh_err *err)
{
	vh_autoclose int fd = open(image->root, O_RDONLY | O_CLOEXEC);
	int r;

	*ret = false;
	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", image->root, strerror(errno));
	r = ask(image, fd, "modules.dep", module, ret, err);
	return r < 0 || *ret ? r : ask(image, fd, "modules.builtin", module, ret, err);
}
