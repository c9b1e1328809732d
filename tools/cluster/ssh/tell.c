// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/ssh/ssh.h"

#include <unistd.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { TELL_MS = 60000 };

/* What sshd hands a command as its input may be a socket, which cannot be opened by name; a pipe can. Then what MPI reads
 * in a node of its cluster, which is made at boot of what the identity said; and slurmd, which knows the nodes of its
 * start alone: jobs run on without it. */
static const char remote[] =
	"cat | /usr/lib/vhpc/identity /dev/stdin && { [ ! -x /usr/lib/vhpc/mpirun-wrap ] || /usr/lib/vhpc/mpirun-wrap --defaults; }"
	" && { [ ! -e /etc/vhpc/slurm/compute ] || systemctl restart slurmd; }";

static char *mark_of(const char *dir, const char *node)
{
	return vh_strf("%s/%s/" UNTOLD_MARK, dir, node);
}

bool node_is_untold(const char *dir, const char *node)
{
	vh_autofree char *mark = mark_of(dir, node);

	return mark && access(mark, F_OK) == 0;
}

int node_tell_again(const char *dir, const char *node, struct vh_err *err)
{
	vh_autofree char *config = vh_strf("%s/ssh_config", dir), *path = vh_strf("%s/%s/identity", dir, node);
	char *const argv[] = { "ssh", "-F", config, "-l", "root", (char *)node, (char *)remote, NULL };
	vh_cleanup(ssh_secret_free) char *text = NULL;
	size_t len;
	int r = config && path ? vh_host_file(path, &text, &len, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .input = text, .input_len = len, .deadline_ms = TELL_MS }, NULL, err);
	return r < 0 ? vh_err_within(err, "%s: cannot be told of the cluster's nodes and users", node) : 0;
}

int node_tell(const char *dir, const char *node, bool *ret_told, struct vh_err *err)
{
	vh_autofree char *mark = mark_of(dir, node);
	int r = mark ? 0 : vh_err_nomem(err);

	*ret_told = r == 0 && access(mark, F_OK) == 0;
	if (*ret_told)
		r = node_tell_again(dir, node, err);
	return r < 0 || !*ret_told ? r : vh_remove_tree(mark, err);
}
