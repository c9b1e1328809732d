// SPDX-License-Identifier: Apache-2.0
/* A device's files in /sys as a captured host has them: its configuration space, and its BARs. */
#include <fcntl.h>
#include <unistd.h>
#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "tests/fuzz/fuzz.h"

static const char device[] = "0000:3b:00.0";

static void put(const char *dir, const char *file, const uint8_t *data, size_t size)
{
	vh_autofree char *path = vh_strf("%s/" VH_PCI_DIR "/%s/%s", dir, device, file);
	vh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[128];
	static struct vh_root *root;
	struct vh_pci_bar bars[VH_PCI_RESOURCES];
	struct vh_config config;
	vh_autoerr err = VH_ERR_NONE;

	if (!root) {
		fuzz_directory(dir, "sys/bus/pci/devices/0000:3b:00.0");
		FUZZ_ASSERT(vh_root_open(&root, dir, &err) == 0);
	}
	put(dir, "config", data, size);
	put(dir, "resource", data, size);
	FUZZ_ASSERT(vh_config_read(root, device, &config) == 0 && config.len <= VH_CONFIG_SIZE);
	for (unsigned id = 0; id < 64; id++) {
		unsigned cap = vh_config_cap(&config, (uint8_t)id), ecap = vh_config_ecap(&config, (uint16_t)id);
		FUZZ_ASSERT((!cap || cap + 1 < config.len) && (!ecap || ecap + 1 < config.len));
	}
	FUZZ_ASSERT(vh_config_word(&config, VH_CONFIG_SIZE - 1) == 0);
	FUZZ_ASSERT(vh_pci_resources(root, device, bars) == 0);
	return 0;
}
