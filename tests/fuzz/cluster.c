// SPDX-License-Identifier: Apache-2.0
/* cluster.json and the manifest's name, as mpirun-wrap reads them. */
#include "lib/values.h"
#include "mpirun-wrap/cluster/cluster.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autocluster c = NULL;
	vh_autofree char *name = NULL;
	vh_autoerr err = VH_ERR_NONE;

	if (vh_mpi_cluster_parse("fuzz", (const char *)data, size, &c, &err) < 0)
		FUZZ_ASSERT(!c && err.text && err.exit == VH_EXIT_REFUSED);
	for (size_t i = 0; c && i < c->n_nodes; i++)
		FUZZ_ASSERT(vh_is_hostname(c->nodes[i].name) && !strpbrk(c->nodes[i].address, " \n-"));
	if (vh_mpi_manifest_name("fuzz", (const char *)data, size, &name, &err) == 0)
		FUZZ_ASSERT(vh_is_hostname(name));
	return 0;
}
