// SPDX-License-Identifier: Apache-2.0
/* A libnvidia-ml of two GPUs: one cut into instances until it is reset, one that cannot be. */
#include <string.h>

static int users;

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **ret);
int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending);

int nvmlInit_v2(void)
{
	return users++;
}

int nvmlShutdown(void)
{
	users--;
	return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **ret)
{
	static char cut, whole;

	*ret = strcmp(address, "0000:43:00.0") ? &whole : &cut;
	return strcmp(address, "0000:43:00.0") && strcmp(address, "0000:44:00.0") ? 6 : 0;
}

int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending)
{
	void *cut;

	nvmlDeviceGetHandleByPciBusId_v2("0000:43:00.0", &cut);
	*current = 1;
	*pending = 0;
	return device == cut ? 0 : 3;
}
