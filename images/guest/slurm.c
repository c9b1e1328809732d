// SPDX-License-Identifier: Apache-2.0
#include "images/guest/slurm.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "images/guest/files.h"

#define MUNGE "etc/munge"
#define CONFIG "etc/slurm"
#define MARKS "etc/vhpc/slurm"

/* munged takes a key that is its user's alone; the number is the image's. */
static int put_key(int root, const struct vh_id_slurm *s)
{
	int fd = openat(root, "etc/passwd", O_RDONLY | O_CLOEXEC), r = -1;
	FILE *passwd = fd < 0 ? NULL : fdopen(fd, "r");
	struct passwd *user = NULL;

	if (!passwd)
		return vh_guest_complain("etc/passwd", strerror(errno));
	while ((user = fgetpwent(passwd)) && strcmp(user->pw_name, "munge"))
		;
	if (!user)
		vh_guest_complain(MUNGE, "the image has no munge, and so no Slurm");
	else if (vh_guest_directory(root, MUNGE, 0700, user->pw_uid, user->pw_gid) == 0)
		r = vh_guest_put(root, &(struct vh_guest_file){ MUNGE "/munge.key", s->key, s->key_len, 0400, user->pw_uid, user->pw_gid });
	fclose(passwd);
	return r;
}

/* text NULL: none of that name is to be there. */
static int put(int root, const char *dir, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (text)
		return vh_guest_text(root, path, 0644, text);
	return unlinkat(root, path, 0) == 0 || errno == ENOENT ? 0 : vh_guest_complain(path, strerror(errno));
}

int vh_slurm_apply(int root, const struct vh_id_slurm *s)
{
	int r = 0;

	if (!s->key && (s->controller || s->compute))
		return vh_guest_complain(MUNGE, "the identity has a part in Slurm, and no slurm.key");
	if (!s->key)
		return 0;
	if (put_key(root, s) < 0 || vh_guest_directory(root, CONFIG, 0755, 0, 0) < 0 ||
	    vh_guest_directory(root, "etc/vhpc", 0755, 0, 0) < 0 || vh_guest_directory(root, MARKS, 0755, 0, 0) < 0)
		return -1;
	for (size_t i = 0; r == 0 && vh_id_slurm_names[i]; i++)
		r = put(root, CONFIG, vh_id_slurm_names[i], s->files[i]);
	if (r == 0)
		r = put(root, MARKS, "controller", s->controller ? "" : NULL);
	return r < 0 ? r : put(root, MARKS, "compute", s->compute ? "" : NULL);
}
