// SPDX-License-Identifier: Apache-2.0
/* What each end of a job's connection makes of what comes from the other: frames, and the job in one. */
#include <string.h>

#include "lib/strv.h"
#include "mpirun-wrap/wire/wire.h"
#include "tests/fuzz/fuzz.h"

static void look_at_job(const struct vh_frame *f)
{
	struct vh_wire_job job, again;
	size_t len;
	char *packed;

	if (vh_wire_job_unpack(f->data, f->len, &job) < 0)
		return;
	FUZZ_ASSERT(job.argv && *job.argv[0] && job.n_files <= VH_WIRE_FILES);
	for (char *const *e = job.env; e && *e; e++)
		FUZZ_ASSERT(**e != '=' && strchr(*e, '='));
	packed = vh_wire_job_pack(&job, &len);
	FUZZ_ASSERT(packed && vh_wire_job_unpack(packed, len, &again) == 0);
	FUZZ_ASSERT(vh_strv_len(job.argv) == vh_strv_len(again.argv) && job.n_files == again.n_files);
	vh_wire_job_clear(&again);
	vh_wire_job_clear(&job);
	free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int to_head = 0; to_head < 2; to_head++) {
		struct vh_frame_in in = { .fd = -1, .head = to_head, .buf = malloc(size + 1), .end = size, .room = size };
		struct vh_frame f;

		memcpy(in.buf, data, size);
		while (vh_frame_next(&in, &f) > 0) {
			FUZZ_ASSERT(f.data >= in.buf && f.data + f.len <= in.buf + size);
			if (f.type == VH_FRAME_JOB)
				look_at_job(&f);
		}
		vh_frame_in_clear(&in);
	}
	return 0;
}
