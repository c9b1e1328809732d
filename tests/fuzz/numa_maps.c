// SPDX-License-Identifier: Apache-2.0
/* What the kernel says of QEMU's memory (maps and numa_maps, divided by a form feed), where a VM's owner
 * names the files that stand in it. */
#include <fcntl.h>
#include <unistd.h>
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/fuzz/fuzz.h"
#include "vmm/kernel/kernel.h"

static void put(const char *dir, const char *file, const char *data, size_t size)
{
	vh_autofree char *path = vh_strf("%s/proc/7/%s", dir, file);
	vh_autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[128];
	static struct vh_root *root;
	const char *maps = (const char *)data, *numa = memchr(maps, '\f', size);
	vh_autofree struct vh_memory *memory = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t n = 0;

	if (!root) {
		fuzz_directory(dir, "proc/7");
		FUZZ_ASSERT(vh_root_open(&root, dir, &err) == 0);
	}
	if (!numa)
		return 0;
	put(dir, "maps", maps, (size_t)(numa - maps));
	put(dir, "numa_maps", numa + 1, size - (size_t)(numa - maps) - 1);
	FUZZ_ASSERT(vh_process_memory(root, "7", 0x4000000, &memory, &n) == 0);
	for (size_t i = 0; i < n; i++)
		FUZZ_ASSERT(memory[i].bytes == 0x4000000 && memchr(memory[i].policy, 0, sizeof memory[i].policy));
	return 0;
}
