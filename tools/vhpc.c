// SPDX-License-Identifier: Apache-2.0
/* The front door: "vhpc TOOL ..." becomes vhpc-TOOL, found beside this program. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"

struct tool { const char *name, *help; };

static const struct tool tools[] = {
	{ "probe", "what this host offers" },
	{ "image", "build and list images" },
	{ "cluster", "plan, apply, show and destroy virtual clusters" },
	{ "vm", "list, start and stop virtual machines, and reach their consoles" },
	{ "net", "list the networks of virtual clusters" },
	{ "sriov", "list PFs, VFs and GPUs" },
	{ "validate", "compare a VM with its own host" },
	{ "hook", "serve libvirt's hooks" },
};

static int usage(FILE *f)
{
	fputs("Usage: vhpc TOOL VERB [OPTIONS] [ARGUMENTS]\n\n"
	      "Virtual HPC clusters on this host: images, placement, networks, VMs, MPI.\n\nTools:\n", f);
	for (size_t i = 0; i < vh_array_len(tools); i++)
		fprintf(f, "  %-10s  %s\n", tools[i].name, tools[i].help);
	fputs("\nOptions:\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  the version\n"
	      "\nvhpc TOOL --help tells a tool's verbs. MPI jobs are started with mpirun-wrap.\n", f);
	if (fflush(f) != 0)
		return VH_EXIT_FAILED;
	return f == stdout ? VH_EXIT_DONE : VH_EXIT_USAGE;
}

static int unknown(const char *name)
{
	const char *names[vh_array_len(tools)], *near;

	for (size_t i = 0; i < vh_array_len(tools); i++)
		names[i] = tools[i].name;
	near = vh_nearest(name, names, vh_array_len(tools));
	fprintf(stderr, "vhpc: unknown tool '%s'", name);
	if (near)
		fprintf(stderr, " (hint: did you mean '%s'?)\n", near);
	else
		fputs(" (hint: vhpc --help lists the tools)\n", stderr);
	return VH_EXIT_USAGE;
}

static bool known(const char *name)
{
	for (size_t i = 0; i < vh_array_len(tools); i++)
		if (!strcmp(tools[i].name, name))
			return true;
	return false;
}

static int run_tool(const char *name, char **argv)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *program = NULL;
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	program = vh_strf("%s/vhpc-%s", slash ? self : ".", name);
	if (!program)
		return VH_EXIT_FAILED;
	argv[0] = program;
	vh_spawn_exec(argv, &err);
	vh_err_print(stderr, "vhpc", &err);
	return VH_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("vhpc %s\n", VHPC_VERSION);
		return VH_EXIT_DONE;
	}
	return known(argv[1]) ? run_tool(argv[1], argv + 1) : unknown(argv[1]);
}
