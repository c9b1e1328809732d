// SPDX-License-Identifier: Apache-2.0
#include "sriov/doctor/finding.h"

#include <stdarg.h>

#include "lib/strv.h"

void vh_doctor_say(struct vh_doctor *d, const char *device, const char *check, enum vh_verdict verdict,
		   const char *mend, const char *found, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, found);
	text = vh_vstrf(found, ap);
	va_end(ap);
	vh_finding_add(d->findings, &(struct vh_finding){ .object = device, .check = check, .verdict = verdict, .found = text,
							  .mend = mend, .stops = true });
	d->findings->no_memory |= !text;
}
