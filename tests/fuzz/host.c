// SPDX-License-Identifier: Apache-2.0
/* hwloc's XML of a host, through hwloc, and a VM placed on what comes out. */
#include <sys/mman.h>
#include <unistd.h>
#include "tests/fuzz/fuzz.h"
#include "vmm/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vh_want want = { .name = "vm", .vcpus = 2, .memory = 1 << 20, .page = VH_PAGE_ANY };
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autoclose int fd = memfd_create("host", MFD_CLOEXEC);
	vh_autoplan plan = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) != (ssize_t)size)
		return 0;
	if (vh_host_load(NULL, path, &host, &err) < 0) {
		FUZZ_ASSERT(err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	FUZZ_ASSERT(host->n_cpus && host->n_nodes && vh_left_init(&left, host, NULL) == 0);
	FUZZ_ASSERT(vh_solve(&left, &want, 0, &plan) == 0);
	return 0;
}
