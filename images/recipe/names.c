// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "images/recipe/names.h"

const char *const vh_suite_names[] = { "host", "bookworm", "trixie", "jammy", "noble", NULL };
const char *const vh_mpi_names[] = { "none", "openmpi", "mpich", NULL };
static const char *const mpi_packages[] = { NULL, "openmpi-bin", "mpich" };
const char *const vh_mitigations_names[] = { "auto", "off", NULL };

const char *vh_suite_name(int suite) { return vh_suite_names[suite]; }
bool vh_suite_is_ubuntu(int suite) { return suite == VH_SUITE_JAMMY || suite == VH_SUITE_NOBLE; }
const char *vh_mpi_name(int mpi) { return vh_mpi_names[mpi]; }
const char *vh_mpi_package(int mpi) { return mpi_packages[mpi]; }

size_t vh_suite_prefix(const char *value, int *ret_suite)
{
	const char *colon = strchr(value, ':');

	for (int i = VH_SUITE_BOOKWORM; colon && vh_suite_name(i); i++) {
		size_t n = strlen(vh_suite_name(i));
		if (n == (size_t)(colon - value) && !strncmp(value, vh_suite_name(i), n)) {
			*ret_suite = i;
			return n + 1;
		}
	}
	return 0;
}
