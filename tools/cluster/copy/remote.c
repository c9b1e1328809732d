// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/remote.h"

#include <errno.h>

#include "lib/strv.h"
#include "tools/cluster/copy/names.h"
#include "tools/cluster/copy/sums.h"

/* With one name that is no directory there, what comes takes that name. All of it is beside its place before a part of
 * it is given its name: mv renames. */
const char remote_take[] =
	"set -eu\n"
	"die() { printf '%s\\n' \"$1\" >&2; exit 1; }\n"
	"to=$1 as=; shift\n"
	"if [ ! -d \"$to\" ]; then\n"
	"	case $to in */) die \"$to: no such directory\" ;; esac\n"
	"	[ $# = 1 ] || die \"$to: no such directory, for several\"\n"
	"	as=${to##*/} to=${to%/*}/\n"
	"fi\n"
	"cd \"$to\" 2>/dev/null || die \"$to: no such directory\"\n"
	"for name; do\n"
	"	place=./${as:-$name}\n"
	"	if [ -d \"$place\" ] && [ ! -L \"$place\" ]; then die \"$to${place#./}: is a directory that is there already\"; fi\n"
	"done\n"
	"part=$(mktemp -d ./.vhpc-cp.XXXXXX)\n"
	"trap 'rm -rf \"$part\"' EXIT\n"
	"trap 'exit 1' HUP INT PIPE TERM\n"
	"said=$(tar -x -f - -C \"$part\" --no-same-owner -p 2>&1) || die \"$(printf '%s' \"$said\" | head -n 1)\"\n"
	"[ \"$(cd \"$part/files\" && find ." SUMS_COMMAND ")\" = \"$(cat \"$part/sum\")\" ] || die 'what arrived is not what was sent'\n"
	"sync -f \"$part\"\n"
	"for name; do mv -T -f -- \"$part/files/$name\" \"./${as:-$name}\"; done\n";

#define REMOTE_BEGIN \
	"set -eu\n" \
	"cd \"$1\"\n" \
	"[ -e \"./$2\" ] || [ -L \"./$2\" ] || { printf '%s/%s: no such file or directory\\n' \"$1\" \"$2\" >&2; exit 1; }\n"

/* tar's first word is why, its last that it failed. */
const char remote_give[] = REMOTE_BEGIN
	"{ said=$(tar -c -f - --format=gnu --hard-dereference -- \"./$2\" 2>&1 >&3); } 3>&1 ||\n"
	"	{ printf '%s\\n' \"$said\" | head -n 1 >&2; exit 1; }\n";
const char remote_sum[] = REMOTE_BEGIN "find \"./$2\"" SUMS_COMMAND "\n";

int remote_run(const struct copy *c, const char *node, const char *script, const char *const *args, int in_fd, int out_fd,
	       struct vh_output *ret, struct vh_err *err)
{
	vh_autofree char *command = name_command(script, args);
	char *const argv[] = { "ssh", "-F", (char *)c->config, "-l", (char *)c->user, (char *)node, "--", command, NULL };
	const struct vh_spawn spawn = { .argv = argv, .in_fd = in_fd, .out_fd = out_fd, .stop = c->stop };

	return command ? vh_spawn_ok(&spawn, ret, err) : vh_err_nomem(err);
}
