// SPDX-License-Identifier: Apache-2.0
#include "images/guest/parse_slurm.h"

#include <stdlib.h>
#include <string.h>

#include "images/guest/guest.h"
#include "lib/ssh_key.h"

const char *const vh_id_slurm_names[] = { "slurm.conf", "topology.conf", "cgroup.conf", "gres.conf", NULL };

static const char *on_role(struct vh_id_slurm *s, char *rest)
{
	bool controller = !strcmp(rest, "controller");

	if (!controller && strcmp(rest, "compute"))
		return "slurm wants controller or compute";
	*(controller ? &s->controller : &s->compute) = true;
	return NULL;
}

static const char *on_key(struct vh_id_slurm *s, char *rest)
{
	if (s->key)
		return "a second key of munge";
	if (!vh_base64_decode(rest, strlen(rest), &s->key, &s->key_len))
		return "munge's key is not base64";
	return s->key_len < VH_MUNGE_KEY_MIN || s->key_len > VH_MUNGE_KEY_MAX ? "not a key of munge (32 to 1024 bytes)" : NULL;
}

static char **file_named(struct vh_id_slurm *s, const char *name)
{
	for (size_t i = 0; vh_id_slurm_names[i]; i++)
		if (!strcmp(vh_id_slurm_names[i], name))
			return &s->files[i];
	return NULL;
}

static const char *on_file(struct vh_id_slurm *s, char *rest)
{
	char *text = strchr(rest, ' '), **file;
	size_t len;

	if (!text)
		return "slurm.file wants NAME BASE64";
	*text++ = 0;
	file = file_named(s, rest);
	if (!file)
		return "not a file of Slurm's that a node is told";
	if (*file)
		return "a second file of Slurm's of this name";
	if (!vh_base64_decode(text, strlen(text), file, &len))
		return "a file of Slurm's is not base64";
	return strlen(*file) != len ? "a file of Slurm's with a NUL byte" : NULL;
}

static const struct { const char *key; const char *(*read)(struct vh_id_slurm *s, char *rest); } lines[] = {
	{ "slurm", on_role }, { "slurm.key", on_key }, { "slurm.file", on_file }, { NULL, NULL },
};

const char *vh_id_slurm_line(struct vh_id_slurm *s, const char *key, size_t len, char *rest, bool *ret_known)
{
	*ret_known = true;
	for (size_t i = 0; lines[i].key; i++)
		if (strlen(lines[i].key) == len && !strncmp(key, lines[i].key, len))
			return lines[i].read(s, rest);
	*ret_known = false;
	return NULL;
}

void vh_id_slurm_clear(struct vh_id_slurm *s)
{
	if (s->key)
		explicit_bzero(s->key, s->key_len);
	free(s->key);
	for (size_t i = 0; i < VH_ID_SLURM_FILES; i++)
		free(s->files[i]);
	*s = (struct vh_id_slurm){ 0 };
}
