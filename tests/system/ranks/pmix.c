// SPDX-License-Identifier: Apache-2.0
/* A rank under Open MPI that asks its mpirun, by PMIx, to start a shell command.
 * usage: pmix COMMAND [KEY=VALUE]... */
#include <pmix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *words[] = { "/bin/sh", "-c", argv[1], NULL }, space[PMIX_MAX_NSLEN + 1];
	pmix_status_t r;
	pmix_proc_t me;
	pmix_app_t app;

	if (argc < 2 || PMIx_Init(&me, NULL, 0) != PMIX_SUCCESS)
		return 2;
	PMIX_APP_CONSTRUCT(&app);
	app.cmd = strdup(words[0]);
	app.cwd = strdup("/tmp");
	app.maxprocs = 1;
	app.argv = words;
	app.ninfo = (size_t)argc - 2;
	PMIX_INFO_CREATE(app.info, app.ninfo);
	for (int i = 2; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (!value)
			return 2;
		*value = '\0';
		PMIX_INFO_LOAD(&app.info[i - 2], argv[i], value + 1, PMIX_STRING);
	}
	r = PMIx_Spawn(NULL, 0, &app, 1, space);
	printf("spawn: %s\n", PMIx_Error_string(r));
	fflush(stdout);
	sleep(2);
	PMIx_Finalize(NULL, 0);
	return 0;
}
