// SPDX-License-Identifier: Apache-2.0
/* A package's archive, down to its control file, and dpkg's list of what is installed. */
#include <sys/mman.h>
#include <unistd.h>
#include "images/packages/deb.h"
#include "images/packages/installed.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autoclose int fd = memfd_create("deb", MFD_CLOEXEC);
	vh_autofree char *said = NULL, *status = fuzz_text(data, size);
	vh_autojson packages = vh_packages_json(status);
	vh_autofree char *release = vh_packages_upstream(packages, "openmpi-bin");
	size_t len = 0;
	FILE *out = open_memstream(&said, &len);

	FUZZ_ASSERT(out && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0 && packages);
	int r = vh_deb_find_control(fd, out);
	fclose(out);
	FUZZ_ASSERT(r >= 0 && (r == 0 || len > 0));
	FUZZ_ASSERT(!release || strlen(release) <= size);
	return 0;
}
