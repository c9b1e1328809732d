// SPDX-License-Identifier: Apache-2.0
/* Whether an NVIDIA GPU is cut into instances (MIG) only its own library tells; it is asked
 * where it is installed, and nothing is built against it. */
#include "sriov/inventory/nvml.h"

#include <dlfcn.h>
#include <errno.h>

#include "lib/cleanup.h"

typedef void *nvml_device;

/* What of libnvidia-ml is needed, by its names. */
struct nvml {
	int (*init)(void);
	int (*shutdown)(void);
	int (*by_address)(const char *address, nvml_device *ret);
	int (*mig_mode)(nvml_device device, unsigned *ret_current, unsigned *ret_pending);
};

static void close_library(void **library)
{
	if (*library)
		dlclose(*library);
}

static int load_nvml(void *library, struct nvml *ret)
{
	*(void **)&ret->init = dlsym(library, "nvmlInit_v2");
	*(void **)&ret->shutdown = dlsym(library, "nvmlShutdown");
	*(void **)&ret->by_address = dlsym(library, "nvmlDeviceGetHandleByPciBusId_v2");
	*(void **)&ret->mig_mode = dlsym(library, "nvmlDeviceGetMigMode");
	return ret->init && ret->shutdown && ret->by_address && ret->mig_mode ? 0 : -ENOSYS;
}

int vh_nvml_mig(const char *path, const char *address, bool *ret_on, bool *ret_pending)
{
	vh_cleanup(close_library) void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	unsigned current = 0, pending = 0;
	nvml_device device;
	struct nvml nvml;
	int r = library ? load_nvml(library, &nvml) : -ENOENT;

	if (r < 0)
		return r;
	if (nvml.init() != 0)
		return -EIO;
	r = nvml.by_address(address, &device) != 0 ? -ENODEV :
	    nvml.mig_mode(device, &current, &pending) != 0 ? -EOPNOTSUPP : 0;
	nvml.shutdown();
	if (r < 0)
		return r;
	*ret_on = current;
	*ret_pending = pending;
	return 0;
}
