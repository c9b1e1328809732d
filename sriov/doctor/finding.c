// SPDX-License-Identifier: Apache-2.0
#include "sriov/doctor/finding.h"

#include <stdarg.h>

void vh_doctor_say(struct vh_doctor *d, const char *device, const char *step, enum vh_finding state, const char *mend,
		   const char *found, ...)
{
	static const char *const states[] = { "ok", "wrong", "unknown" };
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, found);
	if (vasprintf(&text, found, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || json_array_append_new(d->rows, json_pack("{ss ss ss ss ss?}", "device", device, "step", step,
							      "state", states[state], "found", text, "mend", mend)) < 0)
		d->failed = true;
}
