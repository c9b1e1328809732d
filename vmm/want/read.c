// SPDX-License-Identifier: Apache-2.0
#include "vmm/want/read.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"

int vh_want_read_choice(const char *what, const char *value, const char *const *names, size_t n, int *ret,
			struct vh_err *err)
{
	const char *near;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(value, names[i])) {
			*ret = (int)i;
			return 0;
		}
	vh_err_refuse(err, EINVAL, "%s: '%.40s' is none of those there are", what, value);
	near = vh_nearest(value, names, n);
	return vh_err_hint(err, "%s%s?", near ? "" : "such as ", near ? near : names[0]);
}

int vh_want_read_number(const char *what, const char *value, uint64_t max, unsigned *ret, struct vh_err *err)
{
	uint64_t v;
	int r = vh_uint_parse(value, max, &v, err);

	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "%s", what);
	}
	*ret = (unsigned)v;
	return 0;
}

int vh_want_read_size(const char *what, const char *value, uint64_t *ret, struct vh_err *err)
{
	int r = vh_size_parse(value, ret, err);

	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "%s", what);
	}
	return 0;
}

bool vh_want_is_set(const char *value)
{
	return value[strcspn(value, "-+,^")];
}
