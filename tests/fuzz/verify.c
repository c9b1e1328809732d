// SPDX-License-Identifier: Apache-2.0
/* What a machine under verification answers: a guest's words. */
#include "images/verify/verify.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

static const char image[] =
	"{\"name\": \"mpi\", \"suite\": \"bookworm\", \"user\": \"hpc\", \"cmdline\": \"root=/dev/vda quiet\", \"epoch\": 1700000000,"
	" \"kernel\": {\"package\": \"linux-image-cloud-amd64\", \"version\": \"6.1.0-56-cloud-amd64\"},"
	" \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\", \"transport\": \"ivshm\"}, \"root\": {\"size\": 1073741824},"
	" \"recipe\": {\"sysctl\": [\"vm.swappiness=1\"], \"limits\": [\"memlock=unlimited\"], \"mask\": [\"a.timer\"], \"enable\": [\"b.service\"],"
	" \"modules\": [\"overlay\"], \"blacklist\": [\"floppy\"], \"packages\": [\"numactl\"], \"users\": [{\"name\": \"ada\", \"uid\": 1001,"
	" \"shell\": \"/bin/bash\", \"groups\": [\"video\"]}], \"files\": [{\"path\": \"/etc/motd\", \"mode\": \"0644\", \"owner\": \"root\","
	" \"sha256\": \"00\"}]}, \"packages\": [{\"name\": \"numactl\", \"version\": \"2.0.16-1\", \"architecture\": \"amd64\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autofree char *text = fuzz_text(data, size);
	struct vh_verify v = { .boot = VH_BOOT_DIRECT, .accel = "tcg", .findings = VH_FINDINGS_NONE };
	vh_autojson doc = json_loads(image, 0, NULL);
	vh_autoerr err = VH_ERR_NONE;

	if (vh_verify_judge(doc, text, &v, &err) < 0) {
		FUZZ_ASSERT(err.text);
	} else {
		vh_autojson row = vh_verify_json(&v);
		FUZZ_ASSERT(row && v.phases.kernel >= -1 && v.phases.initrd >= -1 && v.phases.userspace >= -1);
	}
	vh_verify_clear(&v);
	return 0;
}
