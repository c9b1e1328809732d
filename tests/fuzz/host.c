// SPDX-License-Identifier: Apache-2.0
/* hwloc's XML of a host, through hwloc, or a host as another tells of itself in JSON, and a VM
 * placed on what comes out. */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

static int load_xml(const uint8_t *data, size_t size, struct vh_host **ret, struct vh_err *err)
{
	vh_autoclose int fd = memfd_create("host", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_ASSERT(write(fd, data, size) == (ssize_t)size);
	return vh_host_load(NULL, path, ret, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vh_want want = { .name = "vm", .vcpus = 2, .memory = 1 << 20, .page = VH_PAGE_ANY };
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autoplan plan = NULL;
	vh_autoerr err = VH_ERR_NONE;
	int r = size && data[0] == '{' ? vh_host_from_json("host", (const char *)data, size, &host, &taken, &err)
				       : load_xml(data, size, &host, &err);

	if (r < 0) {
		FUZZ_ASSERT(err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	FUZZ_ASSERT(host->n_cpus && host->n_nodes && vh_left_init(&left, host, &taken) == 0);
	FUZZ_ASSERT(vh_solve(&left, &want, 0, &plan) == 0);
	return 0;
}
